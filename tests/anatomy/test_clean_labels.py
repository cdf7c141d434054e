"""Labels from other hands are mended where that is safe, and every millilitre of it is told."""

from __future__ import annotations

import numpy as np
import pytest

from trajplan.anatomy.clean_labels import clean_labels
from trajplan.geometry import Grid, LabelMap
from trajplan.levels import level_id

L1, L2 = level_id("L1"), level_id("L2")


def labels(spacing_mm: float = 1.0) -> LabelMap:
    """Two blocks of 8 ml, one above the other, in a box of 60 mm."""
    array = np.zeros((60, 60, 60), dtype=np.uint8)
    array[35:55, 20:40, 20:40] = L1
    array[8:28, 20:40, 20:40] = L2
    return LabelMap(array, Grid(array.shape, np.zeros(3), np.full(3, spacing_mm), np.eye(3)), {L1: "L1", L2: "L2"})


def changed(place: tuple[slice, ...], value: int) -> LabelMap:
    one = labels()
    array = one.array.copy()
    array[place] = value
    return LabelMap(array, one.grid, one.names)


def test_whole_labels_are_left_as_they_are() -> None:
    clean, found = clean_labels(labels())
    np.testing.assert_array_equal(clean.array, labels().array)
    assert [one.told() for one in found] == [None, None]


def test_a_far_piece_is_left_out_and_told() -> None:
    clean, found = clean_labels(changed((slice(0, 4), slice(50, 55), slice(50, 55)), L1))
    np.testing.assert_array_equal(clean.array, labels().array)
    assert found[0].loose_ml == pytest.approx(0.1)
    assert found[0].told() == "Labels of L1: 0.10 ml of loose pieces were left out."


def test_a_near_fragment_stays() -> None:
    given = changed((slice(40, 50), slice(20, 40), slice(18, 19)), L1)
    clean, found = clean_labels(given)
    np.testing.assert_array_equal(clean.array, given.array)
    assert found[0].told() is None


def test_a_block_of_the_neighbour_s_name_returns_to_the_vertebra_it_stands_in() -> None:
    clean, found = clean_labels(changed((slice(10, 16), slice(20, 40), slice(20, 30)), L1))
    np.testing.assert_array_equal(clean.array, labels().array)
    assert (found[0].moved_to, found[0].moved_ml) == (L2, pytest.approx(1.2))
    assert found[0].told() == "Labels of L1: 1.20 ml that stand in L2 were given to it."


def test_a_small_piece_at_a_neighbour_s_joint_is_left_out_rather_than_given_to_it() -> None:
    clean, found = clean_labels(changed((slice(25, 32), slice(20, 28), slice(40, 46)), L1))
    assert found[0].moved_ml == 0.0
    assert found[0].loose_ml == pytest.approx(0.336)
    np.testing.assert_array_equal(clean.array, labels().array)


def test_holes_are_filled_but_another_label_inside_is_not_overwritten() -> None:
    clean, found = clean_labels(changed((slice(40, 43), slice(25, 28), slice(25, 28)), 0))
    np.testing.assert_array_equal(clean.array, labels().array)
    assert found[0].filled_ml == pytest.approx(0.027)
    inside = changed((slice(40, 43), slice(25, 28), slice(25, 28)), level_id("T1"))
    np.testing.assert_array_equal(clean_labels(inside)[0].array, inside.array)


def test_the_canal_of_a_ring_is_no_hole() -> None:
    ring = changed((slice(35, 55), slice(26, 34), slice(26, 34)), 0)
    clean, found = clean_labels(ring)
    np.testing.assert_array_equal(clean.array, ring.array)
    assert found[0].filled_ml == 0.0


def test_a_second_pass_finds_nothing() -> None:
    rng = np.random.default_rng(1)
    given = labels().array.copy()
    given[rng.integers(0, 60, 40), rng.integers(0, 60, 40), rng.integers(0, 60, 40)] = L1
    given[rng.integers(0, 60, 40), rng.integers(0, 60, 40), rng.integers(0, 60, 40)] = L2
    once, _ = clean_labels(LabelMap(given, labels().grid, labels().names))
    twice, found = clean_labels(once)
    np.testing.assert_array_equal(once.array, twice.array)
    assert [one.told() for one in found] == [None, None]
