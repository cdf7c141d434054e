"""Captures: the X-rays of a plan as grey pictures with letters, scale and "SIMULATED" in their pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageDraw

from trajplan import DISCLAIMER
from trajplan.exports.handover import Handover
from trajplan.exports.plan_model import PlanDocument
from trajplan.exports.plan_views import VIEWS, carm_of_plan, needle_at, paths_in_view
from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.display import display_window, edge_letters, to_display
from trajplan.fluoroscopy.drr import Drr
from trajplan.fluoroscopy.projector import prepare, project
from trajplan.fluoroscopy.tools import add_tools, steel_tool
from trajplan.geometry import Capsule
from trajplan.geometry.arrays import AnyArray

_BAR_MM = 20.0
_STAGED = ("ap", "lateral")


@dataclass(frozen=True, eq=False)
class Capture:
    """One picture.

    Parameters
    ----------
    name, title : str
    grey : ndarray of uint8, shape (rows, columns)
    pixel_mm : float
        At the isocentre.
    orientation : tuple of str
        Where the rows' and the columns' ends point, one letter of L R A P F H each.
    """

    name: str
    title: str
    grey: AnyArray
    pixel_mm: float
    orientation: tuple[str, str]


def captures_of(handover: Handover) -> list[Capture]:
    """Every view of the plan with its needles as planned, and AP and lateral at each stage of each path."""
    document = handover.document
    views = [name for name in VIEWS if getattr(document.views, name) is not None]
    prepared = prepare(handover.volume)
    made = []
    for name in views:
        anatomy = project(prepared, carm_of_plan(document, name))
        window = display_window(anatomy)
        for what, title, needles in _shots(document, name):
            drr = replace(anatomy, line_integral=add_tools(anatomy, [steel_tool(n) for n in needles]).line_integral)
            made.append(
                _burned(f"{name}{what}", f"{name.replace('_', ' ')}{title}", to_display(drr, window=window), drr)
            )
    return made


def _shots(document: PlanDocument, view: str) -> list[tuple[str, str, list[Capsule]]]:
    paths = paths_in_view(document, view)
    shots = [("", "", [needle_at(t, t.length_in_bone_mm) for t in paths])]
    for path in paths if view in _STAGED else ():
        shots += [
            (f"_{path.side}_{n}", f", {path.side} stage {n} {s.name}", [needle_at(path, s.depth_mm)])
            for n, s in enumerate(path.stages, start=1)
        ]
    return shots


def _burned(name: str, title: str, grey: AnyArray, drr: Drr) -> Capture:
    carm, picture = drr.carm, Image.fromarray(np.ascontiguousarray(grey))
    draw = ImageDraw.Draw(picture)
    draw.fontmode = "1"
    rows, columns = carm.detector_px
    pixel_mm = carm.pixel_mm / carm.magnification
    letters = edge_letters(carm)
    for edge, place in (("left", (6, rows / 2)), ("right", (columns - 18, rows / 2)),
                        ("top", (columns / 2, 20)), ("bottom", (columns / 2, rows - 34))):  # fmt: skip
        _text(draw, place, letters[edge])
    _text(draw, (6, 4), f"SIMULATED  {title}")
    _text(draw, (6, rows - 14), DISCLAIMER)
    draw.line([(8, rows - 22), (8 + _BAR_MM / pixel_mm, rows - 22)], fill=255, width=2)
    _text(draw, (8, rows - 36), f"{_BAR_MM:.0f} mm at the isocentre")
    return Capture(name, title, np.asarray(picture), pixel_mm, (_letter(carm, "right"), _letter(carm, "bottom")))


def _letter(carm: CArm, edge: str) -> str:
    """As DICOM writes it: H and F for superior and inferior."""
    return edge_letters(carm)[edge].replace("S", "H").replace("I", "F")[:1]


def _text(draw: ImageDraw.ImageDraw, place: tuple[float, float], text: str) -> None:
    for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        draw.text((place[0] + dx, place[1] + dy), text, fill=0)
    draw.text(place, text, fill=255)
