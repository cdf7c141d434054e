"""LPS millimetres <-> napari world axes: one reversal, both ways, agreeing with napari's own transforms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_trajplan import _coords
from trajplan.errors import GeometryError
from trajplan.geometry import Grid

_MM = st.floats(-2000.0, 2000.0, allow_nan=False)
_STEP = st.floats(0.1, 10.0, allow_nan=False)
_SIZES = st.tuples(*[st.integers(1, 40)] * 3)


@given(arrays(np.float64, (7, 3), elements=_MM))
def test_points_survive_the_way_to_napari_and_back(points_lps):
    assert np.array_equal(_coords.to_lps(_coords.to_napari(points_lps)), points_lps)


@given(_SIZES, arrays(np.float64, 3, elements=_MM), arrays(np.float64, 3, elements=_STEP))
def test_a_grid_survives_the_way_to_napari_and_back(shape, origin_lps, spacing_zyx):
    grid = Grid(shape, origin_lps, spacing_zyx)
    place = _coords.placement(grid)
    assert _coords.grid_of(shape, place["scale"], place["translate"]).same_as(grid, tolerance_mm=1e-9)


@given(_SIZES, arrays(np.float64, 3, elements=_MM), arrays(np.float64, 3, elements=_STEP))
def test_napari_puts_every_voxel_where_the_grid_says(shape, origin_lps, spacing_zyx):
    layers = pytest.importorskip("napari.layers", reason="napari is not installed")
    grid = Grid(shape, origin_lps, spacing_zyx)
    layer = layers.Image(np.zeros(shape, dtype=np.int16), contrast_limits=(0, 1), **_coords.placement(grid))
    for index in ((0, 0, 0), tuple(n - 1 for n in shape), (0, shape[1] - 1, 0)):
        world_lps = _coords.to_lps(layer.data_to_world(index))
        assert np.allclose(world_lps, grid.index_to_world(index), atol=1e-6)


@pytest.mark.parametrize(
    "direction",
    [
        np.diag([-1.0, -1.0, 1.0]),
        np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]),
        np.array([[1.0, 0.0, 0.0], [0.0, 0.8, -0.6], [0.0, 0.6, 0.8]]),
    ],
    ids=["flipped", "permuted", "tilted"],
)
def test_a_grid_that_napari_would_misplace_is_refused(direction):
    with pytest.raises(GeometryError, match="axis-aligned"):
        _coords.placement(Grid((4, 4, 4), (0, 0, 0), (1, 1, 1), direction))
