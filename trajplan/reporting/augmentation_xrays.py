"""Simulated X-rays with balloons full of contrast medium, and with cement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.lines import Line2D

from trajplan.augmentation.augmentation import Augmentation
from trajplan.augmentation.cement import Cement
from trajplan.augmentation.in_beam import balloon_in_beam, instruments_in_beam, with_cement
from trajplan.augmentation.sequence import InstrumentSequence
from trajplan.fluoroscopy.display import display_window, edge_letters, to_display
from trajplan.fluoroscopy.drr import Drr
from trajplan.fluoroscopy.tools import add_tools
from trajplan.planning.plan import Trajectory
from trajplan.reporting import style
from trajplan.reporting.depth_marks import draw_marks
from trajplan.reporting.picture import Picture
from trajplan.reporting.shaft import outer_lps
from trajplan.reporting.words import worst_verdict
from trajplan.reporting.xray import HALF_FIELD_MM

if TYPE_CHECKING:
    from trajplan.case import CaseResult

GROUP = "augmentation"


def path_of(result: CaseResult, sequence: InstrumentSequence) -> Trajectory:
    """The path that a sequence of instruments follows."""
    return next(t for t in result.trajectories if t.side is sequence.side)


def augmentation_xrays(result: CaseResult, a: Augmentation) -> list[Picture]:
    """AP and lateral, each with balloons and with cement."""
    pictures = []
    for view in ("ap", "lateral"):
        drr = result.drrs.get(view)
        if drr is None:
            continue
        name = "AP" if view == "ap" else "lateral"
        if a.inflations:
            tools = [balloon_in_beam(i.final.envelope, drr.energy_kev) for i in a.inflations]
            for s in a.sequences:
                outer = outer_lps(path_of(result, s), result.scan.volume.grid)
                tools += instruments_in_beam(s, outer, drr.energy_kev)
            pictures.append(
                Picture(
                    f"xray_{view}_balloon.png", f"Simulated {name} with balloons",
                    "Working cannulae; balloons filled with contrast medium (300 mg iodine/ml). Numbers: depths, mm.",
                    GROUP,
                    _xray(result, add_tools(drr, tools), drr, f"Simulated {name}, balloons", [*a.sequences], None),
                )
            )  # fmt: skip
        if a.cement is not None:
            pictures.append(
                Picture(
                    f"xray_{view}_cement.png", f"Simulated {name} with cement",
                    "PMMA with 30 % barium sulphate as planned. Watch the dashed stop line on the lateral view."
                    if view == "lateral" else "PMMA with 30 % barium sulphate as planned.",
                    GROUP, _xray(result, with_cement(drr, a.cement), drr, f"Simulated {name}, cement", [],
                                 a.cement if view == "lateral" else None),
                )
            )  # fmt: skip
    return pictures


def _xray(
    result: CaseResult, shown: Drr, anatomy: Drr, title: str, marked: list[InstrumentSequence], cement: Cement | None
) -> bytes:
    rows = 1 if marked or cement is not None else 0
    figure, axes = style.image_figure(
        1.0, title=title, subtitle="SIMULATED", legend_rows=rows, verdict=worst_verdict(result.trajectories)
    )
    carm = anatomy.carm
    image = to_display(shown, window=display_window(anatomy))
    axes.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="bilinear")
    center = carm.isocenter_lps if result.vertebra is None else result.vertebra.frame.origin_lps
    row, column = carm.project(center)
    half = 0.7 * HALF_FIELD_MM * carm.magnification / carm.pixel_mm
    axes.set_xlim(column - half, column + half)
    axes.set_ylim(row + half, row - half)
    axes.set_aspect("equal")
    handles = draw_marks(axes, lambda p: carm.project(p)[..., ::-1], marked) if marked else []
    if cement is not None:
        line = carm.project(cement.stop_line_lps)
        axes.plot(line[:, 1], line[:, 0], color=style.VERMILLION, lw=1.4, ls="--", zorder=6)
        handles.append(Line2D([], [], color=style.VERMILLION, lw=1.4, ls="--", label="stop line"))
    letters = edge_letters(carm)
    for edge, x, y in (("left", 0.045, 0.5), ("right", 0.955, 0.5), ("top", 0.5, 0.955), ("bottom", 0.5, 0.045)):
        style.add_text(axes, x, y, letters[edge], color=style.YELLOW, size=10.5)
    style.add_text(axes, 0.83, 0.955, "SIMULATED", color=style.ORANGE, size=9.5)
    style.add_scale_bar(axes, carm.pixel_mm / carm.magnification, " at the isocentre")
    style.add_legend(figure, handles)
    return style.finish(figure)
