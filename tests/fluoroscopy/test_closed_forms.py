"""Promises with pencil-and-paper answers: solids of known attenuation in every projector, at any angle and distance."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from trajplan.fluoroscopy.attenuation import hu_to_mu
from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.display import edge_letters
from trajplan.fluoroscopy.prepared import PreparedVolume, prepare
from trajplan.fluoroscopy.projector import QUALITIES, project
from trajplan.geometry import Grid, Volume
from trajplan.geometry.arrays import FloatArray

WATER = float(hu_to_mu(0.0))
ANGLES = [(0, 0), (90, 0), (180, 0), (-90, 15), (33, -21), (45, 0), (12, 60)]
CENTER = np.array([30.0, -80.0, 120.0])


def solid(inside: FloatArray, spacing: tuple[float, float, float]) -> PreparedVolume:
    """Water where `inside` (mm, + inside) and air elsewhere, the voxels at the border in proportion."""
    share = np.clip(0.5 + inside / 0.8, 0, 1)
    grid = Grid(inside.shape, CENTER - (np.array(inside.shape[::-1]) - 1) / 2 * np.array(spacing)[::-1], spacing)
    return prepare(Volume(np.rint(-1000 + 1000 * share).astype(np.int16), grid))


def points(shape: tuple[int, int, int], spacing: tuple[float, float, float]) -> FloatArray:
    grid = Grid(shape, -(np.array(shape[::-1]) - 1) / 2 * np.array(spacing)[::-1], spacing)
    return grid.points_lps()


def view(angles: tuple[float, float]) -> CArm:
    return CArm(*angles, CENTER, detector_px=(65, 65), pixel_mm=1.5)


@pytest.fixture(scope="module")
def ball() -> PreparedVolume:
    spacing = (0.9, 0.8, 0.7)
    return solid(20.0 - np.linalg.norm(points((60, 66, 75), spacing), axis=-1), spacing)


@pytest.mark.parametrize("quality", QUALITIES)
@pytest.mark.parametrize("angles", ANGLES)
def test_through_the_middle_of_a_ball_the_path_is_its_diameter(ball, quality, angles) -> None:
    image = project(ball, view(angles), quality=quality).line_integral
    assert image[32, 32] == pytest.approx(40.0 * WATER, rel=0.01)  # a ball of voxels is 0.2 mm rough


@pytest.mark.parametrize("quality", QUALITIES)
@pytest.mark.parametrize("angles", [(0, 0), (90, 0), (33, -21)])
def test_the_shadow_of_a_ball_is_its_chords(ball, quality, angles) -> None:
    carm = view(angles)
    image = project(ball, carm, quality=quality).line_integral
    source, ray = carm.back_project(np.stack(np.indices((65, 65)), axis=-1))
    away = np.linalg.norm(np.cross(ray, CENTER - source), axis=-1)
    chord = 2 * np.sqrt(np.maximum(20.0**2 - away**2, 0))
    well = np.abs(away - 20.0) > 3.0
    np.testing.assert_allclose(image[well], WATER * chord[well], atol=0.03 * 40 * WATER)
    assert image.sum() == pytest.approx((WATER * chord).sum(), rel=0.004)


HALF_MM = np.array([14.0, 11.0, 17.0])


@pytest.fixture(scope="module")
def box() -> PreparedVolume:
    spacing = (0.9, 0.8, 0.7)
    return solid((HALF_MM - np.abs(points((60, 50, 66), spacing))).min(axis=-1), spacing)


@pytest.mark.parametrize("quality", QUALITIES)
@pytest.mark.parametrize("angles", ANGLES)
def test_the_shadow_of_a_box_is_its_chords(box, quality, angles) -> None:
    carm = view(angles)
    image = project(box, carm, quality=quality).line_integral
    source, ray = carm.back_project(np.stack(np.indices((65, 65)), axis=-1))
    with np.errstate(divide="ignore"):
        faces = np.stack([(CENTER + end * HALF_MM - source) / ray for end in (-1, 1)])
    chord = np.maximum(faces.max(axis=0).min(axis=-1) - faces.min(axis=0).max(axis=-1), 0.0)
    smooth = ndimage.maximum_filter(chord, 5) - ndimage.minimum_filter(chord, 5) < 8.0  # edges are blurred by voxels
    smooth &= (ndimage.minimum_filter(chord, 5) > 0) | (ndimage.maximum_filter(chord, 9) == 0)
    assert (smooth & (chord > 10)).sum() > 100
    np.testing.assert_allclose(image[smooth], WATER * chord[smooth], atol=0.05 * 40 * WATER)
    assert image.sum() == pytest.approx((WATER * chord).sum(), rel=0.012)  # voxels of 0.8 mm


@pytest.mark.parametrize("quality", QUALITIES)
@pytest.mark.parametrize("angles", [(0, 0), (180, 0), (30, 0), (-45, 0), (40, 20), (-150, -30)])
def test_a_slab_is_longer_for_oblique_rays(quality, angles) -> None:
    spacing = (2.0, 1.0, 2.0)
    y = points((80, 40, 80), spacing)[..., 1]
    image = project(solid(10.0 - np.abs(y), spacing), view(angles), quality=quality).line_integral
    ray = view(angles).back_project(np.stack(np.indices((65, 65)), axis=-1))[1]
    np.testing.assert_allclose(image, WATER * 20.0 / np.abs(ray[..., 1]), rtol=0.004)


@pytest.mark.parametrize("quality", QUALITIES)
def test_down_a_cylinder_the_path_is_its_length_and_across_its_diameter(quality) -> None:
    spacing = (0.8, 0.8, 0.8)
    x, y, z = np.moveaxis(points((70, 70, 70), spacing), -1, 0)
    rod = solid(np.minimum(12.0 - np.hypot(x, z), 20.0 - np.abs(y)), spacing)
    assert project(rod, view((0, 0)), quality=quality).line_integral[32, 32] == pytest.approx(40 * WATER, rel=0.005)
    assert project(rod, view((90, 0)), quality=quality).line_integral[32, 32] == pytest.approx(24 * WATER, rel=0.005)


@pytest.mark.parametrize("quality", QUALITIES)
@pytest.mark.parametrize("angles", ANGLES)
def test_across_a_long_cylinder_the_path_grows_with_the_slant(quality, angles) -> None:
    spacing = (0.8, 0.8, 0.8)
    x, y, _ = np.moveaxis(points((150, 40, 40), spacing), -1, 0)
    image = project(solid(12.0 - np.hypot(x, y), spacing), view(angles), quality=quality).line_integral
    slant = np.cos(np.radians(angles[1]))  # of the beam against the cylinder, which stands along z
    assert image[32, 32] == pytest.approx(24 * WATER / slant, rel=0.012)


@pytest.mark.parametrize("quality", QUALITIES)
@pytest.mark.parametrize("distances", [(1020.0, 530.0), (1000.0, 700.0)])
def test_nothing_fades_with_distance_and_sizes_grow_by_the_magnification(ball, quality, distances) -> None:
    carm = CArm(0.0, 0.0, CENTER, *distances, detector_px=(161, 161), pixel_mm=0.7)
    image = project(ball, carm, quality=quality).line_integral
    assert image[80, 80] == pytest.approx(40.0 * WATER, rel=0.01)  # no inverse square in a line integral
    silhouette = 2 * 20.0 / np.sqrt(distances[1] ** 2 - 20.0**2) * distances[0] / 0.7
    assert (image[80] > 8.0 * WATER).sum() == pytest.approx(silhouette * np.sqrt(1 - 0.2**2), abs=2.1)
    assert carm.magnification == pytest.approx(distances[0] / distances[1])


def test_a_marker_on_the_patients_left_is_seen_at_the_letter_l() -> None:
    spacing = (2.0, 2.0, 2.0)
    p = points((40, 40, 40), spacing)
    marked = solid(5.0 - np.linalg.norm(p - [25.0, 0.0, 0.0], axis=-1), spacing)
    for angles in ((0, 0), (180, 0), (20, 10), (-30, 0)):
        image = project(marked, view(angles)).line_integral
        column = float((image.sum(axis=0) * np.arange(65)).sum() / image.sum())
        letters = edge_letters(view(angles))
        side = "left" if column < 32 else "right"
        assert "L" in letters[side], (angles, letters)


def test_prone_or_feet_first_is_only_another_way_to_the_same_lps() -> None:
    """The angles are the patient's: a scan stored flipped, once its axes are turned to LPS, gives the same picture."""
    rng = np.random.default_rng(8)
    hu = rng.integers(-200, 900, (20, 22, 24)).astype(np.int16)
    grid = Grid(hu.shape, CENTER, (1.5, 1.0, 1.2))
    original = project(Volume(hu, grid), CArm(25, 10, grid.center_lps, detector_px=(40, 40), pixel_mm=1.5))
    from trajplan.geometry.resample import canonical

    last = CENTER + (np.array(hu.shape[::-1]) - 1) * grid.spacing_xyz
    prone = Grid(hu.shape, (last[0], last[1], CENTER[2]), grid.spacing_zyx, np.diag([-1.0, -1.0, 1.0]))
    feet = Grid(hu.shape, (last[0], CENTER[1], last[2]), grid.spacing_zyx, np.diag([-1.0, 1.0, -1.0]))
    for stored, flipped in ((hu[:, ::-1, ::-1], prone), (hu[::-1, :, ::-1], feet)):
        turned = canonical(Volume(np.ascontiguousarray(stored), flipped))
        again = project(turned, original.carm)
        np.testing.assert_array_equal(again.line_integral, original.line_integral)


