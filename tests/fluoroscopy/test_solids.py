"""Promises about tubes, ellipsoids and unions in the beam, and about moving them over a finished picture."""

from __future__ import annotations

import numpy as np
import pytest

from trajplan.errors import GeometryError
from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.drr import Drr
from trajplan.fluoroscopy.solids import Ellipsoid, Solid, Tube, Union
from trajplan.fluoroscopy.tools import Canvas, Tool, add_tools, balloon_tool, cannula, cement_tool, chord_mm, steel_tool
from trajplan.geometry import Capsule

SOURCE = np.array([3.0, -530.0, 4.0])
BALLOON = Ellipsoid((1, 2, 3), np.diag([7.0, 12.0, 5.0]) @ np.linalg.qr(np.arange(9.0).reshape(3, 3) + np.eye(3))[0])


def inside(solid: Solid, points: np.ndarray) -> np.ndarray:
    """Whether points lie in a solid, by its definition."""
    if isinstance(solid, Union):
        return np.any([inside(part, points) for part in solid.parts], axis=0)
    if isinstance(solid, Ellipsoid):
        return np.linalg.norm((points - solid.center_lps) @ solid.to_sphere.T, axis=-1) < 1
    if isinstance(solid, Capsule):
        return solid.distance(points) < 0
    axis = solid.end_lps - solid.start_lps
    along = (points - solid.start_lps) @ axis / (axis @ axis)
    away = np.linalg.norm(points - solid.start_lps - along[..., None] * axis, axis=-1)
    return (along > 0) & (along < 1) & (away < solid.radius_mm) & (away > solid.bore_mm)


SOLIDS: dict[str, Solid] = {
    "tube": Tube((-20, -15, 2), (15, 20, -6), 4.0, 3.0),
    "rod": Tube((0, -10, 0), (1, 12, 0), 2.5),
    "ellipsoid": BALLOON,
    "union": Union((Capsule((-10, 0, 0), (10, 5, 0), 3.0), BALLOON, Capsule((0, -20, 2), (2, 20, 2), 2.0))),
}


@pytest.mark.parametrize("name", SOLIDS)
def test_a_chord_is_the_length_of_ray_inside_the_solid(name) -> None:
    rng = np.random.default_rng(len(name))
    t = np.arange(480.0, 590.0, 0.002)
    met = 0
    for _ in range(60):
        ray = rng.normal(0, 4.0, 3) - SOURCE
        ray /= np.linalg.norm(ray)
        brute = inside(SOLIDS[name], SOURCE + t[:, None] * ray).sum() * 0.002
        assert chord_mm(SOLIDS[name], SOURCE, ray) == pytest.approx(brute, abs=0.01)
        met += brute > 0
    assert met > 5


def test_down_a_cannula_the_bore_lets_the_beam_through_and_the_wall_does_not() -> None:
    tube = cannula(np.array([0, -30.0, 0]), np.array([0, 40.0, 0]), 2.1, 0.4)
    down = np.array([0, 1.0, 0])
    assert chord_mm(tube, np.array([0, -500.0, 0]), down) == 0
    assert chord_mm(tube, np.array([1.9, -500.0, 0]), down) == pytest.approx(70.0)
    assert chord_mm(tube, np.array([0.0, -500.0, 0]), np.array([1.0, 0, 0])) == 0
    assert chord_mm(tube, np.array([-500.0, 0, 0]), np.array([1.0, 0, 0])) == pytest.approx(0.8)


@pytest.mark.parametrize("name", SOLIDS)
@pytest.mark.parametrize("angles", [(0, 0), (70, -20)])
def test_no_pixel_of_a_shadow_is_missed(name, angles) -> None:
    carm = CArm(*angles, (0, 0, 0), detector_px=(70, 60), pixel_mm=1.4)
    blank = Drr(np.zeros(carm.detector_px, np.float32), carm, "siddon")
    image = add_tools(blank, [Tool(SOLIDS[name], 1.0)]).line_integral
    source, ray = carm.back_project(np.stack(np.indices(carm.detector_px), axis=-1))
    expected = [[chord_mm(SOLIDS[name], source, ray[r, c]) for c in range(60)] for r in range(70)]
    np.testing.assert_allclose(image, expected, atol=1e-4)


def test_a_canvas_forgets_the_tools_it_drew_before() -> None:
    carm = CArm(15.0, 5.0, (0, 0, 0), detector_px=(64, 64), pixel_mm=3.0)
    rng = np.random.default_rng(2)
    anatomy = Drr(rng.random((64, 64), dtype=np.float32), carm, "fast")
    canvas = Canvas(anatomy)
    for k in range(4):
        tools = [steel_tool(Capsule((10.0 * k, 5, 0), (0, 5.0 * k, 9), 2.0)), cement_tool(BALLOON)][: 1 + k % 2]
        np.testing.assert_array_equal(canvas.draw(tools), add_tools(anatomy, tools).line_integral)
    np.testing.assert_array_equal(canvas.draw([]), anatomy.line_integral)


def test_contrast_and_cement_are_denser_than_bone_and_thinner_than_steel() -> None:
    thick = [tool(BALLOON).mu_per_mm for tool in (balloon_tool, cement_tool, steel_tool)]
    assert thick[0] < thick[2]
    assert thick[1] < thick[2]
    assert min(thick) > 0.06


def test_solids_that_are_none_are_refused() -> None:
    with pytest.raises(GeometryError, match="bore"):
        Tube((0, 0, 0), (1, 0, 0), 1.0, 1.0)
    with pytest.raises(GeometryError, match="right angles"):
        Ellipsoid((0, 0, 0), [[1, 0, 0], [1, 1, 0], [0, 0, 1]])
