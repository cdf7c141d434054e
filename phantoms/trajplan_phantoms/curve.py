"""The curve of the spine: how far every level leans sideways, bends and turns, as smooth functions of its place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trajplan.errors import InputError
from trajplan.geometry.arrays import FloatArray
from trajplan_phantoms.morphometry import COLUMN, morphometry

_LIMITS = {
    "scoliosis_cobb_deg": (-60.0, 60.0),
    "rotation_deg": (-30.0, 30.0),
    "kyphosis_deg": (-20.0, 35.0),
    "lordosis_deg": (-25.0, 20.0),
}


@dataclass(frozen=True)
class SpineCurve:
    """What the spine bends beyond the wedges of its bodies and discs.

    Parameters
    ----------
    scoliosis_cobb_deg : float
        Angle in the coronal plane between the most tilted vertebrae, `half_span` levels above and below the apex;
        + is convex to the patient's left.
    apex : str
        Level of the apex.
    half_span : float
        Levels from the apex to the end vertebrae.
    rotation_deg : float
        Axial rotation at the apex; + turns the body to the patient's left.
    kyphosis_deg, lordosis_deg : float
        Added between T4 and T12, and between L1 and S1.
    """

    scoliosis_cobb_deg: float = 0.0
    apex: str = "L2"
    half_span: float = 3.0
    rotation_deg: float = 0.0
    kyphosis_deg: float = 0.0
    lordosis_deg: float = 0.0

    def __post_init__(self) -> None:
        morphometry(self.apex)
        for name, (low, high) in _LIMITS.items():
            if not low <= getattr(self, name) <= high:
                raise InputError(
                    f"spine curve: {name} {getattr(self, name):g} deg cannot be built; use {low:g} to {high:g} deg",
                    code="curve_invalid",
                    numbers={"value_deg": float(getattr(self, name)), "min_deg": low, "max_deg": high},
                )
        if not 1.0 <= self.half_span <= 8.0:
            raise InputError(f"spine curve: half span {self.half_span:g} is not 1 to 8 levels", code="curve_invalid")

    @property
    def straight(self) -> bool:
        """Whether nothing bends sideways or turns."""
        return self.scoliosis_cobb_deg == 0.0 and self.rotation_deg == 0.0

    def angles_deg(self, levels: tuple[str, ...]) -> FloatArray:
        """(n, 3): coronal lean (+ to the left), sagittal bend added (+ forward), axial turn of each level."""
        x = np.array([place(level) for level in levels])
        t = (x - place(self.apex)) / self.half_span
        beyond = np.square(np.cos(0.25 * np.pi * (np.clip(np.abs(t), 1.0, 3.0) - 1.0)))
        lean = np.where(np.abs(t) <= 1.0, np.sin(0.5 * np.pi * np.clip(t, -1.0, 1.0)), np.sign(t) * beyond)
        turn = np.square(np.cos(0.25 * np.pi * np.clip(t, -2.0, 2.0)))
        thorax = _step((place("T12") - x) / (place("T12") - place("T4")))
        loin = _step((place("S1") - x) / (place("S1") - place("L1")))
        bend = self.kyphosis_deg * thorax - self.lordosis_deg * loin
        return np.stack([0.5 * self.scoliosis_cobb_deg * lean, bend, self.rotation_deg * turn], axis=-1)


def place(level: str) -> float:
    """Place of a level along the column, counted downwards from T4; variants stand half-way between their neighbours.

    >>> place("T4"), place("L1"), place("T13")
    (0.0, 9.0, 8.5)
    """
    regular = [name for name in COLUMN if name not in ("T13", "L6")]
    variants = {"T13": "T12", "L6": "L5"}
    if level in variants:
        return regular.index(variants[level]) + 0.5
    return float(regular.index(level))


def rotation(lean_deg: float, bend_deg: float, turn_deg: float) -> FloatArray:
    """The matrix that turns about w, then bends forward, then leans to the left; exactly 1 for no angles."""
    a, b, c = np.deg2rad([lean_deg, bend_deg, turn_deg])
    lean = np.array([[np.cos(a), 0.0, np.sin(a)], [0.0, 1.0, 0.0], [-np.sin(a), 0.0, np.cos(a)]])
    bend = np.array([[1.0, 0.0, 0.0], [0.0, np.cos(b), -np.sin(b)], [0.0, np.sin(b), np.cos(b)]])
    turn = np.array([[np.cos(c), -np.sin(c), 0.0], [np.sin(c), np.cos(c), 0.0], [0.0, 0.0, 1.0]])
    return np.asarray(lean @ bend @ turn)


def _step(t: FloatArray) -> FloatArray:
    t = np.clip(t, 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t))
