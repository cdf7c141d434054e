"""Promises about the collimator: the same numbers where it is open, nothing behind it, and the field it was set to."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from fluoroscopy_truth import CENTER_LPS

from trajplan.errors import GeometryError
from trajplan.fluoroscopy.blades import open_part, open_px
from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.display import to_display
from trajplan.fluoroscopy.physics import Physics, expose, thicknesses
from trajplan.fluoroscopy.projector import project
from trajplan.fluoroscopy.tools import Canvas, add_tools, steel_tool
from trajplan.geometry import Capsule

VIEW = CArm(20.0, 10.0, CENTER_LPS, 1000.0, 600.0, (120, 110), 2.0)
SHUT = dataclasses.replace(VIEW, collimation_mm=(60.0, 80.0))


def outside(carm: CArm) -> np.ndarray:
    mask = np.ones(carm.detector_px, bool)
    mask[open_px(carm)] = False
    return mask


@pytest.mark.parametrize("quality", ["fast", "joseph", "siddon", "preview"])
def test_where_the_blades_are_open_nothing_changes_and_behind_them_is_nothing(prepared_body, quality: str) -> None:
    whole, part = (project(prepared_body, carm, quality=quality).line_integral for carm in (VIEW, SHUT))
    assert part.shape == VIEW.detector_px
    np.testing.assert_allclose(part[open_px(SHUT)], whole[open_px(SHUT)], atol=0.02 * whole.max())
    if quality in ("joseph", "siddon"):
        np.testing.assert_allclose(part[open_px(SHUT)], whole[open_px(SHUT)], atol=2e-3 * whole.max())
    assert not part[outside(SHUT)].any()


def test_the_field_has_the_size_that_was_asked_for_to_a_pixel() -> None:
    part = open_part(SHUT)
    size_mm = np.array(part.detector_px) * part.pixel_mm / part.magnification
    np.testing.assert_allclose(size_mm, SHUT.collimation_mm, atol=2 * VIEW.pixel_mm / VIEW.magnification)
    for point in CENTER_LPS + np.array([[0.0, 0.0, 0.0], [5.0, -8.0, 11.0]]):
        corner = [s.start for s in open_px(SHUT)]
        np.testing.assert_allclose(part.project(point) + corner, VIEW.project(point), atol=1e-9)


def test_blades_wider_than_the_detector_take_nothing_away() -> None:
    assert open_part(dataclasses.replace(VIEW, collimation_mm=(900.0, 900.0))).detector_px == VIEW.detector_px


def test_an_instrument_is_not_seen_behind_the_blades(prepared_body) -> None:
    needle = steel_tool(Capsule(CENTER_LPS - [90.0, 0, 0], CENTER_LPS + np.array([90.0, 0, 0]), 2.0))
    anatomy = project(prepared_body, SHUT, quality="preview")
    for image in (add_tools(anatomy, [needle]).line_integral, Canvas(anatomy).draw([needle])):
        assert (image - anatomy.line_integral).max() > 1.0
        assert not image[outside(SHUT)].any()


@pytest.mark.parametrize("inverted", [False, True])
def test_behind_the_blades_the_picture_is_black_and_the_greys_are_those_of_the_open_field(
    prepared_body, inverted: bool
) -> None:
    drr = project(prepared_body, SHUT, quality="preview")
    picture = to_display(drr, inverted=inverted)
    assert not picture[outside(SHUT)].any()
    alone = dataclasses.replace(drr, line_integral=drr.line_integral[open_px(SHUT)], carm=open_part(SHUT))
    np.testing.assert_array_equal(picture[open_px(SHUT)], to_display(alone, inverted=inverted))


def test_physics_is_of_the_open_field_only(prepared_body) -> None:
    met = thicknesses(prepared_body, SHUT, quality="preview")
    assert met.mm["water"].shape == open_part(SHUT).detector_px
    taken = expose(met, Physics(heel=0.0)).drr.line_integral
    assert taken.shape == VIEW.detector_px
    assert not taken[outside(SHUT)].any()
    assert taken[open_px(SHUT)].min() > 0


def test_blades_that_leave_no_pixel_open_are_refused() -> None:
    with pytest.raises(GeometryError, match="less than two pixels"):
        dataclasses.replace(VIEW, collimation_mm=(1.0, 80.0))
