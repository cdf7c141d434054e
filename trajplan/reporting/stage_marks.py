"""Stage marks on a simulated X-ray: the tip at every stage and its number beside it, never two numbers on one spot."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from trajplan.fluoroscopy.carm import CArm
from trajplan.geometry.arrays import FloatArray, unit
from trajplan.planning.plan import Trajectory
from trajplan.reporting import style
from trajplan.verification.stages import Stage

_NUMBER_GAP_MM = 4.2
_NUMBER_OFF_MM = 6.5
_NAMES = {"o": "stage passed", "X": "stage broken", "s": "not judged"}


def stage_color(stage: Stage) -> str:
    """Colour of a stage mark; the shape says the same without colour."""
    return style.YELLOW if stage.passed is None else style.SKY if stage.passed else style.WARNING


def stage_marker(stage: Stage) -> str:
    """Circle: passed. Cross: broken. Square: cannot be judged."""
    return "s" if stage.passed is None else "o" if stage.passed else "X"


def spread(values: ArrayLike, gap: float) -> FloatArray:
    """The positions nearest to sorted `values` (least squares) that are at least `gap` apart.

    >>> spread([0.0, 10.0, 10.5], 2.0).tolist()
    [0.0, 9.25, 11.25]
    """
    wanted = np.asarray(values, dtype=np.float64)
    blocks: list[tuple[float, int]] = []
    for value in wanted - gap * np.arange(len(wanted)):
        mean, count = float(value), 1
        while blocks and blocks[-1][0] > mean:
            before, n = blocks.pop()
            mean, count = (before * n + mean * count) / (n + count), n + count
        blocks.append((mean, count))
    starts = np.repeat([m for m, _ in blocks], [n for _, n in blocks])
    return np.asarray(starts + gap * np.arange(len(wanted)), dtype=np.float64)


def draw_stage_marks(
    axes: Axes, path: Trajectory, stages: tuple[Stage, ...], carm: CArm, *, above: bool, number_color: str = "white"
) -> list[Line2D]:
    """Marks and numbers of one path; returns the legend entries of the shapes that were used.

    Parameters
    ----------
    axes : Axes
        Shows the picture of `carm` in its own pixels.
    above : bool
        Numbers above the trocar, else below it.
    """
    if not stages:
        return []
    tips = carm.project(np.stack([s.tip_lps for s in stages]))[:, ::-1]
    along = carm.project(np.stack([path.entry_lps, path.target_lps]))[:, ::-1]
    step = along[1] - along[0]
    direction = unit(step) if np.linalg.norm(step) > 1.0 else np.array([1.0, 0.0])
    if direction[0] < 0:
        direction = -direction
    normal = np.array([direction[1], -direction[0]]) * (1.0 if above else -1.0)  # rows grow downwards
    px_per_mm = carm.magnification / carm.pixel_mm
    order = np.argsort(tips @ direction, kind="stable")
    at = np.empty(len(stages))
    at[order] = spread((tips @ direction)[order], _NUMBER_GAP_MM * px_per_mm)
    used: dict[str, Stage] = {}
    for number, (stage, tip, place) in enumerate(zip(stages, tips, at, strict=True), start=1):
        label = tip + (place - tip @ direction) * direction + _NUMBER_OFF_MM * px_per_mm * normal
        marker = stage_marker(stage)
        used.setdefault(marker, stage)
        near = label - 0.3 * _NUMBER_OFF_MM * px_per_mm * normal
        axes.plot([tip[0], near[0]], [tip[1], near[1]], color="white", lw=0.6, zorder=8, path_effects=style.HALO)
        axes.plot([tip[0]], [tip[1]], marker=marker, ms=4.2, mfc=stage_color(stage), mec="black", mew=0.7, zorder=9)
        axes.text(
            label[0], label[1], str(number), fontsize=7.5, color=number_color, ha="center", va="center",
            fontweight="bold", path_effects=style.HALO, zorder=10, clip_on=True,
        )  # fmt: skip
    return [
        Line2D([], [], ls="", marker=m, mfc=stage_color(s), mec="black", ms=4.2, label=_NAMES[m])
        for m, s in used.items()
    ]
