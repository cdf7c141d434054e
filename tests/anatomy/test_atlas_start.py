"""The start of a registration undoes what a seed's frame gets wrong: tilt, place along the spine, height."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from trajplan.anatomy.atlas import Atlas
from trajplan.anatomy.atlas_start import Start, find_start
from trajplan.anatomy.seed_frame import SeedFrame
from trajplan.geometry import Frame, Grid, LabelMap, Volume

POINTS = np.random.default_rng(2).normal(size=(40, 3)) * np.array([20.0, 20.0, 12.0])
UPRIGHT = Frame(np.zeros(3), np.eye(3))


def atlas() -> Atlas:
    grid = Grid((2, 2, 2), np.zeros(3), (1.0, 1.0, 1.0))
    empty = np.zeros(grid.shape_zyx, dtype=np.uint8)
    return Atlas("ball", "L1", Volume(empty.astype(np.int16), grid), LabelMap(empty, grid), 20, UPRIGHT, 24.0, 35.0)


def seed(tilt_deg: float, height_mm: float) -> SeedFrame:
    """Of a vertebra that stands upright at (3, -5, 2), found with a tilt."""
    cos, sin = np.cos(np.radians(tilt_deg)), np.sin(np.radians(tilt_deg))
    frame = Frame(np.array([3.0, -5.0, 2.0]), np.array([[1.0, 0.0, 0.0], [0.0, cos, -sin], [0.0, sin, cos]]))
    return SeedFrame(frame, np.zeros(3), height_mm, 35.0, 1.0, 100.0, ())


def misfit_mm(affine: sitk.AffineTransform) -> float:
    """From where the points of the upright vertebra, 24 mm high, should come to lie in the atlas."""
    mapped = np.array([affine.TransformPoint(tuple(p + np.array([3.0, -5.0, 2.0]))) for p in POINTS])
    return float(np.linalg.norm(mapped - POINTS, axis=1).mean())


@pytest.mark.parametrize("tilt_deg", [-15.0, -6.0, 0.0, 9.0, 16.0])
@pytest.mark.parametrize("height_mm", [20.5, 24.0])
def test_a_start_undoes_tilt_and_height(tilt_deg: float, height_mm: float) -> None:
    about = seed(tilt_deg, height_mm)
    value, affine = find_start(lambda one: -misfit_mm(one), about, atlas())
    plain = misfit_mm(Start().affine(about, atlas()))
    assert value == pytest.approx(-misfit_mm(affine), abs=0.03)
    assert misfit_mm(affine) <= plain
    assert misfit_mm(affine) < 2.0, "half a step of every search"


def test_of_equal_fits_the_seeds_own_frame_is_kept() -> None:
    about = seed(7.0, 24.0)
    _, affine = find_start(lambda one: 0.5, about, atlas())
    assert affine.GetParameters() == Start().affine(about, atlas()).GetParameters()
