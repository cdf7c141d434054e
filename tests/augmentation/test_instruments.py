"""Instruments follow one another at the depths that are taught, and say what does not go together."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from augmentation_case import Broken

from trajplan.augmentation.body_block import body_block
from trajplan.augmentation.instruments_along import instruments_along
from trajplan.augmentation.settings import AugmentationSettings
from trajplan.errors import InputError
from trajplan.planning.instruments import CATALOGUE


def test_the_order_of_depths_is_that_of_the_procedure(wedge: Broken) -> None:
    for s in wedge.planned.sequences:
        depth = {step.name: step.depth_mm for step in s.steps}
        assert depth["trocar docked"] == 0
        assert depth["trocar in the body"] == depth["working cannula"]
        assert depth["working cannula"] < depth["balloon, near marker"] < depth["balloon, far marker"] <= depth["drill"]


def test_the_cannula_ends_two_to_three_millimetres_past_the_posterior_wall(wedge: Broken) -> None:
    vertebra = wedge.result.vertebra
    assert vertebra is not None
    for s in wedge.planned.sequences:
        tip = s.step("working cannula")
        assert tip is not None
        path = next(t for t in wedge.result.trajectories if t.side is s.side)
        wall = vertebra.frame.to_local(vertebra.posterior_wall_lps)
        at = vertebra.frame.to_local(tip.tip_lps)
        line = np.polyfit(wall[:, 2], wall[:, 1], 1)
        past = (np.polyval(line, at[2]) - at[1]) / abs(vertebra.frame.direction_to_local(path.direction_lps)[1])
        assert 1.5 < past < 4.5  # the wall is hollow: it counts by its most anterior tenth


def test_the_drill_keeps_its_stand_off_from_the_true_front(wedge: Broken) -> None:
    for s in wedge.planned.sequences:
        step = s.step("drill")
        assert step is not None
        depth_mm = -float(wedge.phantom.truth.body_value(step.tip_lps))
        assert depth_mm > s.drill.radius_mm
        vertebra = wedge.result.vertebra
        assert vertebra is not None
        ahead = step.tip_lps - np.arange(0, 4.9, 0.1)[:, None] * vertebra.frame.v
        assert (wedge.phantom.truth.body_value(ahead) < 0).all()


def test_marks_count_from_the_skin_and_from_the_hub(wedge: Broken) -> None:
    for s in wedge.planned.sequences:
        path = next(t for t in wedge.result.trajectories if t.side is s.side)
        assert path.skin_lps is not None
        for step in s.steps:
            assert step.from_skin_mm == pytest.approx(float(np.linalg.norm(step.tip_lps - path.skin_lps)), abs=0.05)
        tip = s.step("working cannula")
        assert tip is not None
        assert tip.from_hub_mm is not None
        assert tip.from_skin_mm is not None
        assert tip.from_hub_mm + tip.from_skin_mm in s.cannula.lengths_mm


def test_without_the_skin_in_the_scan_its_marks_are_not_known(wedge: Broken) -> None:
    vertebra, path = wedge.result.vertebra, wedge.result.trajectories[0]
    assert vertebra is not None
    block = body_block(wedge.phantom.ct, vertebra)
    blind = dataclasses.replace(path, skin_lps=None)
    s = instruments_along(blind, vertebra, block, wedge.result.request.settings, AugmentationSettings())
    assert all(step.from_skin_mm is None and step.from_hub_mm is None for step in s.steps)


def test_a_needle_too_thin_for_the_balloon_is_said_and_the_cannula_s_clearance_given(wedge: Broken) -> None:
    for s in wedge.planned.sequences:
        path = next(t for t in wedge.result.trajectories if t.side is s.side)
        assert path.instrument.name == "11G"
        assert s.cannula.name == "8G"
        thicker = CATALOGUE["8G"].radius_mm - CATALOGUE["11G"].radius_mm
        assert s.cannula_clearance_mm == pytest.approx(path.clearance.min_mm - thicker)
        assert any("does not pass" in text for text in s.warnings)
        assert any("not verified" in text for text in s.warnings)


def test_a_balloon_that_nobody_has_is_refused_and_one_too_long_is_said_not_to_fit(wedge: Broken) -> None:
    vertebra, path = wedge.result.vertebra, wedge.result.trajectories[0]
    assert vertebra is not None
    block = body_block(wedge.phantom.ct, vertebra)
    plan = wedge.result.request.settings
    with pytest.raises(InputError, match="unknown balloon") as refused:
        instruments_along(path, vertebra, block, plan, AugmentationSettings(balloon="25 mm"))
    assert refused.value.code == "unknown_balloon"
    long = tuple(dataclasses.replace(b, length_mm=45.0, inflated_length_mm=50.0) for b in plan.balloons[:1])
    s = instruments_along(path, vertebra, block, dataclasses.replace(plan, balloons=long), AugmentationSettings())
    assert s.balloon is None
    assert any("No balloon fits" in text for text in s.warnings)
