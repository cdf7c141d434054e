"""Sequence: the instruments that follow one another along a planned path, each with the depth of its tip."""

from __future__ import annotations

from dataclasses import dataclass

from trajplan.augmentation.published import Published
from trajplan.geometry.arrays import FloatArray
from trajplan.parts import Side
from trajplan.planning.instruments import Balloon, Instrument


@dataclass(frozen=True, eq=False)
class InstrumentStep:
    """One instrument at the place where it has done its work.

    Parameters
    ----------
    name : str
        ``trocar docked``, ``trocar in the body``, ``trocar at the target``, ``working cannula``, ``drill``,
        ``balloon, far marker``, ``balloon, near marker``.
    instrument : str
        Name of the catalogue's entry.
    tip_lps : ndarray, shape (3,)
        The tip, or the marker.
    depth_mm : float
        From the bone entry, along the path.
    from_skin_mm : float or None
        Depth mark counted from the skin; None where the skin is not in the scan.
    from_hub_mm : float or None
        Shaft that stays outside the skin, between it and the hub; None where length or skin is not known. Negative:
        too short.
    rule : Published
        What puts it there.
    """

    name: str
    instrument: str
    tip_lps: FloatArray
    depth_mm: float
    from_skin_mm: float | None
    from_hub_mm: float | None
    rule: Published


@dataclass(frozen=True, eq=False)
class InstrumentSequence:
    """All steps on one path.

    `cannula` is the working cannula that the balloon passes through and `cannula_clearance_mm` the path's least
    clearance with it in place of the needle it was planned with. `balloon` is None where none fits between the cannula
    and the end of the drilled channel; `warnings` say so, and everything else that does not go together.
    """

    side: Side
    steps: tuple[InstrumentStep, ...]
    cannula: Instrument
    cannula_clearance_mm: float
    drill: Instrument
    balloon: Balloon | None
    warnings: tuple[str, ...]

    def step(self, name: str) -> InstrumentStep | None:
        """A step by its name."""
        return next((s for s in self.steps if s.name == name), None)
