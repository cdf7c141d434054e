"""Promises about HU to attenuation."""

from __future__ import annotations

import numpy as np
import pytest

from trajplan.errors import InputError
from trajplan.fluoroscopy.attenuation import (
    CORTICAL_HU,
    attenuation_table,
    effective_energy_kev,
    hu_to_mu,
    material_mu_per_mm,
)


def test_air_and_padding_do_not_attenuate() -> None:
    assert (hu_to_mu([-1000, -1024, -2000, -32768]) == 0).all()


def test_water_and_cortical_bone_are_the_tabulated_materials() -> None:
    assert hu_to_mu(0.0, 60.0) == pytest.approx(0.02059)
    assert hu_to_mu(CORTICAL_HU, 60.0) == pytest.approx(0.3148 * 1.92 / 10)
    assert material_mu_per_mm("steel_316l", 60.0) == pytest.approx(1.0128)


def test_half_way_in_log_energy_is_half_way_in_log_attenuation() -> None:
    middle = float(np.sqrt(50.0 * 60.0))
    assert material_mu_per_mm("water", middle) == pytest.approx(np.sqrt(0.2269 * 0.2059) / 10)


def test_denser_never_attenuates_less() -> None:
    steps = np.diff(attenuation_table(57.0))
    assert (steps >= 0).all()
    assert steps.max() < 1e-4  # and there is no jump where one rule hands over to the next


def test_the_table_is_indexed_by_hu_from_the_least_int16() -> None:
    table = attenuation_table(65.0)
    hu = np.array([-1000, -500, 0, 40, 700, 1559, 3071, 9000])
    np.testing.assert_array_equal(table[hu + 32768], hu_to_mu(hu, 65.0))


def test_effective_energy_grows_with_tube_voltage() -> None:
    energies = [effective_energy_kev(kvp) for kvp in (60, 75, 80, 100, 120)]
    assert energies == sorted(energies)
    assert effective_energy_kev(80) == pytest.approx(56.8)


@pytest.mark.parametrize("call", [lambda: hu_to_mu(0, 20.0), lambda: effective_energy_kev(150.0)])
def test_an_energy_outside_the_table_is_refused(call) -> None:
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.code == "energy_invalid"


def test_an_unknown_material_is_refused() -> None:
    with pytest.raises(InputError, match="steel_316l"):
        material_mu_per_mm("unobtainium")
