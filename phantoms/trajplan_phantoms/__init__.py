"""Parametric spine phantoms with exact truth. Imports trajplan's ground floor only."""

from trajplan_phantoms.morphometry import default_levels
from trajplan_phantoms.named import NAMED, demo_phantom, named
from trajplan_phantoms.phantom import Phantom, make_phantom
from trajplan_phantoms.scanner import Scanner
from trajplan_phantoms.spec import PhantomSpec, Pose
from trajplan_phantoms.truth import Heights, PedicleTruth, Truth

__all__ = [
    "NAMED",
    "Heights",
    "PedicleTruth",
    "Phantom",
    "PhantomSpec",
    "Pose",
    "Scanner",
    "Truth",
    "default_levels",
    "demo_phantom",
    "make_phantom",
    "named",
]
