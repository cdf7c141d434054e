"""Parametric spine phantoms with exact truth. Imports trajplan's ground floor only."""

from trajplan_phantoms.curve import SpineCurve
from trajplan_phantoms.fracture import Cleft, Fracture, Fragment
from trajplan_phantoms.morphometry import Morphometry, default_levels
from trajplan_phantoms.named import NAMED, demo_phantom, named
from trajplan_phantoms.phantom import Phantom, make_phantom
from trajplan_phantoms.population import draw
from trajplan_phantoms.scanner import Scanner
from trajplan_phantoms.spec import PhantomSpec, Pose
from trajplan_phantoms.surroundings import Surrounding
from trajplan_phantoms.truth import Heights, PedicleTruth, Truth
from trajplan_phantoms.warp import FracturedScan, fracture_scan

__all__ = [
    "NAMED",
    "Cleft",
    "Fracture",
    "FracturedScan",
    "Fragment",
    "Heights",
    "Morphometry",
    "PedicleTruth",
    "Phantom",
    "PhantomSpec",
    "Pose",
    "Scanner",
    "SpineCurve",
    "Surrounding",
    "Truth",
    "default_levels",
    "demo_phantom",
    "draw",
    "fracture_scan",
    "make_phantom",
    "named",
]
