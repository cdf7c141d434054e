"""What a scan shows is measured and told; nothing here refuses, and nothing crashes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy import ndimage

from trajplan.geometry import Grid, Volume
from trajplan.reading.content import CONTRAST_ML, METAL_ML, Content, describe

SHAPE, SPACING = (50, 110, 120), (2.0, 2.0, 2.0)


@pytest.fixture(scope="module")
def torso():
    """An oval torso in air (LPS: +y is behind): fat, muscle, and a spine of bone in cortex behind the middle."""
    rng = np.random.default_rng(2)
    _, y, x = np.indices(SHAPE)
    across, deep = (x - 60) / 50.0, (y - 55) / 45.0
    hu = np.full(SHAPE, -1000.0)
    hu[across**2 + deep**2 < 1] = -100
    hu[across**2 + deep**2 < 0.8] = 55
    column = np.hypot(x - 60, y - 78)
    hu[column < 10] = 450
    hu += rng.normal(0, 10, SHAPE)
    spongy = column < 8
    hu[spongy] = rng.normal(190, 60, int(spongy.sum()))
    return np.rint(hu).clip(-1024, 3000).astype(np.int16)


def described(array, spacing=SPACING):
    return describe(Volume(np.ascontiguousarray(array), Grid(array.shape, (0, 0, 0), spacing)))


def codes(array, spacing=SPACING):
    return {f.code for f in described(array, spacing)[1]}


def ball(array, hu, radius_mm, center=(25, 78, 60), noise=0.0):
    z, y, x = np.indices(array.shape)
    inside = 2.0 * np.sqrt((z - center[0]) ** 2 + (y - center[1]) ** 2 + (x - center[2]) ** 2) < radius_mm
    out = array.copy()
    out[inside] = np.rint(hu + np.random.default_rng(1).normal(0, noise, int(inside.sum())))
    return out


def test_an_ordinary_torso_has_its_peaks_and_no_finding(torso):
    content, findings = described(torso)
    assert findings == []
    assert content.air_hu == pytest.approx(-1000, abs=8)
    assert content.fat_hu == pytest.approx(-100, abs=8)
    assert content.muscle_hu == pytest.approx(55, abs=8)
    assert content.bone_hu is not None
    assert content.bone_hu > 200
    assert content.coverage_mm == 100.0
    assert content.slice_mm == 2.0
    assert content.bone_behind_centre_mm == pytest.approx(46, abs=6)
    assert content.metal_ml == content.cement_like_ml == content.contrast_ml == 0.0


def test_metal_is_measured(torso):
    array = ball(torso, 3000, 6.0)
    content, findings = described(array)
    assert content.metal_ml == pytest.approx(0.008 * np.count_nonzero(array == 3000), abs=0.006)
    assert content.metal_ml > METAL_ML
    assert [f.code for f in findings] == ["metal"]


def test_a_blob_of_cement_is_told_and_thin_cortex_is_not(torso):
    content, findings = described(ball(torso, 1400, 9.0, noise=60))
    assert [f.code for f in findings] == ["cement_like"]
    assert content.cement_like_ml > 0.3
    cortex = torso.copy()
    cortex[:, 60:62, 30:90] = 1300  # a plate of 4 mm
    assert "cement_like" not in codes(cortex)


def test_a_filled_vessel_is_told_and_spongy_bone_is_not(torso):
    _, y, x = np.indices(SHAPE)
    vessel = torso.copy()
    tube = np.hypot(x - 50, y - 55) < 9
    vessel[tube] = np.rint(280 + np.random.default_rng(4).normal(0, 10, int(tube.sum())))
    content, findings = described(vessel)
    assert [f.code for f in findings] == ["contrast"]
    assert content.contrast_ml > CONTRAST_ML
    assert "contrast" not in codes(torso)


def test_a_scan_without_bone_is_told(torso):
    assert "little_bone" in codes(np.minimum(torso, 90))


def test_a_body_turned_back_to_front_is_told(torso):
    assert codes(torso[:, ::-1]) == {"posterior_not_behind"}


@pytest.mark.parametrize("offset", [-60, 80])
def test_a_shifted_hu_scale_is_told(torso, offset):
    shifted = np.where(torso > -900, torso + offset, torso).astype(np.int16)
    assert "hu_scale" in codes(shifted)


def test_a_short_scan_and_a_small_field_of_view_are_told(torso):
    assert codes(torso[10:30]) == {"short_scan"}
    assert "small_field_of_view" in codes(torso[:, 35:75, 40:80])


@pytest.mark.parametrize("shape", [(8, 8, 8), (1, 1, 1), (2, 300, 3), (60, 8, 8)])
@pytest.mark.parametrize("kind", ["noise", "air", "bone", "padding"])
def test_any_volume_is_described_without_a_crash(shape, kind):
    rng = np.random.default_rng(0)
    array = {
        "noise": rng.integers(-1024, 32767, shape),
        "air": np.full(shape, -1000),
        "bone": np.full(shape, 700),
        "padding": np.full(shape, -1024),
    }[kind].astype(np.int16)
    content, findings = described(array, (0.5, 7.0, 0.05))
    assert isinstance(content, Content)
    for value in dataclasses.asdict(content).values():
        assert value is None or np.isfinite(value)
    assert all(f.message.isprintable() for f in findings)


def test_finer_voxels_tell_the_same(torso):
    fine = ndimage.zoom(torso[:20, 40:100, 30:90].astype(float), 2, order=0).astype(np.int16)
    coarse = described(torso[:20, 40:100, 30:90])[0]
    finer = described(fine, (1.0, 1.0, 1.0))[0]
    assert finer.bone_ml == pytest.approx(coarse.bone_ml, rel=0.02)