@pytest.mark.parametrize(
    ("axes", "flips"),
    [((0, 2, 1), (1, 1, 1)), ((1, 0, 2), (1, -1, 1)), ((2, 0, 1), (-1, 1, -1)), ((1, 2, 0), (-1, -1, -1))],
)
def test_a_scan_stored_along_other_axes_is_the_same_patient(axes, flips) -> None:
    """Sagittal, coronal and flipped acquisitions: direction cosines that are no identity, once turned to LPS."""
    from trajplan.geometry.resample import canonical

    rng = np.random.default_rng(9)
    hu = rng.integers(-200, 900, (20, 22, 24)).astype(np.int16)
    grid = Grid(hu.shape, CENTER, (1.5, 1.0, 1.2))
    original = project(Volume(hu, grid), CArm(25, 10, grid.center_lps, detector_px=(40, 40), pixel_mm=1.5))
    stored = np.transpose(hu, axes)[tuple(slice(None, None, f) for f in flips)]
    spacing = grid.spacing_zyx[list(axes)]
    # column k of the direction: where stored axis 2 - k runs, in x, y, z
    direction = np.zeros((3, 3))
    for k in range(3):
        direction[2 - axes[2 - k], k] = flips[2 - k]
    first = [0 if f > 0 else n - 1 for f, n in zip(flips, stored.shape, strict=True)]
    index_zyx = np.zeros(3)
    for stored_axis, axis in enumerate(axes):
        index_zyx[axis] = first[stored_axis]
    origin = grid.origin_lps + index_zyx[::-1] * grid.spacing_xyz
    turned = canonical(Volume(np.ascontiguousarray(stored), Grid(stored.shape, origin, spacing, direction)))
    np.testing.assert_array_equal(project(turned, original.carm).line_integral, original.line_integral)
