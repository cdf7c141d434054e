"""Promises about outlines over the picture."""

from __future__ import annotations

import numpy as np
import pytest
from fluoroscopy_truth import CENTER_LPS, box_vertebra
from matplotlib.path import Path as Polygon

from trajplan.errors import GeometryError
from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.drr import Drr
from trajplan.fluoroscopy.overlay import (
    body_outline_px,
    mask_outline_px,
    pedicle_outline_px,
    posterior_wall_px,
    scale_bar,
    tool_outline_px,
)
from trajplan.fluoroscopy.tools import Tool, add_tools
from trajplan.geometry import Capsule
from trajplan.parts import Side


@pytest.fixture(scope="module")
def vertebra():
    return box_vertebra(np.eye(3))


def test_pedicles_stand_left_and_right_of_the_midline_on_the_ap(vertebra) -> None:
    carm = CArm(0.0, 0.0, CENTER_LPS)
    left, right = (pedicle_outline_px(vertebra.pedicles[side], carm) for side in Side)
    assert left.shape == (24, 2)
    assert left[:, 1].max() < 255.5 < right[:, 1].min()
    np.testing.assert_allclose(left[:, 1].mean() + right[:, 1].mean(), 511.0, atol=1e-6)


def test_the_body_outline_encloses_the_body_to_a_voxel(vertebra) -> None:
    carm = CArm(0.0, 0.0, CENTER_LPS)
    outline = body_outline_px(vertebra, carm)
    per_mm = carm.magnification / carm.pixel_mm
    size = (outline.max(axis=0) - outline.min(axis=0)) / per_mm
    assert size == pytest.approx((26.0, 44.0), abs=3.0)  # 2 mm voxels, and the near side is magnified more
    assert outline.mean(axis=0) == pytest.approx((255.5, 255.5), abs=per_mm)


def test_the_posterior_wall_is_one_line_on_the_true_lateral(vertebra) -> None:
    wall = posterior_wall_px(vertebra, CArm(90.0, 0.0, CENTER_LPS))
    body = body_outline_px(vertebra, CArm(90.0, 0.0, CENTER_LPS))
    assert np.ptp(wall[:, 1]) < 4.0  # perspective only
    assert wall[:, 1].max() < 255.5  # posterior is left on this view
    assert body[:, 1].min() - 6 < wall[:, 1].min()


@pytest.mark.parametrize("angles", [(0, 0), (90, 10), (-50, -20)])
def test_the_tool_outline_is_the_edge_of_its_shadow(angles) -> None:
    carm = CArm(*angles, (0.0, 0.0, 0.0), detector_px=(200, 200), pixel_mm=1.4)
    capsule = Capsule((35.0, 40.0, 12.0), (-6.0, -12.0, -9.0), 4.0)
    shadow = add_tools(Drr(np.zeros((200, 200), np.float32), carm, "fast"), [Tool(capsule, 1.0)]).line_integral > 0
    pixels = np.stack(np.indices(shadow.shape), axis=-1).reshape(-1, 2)
    polygon = Polygon(tool_outline_px(capsule, carm))
    inner = polygon.contains_points(pixels, radius=-0.1) | polygon.contains_points(pixels)
    assert abs(int(inner.sum()) - int(shadow.sum())) <= 0.02 * shadow.sum()
    assert (inner == shadow.ravel()).mean() > 0.998


def test_a_tool_behind_the_source_has_no_outline() -> None:
    with pytest.raises(GeometryError) as caught:
        tool_outline_px(Capsule((0, 0, 0), (0, 600, 0), 2.0), CArm(0.0, 0.0, np.zeros(3)))
    assert caught.value.code == "behind_source"


def test_an_empty_mask_has_no_outline(vertebra) -> None:
    with pytest.raises(GeometryError, match="empty"):
        mask_outline_px(np.zeros(vertebra.parts.grid.shape_zyx, bool), vertebra.parts.grid, CArm(0, 0, CENTER_LPS))


def test_the_scale_bar_is_twenty_millimetres_at_the_isocentre() -> None:
    carm = CArm(25.0, -10.0, CENTER_LPS)
    ends = carm.project(carm.isocenter_lps + np.array([[-10.0], [10.0]]) * carm.column_lps)
    assert scale_bar(carm) == pytest.approx(ends[1, 1] - ends[0, 1])
