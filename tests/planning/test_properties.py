"""What must hold for any plan: threads change nothing, less bone or more margin never make a path look better."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import numba as nb
import numpy as np
import pytest
from planning_cases import Case, case_of
from scipy.ndimage import binary_erosion

from trajplan.anatomy.vertebra import Vertebra
from trajplan.geometry import Capsule, Frame, Grid, Volume
from trajplan.parts import Part, Side
from trajplan.planning.evaluate import path_clearance
from trajplan.planning.plan import Approach, PlanSettings
from trajplan.planning.planner import plan_approaches, plan_vertebra
from trajplan.planning.walls import bone_surfaces, wall_field
from trajplan_phantoms import PhantomSpec

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


_EIGHT = """
import hashlib, numba, numpy as np
from planning_cases import case_of
from trajplan.planning.plan import Approach, PlanSettings
from trajplan.planning.planner import plan_vertebra
from trajplan_phantoms import PhantomSpec

case = case_of(PhantomSpec(target="L1", levels=("T12", "L1", "L2"), fracture="wedge", height_loss_percent=35.0))
settings = PlanSettings(approach=Approach.UNIPEDICULAR_LEFT)
(path,), _ = plan_vertebra(case.phantom.ct, case.vertebra, settings, automatic_mask=False)
told = [path.entry_lps, path.target_lps, path.clearance.profile, np.array([path.breach.any]), path.cone.angle_deg]
print(numba.get_num_threads(), hashlib.sha256(b"".join(a.tobytes() for a in told)).hexdigest())
"""


@pytest.mark.long
def test_eight_threads_give_the_bytes_of_one() -> None:
    said = []
    for threads in ("1", "8"):
        paths = os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])
        environment = {**os.environ, "NUMBA_NUM_THREADS": threads, "OMP_NUM_THREADS": threads, "PYTHONPATH": paths}
        done = subprocess.run(
            [sys.executable, "-c", _EIGHT], env=environment, capture_output=True, text=True, check=True
        )
        said.append(done.stdout.split())
    assert [count for count, _ in said] == ["1", "8"]
    assert said[0][1] == said[1][1]


def test_a_larger_margin_never_gives_more_plans_and_every_plan_keeps_its_margin(wedge: Case) -> None:
    found = []
    for margin_mm in (0.6, 1.4, 2.2, 3.0):
        settings = dataclasses.replace(LEFT, wall_margin_mm=margin_mm, canal_margin_mm=margin_mm)
        planned, refused = plan_vertebra(wedge.phantom.ct, wedge.vertebra, settings, automatic_mask=False)
        assert len(planned) + len(refused) == 1
        assert all(t.clearance.min_mm >= margin_mm for t in planned)
        found.append(len(planned))
    assert found == sorted(found, reverse=True)
    assert found[0] == 1
    assert found[-1] == 0


def test_a_hand_without_error_is_planned_for_too_and_breaches_nothing(wedge: Case) -> None:
    """Every room would be enough for it: the search still takes the path with more."""
    steady = dataclasses.replace(LEFT, entry_sigma_mm=0.0, angle_sigma_deg=0.0, respiration_sigma_mm=0.0)
    (path,), _ = plan_vertebra(wedge.phantom.ct, wedge.vertebra, steady, automatic_mask=False)
    (usual,), _ = plan_vertebra(wedge.phantom.ct, wedge.vertebra, LEFT, automatic_mask=False)
    assert path.clearance.min_mm > usual.clearance.min_mm - 0.3
    assert path.breach.any <= usual.breach.any


def _mirrored(case: Case) -> tuple[Volume, Vertebra]:
    """The same voxels in mirrored places: left is right, nothing else differs."""
    flip = np.array([-1.0, 1.0, 1.0])

    def grid_of(grid: Grid) -> Grid:
        np.testing.assert_allclose(grid.direction, np.eye(3), atol=1e-12)
        last_x = grid.index_to_world(np.array([0, 0, grid.shape_zyx[2] - 1.0]))[0]
        return Grid(grid.shape_zyx, np.array([-last_x, *grid.origin_lps[1:]]), grid.spacing_zyx, grid.direction)

    def swapped(array: np.ndarray) -> np.ndarray:
        left, right = array == Part.PEDICLE_LEFT, array == Part.PEDICLE_RIGHT
        return np.where(left, Part.PEDICLE_RIGHT, np.where(right, Part.PEDICLE_LEFT, array)).astype(array.dtype)

    ct, v = case.phantom.ct, case.vertebra
    f = v.frame
    rows = np.array([-f.u * flip, f.v * flip, f.w * flip])
    pedicles = {
        other: dataclasses.replace(
            v.pedicles[side], side=other, isthmus_center_lps=v.pedicles[side].isthmus_center_lps * flip,
            axis_lps=v.pedicles[side].axis_lps * flip, outline_lps=v.pedicles[side].outline_lps * flip,
        ) for side, other in ((Side.LEFT, Side.RIGHT), (Side.RIGHT, Side.LEFT))
    }  # fmt: skip
    parts = dataclasses.replace(v.parts, array=swapped(v.parts.array)[:, :, ::-1].copy(), grid=grid_of(v.parts.grid))
    vertebra = dataclasses.replace(
        v, parts=parts, other_bone=v.other_bone[:, :, ::-1].copy(), frame=Frame(f.origin_lps * flip, rows),
        pedicles=pedicles, posterior_wall_lps=v.posterior_wall_lps * flip,
        anterior_wall_lps=v.anterior_wall_lps * flip,
    )  # fmt: skip
    return Volume(ct.array[:, :, ::-1].copy(), grid_of(ct.grid)), vertebra


def test_swapping_left_and_right_swaps_the_sides_and_nothing_else() -> None:
    case = case_of(PhantomSpec(levels=("L1",), pedicle_width_mm_left=7.5, pedicle_width_mm_right=9.5))
    ct, mirrored = _mirrored(case)
    flip = np.array([-1.0, 1.0, 1.0])
    before = plan_approaches(case.phantom.ct, case.vertebra, PlanSettings(), automatic_mask=False)
    after = plan_approaches(ct, mirrored, PlanSettings(), automatic_mask=False)
    here = {(o.side, o.approach): o for o in before.options}
    there = {(o.side, o.approach): o for o in after.options}
    swap = {Side.LEFT: Side.RIGHT, Side.RIGHT: Side.LEFT}
    assert {(swap[side], name) for side, name in here} == set(there)
    for (side, name), a in here.items():
        b = there[swap[side], name]
        assert (a.verdict, a.code) == (b.verdict, b.code)
        assert a.path is not None
        assert b.path is not None
        np.testing.assert_allclose(a.path.entry_lps * flip, b.path.entry_lps, atol=0.1)
        np.testing.assert_allclose(a.path.target_lps * flip, b.path.target_lps, atol=0.1)
        assert a.path.clearance.min_mm == pytest.approx(b.path.clearance.min_mm, abs=0.03)
        assert a.path.convergence_deg == pytest.approx(b.path.convergence_deg, abs=0.2)
        assert a.path.breach.any == pytest.approx(b.path.breach.any, abs=0.002)
        assert a.path.reasons == b.path.reasons
    one, two = here[Side.LEFT, "bipedicular"].path, here[Side.RIGHT, "bipedicular"].path
    assert one is not None
    assert two is not None
    assert two.clearance.min_mm > one.clearance.min_mm + 0.5


@pytest.mark.parametrize("looked_at", ["the mask alone", "the CT too"])
def test_less_bone_never_gives_more_clearance(wedge: Case, looked_at: str) -> None:
    """The mask without its outermost voxels: every wall is as near or nearer on the same path."""
    ct = wedge.phantom.ct if looked_at == "the CT too" else None
    parts = wedge.vertebra.parts
    bone = np.isin(parts.array, (Part.BODY, Part.PEDICLE_LEFT, Part.PEDICLE_RIGHT, Part.POSTERIOR))
    smaller = np.where(bone & ~binary_erosion(bone), 0, parts.array)
    shrunk = dataclasses.replace(wedge.vertebra, parts=dataclasses.replace(parts, array=smaller))
    pedicle = wedge.vertebra.pedicles[Side.LEFT]
    path = Capsule(
        pedicle.isthmus_center_lps - 8 * pedicle.axis_lps, pedicle.isthmus_center_lps + 16 * pedicle.axis_lps, 1.5
    )
    before, after = (
        path_clearance(wall_field(v, Side.LEFT, bone_surfaces(v, ct)), path).smallest()
        for v in (wedge.vertebra, shrunk)
    )
    # a wall far off may be taken from another edge in the CT; the one that decides may not
    assert (after <= before + (0.05 if ct is None else 0.2)).all()
    # by less than the voxel of 0.65 mm that is gone: the edge in the CT gives up to 0.35 mm of it back
    assert after.min() < before.min() - 0.15


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
