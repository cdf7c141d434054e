"""Numbers beside the stage marks never share a spot, and the drawn trocar begins where the body or the scan does."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_case import sample_trajectory, sample_volume

from trajplan.parts import Side
from trajplan.reporting.shaft import outer_lps, outer_name, shaft
from trajplan.reporting.stage_marks import spread


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.lists(st.floats(-100, 100), min_size=1, max_size=8), st.floats(0.1, 20))
def test_numbers_keep_their_order_and_distance(values: list[float], gap: float) -> None:
    wanted = np.sort(values)
    placed = spread(wanted, gap)
    assert (np.diff(placed) >= gap - 1e-9).all()
    assert placed.mean() == pytest.approx(wanted.mean(), abs=1e-9)


def test_numbers_that_do_not_collide_stay_at_their_marks() -> None:
    np.testing.assert_allclose(spread([0.0, 5.0, 30.0], 4.0), [0.0, 5.0, 30.0])


def test_the_trocar_begins_at_the_skin() -> None:
    path = sample_trajectory(Side.LEFT)
    tool = shaft(path, 10.0, sample_volume().grid)
    np.testing.assert_allclose(tool.start_lps, path.skin_lps)
    np.testing.assert_allclose(tool.end_lps, path.entry_lps + 10.0 * path.direction_lps)
    assert outer_name(path) == "skin"


@pytest.mark.parametrize("side", list(Side))
def test_without_a_skin_point_the_trocar_begins_at_the_border_of_the_scan(side: Side) -> None:
    path = dataclasses.replace(sample_trajectory(side), skin_lps=None)
    grid = sample_volume().grid
    outer = outer_lps(path, grid)
    index = grid.world_to_index(outer)
    over = np.minimum(index + 0.5, np.array(grid.shape_zyx) - 0.5 - index)
    assert over.min() == pytest.approx(0.0, abs=1e-6), "on a face of the scan"
    off_axis = np.cross(outer - path.entry_lps, path.direction_lps)
    assert np.linalg.norm(off_axis) == pytest.approx(0.0, abs=1e-6)
    assert float((outer - path.entry_lps) @ path.direction_lps) < 0
    assert outer_name(path) == "scan border"
