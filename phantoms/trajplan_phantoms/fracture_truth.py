"""What is exactly true of a fracture: end-plate planes, volumes, cleft, retropulsion, fragment, fracture line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from trajplan.geometry.arrays import AnyArray, FloatArray, unit
from trajplan.parts import Side
from trajplan_phantoms.follow import rim_line
from trajplan_phantoms.fracture_paint import PEDICLE_LINE_HU, PEDICLE_LINE_MM, pedicle_line
from trajplan_phantoms.shapes import Coordinates
from trajplan_phantoms.spine import Placement
from trajplan_phantoms.vertebra import Vertebra

VOLUME_STEP_MM = 0.35


@dataclass(frozen=True, eq=False)
class EndPlate:
    """A plane fitted to the rim of an end plate.

    Attributes
    ----------
    point_lps : ndarray, shape (3,)
        Above or below the centre of the body.
    normal_lps : ndarray, shape (3,)
        Unit, out of the body.
    """

    point_lps: FloatArray
    normal_lps: FloatArray


@dataclass(frozen=True, eq=False)
class FractureTruth:
    """The fracture of a vertebra placed in the world.

    Attributes
    ----------
    vertebra : Vertebra
    place : Placement
        From own coordinates to LPS.
    """

    vertebra: Vertebra
    place: Placement

    def end_plate(self, upper: bool, *, before: bool = False) -> EndPlate:
        """The superior (`upper`) or inferior end plate, after the fracture or before it."""
        body = self.vertebra.body.intact if before else self.vertebra.body
        height, slope = rim_line(body, upper)
        normal = unit(np.array([0.0, -slope, 1.0])) * (1.0 if upper else -1.0)
        return EndPlate(self.place.to_patient([0.0, 0.0, height]), self.place.linear @ normal)

    def wedge_angle_deg(self, *, before: bool = False) -> float:
        """Angle between the end-plate planes, + when the front is lower."""
        body = self.vertebra.body.intact if before else self.vertebra.body
        return float(np.rad2deg(np.arctan(rim_line(body, True)[1]) - np.arctan(rim_line(body, False)[1])))

    @cached_property
    def body_volume_mm3(self) -> float:
        """Volume of the body with its fragment and cleft, to about 0.1 %."""
        return _volume(self.vertebra.body.value, *self.vertebra.body.bounds())

    @cached_property
    def body_volume_before_mm3(self) -> float:
        """Volume of the body before the fracture."""
        return _volume(self.vertebra.body.intact.value, *self.vertebra.body.intact.bounds())

    def cleft_value(self, points_lps: ArrayLike) -> FloatArray:
        """Implicit value (...,) of the cleft; negative inside, +1000 everywhere without one."""
        q = self.place.to_own(points_lps)
        cleft = self.vertebra.body.cleft
        if cleft is None:
            return np.full(q.shape[:-1], 1000.0)
        return np.asarray(cleft.value((q[..., 0], q[..., 1], q[..., 2])))

    @property
    def cleft_volume_mm3(self) -> float:
        """Exact; 0 without a cleft."""
        return 0.0 if self.vertebra.body.cleft is None else self.vertebra.body.cleft.volume_mm3

    @cached_property
    def free_canal_depth_mm(self) -> float:
        """Narrowest front-to-back depth of the free canal in the midline of the vertebra."""
        canal = self.vertebra.canal
        w = np.linspace(-canal.half_height_mm, canal.half_height_mm, 161)[:, None]
        v = canal.front_mm + np.linspace(-0.5, canal.depth_mm + 0.5, 1601)[None]
        free = canal.value(
            (np.zeros((161, 1601)), np.broadcast_to(v, (161, 1601)), np.broadcast_to(w * 0.999, (161, 1601)))
        )
        return float(((free < 0).sum(axis=1) * (v[0, 1] - v[0, 0])).min())

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers for truth.json; vectors are LPS mm."""
        body, canal = self.vertebra.body, self.vertebra.canal
        fracture = body.fracture
        out: dict[str, Any] = {
            "requested_loss_percent": fracture.height_loss_percent,
            "end_plates_failed": fracture.plates_failed if fracture.kind != "none" else None,
            "extent": fracture.extent,
            "end_plates": {
                f"{name}{suffix}": _plain(self.end_plate(upper, before=before))
                for name, upper in (("superior", True), ("inferior", False))
                for suffix, before in (("", False), ("_before", True))
            },
            "wedge_angle_deg": self.wedge_angle_deg(),
            "wedge_angle_before_deg": self.wedge_angle_deg(before=True),
            "body_volume_before_mm3": self.body_volume_before_mm3,
            "canal_depth_mm": canal.depth_mm,
            "free_canal_depth_mm": self.free_canal_depth_mm,
            "retropulsion_mm": fracture.retropulsion_mm,
            "band": {"hu": fracture.band_hu, "thickness_mm": fracture.band_mm} if fracture.band_hu else None,
            "neighbours_follow": fracture.follow,
            "cleft": None,
            "fragment": None,
            "pedicle_line": None,
        }
        if body.cleft is not None and fracture.cleft is not None:
            middle = body.cleft.middle(np.zeros(()), np.array(body.cleft.center_v_mm))
            out["cleft"] = {
                "content": fracture.cleft.content,
                "hu": fracture.cleft.density_hu,
                "volume_mm3": self.cleft_volume_mm3,
                "size_mm": [2.0 * x for x in body.cleft.semi_mm],
                "center_lps": self.place.to_patient([0.0, body.cleft.center_v_mm, float(middle)]).tolist(),
            }
        if body.fragment is not None:
            piece = body.fragment
            out["fragment"] = {
                "volume_mm3": _volume(piece.value, *body.bounds()),
                "shift_mm": piece.shift_mm,
                "turn_deg": piece.turn_deg,
                "gap_mm": piece.gap_mm,
            }
        line = pedicle_line(self.vertebra)
        if line is not None:
            mirrored = np.linalg.det(self.place.linear) < 0
            side = line.side if not mirrored else Side.RIGHT if line.side is Side.LEFT else Side.LEFT
            out["pedicle_line"] = {
                "side": str(side),
                "point_lps": self.place.to_patient(line.point).tolist(),
                "normal_lps": (self.place.linear @ line.normal).tolist(),
                "thickness_mm": PEDICLE_LINE_MM,
                "hu": PEDICLE_LINE_HU,
            }
        return out


def _plain(plate: EndPlate) -> dict[str, list[float]]:
    return {"point_lps": plate.point_lps.tolist(), "normal_lps": plate.normal_lps.tolist()}


def _volume(value: Callable[[Coordinates], AnyArray], lower: FloatArray, upper: FloatArray) -> float:
    """Volume of what is negative inside a box, by counting every 0.35 mm, mm3."""
    u, v, w = (np.arange(a, b + VOLUME_STEP_MM, VOLUME_STEP_MM) for a, b in zip(lower, upper, strict=True))
    total = 0
    for part in np.array_split(w, max(1, len(w) // 8)):
        grid = np.meshgrid(u, v, part, indexing="ij")
        total += int((value((grid[0], grid[1], grid[2])) < 0).sum())
    return total * VOLUME_STEP_MM**3
