"""The oblique view with the Scotty dog."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from trajplan.anatomy.vertebra import Vertebra
from trajplan.errors import AnatomyError
from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.reach import Reach, out_of_reach_deg
from trajplan.fluoroscopy.views import SolvedView, standard_views
from trajplan.geometry.arrays import FloatArray, unit
from trajplan.parts import Part, Side

_TURNS_DEG: Final = (20.0, 60.0)  # the oblique is looked for between these, from the AP


def scotty_dog(vertebra: Vertebra, side: Side, template: CArm | None = None, reach: Reach | None = None) -> SolvedView:
    """The ipsilateral oblique in which the pedicle is the eye of the Scotty dog, in the middle of the body.

    The beam lies in the plane of the end plates and is turned from the true AP until the pedicle's isthmus is half-way
    between the two edges of the body, 20 to 60 deg.

    Returns
    -------
    SolvedView
        Residuals: those of the tilt of both end plates, ``pedicle_off_center_mm`` and ``out_of_reach_deg``.

    Raises
    ------
    AnatomyError
        That pedicle, or the body, is missing.
    """
    pedicle = vertebra.pedicles.get(side)
    index = np.argwhere(vertebra.parts.mask(Part.BODY))
    if pedicle is None or not len(index):
        raise AnatomyError(f"no {side.value} pedicle to look down on; check the segmentation", code="pedicle_missing")
    straight = standard_views(vertebra, template, reach).ap
    normal = unit(vertebra.superior.normal_lps + vertebra.inferior.normal_lps)
    points = vertebra.parts.grid.index_to_world(index[:: max(1, len(index) // 4000)])
    tries: list[tuple[float, FloatArray]] = []
    for turn in np.arange(_TURNS_DEG[0], _TURNS_DEG[1] + 0.25, 0.5):
        beam = _turned(straight.carm.beam_lps, normal, float(turn), vertebra.frame.u * side.sign)
        across = np.cross(beam, normal)
        body = points @ across
        off = float(abs(pedicle.isthmus_center_lps @ across - (body.min() + body.max()) / 2))
        tries.append((off, beam))
    off, beam = min(tries, key=lambda tried: tried[0])
    secondary = float(np.degrees(np.arcsin(np.clip(float(beam[2]), -1.0, 1.0))))
    primary = float(np.degrees(np.arctan2(beam[0], -beam[1])))
    carm = replace(straight.carm, primary_deg=primary, secondary_deg=secondary)
    tilts = {
        f"{name}_endplate_tilt_deg": float(np.degrees(np.arcsin(min(1.0, float(abs(unit(plate.normal_lps) @ beam))))))
        for name, plate in (("superior", vertebra.superior), ("inferior", vertebra.inferior))
    }
    return SolvedView(
        f"oblique_{side.value}",
        carm,
        {**tilts, "pedicle_off_center_mm": off, "out_of_reach_deg": out_of_reach_deg(carm, reach)},
    )


def _turned(beam: FloatArray, axis: FloatArray, turn_deg: float, towards: FloatArray) -> FloatArray:
    """`beam` turned about `axis` so that the detector moves towards the contralateral side of `towards`."""
    angle = np.radians(turn_deg)
    side = np.cross(axis, beam)
    if float(side @ towards) > 0:
        side = -side
    return np.asarray(np.cos(angle) * beam + np.sin(angle) * side)
