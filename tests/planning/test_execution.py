"""Breach chance, its interval and the safe cone in closed form; presets with their sources."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from planning_cases import Case

from trajplan.errors import InputError
from trajplan.geometry import Capsule, Frame
from trajplan.parts import Side
from trajplan.planning.breach import breach_probability, wilson
from trajplan.planning.cone import safe_cone
from trajplan.planning.execution import PRESETS, carried_out, execution
from trajplan.planning.lattice import Lattice
from trajplan.planning.plan import PlanSettings
from trajplan.planning.walls import BESIDE_PEDICLE, Wall

RADIUS_MM = 1.5
ENTRY, TIP = np.array([5.0, 20.0, 0.0]), np.array([5.0, -10.0, 0.0])


def flat(wall: Wall, at_mm: float, axis: int = 2) -> Lattice:
    """All bone and zone; one flat wall across `axis` at `at_mm`, the others far away."""
    shape, origin = (50, 80, 60), np.array([-20.0, -40.0, -30.0])
    along = origin[axis] + np.arange(shape[axis])
    walls = np.full((*shape, len(Wall)), 100.0, dtype=np.float32)
    walls[..., wall] = np.expand_dims(at_mm - along, [a for a in range(3) if a != axis])
    one = np.ones(shape, dtype=np.float32)
    return Lattice(origin, walls, one, np.zeros_like(one), one)


@pytest.fixture
def upright(wedge: Case) -> object:
    return dataclasses.replace(wedge.vertebra, frame=Frame((0, 0, 0), np.eye(3)))


def test_the_safe_cone_of_a_flat_wall_is_its_angle(upright: object) -> None:
    """Turned by a, the tip 30 mm in rises by 30 sin a; the wall is 4 mm above the instrument's surface: 7.66 deg."""
    cone = safe_cone(flat(Wall.SUPERIOR, 4.0 + RADIUS_MM), upright, Side.LEFT, Capsule(ENTRY, TIP, RADIUS_MM))  # type: ignore[arg-type]
    up = cone.angle_deg[np.argmin(np.abs(cone.azimuth_deg - 90.0))]
    assert up == pytest.approx(math.degrees(math.asin(4.0 / 30.0)), abs=0.26)
    assert cone.least_deg == up
    assert cone.worst == "superior"
    assert cone.angle_deg[np.argmin(np.abs(cone.azimuth_deg - 270.0))] == 15.0


def test_azimuth_0_of_the_cone_is_towards_the_side(upright: object) -> None:
    cone = safe_cone(flat(Wall.LATERAL, 8.0 + RADIUS_MM, axis=0), upright, Side.LEFT, Capsule(ENTRY, TIP, RADIUS_MM))  # type: ignore[arg-type]
    assert cone.worst == "lateral"
    assert cone.azimuth_deg[int(np.argmin(cone.angle_deg))] == 0.0


def test_breathing_and_the_error_of_the_mask_widen_the_spread_as_variances_do(upright: object) -> None:
    """Entry 3, breathing 4: 5 mm; the wall's own 12 on top: 13 mm. A wall 6.5 mm off is half a sigma."""
    lattice = flat(Wall.INFERIOR, 6.5 + RADIUS_MM)
    settings = PlanSettings(
        entry_sigma_mm=3.0, respiration_sigma_mm=4.0, segmentation_sigma_mm=12.0, angle_sigma_deg=1e-9,
        breach_samples=40_000,
    )  # fmt: skip
    settings = dataclasses.replace(settings, instrument=dataclasses.replace(settings.instrument, outer_diameter_mm=3.0))
    found = breach_probability(lattice, upright, Side.LEFT, ENTRY, TIP, settings)  # type: ignore[arg-type]
    assert found.inferior == pytest.approx(0.5 * math.erfc(0.5 / math.sqrt(2)), abs=0.008)
    assert found.worst == "inferior"
    assert found.any_low is not None
    assert found.any_high is not None
    assert found.any_low < found.any < found.any_high


def test_the_interval_of_a_share_holds_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    draws = rng.binomial(2000, 0.013, size=500)
    held = [low <= 0.013 <= high for low, high in (wilson(k / 2000, 2000) for k in draws)]
    assert np.mean(held) > 0.93


def test_a_wall_that_counts_late_is_not_crossed_on_the_way_in(upright: object) -> None:
    """Beside the pedicle the lateral wall counts from 8 mm inside the body on."""
    lattice = flat(Wall.LATERAL, 0.0, axis=0)
    lattice.walls[:, :52, :, Wall.LATERAL] = 50.0  # only the first 8 mm (v above 12) lie beyond it
    settings = PlanSettings(entry_sigma_mm=1e-9, angle_sigma_deg=1e-9, breach_samples=10)
    through = breach_probability(lattice, upright, Side.LEFT, ENTRY, TIP, settings)  # type: ignore[arg-type]
    beside = breach_probability(lattice, upright, Side.LEFT, ENTRY, TIP, settings, BESIDE_PEDICLE)  # type: ignore[arg-type]
    assert (through.lateral, beside.lateral) == (1.0, 0.0)


def test_every_preset_names_its_source_and_sets_its_errors() -> None:
    assert set(PRESETS) == {"freehand-single-shot", "fluoroscopy-corrected", "navigated"}
    for name, preset in PRESETS.items():
        assert len(preset.source) > 30
        settings = carried_out(PlanSettings(), preset, free_breathing=True)
        assert (settings.execution, settings.entry_sigma_mm) == (name, preset.entry_sigma_mm)
        assert settings.respiration_sigma_mm == pytest.approx(1.96 / 1.596, abs=0.01)
    with pytest.raises(InputError, match="freehand-single-shot") as refused:
        execution("by eye")
    assert refused.value.code == "unknown_execution"
