"""The parts of the live X-rays that need no window: where the paths are, what is drawn over, what is developed."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from sample_case import sample_case

from napari_trajplan._shafts import Shafts
from napari_trajplan._xray_develop import EXPOSED, FULL, PREVIEW, develop
from napari_trajplan._xray_live import LiveXray
from napari_trajplan._xray_overlays import SWITCHES, Overlays
from trajplan.fluoroscopy.display import to_display
from trajplan.fluoroscopy.lines import anatomy_lines
from trajplan.fluoroscopy.physics import Physics, expose, thicknesses
from trajplan.fluoroscopy.projector import prepare
from trajplan.fluoroscopy.tools import add_tools, steel_tool
from trajplan.parts import Side
from trajplan.reporting.shaft import shaft
from trajplan.reporting.style import SIDE_COLOR
from trajplan.reporting.xray import LINE_LOOK


@pytest.fixture(scope="module")
def case():
    return sample_case()


@pytest.fixture
def shafts(case):
    made = Shafts()
    made.use(case)
    return made


def test_a_path_nobody_has_moved_is_the_planned_one_fully_in(case, shafts):
    for path in case.trajectories:
        wanted = shaft(path, path.capsule.length_mm, case.scan.volume.grid)
        found = shafts.shaft(path.side)
        np.testing.assert_allclose(found.start_lps, wanted.start_lps, atol=0.5)  # lengths are told to the millimetre
        np.testing.assert_allclose(found.end_lps, path.target_lps)
        assert found.radius_mm == path.instrument.radius_mm


def test_a_moved_path_keeps_its_depth_and_its_length_behind_the_bone(case, shafts):
    path = case.trajectories[0]
    step = np.array([1.0, -2.0, 3.0])
    shafts.advance(path.side, 12.5)
    before = shafts.shaft(path.side)
    shafts.move(path.side, (path.entry_lps + step, path.target_lps + step))
    after = shafts.shaft(path.side)
    np.testing.assert_allclose(after.start_lps - before.start_lps, step, atol=1e-9)
    np.testing.assert_allclose(after.end_lps, path.entry_lps + step + 12.5 * path.direction_lps)
    shafts.move(path.side, (path.entry_lps, path.entry_lps + 8.0 * path.direction_lps))
    assert shafts.depth_mm(path.side) == pytest.approx(8.0), "no deeper than the path goes"
    shafts.use(None)
    assert shafts.sides == ()
    assert shafts.shaft(path.side) is None


def test_each_switch_hides_its_own_lines_and_colours_are_those_of_the_report(case, shafts):
    lines = Overlays(case.vertebra, anatomy_lines(case.vertebra))
    for name in ("ap", "lateral"):
        carm = case.views[name].carm
        every = lines.strokes(carm, shafts, set(SWITCHES))
        for layer in SWITCHES:
            rest = lines.strokes(carm, shafts, set(SWITCHES) - {layer})
            alone = lines.strokes(carm, shafts, {layer})
            assert len(rest) + len(alone) == len(every)
            looks = {(one.color, one.dash) for one in alone}
            if layer == "pedicles":
                assert {color for color, _ in looks} == set(SIDE_COLOR.values())
            elif looks:
                assert looks == {LINE_LOOK[layer]}
    assert not lines.strokes(case.views["ap"].carm, shafts, {"posterior_wall"}), "the wall is a line on the lateral"
    assert lines.strokes(case.views["lateral"].carm, shafts, {"posterior_wall"})


def test_a_coarse_picture_is_like_the_full_one(case):
    prepared, carm = prepare(case.scan.volume), case.views["ap"].carm
    rough, full = (develop(prepared, carm, kind) for kind in (PREVIEW, FULL))
    one, other = (to_display(d.drr, window=d.window).astype(float) for d in (rough, full))
    inside = full.drr.line_integral > 0.02
    assert np.corrcoef(one[inside], other[inside])[0, 1] > 0.9
    odd = dataclasses.replace(carm, detector_px=(carm.detector_px[0] - 1, carm.detector_px[1] - 1))
    assert develop(prepared, odd, PREVIEW).window.gain.shape == odd.detector_px


def test_an_exposed_picture_has_grain_a_dose_and_the_same_grain_again(case):
    prepared, carm = prepare(case.scan.volume), case.views["lateral"].carm
    one, again = (develop(prepared, carm, EXPOSED) for _ in range(2))
    np.testing.assert_array_equal(one.drr.line_integral, again.drr.line_integral)
    assert "uncalibrated" in one.dose
    silent = expose(thicknesses(prepared, carm), Physics(detector_dose_ngy=1e6)).drr.line_integral
    grain = (one.drr.line_integral - silent)[silent > 0.5]
    assert grain.std() > 0.01
    assert abs(grain.mean()) < 0.1 * grain.std(), "noise adds no density"


def test_a_needle_over_a_live_picture_is_what_the_whole_picture_would_be(case, shafts):
    made = develop(prepare(case.scan.volume), case.views["ap"].carm, FULL)
    live = LiveXray(made)
    clean = live.picture.copy()
    for depth in (5.0, 30.0, 12.0):
        shafts.advance(Side.LEFT, depth)
        tools = [steel_tool(shafts.shaft(side)) for side in shafts.sides]
        whole = to_display(add_tools(made.drr, tools), window=made.window)
        np.testing.assert_array_equal(live.draw(tools), whole)
    np.testing.assert_array_equal(live.draw([]), clean)
