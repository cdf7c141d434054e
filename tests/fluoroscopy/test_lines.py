"""Promises about overlays: each layer is where its anatomy is projected, and each can be left out."""

from __future__ import annotations

import numpy as np
import pytest
from fluoroscopy_truth import CENTER_LPS, box_vertebra
from scipy.spatial.transform import Rotation

from trajplan.errors import InputError
from trajplan.fluoroscopy.lines import LAYERS, anatomy_lines, chosen, layers_for, path_lines
from trajplan.fluoroscopy.views import standard_views

TURN = Rotation.from_euler("xz", [9.0, -6.0], degrees=True).as_matrix()


@pytest.fixture(scope="module")
def vertebra():
    return box_vertebra(TURN, spacing_mm=1.0)


def test_every_layer_is_there_once_and_can_be_switched_off(vertebra) -> None:
    tip = CENTER_LPS + np.array([3.0, 4.0, 5.0])
    lines = (*anatomy_lines(vertebra), *path_lines("left", CENTER_LPS, CENTER_LPS + np.array([0, -20.0, 0]), tip))
    assert {line.layer for line in lines} == set(LAYERS)
    assert len({line.name for line in lines}) == len(lines) == 8
    for layer in LAYERS:
        assert layer not in {line.layer for line in chosen(lines, [k for k in LAYERS if k != layer])}
    with pytest.raises(InputError, match="no overlay is called 'ribs'"):
        chosen(lines, ["ribs"])
    carm = standard_views(vertebra).ap.carm
    np.testing.assert_allclose(chosen(lines, ["tip"])[0].px(carm)[0], carm.project(tip))


def test_end_plates_are_lines_on_the_lateral_and_as_wide_as_the_body_on_the_ap(vertebra) -> None:
    views = standard_views(vertebra)
    for line in chosen(anatomy_lines(vertebra), ["end_plates"]):
        lateral, ap = (line.px(v.carm) for v in (views.lateral, views.ap))
        mm = views.ap.carm.pixel_mm / views.ap.carm.magnification
        assert np.ptp(ap[:, 1]) * mm == pytest.approx(44.0, abs=2.0)
        assert np.ptp(lateral[:, 1]) * mm == pytest.approx(32.0, abs=2.0)
        flat = np.polyfit(lateral[:, 1], lateral[:, 0], 1)
        assert np.ptp(lateral[:, 0] - np.polyval(flat, lateral[:, 1])) * mm < 3.0  # the cone opens it a little
        height = vertebra.frame.to_local(line.points_lps)[:, 2]
        np.testing.assert_allclose(np.abs(height), 13.0, atol=1e-6)


def test_the_posterior_wall_is_at_its_rims_and_the_midline_in_the_middle(vertebra) -> None:
    lines = {line.name: line for line in anatomy_lines(vertebra)}
    wall = vertebra.frame.to_local(lines["posterior_wall"].points_lps)
    np.testing.assert_allclose(wall[:, 1], 14.0, atol=1e-6)
    np.testing.assert_allclose(wall[:, 0], 0.0, atol=1e-9)
    carm = standard_views(vertebra).ap.carm
    left, right = (vertebra.pedicles[s].isthmus_center_lps for s in vertebra.pedicles)
    on_midline = lines["midline"].px(carm)
    off = [_distance(carm.project(p), on_midline) for p in (left, right)]
    assert abs(off[0]) == pytest.approx(abs(off[1]), abs=0.5)
    assert off[0] * off[1] < 0


def _distance(px: np.ndarray, line: np.ndarray) -> float:
    along = (line[1] - line[0]) / np.linalg.norm(line[1] - line[0])
    return float((px - line[0]) @ [-along[1], along[0]])


def test_a_view_gets_the_layers_that_mean_something_on_it(vertebra) -> None:
    views = standard_views(vertebra)
    assert set(LAYERS) - set(layers_for(views.ap.carm, vertebra.frame)) == {"posterior_wall"}
    assert set(LAYERS) - set(layers_for(views.lateral.carm, vertebra.frame)) == {"midline"}
