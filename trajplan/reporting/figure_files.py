"""Figures of a finished plan for a paper or a talk: the X-rays as numbers and pictures, and the needle's advance."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from trajplan.exports.handover import Handover
from trajplan.exports.plan_views import VIEWS, carm_of_plan, needle_at, paths_in_view
from trajplan.fluoroscopy.projector import prepare, project
from trajplan.fluoroscopy.tools import steel_tool
from trajplan.reporting.xray_files import advance_gif, xray_bytes

_FRAMES = 25


def write_figures(handover: Handover, folder: Path) -> None:
    """Write ``xray_*.png``, ``xray_*.tiff`` (line integrals) and ``advance_*.gif``.

    The pictures of the report as SVG and TIFF are made with the report: ``trajplan plan --figures svg``.
    """
    document, prepared = handover.document, prepare(handover.volume)
    for view in (name for name in VIEWS if getattr(document.views, name) is not None):
        tools = [steel_tool(needle_at(t, t.length_in_bone_mm)) for t in paths_in_view(document, view)]
        drr = project(prepared, carm_of_plan(document, view), tools)
        for suffix in (".png", ".tiff"):
            (folder / f"xray_{view}{suffix}").write_bytes(xray_bytes(drr, suffix))
    if document.views.ap is None or document.views.lateral is None:
        return
    anatomies = {name: project(prepared, carm_of_plan(document, name)) for name in ("ap", "lateral")}
    for path in document.trajectories:
        needles = [needle_at(path, float(depth)) for depth in np.linspace(0.0, path.length_in_bone_mm, _FRAMES)]
        outlines = [
            np.array(p.outline_lps) for p in document.pedicles if p.side == path.side and len(p.outline_lps) > 2
        ]
        (folder / f"advance_{path.side}.gif").write_bytes(advance_gif(anatomies, needles, outlines))
