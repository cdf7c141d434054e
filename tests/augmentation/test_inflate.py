"""Balloons grow where bone lets them, hold what is filled in, cross no cortex, stop by the rule, and may meet."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from augmentation_case import Broken
from sample_case import sample_vertebra, sample_volume

from trajplan.augmentation.body_block import BodyBlock, body_block
from trajplan.augmentation.envelope import across_axis
from trajplan.augmentation.inflate import OTHER, Mount, grown, inflate
from trajplan.augmentation.inflation import WALLS
from trajplan.augmentation.missing_height import Missing
from trajplan.augmentation.packed_bone import packing
from trajplan.augmentation.room import ANGLES, LONGEST_MM, REACH_MM, SLICE_MM, Room, room_about, stiffness
from trajplan.augmentation.settings import AugmentationSettings
from trajplan.parts import Part, Side
from trajplan.planning.instruments import SHIPPED

BALLOON = SHIPPED.balloons["15 mm"]
ON = AugmentationSettings(past_contact=True)


def _open_room(stiff: float = 1.0, half: bool = False) -> Room:
    """Bone without end; with `half`, that many times stiffer on one side."""
    count = round(LONGEST_MM / SLICE_MM)
    z = (np.arange(count) + 0.5) * SLICE_MM - LONGEST_MM / 2
    radius = np.arange(0.0, REACH_MM, 0.3)
    factor = np.where(np.arange(ANGLES) < ANGLES // 2, stiff, 1.0) if half else np.full(ANGLES, stiff)
    work = np.broadcast_to(factor[:, None] * radius, (count, ANGLES, len(radius))).astype(np.float32)
    return Room(np.zeros(3), across_axis([0, -1, 0]), z, np.full((count, ANGLES), REACH_MM), work)


@pytest.fixture(scope="module")
def block() -> BodyBlock:
    return body_block(sample_volume(), sample_vertebra())


def _mount(side: Side, u_mm: float, balloon=BALLOON) -> Mount:
    frame = sample_vertebra().frame
    return Mount(side, balloon, frame.to_world([u_mm, -2.0, 0.0]), -frame.v, -balloon.length_mm / 2 - 1.0)


@pytest.mark.parametrize("ml", [0.5, 1.0, 2.0, 4.0])
def test_in_uniform_bone_without_walls_the_balloon_is_its_free_shape(ml: float) -> None:
    envelope = grown(BALLOON, _open_room(), ml)
    assert envelope is not None
    assert envelope.volume_ml == pytest.approx(ml, rel=0.02)
    assert np.ptp(envelope.radius_mm, axis=1).max() < 0.01


def test_it_grows_less_towards_stiffer_bone_and_holds_the_same() -> None:
    envelope = grown(BALLOON, _open_room(2.0, half=True), 2.0)
    assert envelope is not None
    assert envelope.volume_ml == pytest.approx(2.0, rel=0.02)
    middle = envelope.radius_mm[len(envelope.z_mm) // 2]
    assert middle[: ANGLES // 2].max() < 0.6 * middle[ANGLES // 2 :].min()


def test_stiffness_is_one_in_the_bodys_own_bone_and_rises_with_hu() -> None:
    hu = np.array([-600.0, 0.0, 100.0, 200.0, 900.0], dtype=np.float32)
    found = stiffness(hu, 100.0)
    assert found[2] == pytest.approx(1.0)
    assert (np.diff(found) >= 0).all()
    assert found[-1] <= 2.5


def test_denser_bone_takes_more_room_when_packed() -> None:
    assert 1.0 == packing(-50.0) < packing(60.0) < packing(120.0) <= packing(900.0) <= 2.0


def test_every_step_holds_its_volume_and_never_leaves_the_bone(block: BodyBlock) -> None:
    found = inflate(block, None, (_mount(Side.LEFT, 9.0), _mount(Side.RIGHT, -9.0)), ON)
    parts = sample_vertebra().parts
    assert len(found.inflations) == 2
    for inflation in found.inflations:
        for step in inflation.steps:
            assert step.cavity_ml == pytest.approx(step.volume_ml, rel=0.02)
            index = np.rint(parts.grid.world_to_index(step.envelope.surface_lps()[step.envelope.radius_mm > 0]))
            assert np.isin(
                parts.array[tuple(index.astype(int).T)], (Part.BODY, Part.PEDICLE_LEFT, Part.PEDICLE_RIGHT)
            ).all()
        radii = [step.envelope.radius_mm for step in inflation.steps]
        assert all((b >= a - 1e-6).all() for a, b in pairwise(radii))
        for name in WALLS:
            near = [step.nearest_mm[name] for step in inflation.steps]
            assert near == sorted(near, reverse=True)


def test_distances_to_walls_are_never_over_stated(block: BodyBlock) -> None:
    step = inflate(block, None, (_mount(Side.LEFT, 9.0),), ON).inflations[0].final
    at = sample_vertebra().frame.to_local(step.envelope.surface_lps()[step.envelope.radius_mm > 0])
    rim = np.hypot(at[:, 0] / 22, at[:, 1] / 16)
    near = float((np.hypot(at[:, 0], at[:, 1]) * (1 / rim - 1)).min())  # at least the distance to the elliptic wall
    told = min(step.nearest_mm[name] for name in WALLS[:3])
    assert told <= near + 1e-6


def test_the_cortex_stops_a_balloon_before_it_is_touched(block: BodyBlock) -> None:
    settings = AugmentationSettings(contact_mm=1.5)
    inflation = inflate(block, None, (_mount(Side.LEFT, 10.5),), settings).inflations[0]
    assert inflation.stop == "contact"
    assert min(inflation.final.nearest_mm[name] for name in WALLS[:3]) > 1.5
    further = inflate(block, None, (_mount(Side.LEFT, 10.5),), dataclasses.replace(settings, past_contact=True))
    assert further.inflations[0].final.volume_ml > inflation.final.volume_ml


def test_maximum_volume_and_the_bound_of_cement_stop_it(block: BodyBlock) -> None:
    small = inflate(block, None, (_mount(Side.LEFT, 9.0),), AugmentationSettings(max_volume_ml=1.0)).inflations[0]
    assert (small.stop, small.final.volume_ml) == ("maximum volume", 1.0)
    both = inflate(block, None, (_mount(Side.LEFT, 9.0), _mount(Side.RIGHT, -9.0)), AugmentationSettings(), 3.0)
    assert [i.final.volume_ml for i in both.inflations] == [1.5, 1.5]
    assert {i.stop for i in both.inflations} == {"cement bound"}


def test_two_balloons_may_meet_and_never_overlap(block: BodyBlock) -> None:
    found = inflate(block, None, (_mount(Side.LEFT, 5.5), _mount(Side.RIGHT, -5.5)), ON)
    left, right = (i.final for i in found.inflations)
    assert OTHER in left.contact
    assert OTHER in right.contact
    skin = left.envelope.surface_lps()[left.envelope.radius_mm > 0.5]
    inner = left.envelope.center_lps + 0.97 * (skin - left.envelope.center_lps)
    assert not right.envelope.contains(inner).any()


def test_nothing_grows_back_over_the_cannula(block: BodyBlock) -> None:
    mount = _mount(Side.LEFT, 9.0)
    room = room_about(block, mount.center_lps, across_axis(mount.axis_lps), -5.0, None)
    assert room.free_mm[room.z_mm < -5.0].max() == 0
    assert room.free_mm[room.z_mm > -4.0].max() > 3


def test_a_balloon_outside_bone_cannot_be_filled_and_that_is_said(block: BodyBlock) -> None:
    found = inflate(block, None, (_mount(Side.LEFT, 60.0),), AugmentationSettings())
    assert found.inflations == ()
    assert "cannot be filled" in found.notes[0]


def test_a_planned_balloon_keeps_from_every_cortex_and_says_why_it_stopped(wedge: Broken) -> None:
    for inflation in wedge.planned.inflations:
        assert inflation.stop in {"contact", "maximum volume", "cement bound", "height reached", "no room"}
        assert inflation.why
        assert min(inflation.final.nearest_mm[name] for name in WALLS[:3]) > wedge.planned.settings.contact_mm
        assert inflation.final.volume_ml <= inflation.balloon.volume_ml


def test_end_plates_that_cannot_move_are_never_called_reached(block: BodyBlock) -> None:
    nothing = Missing(np.zeros(block.top_mm.shape), np.zeros(block.top_mm.shape), "both")
    found = inflate(block, nothing, (_mount(Side.LEFT, 9.0),), AugmentationSettings(max_volume_ml=1.0))
    assert found.inflations[0].stop == "maximum volume"
    assert found.lifts[-1].volume_ml(block) == 0


def test_a_balloon_is_stopped_once_all_is_regained(block: BodyBlock) -> None:
    little = np.zeros(block.top_mm.shape)
    v, u = np.meshgrid(block.v_mm, block.u_mm, indexing="ij")
    little[block.columns.footprint & (np.hypot(u - 9.0, v + 2.0) < 4)] = 0.5
    found = inflate(block, Missing(little, np.zeros_like(little), "superior"), (_mount(Side.LEFT, 9.0),), ON)
    assert found.inflations[0].stop == "height reached"
    assert found.lifts[-1].top_mm.max() <= 0.5
