"""Draw docs/img/fluoroscopy.png: a planned needle on AP and lateral at three stages, and the views with X-ray physics.

Run it from the repository root after a change to planner, projector or display::

    python docs/make_fluoroscopy_figures.py
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from matplotlib.figure import Figure

from trajplan.case import CaseRequest, run_case
from trajplan.fluoroscopy.display import display_window, to_display
from trajplan.fluoroscopy.overlay import pedicle_outline_px
from trajplan.fluoroscopy.physics import Physics, expose, thicknesses
from trajplan.fluoroscopy.tools import Canvas, steel_tool
from trajplan.geometry import Capsule
from trajplan.parts import Side
from trajplan.reading.scan import Scan
from trajplan.reporting import style
from trajplan_phantoms import demo_phantom

OUT = Path(__file__).parent / "img" / "fluoroscopy.png"
STAGES = (0, 2, 4)
HALF_MM = 38.0
SHAFT_MM = 70.0


def main() -> None:
    """Plan the demo phantom and draw."""
    phantom = demo_phantom()
    scan = Scan.of_volume(phantom.ct, path_name="demo phantom", kind="phantom")
    case = run_case(scan, CaseRequest("L1", None, phantom.labels, "phantom truth labels"))
    if case.vertebra is None:
        raise SystemExit("the demo found no vertebra: there is nothing to draw")
    path = next(t for t in case.trajectories if t.side is Side.LEFT)
    stages = case.stages[Side.LEFT]
    figure = Figure(figsize=(8.4, 4.6), dpi=130, facecolor="white")
    for row, name in enumerate(("ap", "lateral")):
        drr = case.drrs[name]
        canvas, window = Canvas(drr), display_window(drr)
        needles = [
            Capsule(path.entry_lps - SHAFT_MM * path.direction_lps, stages[k].tip_lps, path.instrument.radius_mm)
            for k in STAGES
        ]
        met = thicknesses(scan.volume, drr.carm, [steel_tool(needles[-1])])
        taken = expose(met, Physics(kvp=80.0, held_frames=8)).drr
        pictures = [
            to_display(replace(drr, line_integral=canvas.draw([steel_tool(n)])), window=window) for n in needles
        ]
        pictures.append(255 - to_display(taken))
        titles = [f"{k + 1} {stages[k].name}" for k in STAGES] + ["80 kVp, 8 frames, inverse"]
        for column, (picture, title) in enumerate(zip(pictures, titles, strict=True)):
            axes = figure.add_subplot(2, 4, 1 + 4 * row + column, xticks=[], yticks=[])
            axes.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="bilinear")
            ring = pedicle_outline_px(case.vertebra.pedicles[Side.LEFT], drr.carm)
            if column < len(STAGES):
                axes.fill(ring[:, 1], ring[:, 0], fill=False, ec=style.SIDE_COLOR[Side.LEFT], lw=1.0)
            middle = drr.carm.project(case.vertebra.frame.origin_lps)
            half = HALF_MM * drr.carm.magnification / drr.carm.pixel_mm
            axes.set_xlim(middle[1] - half, middle[1] + half)
            axes.set_ylim(middle[0] + half, middle[0] - half)
            axes.set_title(f"{'AP' if name == 'ap' else 'lateral'}: {title}", fontsize=7.5, pad=3)
            style.add_text(axes, 0.5, 0.93, "SIMULATED", size=6)
            style.add_letters(axes, drr.carm.column_lps, drr.carm.row_lps, size=7, inset=0.075, top=False)
    figure.subplots_adjust(0.01, 0.05, 0.99, 0.95, 0.03, 0.1)
    OUT.write_bytes(style.finish(figure))


if __name__ == "__main__":
    main()
