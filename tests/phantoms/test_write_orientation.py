"""Any storage order keeps every voxel where it is in the patient."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest

from trajplan.errors import InputError
from trajplan.geometry import LabelMap, Volume
from trajplan.geometry.grid import Grid
from trajplan.geometry.resample import canonical
from trajplan_phantoms.orientation import POSITIONS, direction_of, reordered, reordered_labels, table_side

ORDERS = ["".join(c) for p in permutations(("LR", "PA", "SI")) for c in product(*p)]
VOLUME = Volume(
    np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6), Grid((4, 5, 6), (-7.5, 3.0, 110.0), (2.5, 0.9, 0.7))
)


def test_there_are_48_orders() -> None:
    assert len(set(ORDERS)) == 48


@pytest.mark.parametrize("order", ORDERS)
def test_every_voxel_keeps_its_place(order) -> None:
    stored = reordered(VOLUME, order)
    np.testing.assert_array_equal(stored.grid.direction, direction_of(order))
    home = np.rint(VOLUME.grid.world_to_index(stored.grid.points_lps())).astype(int)
    np.testing.assert_array_equal(stored.array, VOLUME.array[tuple(np.moveaxis(home, -1, 0))])
    back = canonical(stored)
    np.testing.assert_array_equal(back.array, VOLUME.array)
    assert back.grid.same_as(VOLUME.grid, 1e-9)


def test_an_oblique_volume_stays_oblique() -> None:
    a = np.deg2rad(20.0)
    turn = np.array([[np.cos(a), -np.sin(a), 0.0], [np.sin(a), np.cos(a), 0.0], [0.0, 0.0, 1.0]])
    oblique = Volume(VOLUME.array, Grid((4, 5, 6), (1.0, 2.0, 3.0), (2.5, 0.9, 0.7), turn))
    stored = reordered(oblique, "PIR")
    home = np.rint(oblique.grid.world_to_index(stored.grid.points_lps())).astype(int)
    np.testing.assert_array_equal(stored.array, oblique.array[tuple(np.moveaxis(home, -1, 0))])
    np.testing.assert_allclose(stored.grid.direction[:, 0], turn[:, 1])


def test_labels_follow_their_scan() -> None:
    labels = LabelMap((VOLUME.array % 3).astype(np.uint8), VOLUME.grid, {1: "a"})
    stored = reordered_labels(labels, "ASR")
    np.testing.assert_array_equal(stored.array, reordered(VOLUME, "ASR").array % 3)
    assert dict(stored.names) == {1: "a"}


def test_positions_are_right_handed_and_turn_as_the_patient_does() -> None:
    axes = {position: direction_of(order) for position, order in POSITIONS.items()}
    assert all(np.linalg.det(m) == pytest.approx(1.0) for m in axes.values())
    assert {p: m[1, 1] for p, m in axes.items()} == {"HFS": 1, "HFP": -1, "FFS": 1, "FFP": -1}  # down is back or front
    assert {p: m[2, 2] for p, m in axes.items()} == {"HFS": 1, "HFP": 1, "FFS": -1, "FFP": -1}  # into the bore
    assert [table_side(p) for p in POSITIONS] == [1, -1, 1, -1]


@pytest.mark.parametrize("order", ["", "LP", "LLS", "LRS", "XYZ", "LPSA"])
def test_an_order_that_is_none_is_refused(order) -> None:
    with pytest.raises(InputError) as caught:
        direction_of(order)
    assert caught.value.code == "orientation_unknown"
