"""Named phantoms: a few everyday cases, and the demonstration."""

from __future__ import annotations

from trajplan.errors import InputError
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
}
"""Specs by name; the asymmetric one tells left (7 mm) from right (10 mm)."""


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
