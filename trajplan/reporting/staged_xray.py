"""The staged insertion of one side: AP, lateral and the view down the path at every depth, as a team would see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from trajplan.fluoroscopy.display import display_window
from trajplan.parts import Side
from trajplan.reporting import style
from trajplan.reporting.picture import Picture
from trajplan.reporting.shaft import shaft
from trajplan.reporting.stage_marks import stage_color, stage_marker
from trajplan.reporting.xray import outlines, show
from trajplan.verification.place import clock_words
from trajplan.verification.stages import Stage

if TYPE_CHECKING:
    from trajplan.case import CaseResult

_HALF_FIELD_MM = 35.0
_SHORT = {"ap": "AP", "lateral": "LAT"}


def staged_picture(result: CaseResult, side: Side) -> Picture | None:
    """A row a view (AP, lateral, en face) by one column a stage; None without a path, stages or the first two."""
    path = next((t for t in result.trajectories if t.side is side), None)
    stages = result.stages.get(side, ())
    if path is None or not stages or not {"ap", "lateral"} <= result.drrs.keys() or result.vertebra is None:
        return None
    cell, above, below = 1.2, 0.97, 0.17
    names = [n for n in ("ap", "lateral", f"en_face_{side.value}") if n in result.drrs]
    width, height = cell * len(stages) + 0.1, len(names) * cell + above + below
    figure = Figure(figsize=(width, height), dpi=style.DPI, facecolor="white")
    style.add_title(
        figure,
        f"{side.value.upper()}  insertion step by step",
        f"the path is {path.verdict.value.upper()}",
        path.verdict,
    )
    views = {name: (result.drrs[name], display_window(result.drrs[name])) for name in names}
    center = (result.vertebra.frame.origin_lps + path.entry_lps + path.target_lps) / 3
    for column, stage in enumerate(stages):
        verdict = "not judged" if stage.passed is None else "passed" if stage.passed else "BROKEN"
        figure.text(
            (0.05 + (column + 0.5) * cell) / width,
            1 - 0.46 / height,
            f"{column + 1}  {stage.name}\n{stage.depth_mm:.0f} mm: {verdict}",
            fontsize=7.5,
            fontweight="bold" if stage.passed is False else "normal",
            color=style.UNSAFE_TEXT if stage.passed is False else "black",
            ha="center",
            va="top",
            linespacing=1.25,
        )
        if stage.place is not None:
            figure.text(
                (0.05 + (column + 0.5) * cell) / width, 1 - 0.73 / height, _where(stage, column), fontsize=6.2,
                color="black", ha="center", va="top", linespacing=1.2,
            )  # fmt: skip
        for row, (name, (drr, window)) in enumerate(views.items()):
            left, bottom = 0.05 + column * cell + 0.02, below + (len(names) - 1 - row) * cell + 0.02
            axes = figure.add_axes(
                (left / width, bottom / height, (cell - 0.04) / width, (cell - 0.04) / height), xticks=[], yticks=[]
            )
            show(axes, drr, window, [shaft(path, stage.depth_mm, result.scan.volume.grid)], center, _HALF_FIELD_MM)
            outlines(axes, result, drr.carm, wall=name == "lateral", sides=[side], width=0.9)
            tip = drr.carm.project(stage.tip_lps)
            axes.plot(
                [tip[1]], [tip[0]], marker=stage_marker(stage), ms=4, mfc=stage_color(stage), mec="black", mew=0.7,
                zorder=9,
            )  # fmt: skip
            style.add_text(axes, 0.5, 0.92, f"{_SHORT.get(name, 'EN FACE')}  SIMULATED", size=6.2)
            if column == 0:
                style.add_letters(axes, drr.carm.column_lps, drr.carm.row_lps, size=7.5, inset=0.075, top=False)
    return Picture(
        f"{side.value}_stages.png",
        f"{side.value.capitalize()}: insertion step by step",
        "AP above, lateral below it, the view down the path last. The tip may cross the medial pedicle border (AP) "
        "only after it has passed the posterior wall (lateral). Above the pictures: the tip on the pedicle's clock "
        "face and how far lateral of the medial border it is; how far past the posterior wall; all in millimetres in "
        "the patient.",
        side.value,
        style.finish(figure),
        figure,
    )


def _where(stage: Stage, number: int) -> str:
    """Two short lines: the place on the AP, and on the lateral."""
    place = stage.place
    if place is None:
        return ""
    if number < 3:
        front = f"AP: {clock_words(place.clock_hours)}, {place.medial_border_mm:+.1f} mm"
    else:
        front = f"AP: {place.midline_mm:.1f} mm off midline"
    side = f"LAT: wall {place.wall_line_mm:+.1f} mm" if number < 4 else f"LAT: {place.third}"
    return f"{front}\n{side}"
