"""The staged insertion of one side: AP above lateral at every depth, as a team would see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from trajplan.parts import Side
from trajplan.reporting import style
from trajplan.reporting.picture import Picture
from trajplan.reporting.xray import outlines, shaft, show, stage_color, stage_marker

if TYPE_CHECKING:
    from trajplan.case import CaseResult

_HALF_FIELD_MM = 35.0


def staged_picture(result: CaseResult, side: Side) -> Picture | None:
    """Two rows (AP, lateral) by one column a stage; None without a path, stages or the two views."""
    path = next((t for t in result.trajectories if t.side is side), None)
    stages = result.stages.get(side, ())
    if path is None or not stages or not {"ap", "lateral"} <= result.drrs.keys() or result.vertebra is None:
        return None
    cell, above, below = 1.75, 0.82, 0.3
    width, height = cell * len(stages) + 0.1, 2 * cell + above + below
    figure = Figure(figsize=(width, height), dpi=style.DPI, facecolor="white")
    figure.text(
        0.5, 1 - 0.06 / height, f"{side.value.upper()}  insertion step by step", fontsize=11.5, fontweight="bold",
        ha="center", va="top",
    )  # fmt: skip
    for column, stage in enumerate(stages):
        verdict = "not judged" if stage.passed is None else "passed" if stage.passed else "BROKEN"
        figure.text(
            (0.05 + (column + 0.5) * cell) / width,
            1 - 0.32 / height,
            f"{column + 1}  {stage.name}\n{stage.depth_mm:.0f} mm: {verdict}",
            fontsize=8,
            ha="center",
            va="top",
            linespacing=1.25,
        )
        for row, name in enumerate(("ap", "lateral")):
            drr = result.drrs[name]
            left, bottom = 0.05 + column * cell + 0.03, below + (1 - row) * cell + 0.03
            axes = figure.add_axes(
                (left / width, bottom / height, (cell - 0.06) / width, (cell - 0.06) / height), xticks=[], yticks=[]
            )
            center = (result.vertebra.frame.origin_lps + path.entry_lps + path.target_lps) / 3
            show(axes, drr, [shaft(path, stage.depth_mm)], center, _HALF_FIELD_MM)
            outlines(axes, result, drr.carm, wall=name == "lateral", sides=[side], width=0.9)
            tip = drr.carm.project(stage.tip_lps)
            axes.plot(
                [tip[1]], [tip[0]], marker=stage_marker(stage), ms=5, mfc=stage_color(stage), mec="black", mew=0.8
            )
            style.add_text(axes, 0.5, 0.93, f"{'AP' if name == 'ap' else 'LATERAL'}  SIMULATED", size=6.5)
            if column == 0:
                style.add_letters(axes, drr.carm.column_lps, drr.carm.row_lps, size=8.5, top=False)
    return Picture(
        f"{side.value}_stages.png",
        f"{side.value.capitalize()}: insertion step by step",
        "AP above, lateral below. The tip may cross the medial pedicle border (AP) only after it has passed the "
        "posterior wall (lateral).",
        side.value,
        style.finish(figure),
    )
