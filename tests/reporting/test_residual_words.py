"""Promise: the caption of a view says how true it is, and whether the C-arm reaches it."""

from __future__ import annotations

from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.views import SolvedView
from trajplan.reporting.xray import residual_words


def test_residuals_are_said_in_words_and_missing_ones_left_out() -> None:
    view = SolvedView("ap", CArm(0, 0, (0, 0, 0)), {"superior_endplate_tilt_deg": 3.14, "spinous_offset_mm": 0.5})
    words = "How true the view is: upper end plate 3.1° off the beam, spinous process 0.5 mm off the middle."
    assert residual_words(view) == words
    assert residual_words(None) == ""


def test_a_view_out_of_reach_names_the_nearest_angles() -> None:
    view = SolvedView("en_face_left", CArm(-20.0, 51.0, (0, 0, 0)), {"beam_error_deg": 0.0, "out_of_reach_deg": 6.0})
    assert "OUT OF REACH by 6.0°; the nearest the C-arm reaches is 20.0° RAO, 45.0° CRA." in residual_words(view)
