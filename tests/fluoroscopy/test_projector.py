"""Promises about project(): both qualities, every angle, volumes anywhere."""

from __future__ import annotations

import numpy as np
import pytest
from fluoroscopy_truth import CENTER_LPS, body_volume, correlation, trilinear_reference
from hypothesis import given, settings
from hypothesis import strategies as st

from trajplan.errors import GeometryError, InputError
from trajplan.fluoroscopy.attenuation import hu_to_mu
from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.prepared import PreparedVolume, prepare
from trajplan.fluoroscopy.projector import QUALITIES, project, warm_up
from trajplan.fluoroscopy.rays import box_interval, detector_rays
from trajplan.geometry import Grid, Volume

VIEWS = [
    (0, 0, (0, 0, 0)),
    (90, 0, (0, 0, 0)),
    (30, 0, (3, 8, -5)),
    (-90, 12, (0, 10, 0)),
    (152, -25, (0, 0, 0)),
    (40, 35, (-6, 4, 9)),
    (8, 62, (0, 0, 0)),
    (75, -70, (0, 5, 0)),
    (20, 10, (45, -30, 40)),  # the volume reaches past three edges of the field
]


def view(primary: float, secondary: float, aim=(0, 0, 0), pixels: int = 72, field_mm: float = 298.0) -> CArm:
    return CArm(primary, secondary, CENTER_LPS + aim, detector_px=(pixels, pixels), pixel_mm=field_mm / pixels)


@pytest.mark.parametrize(("primary", "secondary", "aim"), VIEWS)
def test_fast_agrees_with_a_plain_trilinear_projector(body, prepared_body, primary, secondary, aim) -> None:
    carm = view(primary, secondary, aim)
    drr = project(prepared_body, carm)
    truth = trilinear_reference(body, carm)
    assert drr.quality == "fast"
    assert correlation(drr.line_integral, truth) >= 0.9998
    assert np.abs(drr.line_integral - truth).max() <= 0.03 * truth.max()
    assert abs(drr.line_integral.mean() - truth.mean()) <= 0.001 * truth.mean()


@pytest.mark.parametrize(("primary", "secondary", "aim"), VIEWS)
def test_joseph_is_a_plain_trilinear_projector(body, prepared_body, primary, secondary, aim) -> None:
    carm = view(primary, secondary, aim)
    drr = project(prepared_body, carm, quality="joseph")
    truth = trilinear_reference(body, carm, 0.2)
    inside = interior(body, carm)
    assert drr.quality == "joseph"
    assert correlation(drr.line_integral[inside], truth[inside]) >= 0.99995
    assert np.abs(drr.line_integral - truth)[inside].max() <= 0.004 * truth.max()


def interior(volume: Volume, carm: CArm) -> np.ndarray:
    """Pixels whose rays enter and leave the volume by its two faces across the beam: only there T is undisputed."""
    rays = detector_rays(carm)
    row, column = np.indices(carm.detector_px).astype(float)
    vectors = rays.of(row, column)
    enter, leave = box_interval(volume.grid, rays.source, vectors)
    axis = int(np.argmax(np.abs(carm.beam_lps)))
    found = leave > enter
    for t in (enter, leave):
        index = volume.grid.world_to_index(rays.source + t[..., None] * vectors)[..., ::-1]
        size = np.array(volume.grid.shape_zyx[::-1])
        for other in {0, 1, 2} - {axis}:
            found &= (index[..., other] > 0.5) & (index[..., other] < size[other] - 1.5)
    return found


@pytest.mark.parametrize(("primary", "secondary", "aim"), VIEWS)
def test_fast_agrees_with_the_exact_projector(prepared_body, primary, secondary, aim) -> None:
    carm = view(primary, secondary, aim, pixels=160)
    fast, exact = (project(prepared_body, carm, quality=q).line_integral for q in ("fast", "siddon"))
    assert correlation(fast, exact) >= 0.9995


