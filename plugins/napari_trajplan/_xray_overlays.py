"""What is drawn over a live X-ray, by switch: outlines of the vertebra and the paths. No Qt."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from napari_trajplan._shafts import Shafts
from trajplan.anatomy.vertebra import Vertebra
from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.lines import Line, layers_for
from trajplan.fluoroscopy.overlay import posterior_wall_px
from trajplan.geometry.arrays import FloatArray
from trajplan.parts import Side
from trajplan.reporting.style import SIDE_COLOR
from trajplan.reporting.xray import LINE_LOOK
from trajplan.verification.landmarks import lateral_landmarks

SWITCHES = {
    "pedicles": ("Pedicles", "The outlines of the pedicles where they are narrowest: the eyes of the AP"),
    "posterior_wall": ("Wall", "The posterior wall that the stages are judged by; on lateral views"),
    "end_plates": ("End plates", "The rims of both end plates"),
    "midline": ("Midline", "The middle of the vertebra; on views from the front"),
    "path": ("Path", "The planned path from the bone to the tip"),
    "needle": ("Needle", "The trocar's shadow, as far in as the depth says"),
}
"""Layers of `trajplan.fluoroscopy.lines` and the needle: the word on the switch, and what it shows."""

_SIDEWAYS_DEG = 60.0


@dataclass(frozen=True, eq=False)
class Stroke:
    """A line on the picture: (row, column) pixels, shape (N, 2), and its look as in the report's figures."""

    at_px: FloatArray
    color: str
    dash: str


class Overlays:
    """The lines of one vertebra; those of the last view are kept, so that a dragged path costs nothing more."""

    def __init__(self, vertebra: Vertebra | None, lines: tuple[Line, ...] = ()) -> None:
        self._vertebra, self._lines = vertebra, lines
        self._carm: CArm | None = None
        self._strokes: dict[str, list[Stroke]] = {}

    def strokes(self, carm: CArm, shafts: Shafts, on: Collection[str]) -> list[Stroke]:
        """What is switched on, on this view."""
        if carm is not self._carm:
            self._carm, self._strokes = carm, self._project(carm)
        found = [stroke for layer, strokes in self._strokes.items() if layer in on for stroke in strokes]
        if "path" in on:
            found += _paths(carm, shafts)
        return found

    def _project(self, carm: CArm) -> dict[str, list[Stroke]]:
        found: dict[str, list[Stroke]] = {}
        if self._vertebra is None:
            return found
        fit = layers_for(carm, self._vertebra.frame)
        for line in self._lines:
            if line.layer not in fit or line.layer == "posterior_wall":
                continue
            color, dash = LINE_LOOK[line.layer]
            if line.layer == "pedicles":
                color = SIDE_COLOR[Side(line.name.removeprefix("pedicle_"))]
            found.setdefault(line.layer, []).append(Stroke(line.px(carm), color, dash))
        if len(self._vertebra.posterior_wall_lps) and abs(carm.primary_deg) > _SIDEWAYS_DEG:
            rows = posterior_wall_px(self._vertebra, carm)[:, 0]
            slope, offset = lateral_landmarks(self._vertebra, carm).posterior_line
            ends = np.array([rows.min(), rows.max()])
            wall = np.stack([ends, slope * ends + offset], axis=1)
            found["posterior_wall"] = [Stroke(wall, *LINE_LOOK["posterior_wall"])]
        return found


def _paths(carm: CArm, shafts: Shafts) -> Iterator[Stroke]:
    for side in shafts.sides:
        ends = shafts.ends(side)
        if ends is not None:
            yield Stroke(carm.project(np.stack(ends)), *LINE_LOOK["path"])
