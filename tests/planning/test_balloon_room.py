"""Tips that serve the balloon: room in the body, symmetrical pairs, HU and the C-arm's reach told with each path."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from planning_cases import Case

from trajplan.anatomy.density import hu_along
from trajplan.parts import Part, Side
from trajplan.planning.heary import heary_grade, nearest_wall
from trajplan.planning.instruments import SHIPPED
from trajplan.planning.plan import Approach, Clearance, PlanSettings
from trajplan.planning.planner import plan_vertebra
from trajplan.planning.reach import reach_caution
from trajplan.planning.room import best_tip, room_of
from trajplan.planning.target import target_zone

ALL = tuple(SHIPPED.balloons.values())


def test_the_room_of_the_body_is_the_distance_to_its_surface(wedge: Case) -> None:
    room = room_of(wedge.vertebra)
    assert room_of(wedge.vertebra) is room, "made once"
    deepest = room.depth_at(wedge.vertebra.frame.origin_lps)
    truth = -float(wedge.phantom.truth.surface_distance(wedge.vertebra.frame.origin_lps[None])[0])
    assert deepest == pytest.approx(truth, abs=0.7)
    assert room.depth_at(wedge.vertebra.frame.to_world([[0.0, 0.0, 90.0]]))[0] == 0.0


@pytest.mark.parametrize("unipedicular", [False, True])
def test_the_tip_stays_in_the_anterior_third_and_keeps_its_stand_off(wedge: Case, unipedicular: bool) -> None:
    settings = PlanSettings()
    zone = target_zone(wedge.vertebra, Side.LEFT, settings, unipedicular)
    u, v, w = wedge.vertebra.frame.to_local(zone.ideal_lps)
    assert zone.behind_third_mm(v, w) <= 1e-9
    assert float(room_of(wedge.vertebra).depth_at(zone.ideal_lps)) >= settings.anterior_margin_mm
    assert (abs(u) < 1e-9) == unipedicular


def test_ideal_tips_of_a_pair_are_mirror_images(wedge: Case) -> None:
    left, right = (
        wedge.vertebra.frame.to_local(target_zone(wedge.vertebra, side, PlanSettings(), False).ideal_lps)
        for side in (Side.LEFT, Side.RIGHT)
    )
    assert left * [-1, 1, 1] == pytest.approx(right, abs=1e-9)


def test_under_a_depressed_end_plate_the_tip_goes_where_the_balloon_has_room(wedge: Case) -> None:
    """The upper half of the front of the body is taken away: the tip moves down into what is left."""
    v = wedge.vertebra
    at = v.frame.to_local(v.parts.grid.points_lps().reshape(-1, 3)).reshape(*v.parts.array.shape, 3)
    gone = (v.parts.array == Part.BODY) & (at[..., 1] < 6.0) & (at[..., 2] > 2.0)
    sunken = dataclasses.replace(v, parts=dataclasses.replace(v.parts, array=np.where(gone, 0, v.parts.array)))
    before, after = (
        one.frame.to_local(target_zone(one, Side.LEFT, PlanSettings(), False).ideal_lps) for one in (v, sunken)
    )
    assert after[2] < before[2] - 2.0
    assert after[2] < 2.0 - PlanSettings().endplate_margin_mm


def test_a_tip_moves_for_more_volume_and_stays_where_nothing_is_gained(wedge: Case) -> None:
    v = wedge.vertebra
    start, third = np.array([10.0, 15.0, 0.0]), (0.0, 0.0)
    corner = np.array([8.0, -9.0, 4.0])
    reach = ((-9.0, 0.0), (-4.0, 4.0))
    moved = best_tip(v, start, corner, reach, third, 5.0, ALL)
    assert np.linalg.norm(moved - corner) > 1.0
    assert moved[0] == corner[0]
    assert np.array_equal(best_tip(v, start, corner, reach, third, 5.0, ()), corner), "no balloon, no reason to move"


def test_a_path_tells_the_hu_along_it(wedge: Case) -> None:
    """Denser in the cortex of the pedicle than in the body's marrow, from the entry to the tip."""
    settings = PlanSettings(approach=Approach.UNIPEDICULAR_LEFT, breach_samples=100)
    (path,), _ = plan_vertebra(wedge.phantom.ct, wedge.vertebra, settings, automatic_mask=False)
    assert path.hu_profile is not None
    depth, hu = path.hu_profile.T
    assert depth[0] == 0.0
    assert depth[-1] == pytest.approx(path.length_in_bone_mm, abs=0.5)
    again = hu_along(wedge.phantom.ct, path.entry_lps, path.target_lps, path.instrument.radius_mm)
    np.testing.assert_array_equal(hu, again.hu)
    assert hu[:6].max() > hu[-10:].mean() + 50.0


@pytest.mark.parametrize(("tilt_deg", "said"), [(44.0, False), (47.0, True)])
def test_a_view_out_of_the_c_arms_reach_is_said_with_its_angle(tilt_deg: float, said: bool) -> None:
    t = np.radians(tilt_deg)
    cautions = reach_caution(np.array([0.0, -np.cos(t), -np.sin(t)]), PlanSettings())
    assert bool(cautions) is said
    assert all("47 deg of cranial/caudal" in c and "45 deg" in c for c in cautions)


@pytest.mark.parametrize(
    ("wall", "grade"),
    [("lateral_mm", "II"), ("superior_mm", "II"), ("endplate_mm", "III"), ("anterior_mm", "III"), ("medial_mm", "IV"),
     ("inferior_mm", "IV"), ("canal_mm", "V"), ("foramen_mm", "V"), ("facet_mm", "I")],
)  # fmt: skip
def test_the_grade_by_direction_is_that_of_the_wall_crossed(wall: str, grade: str) -> None:
    kept = Clearance(1.0, 2.0, 1.0, 2.0, 2.0, 9.0, 6.0, 3.0, np.zeros((0, 2)), foramen_mm=4.0)
    assert heary_grade(kept) == "I"
    assert nearest_wall(kept) == ("lateral", 1.0)
    assert heary_grade(dataclasses.replace(kept, **{wall: -0.1})) == grade  # type: ignore[arg-type]