@pytest.mark.parametrize("quality", QUALITIES)
@pytest.mark.parametrize("angles", [(0, 0), (90, 0), (-35, 20), (170, -30), (0, 60)])
def test_a_bead_appears_where_the_carm_projects_it(quality, angles) -> None:
    grid = Grid.isotropic((-60, -40, -50), (60, 90, 50), 1.0)
    bead = np.array([23.3, 31.6, -17.2])
    distance = np.linalg.norm(grid.points_lps() - bead, axis=-1)
    hu = np.rint(-1000 + 3000 * np.clip(3.5 - distance, 0, 1)).astype(np.int16)
    carm = CArm(*angles, (5.0, 12.0, -3.0), detector_px=(256, 256), pixel_mm=1.2)
    image = project(Volume(hu, grid), carm, quality=quality).line_integral
    row, column = np.indices(image.shape)
    seen = np.array([(image * row).sum(), (image * column).sum()]) / image.sum()
    np.testing.assert_allclose(seen, carm.project(bead), atol=0.2)


@pytest.mark.parametrize("quality", ["fast", "joseph", "siddon"])
@pytest.mark.parametrize("angles", [(0, 0), (90, 0), (33, -21)])
def test_mirroring_the_patient_mirrors_the_picture(body, quality, angles) -> None:
    primary, secondary = angles
    grid = body.grid
    far = grid.origin_lps[0] + (grid.shape_zyx[2] - 1) * grid.spacing_xyz[0]
    mirrored = Volume(
        body.array[:, :, ::-1],
        Grid(grid.shape_zyx, (2 * CENTER_LPS[0] - far, *grid.origin_lps[1:]), grid.spacing_zyx),
    )
    original = project(body, view(primary, secondary), quality=quality).line_integral
    other = project(mirrored, view(-primary, secondary), quality=quality).line_integral
    # blocks of columns and samples of the virtual image start elsewhere in the mirrored picture
    np.testing.assert_allclose(other[:, ::-1], original, atol=(1e-4 if quality == "siddon" else 2e-3) * original.max())


@settings(max_examples=15)
@given(st.tuples(*(st.floats(-500, 500) for _ in range(3))))
def test_moving_patient_and_carm_together_changes_nothing(shift) -> None:
    volume = body_volume(24)
    moved = Volume(volume.array, Grid(volume.grid.shape_zyx, volume.grid.origin_lps + shift, volume.grid.spacing_zyx))
    here = CArm(25.0, 10.0, CENTER_LPS, detector_px=(24, 24), pixel_mm=5.0)
    there = CArm(25.0, 10.0, CENTER_LPS + shift, detector_px=(24, 24), pixel_mm=5.0)
    for quality in ("fast", "siddon"):
        before, after = (project(v, c, quality=quality).line_integral for v, c in ((volume, here), (moved, there)))
        np.testing.assert_allclose(after, before, atol=2e-4)


@pytest.mark.parametrize("quality", QUALITIES)
def test_a_view_that_misses_the_scan_is_refused_with_the_distance(body, quality) -> None:
    with pytest.raises(GeometryError, match=r"lies 3\d\d mm outside") as caught:
        project(body, view(0, 0, (400.0, 0.0, 0.0)), quality=quality)
    assert caught.value.code == "beam_misses"


def test_a_scan_of_air_is_refused_instead_of_drawn_blank(body) -> None:
    with pytest.raises(InputError, match="all air") as caught:
        project(Volume(np.full_like(body.array, -1000), body.grid), view(0, 0))
    assert caught.value.code == "nothing_dense"


def test_a_scan_in_wrong_units_is_refused_instead_of_drawn_black(body) -> None:
    grid = Grid(body.grid.shape_zyx, body.grid.origin_lps, (6.0, 6.0, 6.0))
    with pytest.raises(InputError, match="nothing comes through") as caught:
        project(Volume(np.full_like(body.array, 3000), grid), view(0, 0))
    assert caught.value.code == "nothing_through"


