"""Walls at the edge of the cortex in the CT: sub-voxel, one-sided, never beyond what a mask says on purpose."""

from __future__ import annotations

import numpy as np
import pytest
from planning_cases import Case
from scipy.ndimage import gaussian_filter

from trajplan.geometry import Grid, Volume
from trajplan.geometry.arrays import FloatArray
from trajplan.geometry.surface import Surface, WallDistance
from trajplan.parts import Part
from trajplan.planning.edge import (
    FAINT_MOST_MM,
    KNOWN_TO_MM,
    MOST_INWARDS_MM,
    MOST_OUTWARDS_MM,
    NO_EDGE_MM,
    moved_to_edge,
)
from trajplan.planning.walls import bone_surfaces


def _slab(edge_mm: float, peak_hu: float = 900.0, cortex_mm: float = 2.5) -> Volume:
    """Soft tissue beyond x = `edge_mm`, cortex before it, blurred as a scanner does, on 1 mm voxels."""
    x = np.arange(-12.0, 12.0, 0.01)
    line = np.where(x < edge_mm, np.where(x > edge_mm - cortex_mm, peak_hu, 150.0), 30.0)
    line = gaussian_filter(line, 0.45 / 0.01)
    nodes = np.arange(-10.0, 11.0)
    hu = np.interp(nodes, x, line)
    grid = Grid((21, 21, 21), (-10.0, -10.0, -10.0), (1.0, 1.0, 1.0))
    return Volume(np.broadcast_to(hu, (21, 21, 21)).astype(np.float32), grid)


def _wall_at(x_mm: float) -> Surface:
    y, z = (a.ravel() for a in np.meshgrid(np.arange(-3.0, 3.1, 0.5), np.arange(-3.0, 3.1, 0.5)))
    points = np.stack([np.full(y.size, x_mm), y, z], axis=1)
    return Surface(points, np.tile([1.0, 0.0, 0.0], (y.size, 1)), np.zeros((y.size, 3), dtype=int), 0.65)


def _moved(surface: Surface, ct: Volume) -> FloatArray:
    return moved_to_edge(surface, ct, np.ones(len(surface), dtype=bool)).points_lps[:, 0]


@pytest.mark.parametrize("edge_mm", [-0.3, -0.1, 0.0, 0.2, 0.35])
def test_a_wall_is_found_between_the_voxels_and_told_a_little_further_in(edge_mm: float) -> None:
    wall = _wall_at(0.2)
    found = _moved(wall, _slab(edge_mm))
    assert np.ptp(found) < 1e-6
    # a flat wall along the voxels is the worst case: all samples share one phase of a blur finer than the voxels, and
    # the spline between them swings; never outwards by more than 0.1 mm
    assert -0.26 < found[0] - (edge_mm - KNOWN_TO_MM) < 0.1
    guard_mm = WallDistance(wall).guard_mm
    assert found[0] - guard_mm < edge_mm - 0.05


def test_a_faint_cortex_is_taken_further_in() -> None:
    clear, faint = (_moved(_wall_at(0.0), _slab(0.0, peak))[0] for peak in (900.0, 450.0))
    assert clear - FAINT_MOST_MM - 0.05 <= faint < clear - 0.1


def test_a_mask_drawn_small_stays_small_and_one_drawn_large_is_cut_back_so_far() -> None:
    assert _moved(_wall_at(-0.47), _slab(0.0))[0] == pytest.approx(-0.47 + MOST_OUTWARDS_MM, abs=0.03)
    assert _moved(_wall_at(-0.8), _slab(0.0))[0] == pytest.approx(-0.8 + MOST_OUTWARDS_MM)
    assert _moved(_wall_at(-1.2), _slab(0.0))[0] == pytest.approx(-1.2 - NO_EDGE_MM), "too far off to be its edge"
    wall = _wall_at(0.6)
    cut = _moved(wall, _slab(0.0))[0]
    # to the edge; what the voxels leave of it is less than the guard that every distance is lowered by
    assert 0.6 - MOST_INWARDS_MM <= cut < 0.25 * WallDistance(wall).guard_mm


def test_without_an_edge_the_mask_is_taken_with_an_allowance() -> None:
    flat = Volume(np.full((21, 21, 21), 300.0, dtype=np.float32), _slab(0.0).grid)
    assert _moved(_wall_at(0.0), flat) == pytest.approx(-NO_EDGE_MM)
    outside = _wall_at(40.0)
    assert _moved(outside, flat) == pytest.approx(40.0 - NO_EDGE_MM)


def test_samples_that_are_not_asked_for_stay_where_they_are() -> None:
    wall = _wall_at(0.3)
    kept = moved_to_edge(wall, _slab(0.0), np.zeros(len(wall), dtype=bool))
    assert kept is wall


def test_pedicle_walls_lie_nearer_to_the_truth_than_those_of_the_mask(wedge: Case) -> None:
    """Against the phantom's functions: less spread, and on the safe side of it."""
    errors = []
    for ct in (None, wedge.phantom.ct):
        bone = bone_surfaces(wedge.vertebra, ct).bone
        part = wedge.vertebra.parts.array[tuple(bone.inside_zyx.T)]
        at = np.flatnonzero(np.isin(part, (Part.PEDICLE_LEFT, Part.PEDICLE_RIGHT)))[::12]
        errors.append(wedge.phantom.truth.surface_distance(bone.points_lps[at]))
    mask, edge = errors
    assert len(edge) > 150
    assert edge.std() < 0.75 * mask.std()
    assert -0.2 < np.median(edge) < 0.0
    assert np.percentile(edge, 99) < 0.3
