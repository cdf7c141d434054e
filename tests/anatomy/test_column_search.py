"""The walk finds every vertebra from any one, bridges what it cannot walk, and drops what is none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from column_made import blob

from trajplan.anatomy.column_search import gaps, search_column
from trajplan.anatomy.found_vertebra import FoundVertebra

STEP_MM = 27.0
SPINE = [np.array([3.0 * np.sin(k / 2), 0.2 * k * k, -STEP_MM * k]) for k in range(9)]


class Sight:
    """Sees the body whose centre is within 9 mm of a seed; counts how often it is asked."""

    def __init__(self, bodies: list[FoundVertebra]) -> None:
        self.bodies, self.asked = bodies, 0

    def __call__(self, seed_lps: np.ndarray) -> FoundVertebra | None:
        self.asked += 1
        near = min(self.bodies, key=lambda one: float(np.linalg.norm(one.center_lps - seed_lps)))
        return near if np.linalg.norm(near.center_lps - seed_lps) <= 9.0 else None


@pytest.fixture(scope="module")
def bodies() -> list[FoundVertebra]:
    return [blob(center) for center in SPINE]


def centers(found: tuple[FoundVertebra, ...]) -> np.ndarray:
    return np.array([one.center_lps for one in found])


@pytest.mark.parametrize("start", [0, 4, 8])
def test_one_proposal_is_enough_wherever_it_is(bodies: list[FoundVertebra], start: int) -> None:
    sight = Sight(bodies)
    found = search_column(sight, [SPINE[start] + [4.0, -3.0, 3.0]])
    np.testing.assert_allclose(centers(found), centers(tuple(bodies)))
    assert gaps(found) == ()
    assert sight.asked <= len(SPINE) + 9, "a look for each, and the tries at both ends"


def test_what_cannot_be_walked_is_reached_from_another_proposal_and_told_as_a_gap(bodies: list[FoundVertebra]) -> None:
    broken = [one for k, one in enumerate(bodies) if k != 4]
    found = search_column(Sight(broken), [center + np.array([2.0, 0.0, 0.0]) for center in SPINE])
    np.testing.assert_allclose(centers(found), centers(tuple(broken)))
    assert gaps(found) == (3,)


def test_nothing_seen_is_nothing_found(bodies: list[FoundVertebra]) -> None:
    assert search_column(Sight(bodies), [np.array([200.0, 0.0, 0.0])]) == ()


def test_a_small_piece_below_the_last_is_dropped(bodies: list[FoundVertebra]) -> None:
    piece = blob(SPINE[-1] + [0.0, 4.0, -22.0], radius_mm=8.0, height_mm=14.0)
    found = search_column(Sight([*bodies, piece]), [SPINE[3]])
    np.testing.assert_allclose(centers(found), centers(tuple(bodies)))


def test_something_alone_and_far_away_is_dropped(bodies: list[FoundVertebra]) -> None:
    far = blob(np.array([0.0, -150.0, -300.0]))
    found = search_column(Sight([*bodies, far]), [far.center_lps, SPINE[3]])
    np.testing.assert_allclose(centers(found), centers(tuple(bodies)))


def test_the_order_of_the_proposals_changes_nothing(bodies: list[FoundVertebra]) -> None:
    one = search_column(Sight(bodies), SPINE)
    other = search_column(Sight(bodies), SPINE[::-1])
    np.testing.assert_allclose(centers(one), centers(other))


def test_a_piece_seen_first_gives_way_to_its_vertebra(bodies: list[FoundVertebra]) -> None:
    whole = bodies[4]
    poor = blob(whole.center_lps + np.array([0.0, 0.0, -7.0]), height_mm=8.0)
    unsure = replace(poor, seen=replace(poor.seen, flip_dice=0.86))
    sight = Sight(bodies)

    def first_the_piece(seed_lps: np.ndarray) -> FoundVertebra | None:
        return unsure if np.linalg.norm(seed_lps - unsure.center_lps) < 4.0 else sight(seed_lps)

    found = search_column(first_the_piece, [unsure.center_lps])
    np.testing.assert_allclose(centers(found), centers(tuple(bodies)))
