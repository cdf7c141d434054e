"""Promises about the picture and its letters."""

from __future__ import annotations

import numpy as np
import pytest
from fluoroscopy_truth import CENTER_LPS

from trajplan.errors import InputError
from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.display import display_window, edge_letters, to_display
from trajplan.fluoroscopy.drr import Drr
from trajplan.fluoroscopy.projector import project
from trajplan.fluoroscopy.tools import add_tools, steel_tool
from trajplan.geometry import Capsule


@pytest.mark.parametrize(
    ("angles", "letters"),
    [
        ((0, 0), "S I L R"),
        ((180, 0), "S I R L"),
        ((90, 0), "S I P A"),
        ((-90, 0), "S I A P"),
        ((0, 20), "S I L R"),
        ((45, 0), "S I LP RA"),
        ((0, 30), "SP IA L R"),
    ],
)
def test_the_letters_name_the_patients_sides(angles, letters) -> None:
    assert " ".join(edge_letters(CArm(*angles, np.zeros(3))).values()) == letters


def test_the_left_letter_is_where_a_left_point_is_projected() -> None:
    carm = CArm(0.0, 0.0, np.zeros(3))
    assert carm.project((20.0, 0.0, 0.0))[1] < 255.5
    assert edge_letters(carm)["left"] == "L"
    assert carm.project((0.0, 0.0, 20.0))[0] < 255.5
    assert edge_letters(carm)["top"] == "S"


def at(offset: list[float]) -> np.ndarray:
    return np.asarray(CENTER_LPS + np.array(offset))


@pytest.fixture(scope="module")
def anatomy(prepared_body) -> Drr:
    return project(prepared_body, CArm(0.0, 0.0, CENTER_LPS, detector_px=(256, 256), pixel_mm=1.1))


def test_bone_is_brighter_than_soft_tissue_and_metal_is_brightest(anatomy) -> None:
    window = display_window(anatomy)
    needle = Capsule(at([30, 0, 30]), at([30, 0, -30]), 1.6)
    picture = to_display(add_tools(anatomy, [steel_tool(needle)]), window=window).astype(int)
    row, column = (round(v) for v in anatomy.carm.project(at([0, 0, 20])))
    aside = round(float(anatomy.carm.project(at([-30, 0, 20]))[1]))
    metal = round(float(anatomy.carm.project(at([30, 0, 20]))[1]))
    assert picture[row, column] > picture[row, aside] + 30
    assert picture[row, metal] > picture[row, column]
    assert picture[row, metal] == 255


def test_a_needle_leaves_the_greys_around_it_alone(anatomy) -> None:
    window = display_window(anatomy)
    needle = Capsule(at([30, 0, 30]), at([-30, 10, -10]), 1.6)
    tooled = add_tools(anatomy, [steel_tool(needle)])
    free = tooled.line_integral == anatomy.line_integral
    change = np.abs(to_display(tooled, window=window).astype(int) - to_display(anatomy, window=window))
    assert change[free].max() <= 12


def test_an_empty_field_is_black(anatomy) -> None:
    empty = Drr(np.zeros((64, 64), np.float32), anatomy.carm, "fast")
    assert not to_display(empty).any()


def test_sizes_that_no_cell_divides_are_fine() -> None:
    ramp = np.linspace(1, 4, 131 * 77, dtype=np.float32).reshape(131, 77)
    picture = to_display(Drr(ramp, CArm(0, 0, np.zeros(3), detector_px=(131, 77)), "fast"))
    assert picture.shape == (131, 77)
    assert picture.dtype == np.uint8


def test_an_empty_window_is_refused(anatomy) -> None:
    with pytest.raises(InputError, match="window"):
        to_display(anatomy, window=(2.0, 2.0))
