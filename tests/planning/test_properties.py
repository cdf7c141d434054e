"""What must hold for any plan: threads change nothing, less bone or more margin never make a path look better."""

from __future__ import annotations

import dataclasses

import numba as nb
import numpy as np
import pytest
from planning_cases import Case
from scipy.ndimage import binary_erosion

from trajplan.geometry import Capsule
from trajplan.parts import Part, Side
from trajplan.planning.evaluate import path_clearance
from trajplan.planning.plan import Approach, PlanSettings
from trajplan.planning.planner import plan_vertebra
from trajplan.planning.walls import wall_field

LEFT = PlanSettings(approach=Approach.UNIPEDICULAR_LEFT)


def test_one_thread_and_many_give_the_same_bytes(wedge: Case) -> None:
    found = []
    for threads in (1, nb.config.NUMBA_NUM_THREADS):
        nb.set_num_threads(threads)
        (path,), _ = plan_vertebra(wedge.phantom.ct, wedge.vertebra, LEFT, automatic_mask=False)
        found.append(path)
    one, many = found
    assert one.entry_lps.tobytes() == many.entry_lps.tobytes()
    assert one.target_lps.tobytes() == many.target_lps.tobytes()
    assert one.breach == many.breach
    assert one.clearance.profile.tobytes() == many.clearance.profile.tobytes()


def test_less_bone_never_gives_more_clearance(wedge: Case) -> None:
    """The mask without its outermost voxels: every wall is as near or nearer on the same path."""
    parts = wedge.vertebra.parts
    bone = np.isin(parts.array, (Part.BODY, Part.PEDICLE_LEFT, Part.PEDICLE_RIGHT, Part.POSTERIOR))
    smaller = np.where(bone & ~binary_erosion(bone), 0, parts.array)
    shrunk = dataclasses.replace(wedge.vertebra, parts=dataclasses.replace(parts, array=smaller))
    pedicle = wedge.vertebra.pedicles[Side.LEFT]
    path = Capsule(
        pedicle.isthmus_center_lps - 8 * pedicle.axis_lps, pedicle.isthmus_center_lps + 16 * pedicle.axis_lps, 1.5
    )
    before = path_clearance(wall_field(wedge.vertebra, Side.LEFT), path).smallest()
    after = path_clearance(wall_field(shrunk, Side.LEFT), path).smallest()
    assert (after <= before + 0.05).all()
    assert after.min() < before.min() - 0.3


@pytest.mark.parametrize("margin_mm", [2.5, 9.0])
def test_a_margin_that_no_path_keeps_is_refused_with_it(wedge: Case, margin_mm: float) -> None:
    settings = dataclasses.replace(LEFT, wall_margin_mm=margin_mm)
    planned, refused = plan_vertebra(wedge.phantom.ct, wedge.vertebra, settings, automatic_mask=False)
    assert planned == ()
    (refusal,) = refused
    if refusal.code == "pedicle_too_narrow":
        assert refusal.numbers["margin_mm"] == margin_mm
    else:
        assert refusal.code == "no_margin"
        assert refusal.numbers["clearance_mm"] < refusal.numbers["margin_mm"]
    assert margin_mm < 9.0 or refusal.code == "pedicle_too_narrow"
