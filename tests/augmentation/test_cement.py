"""Cement lies in bone before the stop line and fills cavities and layer; leaks are found where they were made."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from augmentation_case import Broken
from sample_case import sample_vertebra, sample_volume

from trajplan.augmentation.augment import augment
from trajplan.augmentation.body_block import BodyBlock, body_block
from trajplan.augmentation.cement import INTERDIGITATION, Cement
from trajplan.augmentation.cortex_map import cortex_map, gaps_of
from trajplan.augmentation.envelope import Envelope, across_axis
from trajplan.augmentation.fill import fill, stop_v_mm
from trajplan.augmentation.fill_volumes import cap_ml, fill_volumes
from trajplan.augmentation.in_beam import balloon_in_beam, with_cement
from trajplan.augmentation.inflation import Inflation, InflationStep
from trajplan.augmentation.lift import no_lift
from trajplan.augmentation.packed_bone import PACKED_SHARE
from trajplan.augmentation.settings import AugmentationSettings
from trajplan.fluoroscopy.attenuation import material_mu_per_mm
from trajplan.fluoroscopy.tools import chord_mm
from trajplan.geometry import Volume
from trajplan.levels import LEVEL_IDS
from trajplan.parts import Side
from trajplan.planning.instruments import SHIPPED
from trajplan.planning.plan import PlanSettings


@pytest.fixture(scope="module")
def block(wedge: Broken) -> BodyBlock:
    assert wedge.result.vertebra is not None
    return body_block(wedge.phantom.ct, wedge.result.vertebra)


def _cement(case: Broken) -> Cement:
    assert case.planned.cement is not None
    return case.planned.cement


def test_all_cement_lies_in_the_true_body_and_before_the_posterior_quarter(wedge: Broken, block: BodyBlock) -> None:
    cement = _cement(wedge)
    points = cement.labels.grid.index_to_world(np.argwhere(cement.labels.array > 0))
    r = wedge.planned.restoration
    assert r is not None
    at = block.frame.to_local(points)
    lifted = at[:, 2] > block.map_at(block.top_mm, at[:, 0], at[:, 1]) - 0.7
    inside = wedge.phantom.truth.body_value(points[~lifted]) < 0.5
    assert inside.mean() > 0.999
    assert (at[:, 1] <= stop_v_mm(block, at[:, 2]) + 0.5).all()
    assert (wedge.phantom.truth.canal_value(points) > 3).all()


def test_the_fill_is_cavities_and_layer_less_what_is_held_back(wedge: Broken) -> None:
    cement = _cement(wedge)
    cavities = sum(i.final.volume_ml for i in wedge.planned.inflations)
    assert cement.cavity_ml == pytest.approx(cavities, rel=0.02)
    voxel_ml = float(np.prod(cement.labels.grid.spacing_zyx)) / 1000
    counted = [np.count_nonzero(cement.labels.array == k) * voxel_ml for k in (1, 2, INTERDIGITATION)]
    told = counted[0] + counted[1] + (1 - PACKED_SHARE) * counted[2]
    assert cement.fill_ml == pytest.approx(told, rel=0.04)
    assert cement.planned_ml == min(cement.fill_ml, cement.cap_ml)
    assert wedge.result.vertebra is not None
    assert cement.body_share == pytest.approx(cement.planned_ml / wedge.result.vertebra.body_volume_ml)
    assert cement.restored_share <= cement.body_share


def test_cavity_and_cement_of_a_capsule_in_open_bone_agree_with_the_closed_form_to_two_percent() -> None:
    vertebra = sample_vertebra()
    block = body_block(sample_volume(), vertebra)
    z = (np.arange(80) + 0.5) * 0.5 - 20.0
    radius, core = 5.0, 4.0
    profile = np.sqrt(np.clip(radius**2 - np.clip(np.abs(z) - core, 0, None) ** 2, 0, None))
    center = vertebra.frame.to_world([0.0, -5.0, 0.0])
    envelope = Envelope(center, across_axis(-vertebra.frame.v), z, np.repeat(profile[:, None], 48, axis=1))

    def closed_ml(r: float) -> float:
        return float(np.pi * r**2 * 2 * core + 4 / 3 * np.pi * r**3) / 1000

    step = InflationStep(closed_ml(radius), envelope, 10.0, 18.0, envelope.volume_ml, {}, ())
    inflation = Inflation(Side.LEFT, SHIPPED.balloons["15 mm"], (step,), "maximum volume", "")
    cement = fill(block, vertebra, (inflation,), no_lift(block), AugmentationSettings(interdigitation_mm=1.0))
    assert cement.cavity_ml == pytest.approx(closed_ml(radius), rel=0.02)
    layer = closed_ml(radius + 1.0) - closed_ml(radius)
    assert cement.fill_ml == pytest.approx(closed_ml(radius) + (1 - PACKED_SHARE) * layer, rel=0.02)
    assert cement.held_back_ml == 0


def test_a_thinner_layer_takes_less_and_none_takes_the_cavities_alone(wedge: Broken) -> None:
    assert wedge.result.vertebra is not None
    settings = dataclasses.replace(wedge.planned.settings, interdigitation_mm=0.0)
    bare = augment(
        wedge.phantom.ct, wedge.result.vertebra, wedge.result.trajectories, wedge.result.request.settings, settings
    ).cement
    assert bare is not None
    assert bare.fill_ml < _cement(wedge).fill_ml
    assert bare.fill_ml == pytest.approx(bare.cavity_ml, abs=0.15)


def test_the_bound_is_the_proposed_one_and_published_volumes_say_how_they_were_checked() -> None:
    assert cap_ml(LEVEL_IDS["L3"], 40.0) == 6.0
    assert cap_ml(LEVEL_IDS["T8"], 40.0) == 4.0
    assert cap_ml(LEVEL_IDS["L3"], 12.0) == 3.0
    assert cap_ml(None, 40.0) == 4.0
    for level in ("T8", "T12", "L3"):
        found = fill_volumes(LEVEL_IDS[level])
        assert any(p.evidence == "unverified" and "textbooks" in p.source for p in found)
        assert any(p.evidence == "read" for p in found)
    assert "unverified" in fill_volumes(LEVEL_IDS["T8"])[0].cited


def test_a_hole_made_in_the_cortex_is_found_with_its_wall_and_area(wedge: Broken, block: BodyBlock) -> None:
    vertebra, ct = wedge.result.vertebra, wedge.phantom.ct
    assert vertebra is not None
    none = np.zeros(len(block.surface), dtype=bool)
    assert gaps_of(cortex_map(ct, vertebra, block), block, none) == ()
    front = vertebra.anterior_wall_lps[len(vertebra.anterior_wall_lps) // 2]
    points = ct.grid.points_lps()
    hole = np.linalg.norm(points - front, axis=-1) < 5.0
    broken_ct = Volume(np.where(hole, np.minimum(ct.array, 60), ct.array), ct.grid)
    gaps = gaps_of(cortex_map(broken_ct, vertebra, block), block, none)
    assert len(gaps) == 1
    assert gaps[0].wall == 0
    assert 0.5 * np.pi * 25 < gaps[0].area_mm2 < 1.5 * np.pi * 25
    assert np.linalg.norm(gaps[0].center_lps - front) < 2.5
    found = augment(broken_ct, vertebra, (), PlanSettings()).leaks
    defect = next(f for f in found if f.code == "cortical_defect")
    assert defect.present is True
    assert "anterior" in defect.text


def test_leak_findings_are_listed_and_never_scored(wedge: Broken) -> None:
    codes = [f.code for f in wedge.planned.leaks]
    assert codes == [
        "cortical_defect", "endplate_break", "cleft", "basivertebral", "retropulsion", "posterior_wall",
        "cement_beyond_cap",
    ]  # fmt: skip
    for finding in wedge.planned.leaks:
        assert finding.published is not None
        assert not any(word in finding.text.lower() for word in ("probab", "risk score", "likelihood"))


def test_the_balloon_in_the_beam_is_as_thick_as_it_is_wide(wedge: Broken) -> None:
    inflation = wedge.planned.inflations[0]
    envelope = inflation.final.envelope
    tool = balloon_in_beam(envelope, 57.0)
    assert tool.mu_per_mm == pytest.approx(material_mu_per_mm("iodine_contrast", 57.0))
    across = envelope.axes_lps[0]
    chord = chord_mm(tool.solid, envelope.center_lps - 60 * across, across)
    middle = len(envelope.z_mm) // 2
    width = envelope.radius_mm[middle, 0] + envelope.radius_mm[middle, envelope.radius_mm.shape[1] // 2]
    assert chord == pytest.approx(width, rel=0.1)
    # nor is it open where two of its slices meet
    for z_mm in envelope.z_mm[middle // 2 : -(middle // 2)] - envelope.step_mm / 2:
        start = envelope.center_lps + z_mm * envelope.axes_lps[2] - 60 * across
        assert chord_mm(tool.solid, start, across) > 0.0, f"{z_mm} mm along the balloon"


def test_cement_darkens_the_x_ray_by_its_thickness_and_nothing_else(wedge: Broken) -> None:
    drr = wedge.result.drrs["lateral"]
    cement = _cement(wedge)
    shadow = with_cement(drr, cement).line_integral - drr.line_integral
    mu = material_mu_per_mm("cement_30_baso4", drr.energy_kev)
    points = cement.labels.grid.index_to_world(np.argwhere(cement.labels.array > 0))
    across = np.ptp(points[:, 0])
    assert 0.7 * mu * across < shadow.max() < 1.05 * mu * (across + 1)
    assert shadow.min() > -1e-4
    pixels = np.rint(drr.carm.project(points)).astype(int)
    covered = shadow[tuple(np.clip(pixels, 0, np.array(shadow.shape) - 1).T)]
    assert (covered > 0).mean() > 0.99
    carm = drr.carm
    row, column = carm.project(cement.stop_line_lps.mean(axis=0) + 8 * wedge.result.vertebra.frame.v)  # type: ignore[union-attr]  # measured
    assert shadow[round(row), round(column)] == pytest.approx(0, abs=1e-4)
