"""How far a segmented vertebra can be trusted, from figures that need no reference."""

from __future__ import annotations

import numpy as np
import scipy.ndimage as ndi

from trajplan.anatomy.rules import Rule, rate
from trajplan.anatomy.seed_frame import SeedFrame
from trajplan.anatomy.vertebra import Confidence
from trajplan.geometry import Volume
from trajplan.geometry.arrays import BoolArray, FloatArray

# Limits set on 22 seeds in four scans (benchmarks/segmentation.py): few, so they are only a coarse guide. Of prior_dice
# the bad ones had up to 0.853, the good ones from 0.868 on.
_RULES = {
    "correlation": Rule(0.55, 0.72, "the atlas fits the image poorly"),
    "prior_dice": Rule(0.815, 0.91, "the refined outline differs much from the atlas's"),
    "volume_log_ratio": Rule(0.95, 0.60, "the volume is implausible for the body's size"),
    "edge_share": Rule(0.55, 0.80, "much of the outline lies where the image shows no edge"),
    "ring_share": Rule(0.75, 0.95, "the canal is not enclosed by the arch and pedicles"),
    "symmetry_dice": Rule(0.62, 0.80, "left and right differ much"),
    "height_log_ratio": Rule(0.35, 0.12, "the height differs from that of the end plates found at the seed"),
    "plate_contrast_hu": Rule(25.0, 60.0, "the end plates hardly stand out"),
    "atlas_neighbours": Rule(
        0.8, 2.0, "the atlas lacks the neighbour on one side, so that one's bone may be taken along"
    ),
    "canal_score": Rule(0.18, 0.35, "the spinal canal is unclear"),
}


def judge(
    box: Volume,
    mask: BoolArray,
    prior: BoolArray,
    seed: SeedFrame,
    correlation: float,
    expected_ml: float,
    atlas_neighbours: int,
) -> Confidence:
    """Confidence in `mask` (1 mm, on the grid of `box`) found from `seed`.

    Parameters
    ----------
    prior : ndarray of bool
        The carried atlas before refinement.
    correlation : float
        Final registration metric, 0..1.
    expected_ml : float
        Volume of the atlas scaled to the size found at the seed.
    atlas_neighbours : int
        How many of the two neighbours the atlas holds (the one of L5 lacks the sacrum).
    """
    points = box.grid.index_to_world(np.argwhere(mask))
    local = seed.frame.to_local(points)
    values = {
        "correlation": correlation,
        "prior_dice": _dice(mask, prior),
        "volume_log_ratio": abs(float(np.log(max(mask.sum(), 1) / 1000.0 / expected_ml))),
        "edge_share": _edge_share(box, mask),
        "ring_share": _ring_share(local, seed),
        "symmetry_dice": _symmetry(local),
        "height_log_ratio": _height_ratio(local, seed),
        "atlas_neighbours": float(atlas_neighbours),
        "plate_contrast_hu": seed.plate_contrast_hu,
        "canal_score": seed.canal_score,
    }
    return rate(values, _RULES)


def _dice(a: BoolArray, b: BoolArray) -> float:
    return float(2 * (a & b).sum() / max(1, a.sum() + b.sum()))


def _edge_share(box: Volume, mask: BoolArray) -> float:
    """Share of the outline with bone within 2 mm and something clearly darker within 2 mm."""
    surface = mask & ~ndi.binary_erosion(mask)
    hu = ndi.gaussian_filter(np.asarray(box.array, dtype=np.float32), 0.6)
    high, low = ndi.maximum_filter(hu, 5)[surface], ndi.minimum_filter(hu, 5)[surface]
    return float(((high > 150) & (high - low > 90)).mean()) if len(high) else 0.0


def _ring_share(local: FloatArray, seed: SeedFrame) -> float:
    """Share of 36 directions about the canal that meet bone within 26 mm, at the best level of the arch."""
    canal = seed.frame.to_local(seed.canal_lps)
    best = 0.0
    for w in np.arange(-0.25, 0.51, 0.125) * seed.height_mm:
        level = local[np.abs(local[:, 2] - w) < 3.0][:, :2] - canal[:2]
        level = level[np.linalg.norm(level, axis=1) < 26.0]
        angles = np.degrees(np.arctan2(level[:, 1], level[:, 0]))
        best = max(best, len(np.unique(np.floor(angles / 10.0))) / 36.0)
    return best


def _symmetry(local: FloatArray) -> float:
    """Dice of the mask with its mirror image in the frame's u, over the best of small shifts, on a 2 mm grid."""
    cells = np.round(local / 2.0).astype(int) + 64
    grid = np.zeros((129, 129, 129), dtype=bool)
    inside = ((cells >= 0) & (cells < 129)).all(axis=1)
    grid[tuple(cells[inside].T)] = True
    return max(_dice(grid, np.roll(grid[::-1], shift, axis=0)) for shift in (-2, -1, 0, 1, 2))


def _height_ratio(local: FloatArray, seed: SeedFrame) -> float:
    """|log| of the mask's height on the posterior body axis against the height found at the seed."""
    axis = local[(np.abs(local[:, 0]) < 4) & (np.abs(local[:, 1] - 0.15 * seed.depth_mm) < 4)]
    if len(axis) < 50:
        return 1.0
    height = float(np.percentile(axis[:, 2], 98) - np.percentile(axis[:, 2], 2))
    return abs(float(np.log(max(height, 1.0) / seed.height_mm)))
