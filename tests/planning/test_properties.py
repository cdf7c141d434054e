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
from planning_cases import Case
from scipy.ndimage import binary_erosion

from trajplan.geometry import Capsule
from trajplan.parts import Part, Side
from trajplan.planning.evaluate import path_clearance
from trajplan.planning.plan import Approach, PlanSettings
from trajplan.planning.planner import plan_vertebra
from trajplan.planning.walls import bone_surfaces, wall_field

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
