"""Leak findings: what the CT shows that cement may leak by. Listed, never a probability."""

from __future__ import annotations

from dataclasses import dataclass

from trajplan.augmentation.published import Published
from trajplan.geometry.arrays import AnyArray, BoolArray, FloatArray


@dataclass(frozen=True, eq=False)
class LeakFinding:
    """One thing that was looked at.

    Parameters
    ----------
    code : str
        ``cortical_defect``, ``endplate_break``, ``cleft``, ``basivertebral``, ``posterior_wall``, ``retropulsion``,
        ``cement_beyond_cap``.
    present : bool or None
        Whether it is there; None where it could not be judged.
    text : str
        In words, with the numbers.
    at_lps : ndarray, shape (3,), or None
        Where.
    value : float or None
        The number behind it, in `unit`.
    published : Published or None
        What is known of it.
    """

    code: str
    present: bool | None
    text: str
    at_lps: FloatArray | None = None
    value: float | None = None
    unit: str = ""
    published: Published | None = None


@dataclass(frozen=True, eq=False)
class CortexMap:
    """The cortex about the body, by samples of its surface.

    Parameters
    ----------
    points_lps : ndarray, shape (N, 3)
    peak_hu : ndarray, shape (N,)
        Highest HU across the wall there.
    defect : ndarray of bool, shape (N,)
        Where that is below `limit_hu`: no denser than the bone inside.
    wall : ndarray of int, shape (N,)
        Index into `inflation.WALLS`.
    """

    points_lps: FloatArray
    peak_hu: FloatArray
    defect: BoolArray
    wall: AnyArray
    limit_hu: float
