"""Promises about X-ray physics: what it does to a picture, and that it does nothing it is not asked for."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from fluoroscopy_truth import CENTER_LPS

from trajplan.errors import InputError
from trajplan.fluoroscopy.attenuation import hu_to_mu, material_mu_per_mm
from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.physics import (
    BONE_SHARE,
    WATER_SHARE,
    Physics,
    Thicknesses,
    expose,
    primary_share,
    thicknesses,
)
from trajplan.fluoroscopy.spectrum import PRESETS_KVP, spectrum
from trajplan.fluoroscopy.tools import tool_of
from trajplan.geometry import Capsule

QUIET = Physics(blur_mm=0.0, scatter_to_primary=0.0, heel=0.0, detector_dose_ngy=1e9)


def block(water_mm: float, bone_mm: float = 0.0, pixels: int = 32) -> Thicknesses:
    flat = np.ones((pixels, pixels), np.float32)
    carm = CArm(0, 0, (0, 0, 0), detector_px=(pixels, pixels), pixel_mm=1.0)
    return Thicknesses(carm, {"water": water_mm * flat, "cortical_bone": bone_mm * flat}, "fast")


@pytest.mark.parametrize(
    ("kvp", "mean"), list(zip(PRESETS_KVP, (40.5, 44.5, 48.4, 51.9, 55.0, 57.8, 60.4), strict=True))
)
def test_spectra_have_the_mean_energies_of_spekpy(kvp, mean) -> None:
    assert spectrum(kvp).mean_kev == pytest.approx(mean, abs=0.5)
    assert spectrum(kvp).weight.sum() == pytest.approx(1.0)


def test_the_two_materials_add_up_to_the_attenuation_of_every_ct_number() -> None:
    hu = np.arange(-1100.0, 3300.0, 7.0)
    mixed = WATER_SHARE.at(hu) * material_mu_per_mm("water", 60.0) + BONE_SHARE.at(hu) * material_mu_per_mm(
        "cortical_bone", 60.0
    )
    np.testing.assert_allclose(mixed, hu_to_mu(hu, 60.0), atol=1e-12)


def test_a_thicker_body_hardens_the_beam() -> None:
    per_mm = [-np.log(primary_share(block(mm), 80.0)[0, 0]) / mm for mm in (1.0, 50.0, 250.0)]
    assert per_mm[0] > per_mm[1] > per_mm[2] > material_mu_per_mm("water", 80.0)


def test_bone_stands_out_less_at_a_higher_voltage() -> None:
    contrast = [
        np.log(primary_share(block(200), k)[0, 0] / primary_share(block(200, 10), k)[0, 0]) for k in (60, 90, 120)
    ]
    assert contrast[0] > contrast[1] > contrast[2] > 0


def test_noise_is_as_strong_as_the_quanta_are_few_and_the_same_for_the_same_seed() -> None:
    spread = []
    for dose in (5.0, 20.0):
        physics = dataclasses.replace(QUIET, detector_dose_ngy=dose)
        image = expose(block(200, pixels=128), physics).drr.line_integral
        spread.append(float(image.std()))
        assert np.array_equal(image, expose(block(200, pixels=128), physics).drr.line_integral)
    assert spread[0] / spread[1] == pytest.approx(2.0, rel=0.05)
    assert spread[1] == pytest.approx((30.8 * 20 * 0.65) ** -0.5, rel=0.05)
    held = expose(block(200, pixels=128), dataclasses.replace(QUIET, detector_dose_ngy=20.0, held_frames=9))
    assert held.drr.line_integral.std() == pytest.approx(spread[1] / 3, rel=0.05)


def test_scatter_halves_contrast_when_it_equals_the_primary() -> None:
    met = block(200, pixels=64)
    bone = met.mm["cortical_bone"].copy()
    bone[28:36, 28:36] = 2.0
    met = dataclasses.replace(met, mm={**met.mm, "cortical_bone": bone})

    def contrast(scatter: float) -> float:
        image = expose(met, dataclasses.replace(QUIET, scatter_to_primary=scatter)).drr.line_integral
        return float(image[32, 32] - image[5, 5])

    assert contrast(1.0) / contrast(0.0) == pytest.approx(0.5, abs=0.04)


def test_heel_tilts_blur_spreads_and_a_full_detector_is_flat() -> None:
    image = expose(block(100), dataclasses.replace(QUIET, heel=0.1)).drr.line_integral
    assert np.exp(-(image[0, 0] - image[-1, 0])) == pytest.approx(0.9 / 1.1, rel=1e-3)
    met = block(100, pixels=64)
    met.mm["water"][:, 32:] = 200.0
    sharp, soft = (expose(met, dataclasses.replace(QUIET, blur_mm=b)).drr.line_integral for b in (0.0, 2.0))
    assert np.ptp(sharp[32, 24:32]) < 0.01 < np.ptp(soft[32, 24:32])
    full = expose(met, dataclasses.replace(QUIET, saturation=0.5)).drr.line_integral
    assert np.ptp(full[:, :30]) < 1e-6


def test_thicknesses_hold_the_anatomy_and_each_tool_by_its_material(body) -> None:
    carm = CArm(0.0, 0.0, CENTER_LPS, detector_px=(48, 48), pixel_mm=4.0)
    needle = tool_of(Capsule(CENTER_LPS + np.array([40, 60, 0]), CENTER_LPS, 2.0), "steel_316l")
    met = thicknesses(body, carm, [needle])
    assert set(met.mm) == {"water", "cortical_bone", "steel_316l"}
    assert 50 < met.mm["water"].max() < 150
    assert 3.9 < met.mm["steel_316l"].max() < 12
    taken = expose(met)
    assert "uncalibrated" in taken.dose_words()
    assert 0.01 < taken.entrance_dose_ugy < 100


@pytest.mark.parametrize("wrong", [{"kvp": 40.0}, {"detector_dose_ngy": 0.0}, {"held_frames": 0}, {"blur_mm": -1.0}])
def test_impossible_settings_are_refused(wrong) -> None:
    with pytest.raises(InputError):
        Physics(**wrong)
