"""Named phantoms: twelve cases to look at and plan on, and the demonstration."""

from __future__ import annotations

from trajplan.errors import InputError
from trajplan_phantoms.curve import SpineCurve
from trajplan_phantoms.fracture import Cleft, Fracture
from trajplan_phantoms.phantom import Phantom, make_phantom
from trajplan_phantoms.scanner import Scanner
from trajplan_phantoms.spec import PhantomSpec

NAMED: dict[str, PhantomSpec] = {
    "wedge-L1": PhantomSpec(),
    "crush-T12": PhantomSpec("T12", fracture="crush", height_loss_percent=30.0),
    "biconcave-L2": PhantomSpec("L2", fracture="biconcave", height_loss_percent=40.0),
    "narrow-L1": PhantomSpec(pedicle_width_mm_left=4.0, pedicle_width_mm_right=4.2),
    "intact-L3": PhantomSpec("L3", fracture="none", height_loss_percent=0.0, trabecular_hu=160.0),
    "asymmetric-L1": PhantomSpec(pedicle_width_mm_left=7.0, pedicle_width_mm_right=10.0),
    "narrow-T6": PhantomSpec(
        "T6", height_loss_percent=30.0, pedicle_width_mm_left=3.7, pedicle_width_mm_right=3.9, trabecular_hu=95.0
    ),
    "scoliosis-L2": PhantomSpec(
        "L2", height_loss_percent=30.0, curve=SpineCurve(scoliosis_cobb_deg=25.0, apex="L2", rotation_deg=10.0)
    ),
    "cleft-L1": PhantomSpec(fracture=Fracture("wedge", 40.0, band_hu=80.0, cleft=Cleft("gas"))),
    "osteoporotic-T11": PhantomSpec("T11", height_loss_percent=45.0, trabecular_hu=45.0),
    "burst-L1": PhantomSpec(fracture=Fracture("crush", 35.0, retropulsion_mm=4.0)),
    "osteophytes-L4": PhantomSpec(
        "L4", fracture="biconcave", height_loss_percent=30.0, osteophyte_mm=5.0, trabecular_hu=140.0
    ),
}
"""Specs by name; the asymmetric one tells left (7 mm) from right (10 mm)."""

ABOUT: dict[str, str] = {
    "wedge-L1": "L1 wedge fracture",
    "crush-T12": "T12 crush fracture",
    "biconcave-L2": "L2 biconcave fracture",
    "narrow-L1": "L1 wedge fracture, narrow pedicles",
    "intact-L3": "L3 without fracture",
    "asymmetric-L1": "L1 wedge fracture, unequal pedicles",
    "narrow-T6": "T6 wedge fracture, pedicles under 4 mm, ribs and lungs",
    "scoliosis-L2": "L2 wedge fracture at the apex of a 25 deg scoliosis",
    "cleft-L1": "L1 wedge fracture with a gas cleft and an impacted band",
    "osteoporotic-T11": "T11 severe wedge fracture in osteoporotic bone",
    "burst-L1": "L1 crush fracture, posterior wall 4 mm into the canal",
    "osteophytes-L4": "L4 biconcave fracture between beaks of osteophytes",
}
"""What each named phantom shows, in one line."""


def named(name: str) -> PhantomSpec:
    """The spec of that name; refuses with the list of names.

    >>> named("wedge-L1").target
    'L1'
    """
    found = NAMED.get(name)
    if found is None:
        raise InputError(f"unknown phantom {name!r}; use one of {', '.join(NAMED)}", code="phantom_unknown")
    return found


def demo_phantom() -> Phantom:
    """The wedge-fractured L1 at 0.9 mm, as shown by ``trajplan demo``."""
    return make_phantom(named("wedge-L1"), Scanner((0.9, 0.9, 0.9)))
