"""What a phantom is asked to be: anatomy, fracture and pose. Impossible requests are refused here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from trajplan.errors import InputError
from trajplan.geometry.arrays import FloatArray, frozen
from trajplan.parts import Side
from trajplan_phantoms.bone_look import PLAIN, BoneLook
from trajplan_phantoms.curve import SpineCurve
from trajplan_phantoms.fracture import FRACTURE_KINDS, INTACT, MAX_HEIGHT_LOSS_PERCENT, Fracture, FractureKind
from trajplan_phantoms.morphometry import LEVELS, Morphometry, are_adjacent, default_levels, morphometry
from trajplan_phantoms.osteophytes import MAX_OSTEOPHYTE_MM
from trajplan_phantoms.sizes_check import WIDEST_PEDICLE_SHARE, check_sizes

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
        Level of the vertebra to be planned, T4..L5, or the variants T13 and L6.
    levels : tuple of str
        Adjacent levels to build, top to bottom; must hold the target, and may end with the sacrum S1. Two either side
        of the target when left empty.
    fracture : {"none", "wedge", "biconcave", "crush"} or Fracture
        A `Fracture` also gives the loss and all that comes with it; it is then kept in `fracture_details`, and this
        field holds its kind.
    height_loss_percent : float
        0..80; see `Fracture` for what it means per kind.
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
    fracture_details : Fracture
        What else belongs to the fracture; its kind and loss are those of the two fields above.
    sizes : mapping of level to Morphometry
        Own sizes of levels (before `scale`); the table's where a level is missing. See `population.draw`.
    curve : SpineCurve
        Scoliosis, and kyphosis and lordosis beyond those of the bodies and discs.
    osteophyte_mm : float
        How far the beaks at the rims of all end plates stand out, 0..8.
    surroundings : {"auto", "plain", "full"}
        "full" adds ribs and lungs to thoracic levels and lets the soft tissue follow the curve of the spine; "plain"
        has neither; "auto" is full wherever levels beyond T9..L5, sizes or a curve are asked for.
    aorta_hu : float
        45 without, 200..400 with contrast medium.
    bone : BoneLook
        Cortex and unevenness; `bone_look.NATURAL` looks like a scan.

    Raises
    ------
    InputError
        With the reason, for anything that cannot be built.
    """

    target: str = "L1"
    levels: tuple[str, ...] = ()
    fracture: FractureKind | Fracture = "wedge"
    height_loss_percent: float = 35.0
    pedicle_width_scale_left: float = 1.0
    pedicle_width_scale_right: float = 1.0
    pedicle_width_mm_left: float | None = None
    pedicle_width_mm_right: float | None = None
    trabecular_hu: float = 120.0
    scale: float = 1.0
    skin_behind_canal_mm: float = 48.0
    pose: Pose = field(default_factory=Pose)
    fracture_details: Fracture = INTACT
    sizes: Mapping[str, Morphometry] = field(default_factory=dict)
    curve: SpineCurve = field(default_factory=SpineCurve)
    osteophyte_mm: float = 0.0
    surroundings: Literal["auto", "plain", "full"] = "auto"
    aorta_hu: float = 45.0
    bone: BoneLook = PLAIN

    def __post_init__(self) -> None:
        if isinstance(self.fracture, Fracture):
            object.__setattr__(self, "fracture_details", self.fracture)
            object.__setattr__(self, "height_loss_percent", float(self.fracture.height_loss_percent))
            object.__setattr__(self, "fracture", self.fracture.kind)
        if not self.levels:
            object.__setattr__(self, "levels", default_levels(self.target))
        for level in (self.target, *self.levels):
            morphometry(level)
        for level, own in self.sizes.items():
            morphometry(level)
            if level in self.levels:
                check_sizes(level, own)
        if not are_adjacent(self.levels):
            raise InputError(
                f"levels must be adjacent and run downwards, got {', '.join(self.levels)}",
                code="levels_not_adjacent",
            )
        if self.target not in self.levels:
            raise InputError(
                f"target {self.target} is not among the levels {', '.join(self.levels)}", code="target_missing"
            )
        if self.target == "S1":
            raise InputError("the sacrum S1 cannot be the target; use T4..L6", code="level_unsupported")
        if self.surroundings not in ("auto", "plain", "full"):
            raise InputError(
                f"unknown surroundings {self.surroundings!r}; use auto, plain or full", code="surroundings_unknown"
            )
        if self.fracture not in FRACTURE_KINDS:
            raise InputError(
                f"unknown fracture {self.fracture!r}; use {', '.join(FRACTURE_KINDS)}", code="fracture_unknown"
            )
        _within("height loss", self.height_loss_percent, 0.0, MAX_HEIGHT_LOSS_PERCENT, "%", "height_loss_invalid")
        _within("trabecular density", self.trabecular_hu, -50.0, 600.0, "HU", "density_invalid")
        _within("scale", self.scale, 0.6, 1.6, "", "scale_invalid")
        _within("skin behind the canal", self.skin_behind_canal_mm, 30.0, 120.0, "mm", "skin_invalid")
        _within("osteophytes", self.osteophyte_mm, 0.0, MAX_OSTEOPHYTE_MM, "mm", "osteophytes_invalid")
        _within("aorta", self.aorta_hu, -50.0, 800.0, "HU", "aorta_invalid")
        row = self.sizes_of(self.target)
        widest = WIDEST_PEDICLE_SHARE * min(row.plate_width_upper_mm, row.plate_width_lower_mm) * self.scale
        for side in Side:
            width = self.pedicle_width_mm(side)
            if not MIN_PEDICLE_WIDTH_MM <= width <= widest:
                raise InputError(
                    f"{side} pedicle {width:.1f} mm wide does not fit {self.target}: "
                    f"use {MIN_PEDICLE_WIDTH_MM:.1f} to {widest:.1f} mm ({WIDEST_PEDICLE_SHARE:g} of the body's width)",
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
        return float(self.sizes_of(self.target).pedicle_width_mm * self.scale * factor)

    def sizes_of(self, level: str) -> Morphometry:
        """The sizes of a level before `scale`: its own where given, else the table's."""
        return self.sizes.get(level) or morphometry(level)

    @property
    def full(self) -> bool:
        """Whether ribs, lungs and a curved back are built."""
        if self.surroundings == "auto":
            classic = set(LEVELS[LEVELS.index("T9") :])
            return bool(self.sizes) or self.curve != SpineCurve() or not classic.issuperset(self.levels)
        return self.surroundings == "full"

    @property
    def fracture_of_target(self) -> Fracture:
        """The target's fracture; kind "none" when nothing is lost."""
        kind = self.fracture if isinstance(self.fracture, str) else self.fracture.kind
        none = kind == "none" or self.height_loss_percent == 0.0
        return replace(
            self.fracture_details,
            kind="none" if none else kind,
            height_loss_percent=0.0 if none else float(self.height_loss_percent),
        )


def _within(name: str, value: float, low: float, high: float, unit: str, code: str) -> None:
    if not low <= value <= high:
        raise InputError(
            f"{name} {value:g} {unit}".rstrip() + f" cannot be built; use {low:g} to {high:g} {unit}".rstrip(),
            code=code,
            numbers={"value": float(value), "min": low, "max": high},
        )