def test_a_source_inside_the_patient_is_refused() -> None:
    grid = Grid.isotropic((-20, -600, -20), (20, 600, 20), 20.0)
    volume = Volume(np.zeros(grid.shape_zyx, np.int16), grid)
    with pytest.raises(GeometryError, match="inside the patient") as caught:
        project(volume, CArm(0.0, 0.0, np.zeros(3), detector_px=(3, 3)))
    assert caught.value.code == "source_in_patient"


def test_a_volume_half_beside_the_field_is_seen_in_half(prepared_body) -> None:
    aside = project(prepared_body, view(0, 0, (70.0, 0.0, 0.0), pixels=128)).line_integral
    assert not aside[:, :50].any()  # the patient's left side of the field lies beside the volume
    assert aside[64, 80:].min() > 0.5


def test_the_source_in_the_air_of_the_scan_is_answered_by_the_exact_projector() -> None:
    grid = Grid.isotropic((-20, -600, -20), (20, 600, 20), 20.0)
    hu = np.full(grid.shape_zyx, -1000, np.int16)
    hu[:, 25:36] = 0
    drr = project(Volume(hu, grid), CArm(0.0, 0.0, np.zeros(3), detector_px=(3, 3)))
    assert drr.quality == "siddon"
    assert drr.line_integral[1, 1] == pytest.approx(220 * float(hu_to_mu(0.0)), rel=1e-5)


def test_a_uniform_block_has_the_same_depth_in_both_projectors() -> None:
    grid = Grid.isotropic((-40, -30, -50), (40, 30, 50), 2.0)
    block = prepare(Volume(np.zeros(grid.shape_zyx, np.int16), grid))
    carm = CArm(15.0, 8.0, np.zeros(3), detector_px=(48, 48), pixel_mm=2.0)
    fast, exact = (project(block, carm, quality=q).line_integral for q in ("fast", "siddon"))
    inner = (slice(18, 30),) * 2
    np.testing.assert_allclose(fast[inner], exact[inner], rtol=2e-3)


def test_the_same_view_twice_is_the_same_to_the_byte(prepared_body) -> None:
    first, second = (project(prepared_body, view(20, -10)).line_integral for _ in range(2))
    assert first.tobytes() == second.tobytes()
    assert not first.flags.writeable


def test_a_lower_energy_attenuates_more(body) -> None:
    low, high = (project(prepare(body, e), view(0, 0)).line_integral.max() for e in (50.0, 80.0))
    assert low > high > 0


def test_preparing_copies_nothing_of_an_int16_scan(body, prepared_body: PreparedVolume) -> None:
    assert np.shares_memory(prepared_body.hu, body.array)
    assert prepared_body.coarse.hu.nbytes <= body.array.nbytes


def test_a_preview_volume_keeps_the_mean_attenuation() -> None:
    rng = np.random.default_rng(4)
    grid = Grid((6, 8, 10), (0.0, 0.0, 0.0), (0.7, 0.7, 0.7))
    prepared = prepare(Volume(rng.integers(-1200, 3200, grid.shape_zyx).astype(np.int16), grid))
    mean = hu_to_mu(prepared.volume.array).reshape(3, 2, 4, 2, 5, 2).mean(axis=(1, 3, 5))
    coarse = prepared.coarse
    np.testing.assert_allclose(coarse.curve.at(coarse.volume.array), mean, atol=2e-6)
    np.testing.assert_allclose(coarse.volume.grid.center_lps, grid.center_lps)


def test_an_unknown_quality_is_refused(body) -> None:
    with pytest.raises(InputError, match="fast, joseph, siddon"):
        project(body, view(0, 0), quality="best")


def test_a_turned_volume_is_refused() -> None:
    grid = Grid((4, 4, 4), (0, 0, 0), (1, 1, 1), [[0, -1, 0], [1, 0, 0], [0, 0, 1]])
    with pytest.raises(GeometryError, match="axis-aligned"):
        prepare(Volume(np.zeros(grid.shape_zyx, np.int16), grid))


def test_warming_up_needs_nothing() -> None:
    warm_up()
