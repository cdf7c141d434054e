"""Sacrum and last rib are seen where they are; T13, L6 and short ribs make doubt: from exact masks of phantoms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from column_made import made, seen

from trajplan.anatomy.column_frames import column_frames
from trajplan.anatomy.level_anchors import LevelAnchors, find_anchors
from trajplan.anatomy.level_proposal import LevelProposal, LevelStatus, propose_levels
from trajplan.anatomy.transverse_process import CASTELLVI_MM, process_heights_mm
from trajplan.anatomy.work_volume import work_volume
from trajplan.geometry import Volume
from trajplan_phantoms import Phantom, PhantomSpec, Scanner, make_phantom
from trajplan_phantoms.population import draw
from trajplan_phantoms.surroundings import Surrounding


def phantom(levels: Sequence[str], target: str = "L1") -> Phantom:
    spec = PhantomSpec(target, tuple(levels), fracture="none", height_loss_percent=0.0, surroundings="full")
    return make_phantom(spec, Scanner((2.0, 1.2, 1.2), noise_hu=15.0))


def anchors(one: Phantom, ct: Volume | None = None, leave_out: str = "S1") -> LevelAnchors:
    work = work_volume(ct or one.ct)
    found = [seen(one, level, work.grid) for level in one.spec.levels if level != leave_out]
    return find_anchors(work, found, column_frames(found))


def names(found: LevelAnchors) -> LevelProposal:
    return propose_levels(
        found.mobile,
        sacrum=found.sacrum,
        last_rib=found.last_rib,
        short_ribs=found.short_ribs,
        tall_processes=found.tall_processes,
    )


@pytest.fixture(scope="module")
def ordinary() -> Phantom:
    return phantom(("T11", "T12", "L1", "L2", "L3", "L4", "L5", "S1"))


@pytest.fixture(scope="module")
def sacralised() -> Phantom:
    spec = draw(
        ("T11", "T12", "L1", "L2", "L3", "L4", "L5", "S1"), age_years=60.0, seed=5, target="L2",
        transition="sacralised L5", surroundings="full",
    )  # fmt: skip
    return make_phantom(spec, Scanner((2.0, 1.2, 1.2), noise_hu=15.0))


def test_sacrum_and_last_rib_agree_in_an_ordinary_spine(ordinary: Phantom) -> None:
    found = names(anchors(ordinary))
    assert found.names == ordinary.spec.levels[:-1]
    assert found.status is LevelStatus.AGREED
    assert {str(one.anchor): one.level for one in found.evidence} == {
        "counted from the sacrum": "L5",
        "last rib": "T12",
    }


def test_a_sacrum_that_the_network_took_for_a_vertebra_is_not_counted(ordinary: Phantom) -> None:
    found = anchors(ordinary, leave_out="")
    assert found.mobile == 7
    assert names(found).status is LevelStatus.AGREED


def test_hypoplastic_last_ribs_make_doubt(ordinary: Phantom) -> None:
    bone, grid = ordinary.ct.array.copy(), ordinary.ct.grid
    beside = np.abs(grid.points_lps()[..., 0] - ordinary.truth.frame.origin_lps[0]) > 46.0
    last = grid.points_lps()[..., 2] < seen(ordinary, "T12", work_volume(ordinary.ct).grid).center_lps[2] + 12.0
    around = ordinary.surroundings.array
    ribs = (around > 0) & (around < Surrounding.DISC)
    bone[ribs & beside & last] = 50
    found = names(anchors(ordinary, Volume(bone, grid)))
    assert found.status is LevelStatus.UNCONFIRMED
    assert found.reasons


def test_a_thirteenth_rib_is_unconfirmed_and_named() -> None:
    one = phantom(("T11", "T12", "T13", "L1", "L2", "L3", "L4", "L5", "S1"))
    found = names(anchors(one))
    assert found.names == one.spec.levels[:-1]
    assert found.status is LevelStatus.UNCONFIRMED
    assert any("short rib" in reason for reason in found.reasons)


def test_a_sixth_lumbar_vertebra_is_unconfirmed_and_named() -> None:
    one = phantom(("T12", "L1", "L2", "L3", "L4", "L5", "L6", "S1"), "L2")
    found = names(anchors(one))
    assert found.names == one.spec.levels[:-1]
    assert found.status is LevelStatus.UNCONFIRMED
    assert any("6 vertebrae" in reason for reason in found.reasons)


def test_processes_of_an_ordinary_l5_are_told_and_low(ordinary: Phantom) -> None:
    found = anchors(ordinary)
    assert found.sacrum is not None
    for side in ("left", "right"):
        assert 7.0 < found.sacrum.numbers[f"process_height_{side}_mm"] < 14.0  # made 10.4 high
    assert found.tall_processes == ()


def test_a_sacralised_l5_is_unconfirmed_though_the_count_fits(sacralised: Phantom) -> None:
    anchored = anchors(sacralised)
    found = names(anchored)
    assert found.names == sacralised.spec.levels[:-1]
    assert found.status is LevelStatus.UNCONFIRMED
    assert any("Castellvi" in reason and "left" in reason and "right" in reason for reason in found.reasons)
    assert anchored.sacrum is not None
    for side in ("left", "right"):
        assert 19.0 < anchored.sacrum.numbers[f"process_height_{side}_mm"] < 26.0  # made 25 high at the base


def test_one_tall_process_is_told_with_its_side(sacralised: Phantom) -> None:
    work = work_volume(sacralised.ct).grid
    one = seen(sacralised, "L5", work)
    frame = column_frames([seen(sacralised, "L4", work), one])[1]
    right = frame.to_local(one.seen.grid.points_lps())[..., 0] < -20.0
    mask = one.mask & ~right
    left, gone = process_heights_mm(made(one.seen.grid, mask, one.body, mask & False), frame)
    assert left > CASTELLVI_MM
    assert gone == 0.0


@pytest.mark.parametrize("levels", [("T9", "T10", "T11"), ("L1", "L2", "L3")])
def test_without_an_anchor_nothing_is_named(levels: tuple[str, ...]) -> None:
    found = anchors(phantom(levels, levels[1]))
    assert found.sacrum is None
    assert found.last_rib is None
    assert found.mobile == 3
