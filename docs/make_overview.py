"""Draw docs/img/overview.png, the picture of the README: the plan of the demo phantom at a glance.

Run it from the repository root after a change to planner, projector or pictures::

    python docs/make_overview.py
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trajplan.case import CaseRequest, CaseResult, run_case
from trajplan.parts import Side
from trajplan.reading.scan import Scan
from trajplan.reporting import style
from trajplan.reporting.curves import draw_curve
from trajplan.reporting.reslice import PartMasks, along_path
from trajplan.reporting.shaft import outer_lps
from trajplan.reporting.slices import draw_parts, draw_path, show_ct
from trajplan.reporting.xray import draw_view
from trajplan_phantoms import demo_phantom

OUT = Path(__file__).parent / "img" / "overview.png"
SIZE_IN = (9.4, 4.12)
DPI = 170
GAP_IN = 0.12
SQUARE_IN = 3.2
BOTTOM_IN = 0.24


def demo_case() -> CaseResult:
    """The case that ``trajplan demo`` plans."""
    phantom = demo_phantom()
    scan = Scan.of_volume(phantom.ct, path_name="demo phantom", kind="phantom")
    return run_case(scan, CaseRequest("L1", None, phantom.labels, "phantom truth labels"))


def overview(result: CaseResult) -> bytes:
    """The composite as a PNG; the case has a vertebra and a left path."""
    if result.vertebra is None:
        raise SystemExit("the demo found no vertebra: there is nothing to draw")
    masks = PartMasks(result.vertebra.parts)
    figure = Figure(figsize=SIZE_IN, dpi=DPI, facecolor="white")
    path = next(t for t in result.trajectories if t.side is Side.LEFT)
    column = SIZE_IN[0] - 2 * SQUARE_IN - 4 * GAP_IN
    top = BOTTOM_IN + SQUARE_IN

    title = "A fractured L1 phantom, planned and checked by trajplan demo"
    figure.text(0.5, 1 - 0.1 / SIZE_IN[1], title, ha="center", va="top", fontsize=12.5, fontweight="bold")
    words = ", ".join(
        f"{t.side.value} {t.verdict.value.upper()} at {t.clearance.min_mm:.1f} mm" for t in result.trajectories
    )
    figure.text(0.5, 1 - 0.36 / SIZE_IN[1], f"least clearance: {words}", ha="center", va="top", fontsize=8.5)
    slice_in = 0.52 * column
    axes = _panel(figure, GAP_IN, top - slice_in, column, slice_in, f"Along the {path.side.value} path, true size")
    plane = along_path(path.capsule, 42.0)
    plane = dataclasses.replace(plane, half_height_mm=0.52 * plane.half_width_mm)
    show_ct(axes, result, plane)
    draw_parts(axes, plane, masks)
    draw_path(axes, plane, path, outer_lps(path, result.scan.volume.grid))
    style.add_letters(axes, plane.right_lps, plane.down_lps)
    style.add_scale_bar(axes, 1.0)

    curve = figure.add_axes(
        _box(GAP_IN + 0.36, BOTTOM_IN + 0.34, column - 0.4, top - slice_in - BOTTOM_IN - 0.34 - 0.2)
    )
    draw_curve(curve, result, path)

    for number, (name, title) in enumerate((("ap", "Simulated true AP"), ("lateral", "Simulated true lateral"))):
        left = column + (2 + number) * GAP_IN + number * SQUARE_IN
        axes = _panel(figure, left, top - SQUARE_IN, SQUARE_IN, SQUARE_IN, title)
        draw_view(axes, result, name, result.drrs[name], list(result.trajectories))
    return style.finish(figure)


def _panel(figure: Figure, left: float, bottom: float, width: float, height: float, title: str) -> Axes:
    axes = figure.add_axes(_box(left, bottom, width, height), xticks=[], yticks=[], facecolor="black")
    axes.set_title(title, fontsize=9.5, pad=3)
    return axes


def _box(left: float, bottom: float, width: float, height: float) -> tuple[float, float, float, float]:
    return left / SIZE_IN[0], bottom / SIZE_IN[1], width / SIZE_IN[0], height / SIZE_IN[1]


if __name__ == "__main__":
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_bytes(overview(demo_case()))
