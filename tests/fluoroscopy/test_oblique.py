"""Promises about the oblique view and about views that the C-arm cannot reach."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from fluoroscopy_truth import box_vertebra

from trajplan.errors import AnatomyError, GeometryError
from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.oblique import scotty_dog
from trajplan.fluoroscopy.reach import Reach, nearest_reachable, require_reachable
from trajplan.fluoroscopy.views import SolvedView, standard_views
from trajplan.parts import Side


@pytest.mark.parametrize("side", list(Side))
def test_the_dogs_eye_is_in_the_middle_of_the_body_and_the_end_plates_are_flat(side) -> None:
    vertebra = box_vertebra(np.eye(3))
    view = scotty_dog(vertebra, side)
    assert 20.0 < abs(view.carm.primary_deg) < 60.0
    assert np.sign(view.carm.primary_deg) == -side.sign  # the tube stands behind the patient on that side
    assert view.residuals["pedicle_off_center_mm"] < 0.5
    assert view.residuals["superior_endplate_tilt_deg"] < 0.01
    middle = view.carm.project(vertebra.frame.origin_lps)
    eye = view.carm.project(vertebra.pedicles[side].isthmus_center_lps)
    assert abs(eye[1] - middle[1]) * view.carm.pixel_mm / view.carm.magnification < 1.5


def test_left_and_right_obliques_of_a_symmetric_vertebra_are_mirror_images() -> None:
    left, right = (scotty_dog(box_vertebra(np.eye(3)), side).carm.primary_deg for side in Side)
    assert left == pytest.approx(-right, abs=1.0)


def test_without_its_pedicle_there_is_no_oblique() -> None:
    vertebra = dataclasses.replace(box_vertebra(np.eye(3)), pedicles={})
    with pytest.raises(AnatomyError, match="no left pedicle"):
        scotty_dog(vertebra, Side.LEFT)


def test_a_view_out_of_reach_is_refused_with_the_nearest_one() -> None:
    asked = SolvedView("en_face", CArm(30.0, 52.0, (0, 0, 0)), {})
    with pytest.raises(GeometryError, match=r"nearest it reaches is 30\.0 / 45\.0 deg, 7\.0 deg off") as caught:
        require_reachable(asked)
    assert caught.value.code == "view_out_of_reach"
    near = nearest_reachable(asked.carm)
    assert (near.primary_deg, near.secondary_deg) == (30.0, 45.0)
    assert require_reachable(SolvedView("near", near, {})).carm is near


def test_a_view_within_reach_is_passed_on() -> None:
    views = standard_views(box_vertebra(np.eye(3)))
    assert require_reachable(views.ap) is views.ap
    with pytest.raises(GeometryError):
        require_reachable(views.lateral, Reach(primary_deg=60.0))
