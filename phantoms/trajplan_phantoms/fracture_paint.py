"""HU that a fracture changes inside a vertebra whose shape is given: impacted band, cleft, pedicle line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trajplan.geometry.arrays import AnyArray, FloatArray, unit
from trajplan.parts import Side
from trajplan_phantoms.body import Body
from trajplan_phantoms.shapes import Coordinates
from trajplan_phantoms.vertebra import Vertebra

PEDICLE_LINE_MM = 1.0
PEDICLE_LINE_HU = 20.0
PEDICLE_LINE_TILT_DEG = 20.0
CLOT_HU = 50.0
_EDGE_MM = 0.35
_FULL_BAND_DROP_MM = 1.5
"""Where an end plate came down this far its impacted band is fully dense."""


@dataclass(frozen=True, eq=False)
class PedicleLine:
    """A fracture line through a pedicle: a plane slab of low HU, in the vertebra's own frame, mm.

    Attributes
    ----------
    side : Side
    point, normal : ndarray, shape (3,)
    """

    side: Side
    point: FloatArray
    normal: FloatArray


def pedicle_line(vertebra: Vertebra) -> PedicleLine | None:
    """The plane of the fracture line: across the isthmus, tipped 20 degrees."""
    side = vertebra.body.fracture.pedicle_line
    if side is None:
        return None
    tube = vertebra.pedicles[side]
    tilt = np.deg2rad(PEDICLE_LINE_TILT_DEG)
    return PedicleLine(
        side, tube.start + tube.waist_mm * tube.axis, unit(np.cos(tilt) * tube.axis + np.sin(tilt) * tube.up)
    )


def band_hu(body: Body, p: Coordinates) -> AnyArray | float:
    """HU that the impacted band adds to the cancellous bone at the points."""
    fracture = body.fracture
    if fracture.band_hu == 0.0 or fracture.kind == "none":
        return 0.0
    u, v, w = p
    top, bottom, rim_top, rim_bottom = body.plates(u, v)
    _, _, rim_top0, rim_bottom0 = body.intact.plates(u, v)
    total = np.zeros_like(w)
    for below, drop in ((top - w, rim_top0 - rim_top), (w - bottom, rim_bottom - rim_bottom0)):
        inside = np.clip((fracture.band_mm - below) * (1.0 / (0.4 * fracture.band_mm)), 0.0, 1.0)
        total = np.maximum(total, inside * np.clip(drop * (1.0 / _FULL_BAND_DROP_MM), 0.0, 1.0))
    return np.asarray(total * fracture.band_hu)


def paint_gaps(hu: AnyArray, vertebra: Vertebra, p: Coordinates) -> None:
    """Paint cleft and pedicle line over the HU of bone at the points; changes `hu`."""
    cleft, ask = vertebra.body.cleft, vertebra.body.fracture.cleft
    if cleft is not None and ask is not None:
        _over(hu, cleft.value(p), ask.density_hu)
    line = pedicle_line(vertebra)
    if line is not None:
        away = sum(x * float(n) for x, n in zip(p, line.normal, strict=True)) - float(line.point @ line.normal)
        slab = np.abs(away) - 0.5 * PEDICLE_LINE_MM
        tube = vertebra.pedicles[line.side]
        _over(hu, np.maximum(slab, tube.value(p) - 1.5), PEDICLE_LINE_HU)


def paint_clot(hu: AnyArray, body: Body, p: Coordinates) -> None:
    """Fill the place a fragment came from, before the bone is painted; changes `hu`."""
    if body.fragment is not None:
        _over(hu, body.unbroken_value(p), CLOT_HU)


def cortex_depth(body: Body, p: Coordinates, bone: AnyArray) -> AnyArray:
    """Depth below the cortex: that of the bone, but fresh fracture faces have none."""
    fragment = body.fragment
    if fragment is None:
        return bone
    whole = body.unbroken_value(p)
    depth = np.where(fragment.keep_clear(p) > whole, whole, bone)
    return np.asarray(np.where(fragment.value(p) < 0.5, body.unbroken_value(fragment.before(p)), depth))


def _over(hu: AnyArray, value: AnyArray, paint_hu: float) -> None:
    hu += np.clip(0.5 - value * (0.5 / _EDGE_MM), 0.0, 1.0) * (np.float32(paint_hu) - hu)
