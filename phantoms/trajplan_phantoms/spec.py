"""What a phantom is asked to be: anatomy, fracture and pose. Impossible requests are refused here."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from trajplan.errors import InputError
from trajplan.geometry.arrays import FloatArray, frozen
from trajplan.parts import Side
from trajplan_phantoms.fracture import FRACTURE_KINDS, INTACT, Fracture, FractureKind
from trajplan_phantoms.morphometry import LEVELS, default_levels, morphometry

MAX_HEIGHT_LOSS_PERCENT = 70.0
MIN_PEDICLE_WIDTH_MM = 2.0


@dataclass(frozen=True, eq=False)
class Pose:
    """Where the patient lies: first mirrored (x -> -x) if asked, then rotated, then moved; LPS mm.

    Parameters
    ----------
    rotation : array_like, shape (3, 3)
        Rotation matrix about the centre of the target's body, determinant +1.
    translation_lps : array_like, shape (3,)
        Where the centre of the target's body goes.
    mirror : bool
        A patient with left and right exchanged.
    """

    rotation: FloatArray = field(default_factory=lambda: np.eye(3))
    translation_lps: FloatArray = field(default_factory=lambda: np.zeros(3))
    mirror: bool = False

    def __post_init__(self) -> None:
        try:
            rotation, translation = frozen(self.rotation, (3, 3)), frozen(self.translation_lps, (3,))
        except ValueError as error:
            raise InputError(f"pose: {error}", code="pose_invalid") from error
        if np.abs(rotation @ rotation.T - np.eye(3)).max() > 1e-6 or np.linalg.det(rotation) < 0:
            raise InputError(
                "pose: the rotation is not a rotation matrix (orthonormal, determinant +1); use mirror for a mirror",
                code="pose_invalid",
            )
        object.__setattr__(self, "rotation", rotation)
        object.__setattr__(self, "translation_lps", translation)

    @property
    def linear(self) -> FloatArray:
        """The (3, 3) matrix that takes patient coordinates to world directions (determinant -1 when mirrored)."""
        return np.asarray(self.rotation @ np.diag([-1.0 if self.mirror else 1.0, 1.0, 1.0]))

    def to_world(self, points: ArrayLike) -> FloatArray:
        """(..., 3) patient coordinates -> (..., 3) LPS mm."""
        return np.asarray(np.asarray(points, dtype=np.float64) @ self.linear.T + self.translation_lps)

    def to_patient(self, points_lps: ArrayLike) -> FloatArray:
        """(..., 3) LPS mm -> (..., 3) patient coordinates."""
        return np.asarray((np.asarray(points_lps, dtype=np.float64) - self.translation_lps) @ self.linear)


@dataclass(frozen=True, eq=False)
class PhantomSpec:
    """A parametric spine segment with one target vertebra.

    Parameters
    ----------
    target : str
        Level of the vertebra to be planned, T9..L5.
    levels : tuple of str
        Adjacent levels to build, top to bottom; must hold the target. Two either side of it when left empty.
    fracture : {"none", "wedge", "biconcave", "crush"}
    height_loss_percent : float
        0..70; see `Fracture` for what it means per kind.
    pedicle_width_scale_left, pedicle_width_scale_right : float
        Factors on the target's pedicle widths (sides before any mirroring by the pose).
    pedicle_width_mm_left, pedicle_width_mm_right : float, optional
        Isthmus widths of the target, mm; override scale and factors.
    trabecular_hu : float
        Cancellous bone, HU.
    scale : float
        Factor on all sizes of the spine.
    skin_behind_canal_mm : float
        Back wall of the target's canal to the skin.
    pose : Pose

    Raises
    ------
    InputError
        With the reason, for anything that cannot be built.
    """

    target: str = "L1"
    levels: tuple[str, ...] = ()
    fracture: FractureKind = "wedge"
    height_loss_percent: float = 35.0
    pedicle_width_scale_left: float = 1.0
    pedicle_width_scale_right: float = 1.0
    pedicle_width_mm_left: float | None = None
    pedicle_width_mm_right: float | None = None
    trabecular_hu: float = 120.0
    scale: float = 1.0
    skin_behind_canal_mm: float = 48.0
    pose: Pose = field(default_factory=Pose)

    def __post_init__(self) -> None:
        if not self.levels:
            object.__setattr__(self, "levels", default_levels(self.target))
        for level in (self.target, *self.levels):
            morphometry(level)
        indices = [LEVELS.index(level) for level in self.levels]
        if indices != list(range(indices[0], indices[0] + len(indices))):
            raise InputError(
                f"levels must be adjacent and run downwards, got {', '.join(self.levels)}",
                code="levels_not_adjacent",
            )
        if self.target not in self.levels:
            raise InputError(
                f"target {self.target} is not among the levels {', '.join(self.levels)}", code="target_missing"
            )
        if self.fracture not in FRACTURE_KINDS:
            raise InputError(
                f"unknown fracture {self.fracture!r}; use {', '.join(FRACTURE_KINDS)}", code="fracture_unknown"
            )
        _within("height loss", self.height_loss_percent, 0.0, MAX_HEIGHT_LOSS_PERCENT, "%", "height_loss_invalid")
        _within("trabecular density", self.trabecular_hu, -50.0, 600.0, "HU", "density_invalid")
        _within("scale", self.scale, 0.6, 1.6, "", "scale_invalid")
        _within("skin behind the canal", self.skin_behind_canal_mm, 30.0, 120.0, "mm", "skin_invalid")
        row = morphometry(self.target)
        widest = 0.40 * min(row.plate_width_upper_mm, row.plate_width_lower_mm) * self.scale
        for side in Side:
            width = self.pedicle_width_mm(side)
            if not MIN_PEDICLE_WIDTH_MM <= width <= widest:
                raise InputError(
                    f"{side} pedicle {width:.1f} mm wide does not fit {self.target}: "
                    f"use {MIN_PEDICLE_WIDTH_MM:.1f} to {widest:.1f} mm (0.40 of the body's width)",
                    code="pedicle_width_invalid",
                    numbers={"width_mm": width, "max_mm": widest},
                )

    def pedicle_width_mm(self, side: Side) -> float:
        """Requested isthmus width of the target on a side (before mirroring), mm."""
        left = side is Side.LEFT
        explicit = self.pedicle_width_mm_left if left else self.pedicle_width_mm_right
        if explicit is not None:
            return float(explicit)
        factor = self.pedicle_width_scale_left if left else self.pedicle_width_scale_right
        return float(morphometry(self.target).pedicle_width_mm * self.scale * factor)

    @property
    def fracture_of_target(self) -> Fracture:
        """The target's fracture; kind "none" when nothing is lost."""
        if self.fracture == "none" or self.height_loss_percent == 0.0:
            return INTACT
        return Fracture(self.fracture, float(self.height_loss_percent))


def _within(name: str, value: float, low: float, high: float, unit: str, code: str) -> None:
    if not low <= value <= high:
        raise InputError(
            f"{name} {value:g} {unit}".rstrip() + f" cannot be built; use {low:g} to {high:g} {unit}".rstrip(),
            code=code,
            numbers={"value": float(value), "min": low, "max": high},
        )
