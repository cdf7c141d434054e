"""Promises about the picture and its letters."""

from __future__ import annotations

import dataclasses

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
    assert change[free].max() == 0


def bone_over_soft_tissue(drr: Drr) -> int:
    """How much brighter the column of bone is than the soft tissue beside it, grey steps."""
    bone, soft = (np.rint(drr.carm.project(at([x, 0, -12]))).astype(int) for x in (0, 28))
    picture = to_display(drr).astype(int)
    return int(picture[tuple(bone)] - picture[tuple(soft)])


def test_at_every_pixel_denser_is_never_darker(anatomy) -> None:
    window = display_window(anatomy)
    denser = dataclasses.replace(anatomy, line_integral=anatomy.line_integral + np.float32(0.05))
    change = to_display(denser, window=window).astype(int) - to_display(anatomy, window=window)
    assert (window.gain > 0).all()
    assert change.min() >= 0
    assert change.max() > 10


def test_metal_in_the_scan_does_not_spend_the_greys_of_bone(anatomy) -> None:
    """An implant is in the image that the window is made from, unlike a planned needle."""
    rod = add_tools(anatomy, [steel_tool(Capsule(at([40, 0, 40]), at([40, 0, -40]), 3.0))])
    assert bone_over_soft_tissue(rod) > 0.7 * bone_over_soft_tissue(anatomy)


def test_bone_stands_out_as_well_in_a_thick_patient(anatomy) -> None:
    """Twice the soft tissue, unevenly spread, must not hide the body: the slow background is not worth greys."""
    ramp = np.linspace(3.0, 6.0, 256, dtype=np.float32)[None, :]
    thick = dataclasses.replace(anatomy, line_integral=anatomy.line_integral + ramp)
    assert bone_over_soft_tissue(thick) > 0.6 * bone_over_soft_tissue(anatomy)


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
        to_display(anatomy, window=dataclasses.replace(display_window(anatomy), low=2.0, high=2.0))


def test_a_window_of_another_picture_is_refused(anatomy) -> None:
    other = Drr(np.ones((64, 64), np.float32), anatomy.carm, "fast")
    with pytest.raises(InputError, match="64"):
        to_display(anatomy, window=display_window(other))
