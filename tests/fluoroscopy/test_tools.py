"""Promises about instruments in the beam."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trajplan.fluoroscopy.attenuation import material_mu_per_mm
from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.drr import Drr
from trajplan.fluoroscopy.tools import Tool, add_tools, chord_mm, steel_tool
from trajplan.geometry import Capsule


def blank(carm: CArm) -> Drr:
    return Drr(np.zeros(carm.detector_px, np.float32), carm, "siddon")


@pytest.mark.parametrize("seed", range(12))
def test_a_chord_is_the_length_of_ray_inside(seed) -> None:
    rng = np.random.default_rng(seed)
    start = rng.normal(0, 20, 3)
    capsule = Capsule(start, start + rng.normal(0, 40, 3), rng.uniform(1, 8))
    source = np.array([0.0, -530.0, 0.0])
    aim = start + (capsule.end_lps - start) * rng.random() + rng.normal(0, 0.5 * capsule.radius_mm, 3)
    ray = (aim - source) / np.linalg.norm(aim - source)
    t = np.arange(380.0, 700.0, 0.002)
    brute = (capsule.distance(source + t[:, None] * ray) < 0).sum() * 0.002
    assert chord_mm(capsule, source, ray) == pytest.approx(brute, abs=0.005)


@given(st.floats(0.5, 5.0), st.floats(0.0, 60.0), st.floats(-1.5, 1.5))
def test_end_on_the_chord_is_the_length_and_the_two_caps(radius, length, offset_share) -> None:
    offset = offset_share * radius
    capsule = Capsule((offset, 0, 0), (offset, length, 0), radius)
    cap = np.sqrt(max(radius**2 - offset**2, 0))
    expected = length + 2 * cap if abs(offset) < radius else 0.0
    assert chord_mm(capsule, np.array([0, -500.0, 0]), np.array([0, 1.0, 0])) == pytest.approx(expected, abs=1e-9)


def test_across_the_shaft_the_chord_is_the_diameter() -> None:
    capsule = Capsule((-30, 0, 0), (30, 0, 0), 1.5)
    assert chord_mm(capsule, np.array([0, -500.0, 0]), np.array([0, 1.0, 0])) == pytest.approx(3.0, abs=1e-9)


def test_the_ray_ends_at_the_detector() -> None:
    capsule = Capsule((0, -5, 0), (0, 5, 0), 2.0)
    assert chord_mm(capsule, np.array([0, -100.0, 0]), np.array([0, 1.0, 0]), 100.0) == pytest.approx(7.0)


@pytest.mark.parametrize("angles", [(0, 0), (90, 0), (-40, 25)])
def test_a_tool_darkens_every_pixel_of_its_chords_and_no_other(angles) -> None:
    carm = CArm(*angles, (10.0, -5.0, 40.0), detector_px=(96, 128), pixel_mm=2.0)
    capsule = Capsule((40.0, 60.0, 60.0), (12.0, -3.0, 44.0), 2.4)
    image = add_tools(blank(carm), [Tool(capsule, 0.5)]).line_integral
    source, ray = carm.back_project(np.stack(np.indices(carm.detector_px), axis=-1))
    expected = [[0.5 * chord_mm(capsule, source, ray[r, c]) for c in range(128)] for r in range(96)]
    np.testing.assert_allclose(image, expected, atol=1e-5)
    assert image.max() > 1.0


def test_a_tool_lies_on_the_projected_line_of_its_axis() -> None:
    carm = CArm(30.0, -10.0, np.zeros(3))
    capsule = Capsule((30.0, 50.0, 10.0), (-5.0, -8.0, -4.0), 1.5)
    image = add_tools(blank(carm), [steel_tool(capsule)]).line_integral
    for point in capsule.start_lps + np.linspace(0, 1, 9)[:, None] * (capsule.end_lps - capsule.start_lps):
        row, column = carm.project(point)
        band = image[round(row), max(0, round(column) - 15) : round(column) + 16]
        middle = (band * np.arange(len(band))).sum() / band.sum() + max(0, round(column) - 15)
        if 0.1 < np.linalg.norm(point - capsule.start_lps) / capsule.length_mm < 0.9:
            assert abs(middle - column) < 1.0
        assert image[round(row), round(column)] > 2.5 * material_mu_per_mm("steel_316l")


def test_tools_add_up_and_leave_the_given_image_alone() -> None:
    carm = CArm(0.0, 0.0, np.zeros(3), detector_px=(64, 64), pixel_mm=2.0)
    anatomy = Drr(np.full((64, 64), 2.0, np.float32), carm, "fast")
    tool = Tool(Capsule((0, 0, -10), (0, 0, 10), 3.0), 0.1)
    once, twice = add_tools(anatomy, [tool]), add_tools(anatomy, [tool, tool])
    np.testing.assert_allclose(twice.line_integral - 2.0, 2 * (once.line_integral - 2.0), atol=1e-6)
    assert (anatomy.line_integral == 2.0).all()
    assert once.quality == "fast"
    assert once.carm is carm


def test_a_tool_beside_the_field_changes_nothing() -> None:
    carm = CArm(0.0, 0.0, np.zeros(3), detector_px=(32, 32))
    assert not add_tools(blank(carm), [steel_tool(Capsule((200, 0, 0), (220, 0, 0), 2.0))]).line_integral.any()


def test_a_tool_that_reaches_the_source_is_still_counted() -> None:
    carm = CArm(0.0, 0.0, np.zeros(3), detector_px=(3, 3))
    image = add_tools(blank(carm), [Tool(Capsule((0, 600, 0), (0, 0, 0), 2.0), 1.0)]).line_integral
    assert image[1, 1] == pytest.approx(532.0, abs=1e-3)


def test_steel_of_eleven_gauge_lets_a_twentieth_through_at_60_kev() -> None:
    tool = steel_tool(Capsule((0, 0, 0), (0, 0, 10), 1.524), 60.0)
    assert np.exp(-tool.mu_per_mm * 3.048) == pytest.approx(0.046, abs=0.001)
