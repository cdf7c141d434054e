"""Depth marks: a bar across the path at each tip and marker, with its depth in mm."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from trajplan.augmentation.sequence import InstrumentSequence
from trajplan.geometry.arrays import FloatArray
from trajplan.reporting import style

_MARKS = {
    "working cannula": ("cannula tip", style.SKY),
    "drill": ("drill tip", style.YELLOW),
    "balloon, near marker": ("balloon markers", style.VERMILLION),
    "balloon, far marker": ("balloon markers", style.VERMILLION),
}


def counts_from_skin(sequences: Sequence[InstrumentSequence]) -> bool:
    """Whether every depth is known from the skin; else they count from the bone entry."""
    return all(s.from_skin_mm is not None for one in sequences for s in one.steps)


def draw_marks(
    axes: Axes, to_xy: Callable[[FloatArray], FloatArray], sequences: Sequence[InstrumentSequence]
) -> list[Line2D]:
    """A bar across the axis at each tip and marker with its depth; returns the legend entries.

    Parameters
    ----------
    to_xy : callable
        LPS points (N, 3) to data coordinates (N, 2).
    """
    from_skin = counts_from_skin(sequences)
    handles: dict[str, Line2D] = {}
    for sequence in sequences:
        docked = sequence.steps[0].tip_lps
        far = sequence.steps[-1].tip_lps
        ends = to_xy(np.stack([docked, far]))
        axes.plot(ends[:, 0], ends[:, 1], color="white", lw=0.7, ls=(0, (4, 3)), zorder=7)
        along = ends[1] - ends[0]
        length = float(np.linalg.norm(along))
        across = np.array([-along[1], along[0]]) / max(length, 1e-9)
        scale = abs(float(np.diff(axes.get_xlim())[0])) / 100
        shown = sorted((s for s in sequence.steps if s.name in _MARKS), key=lambda s: s.depth_mm)
        for k, step in enumerate(shown):
            name, color = _MARKS[step.name]
            at = to_xy(step.tip_lps[None])[0]
            bar = np.stack([at - 2.2 * scale * across, at + 2.2 * scale * across])
            axes.plot(bar[:, 0], bar[:, 1], color=color, lw=2.0, zorder=8, path_effects=style.HALO)
            away = at + (5.0 if k % 2 else -5.0) * scale * across
            depth = step.from_skin_mm if from_skin and step.from_skin_mm is not None else step.depth_mm
            axes.text(
                away[0], away[1], f"{depth:.0f}", fontsize=6.5, color=color, ha="center", va="center",
                path_effects=style.HALO, zorder=9, clip_on=True,
            )  # fmt: skip
            handles[name] = Line2D([], [], color=color, lw=2, label=name)
    return list(handles.values())
