"""What is exactly true of a phantom, from its functions and never from its voxels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from trajplan.geometry.arrays import FloatArray, unit
from trajplan.geometry.capsule import Capsule
from trajplan.geometry.frame import Frame
from trajplan.geometry.grid import Grid
from trajplan.parts import Side
from trajplan_phantoms.clearance import smallest_depth
from trajplan_phantoms.fracture import genant_grade
from trajplan_phantoms.fracture_truth import FractureTruth
from trajplan_phantoms.sampling import Box, Sampler
from trajplan_phantoms.shapes import Coordinates
from trajplan_phantoms.spine import Placement
from trajplan_phantoms.surface import ZeroSurface
from trajplan_phantoms.vertebra import Vertebra

SEED_STEP_MM = 0.7


@dataclass(frozen=True, eq=False)
class PedicleTruth:
    """One pedicle, by patient side.

    Attributes
    ----------
    isthmus_center_lps : ndarray, shape (3,)
        Middle between the walls of the narrowest section.
    axis_lps : ndarray, shape (3,)
        Unit, pointing anterior.
    width_mm, height_mm : float
        Between the outer walls at the isthmus, across the axis; found by root search on the bone function.
    """

    isthmus_center_lps: FloatArray
    axis_lps: FloatArray
    width_mm: float
    height_mm: float


@dataclass(frozen=True)
class Heights:
    """Midsagittal heights between the end plates, mm, at 10 %, 50 % and 90 % of the body's depth.

    Attributes
    ----------
    ha_mm, hm_mm, hp_mm : float
        After the fracture: anterior, middle, posterior.
    ha_before_mm, hm_before_mm, hp_before_mm : float
        Before it.
    """

    ha_mm: float
    hm_mm: float
    hp_mm: float
    ha_before_mm: float
    hm_before_mm: float
    hp_before_mm: float

    @property
    def loss_percent(self) -> float:
        """Largest loss of the three columns."""
        after = np.array([self.ha_mm, self.hm_mm, self.hp_mm])
        before = np.array([self.ha_before_mm, self.hm_before_mm, self.hp_before_mm])
        return float(max(0.0, 100.0 * (1.0 - after / before).max()))


@dataclass(frozen=True, eq=False)
class Truth:
    """The target vertebra of a phantom; points are (..., 3) LPS mm.

    Attributes
    ----------
    level : str
    vertebra : Vertebra
        Its functions, in own coordinates.
    place : Placement
        From own coordinates (mirrored when the pose is) to LPS.
    """

    level: str
    vertebra: Vertebra
    place: Placement

    @property
    def frame(self) -> Frame:
        """u patient left, v posterior, w superior along the mean *undeformed* end-plate normal; origin body centre."""
        rows = self.place.linear.T.copy()
        rows[0] *= np.sign(np.linalg.det(rows))
        return Frame(self.place.origin, rows)

    def _own(self, points_lps: ArrayLike) -> Coordinates:
        q = self.place.to_own(points_lps)
        return np.asarray(q[..., 0]), np.asarray(q[..., 1]), np.asarray(q[..., 2])

    def bone_value(self, points_lps: ArrayLike) -> FloatArray:
        """Implicit value of the target's bone; negative inside, mm near the surface."""
        return self.vertebra.value(self._own(points_lps))

    def body_value(self, points_lps: ArrayLike) -> FloatArray:
        """Implicit value of the (fractured) body alone; negative inside."""
        return self.vertebra.body.value(self._own(points_lps))

    def canal_value(self, points_lps: ArrayLike) -> FloatArray:
        """Implicit value of the canal at the target; negative inside."""
        return self.vertebra.canal.value(self._own(points_lps))

    @cached_property
    def _surface(self) -> ZeroSurface:
        grid = Grid.isotropic(*self.vertebra.box, SEED_STEP_MM)
        sampler = Sampler(grid, Placement(np.eye(3), np.zeros(3)))
        box: Box = (slice(0, grid.shape_zyx[0]), slice(0, grid.shape_zyx[1]), slice(0, grid.shape_zyx[2]))
        samples = self.vertebra.value(sampler.coordinates(box), sampler.select(box))
        return ZeroSurface.build(lambda q: self.vertebra.value((q[:, 0], q[:, 1], q[:, 2])), samples, grid)

    def surface_distance(self, points_lps: ArrayLike) -> FloatArray:
        """Signed distance to the target's bone surface, mm, negative inside; to about 0.02 mm (see `ZeroSurface`)."""
        points = np.asarray(points_lps, dtype=np.float64)
        return self._surface.distance(self.place.to_own(points).reshape(-1, 3)).reshape(points.shape[:-1])

    @cached_property
    def pedicles(self) -> dict[Side, PedicleTruth]:
        """Both pedicles by *patient* side (a mirrored pose exchanges them)."""
        return {side: self._pedicle(side) for side in Side}

    def _pedicle(self, side: Side) -> PedicleTruth:
        mirrored = np.linalg.det(self.place.linear) < 0
        own_side = (Side.RIGHT if side is Side.LEFT else Side.LEFT) if mirrored else side
        tube = self.vertebra.pedicles[own_side]
        centre = tube.start + tube.waist_mm * tube.axis
        across = unit(np.cross(tube.up, tube.axis))
        size = np.zeros(2)
        for _ in range(2):
            for index, direction in enumerate((across, tube.up)):
                forward = self._wall(centre, direction)
                backward = self._wall(centre, -direction)
                centre = centre + 0.5 * (forward - backward) * direction
                size[index] = forward + backward
        axis = -(self.place.linear @ tube.axis)
        return PedicleTruth(self.place.to_patient(centre), unit(axis), float(size[0]), float(size[1]))

    def _wall(self, start: FloatArray, direction: FloatArray, reach_mm: float = 15.0) -> float:
        """Distance from `start` (own mm, inside bone) to the first exit along `direction`, to 1e-6."""
        low, high, count = 0.0, reach_mm, 151
        for _ in range(4):
            t = np.linspace(low, high, count)
            q = start + t[:, None] * direction
            outside = np.flatnonzero(self.vertebra.value((q[:, 0], q[:, 1], q[:, 2])) >= 0)
            if outside.size == 0:
                return reach_mm
            first = int(outside[0])
            low, high, count = float(t[max(first - 1, 0)]), float(t[first]), 65
        return 0.5 * (low + high)

    @cached_property
    def heights(self) -> Heights:
        """Heights before and after the fracture, exact from the end-plate functions."""
        after = self.vertebra.body.heights_mm()
        before = self.vertebra.body.intact.heights_mm()
        return Heights(**after, **{k.replace("_mm", "_before_mm"): v for k, v in before.items()})

    @property
    def genant_grade(self) -> int:
        """Genant grade of the largest loss of height."""
        return genant_grade(self.heights.loss_percent)

    @cached_property
    def fracture(self) -> FractureTruth:
        """End-plate planes, volumes, cleft, retropulsion, fragment and fracture line."""
        return FractureTruth(self.vertebra, self.place)

    def true_clearance(self, capsule: Capsule, from_depth_mm: float = 0.0) -> float:
        """Signed distance, mm, from the instrument's outer surface to the bone wall, the smallest deeper than a depth.

        Positive when the instrument lies wholly inside bone with that much to spare; negative when it crosses. A cleft
        and a fracture line inside the bone are no walls; the gap around a burst fragment is one. See `smallest_depth`.
        """
        start = capsule.start_lps + min(max(from_depth_mm, 0.0), capsule.length_mm) * capsule.direction_lps
        ends = self.place.to_own(np.stack([start, capsule.end_lps]))
        return smallest_depth(self._surface, ends[0], ends[1]) - capsule.radius_mm

    def breach_mm(self, capsule: Capsule, from_depth_mm: float = 0.0) -> float:
        """How far, mm, the instrument's outer surface leaves bone or enters the canal deeper than a depth; 0 if not."""
        samples = _skin_of(capsule, from_depth_mm)
        outside = samples[self.bone_value(samples) > 0]
        if len(outside) == 0:
            return 0.0
        canal = -self.canal_value(outside)
        return float(max(0.0, self.surface_distance(outside).max(), canal.max()))

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers for truth.json; vectors are LPS mm."""
        frame, h = self.frame, self.heights
        return {
            "schema": "trajplan.phantom_truth/1",
            "level": self.level,
            "frame": {k: getattr(frame, k).tolist() for k in ("origin_lps", "u", "v", "w")},
            "pedicles": {
                str(side): {
                    "isthmus_center_lps": one.isthmus_center_lps.tolist(),
                    "axis_lps": one.axis_lps.tolist(),
                    "width_mm": one.width_mm,
                    "height_mm": one.height_mm,
                }
                for side, one in self.pedicles.items()
            },
            "heights": {**{k: float(getattr(h, k)) for k in h.__dataclass_fields__}, "loss_percent": h.loss_percent},
            "body_volume_mm3": self.fracture.body_volume_mm3,
            "fracture": {
                "kind": self.vertebra.body.fracture.kind,
                "genant_grade": self.genant_grade,
                **self.fracture.to_dict(),
            },
        }


def _skin_of(capsule: Capsule, from_depth_mm: float, step_mm: float = 0.25, angles: int = 24) -> FloatArray:
    """Points on a capsule's side and tip, deeper than a depth along its axis, (n, 3) LPS mm."""
    axis = capsule.direction_lps
    first = unit(np.cross(axis, np.eye(3)[int(np.argmin(np.abs(axis)))]))
    second = np.cross(axis, first)
    turn = np.linspace(0.0, 2.0 * np.pi, angles, endpoint=False)
    ring = capsule.radius_mm * (np.cos(turn)[:, None] * first + np.sin(turn)[:, None] * second)
    depth, along = capsule.points_along(step_mm)
    along = along[depth >= min(from_depth_mm, capsule.length_mm) - 1e-9]
    side = (along[:, None, :] + ring[None]).reshape(-1, 3)
    rise = np.linspace(0.0, 0.5 * np.pi, max(3, int(np.ceil(1.6 * capsule.radius_mm / step_mm))))[1:]
    tip = capsule.end_lps + np.sin(rise)[:, None, None] * capsule.radius_mm * axis + np.cos(rise)[:, None, None] * ring
    return np.concatenate([side, tip.reshape(-1, 3)])
