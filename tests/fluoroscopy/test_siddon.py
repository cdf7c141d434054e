"""Promises about the exact projector: closed forms for boxes and balls."""

from __future__ import annotations

import numpy as np
import pytest

from trajplan.errors import GeometryError
from trajplan.fluoroscopy.attenuation import hu_to_mu
from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.rays import detector_rays
from trajplan.fluoroscopy.siddon import siddon_line_integral
from trajplan.geometry import Grid, Volume

WATER = float(hu_to_mu(0.0))


def chords_of_box(low, high, carm: CArm) -> np.ndarray:
    """Length of each pixel's ray inside an axis-aligned box, by clipping the ray against three pairs of planes."""
    rays = detector_rays(carm)
    chord = np.zeros(carm.detector_px)
    for r in range(carm.detector_px[0]):
        for c in range(carm.detector_px[1]):
            ray = rays.corner + r * rays.row_step + c * rays.column_step
            first, last = 0.0, 1.0
            for axis in range(3):
                if abs(ray[axis]) < 1e-12:
                    if not low[axis] <= rays.source[axis] < high[axis]:
                        last = -1.0
                    continue
                a, b = (low[axis] - rays.source[axis]) / ray[axis], (high[axis] - rays.source[axis]) / ray[axis]
                first, last = max(first, min(a, b)), min(last, max(a, b))
            chord[r, c] = max(0.0, last - first) * np.linalg.norm(ray)
    return chord


@pytest.mark.parametrize("angles", [(0, 0), (90, 0), (-90, 0), (180, 0), (31, 17), (-120, -40), (45, 0), (10, 75)])
@pytest.mark.parametrize("shift", [(0.0, 0.0, 0.0), (17.0, -31.0, 44.0)])
def test_a_water_box_gives_its_chord_for_every_ray(angles, shift) -> None:
    grid = Grid((13, 11, 17), np.array([5.0, -3.0, 2.0]) + shift, (2.5, 1.3, 0.9))
    volume = Volume(np.zeros(grid.shape_zyx, np.int16), grid)
    view = CArm(*angles, grid.center_lps - shift, detector_px=(33, 35), pixel_mm=3.0)
    half = grid.spacing_xyz / 2
    last = grid.origin_lps + (np.array(grid.shape_zyx[::-1]) - 1) * grid.spacing_xyz
    chord = chords_of_box(grid.origin_lps - half, last + half, view)
    np.testing.assert_allclose(siddon_line_integral(volume, view), WATER * chord, atol=1e-5 * WATER * chord.max())


def test_rays_along_voxel_faces_count_the_chord_once() -> None:
    grid = Grid((4, 8, 4), (-1.5, -3.5, -1.5), (1.0, 1.0, 1.0))
    volume = Volume(np.zeros(grid.shape_zyx, np.int16), grid)
    view = CArm(0.0, 0.0, np.zeros(3), detector_px=(1, 1))  # the central ray runs along an edge of four columns
    assert siddon_line_integral(volume, view)[0, 0] == pytest.approx(8 * WATER, rel=1e-6)


def test_each_voxel_is_weighed_by_its_own_attenuation() -> None:
    rng = np.random.default_rng(5)
    grid = Grid((3, 40, 3), (-1.0, -19.5, -1.0), (1.0, 1.0, 1.0))
    hu = rng.integers(-1000, 3000, grid.shape_zyx).astype(np.int16)
    view = CArm(180.0, 0.0, np.array([0.2, 0.0, 0.1]), detector_px=(1, 1))
    expected = hu_to_mu(hu[1, :, 1]).sum()
    assert siddon_line_integral(Volume(hu, grid), view)[0, 0] == pytest.approx(expected, rel=1e-6)


def test_a_ball_casts_the_shadow_of_its_chords_to_the_error_of_its_voxels() -> None:
    grid = Grid.isotropic((-22, -22, -22), (22, 22, 22), 0.5)
    inside = np.linalg.norm(grid.points_lps() / [20.0, 15.0, 18.0], axis=-1) < 1
    volume = Volume(np.where(inside, 0, -1000).astype(np.int16), grid)
    view = CArm(40.0, 20.0, np.zeros(3), detector_px=(41, 41), pixel_mm=2.0)
    source, ray = view.back_project(np.stack(np.indices((41, 41)), axis=-1))
    o, d = source / [20.0, 15.0, 18.0], ray / [20.0, 15.0, 18.0]
    a, b, c = (d * d).sum(-1), (d * o).sum(-1), (o * o).sum() - 1
    chord = 2 * np.sqrt(np.maximum(b * b - a * c, 0)) / a
    error = siddon_line_integral(volume, view) / WATER - chord
    deep = chord > 15
    assert np.abs(error[deep]).max() < 0.8  # stair steps of half-millimetre voxels at both ends
    assert abs(error[deep].mean()) < 0.05


def test_rays_that_miss_the_volume_are_zero() -> None:
    grid = Grid((5, 5, 5), (300.0, 0.0, 300.0), (1.0, 1.0, 1.0))
    volume = Volume(np.full(grid.shape_zyx, 1000, np.int16), grid)
    assert not siddon_line_integral(volume, CArm(0.0, 0.0, np.zeros(3), detector_px=(16, 16))).any()


def test_a_source_inside_the_volume_sees_only_what_is_in_front() -> None:
    grid = Grid.isotropic((-20, -600, -20), (20, 600, 20), 20.0)
    volume = Volume(np.zeros(grid.shape_zyx, np.int16), grid)
    view = CArm(0.0, 0.0, np.zeros(3), detector_px=(1, 1))
    assert siddon_line_integral(volume, view)[0, 0] == pytest.approx(1020 * WATER, rel=1e-9)


def test_float_volumes_count_as_their_rounded_hu() -> None:
    grid = Grid((4, 4, 4), (-1.5, -1.5, -1.5), (1.0, 1.0, 1.0))
    view = CArm(30.0, 5.0, np.zeros(3), detector_px=(9, 9))
    whole = siddon_line_integral(Volume(np.full(grid.shape_zyx, 57, np.int16), grid), view)
    near = siddon_line_integral(Volume(np.full(grid.shape_zyx, 56.8, np.float32), grid), view)
    np.testing.assert_array_equal(whole, near)


def test_a_turned_volume_is_refused_with_its_angle() -> None:
    c, s = np.cos(0.1), np.sin(0.1)
    grid = Grid((4, 4, 4), (0, 0, 0), (1, 1, 1), [[c, -s, 0], [s, c, 0], [0, 0, 1]])
    with pytest.raises(GeometryError) as caught:
        siddon_line_integral(Volume(np.zeros(grid.shape_zyx, np.int16), grid), CArm(0, 0, np.zeros(3)))
    assert caught.value.numbers["turned_deg"] == pytest.approx(np.degrees(0.1), abs=0.01)
