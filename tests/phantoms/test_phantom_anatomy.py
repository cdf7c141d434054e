"""Every level T4..L5, the variants and the sacrum: what was asked for is found back, and neighbours stay apart."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from trajplan.errors import InputError
from trajplan.levels import level_id
from trajplan.parts import Part, Side
from trajplan_phantoms import PhantomSpec, Scanner, Truth, make_phantom
from trajplan_phantoms.body import Body
from trajplan_phantoms.build import plan_of
from trajplan_phantoms.curve import SpineCurve
from trajplan_phantoms.morphometry import LEVELS, default_levels
from trajplan_phantoms.part_volumes import part_volumes
from trajplan_phantoms.population import draw
from trajplan_phantoms.spine import Spine, build_spine


def truth_and_spine(spec: PhantomSpec) -> tuple[Truth, Spine]:
    spine = build_spine(spec)
    return Truth(spec.target, spine.vertebrae[spine.target], spine.placements[spine.target]), spine


def span(values, t) -> float:
    """Length of the interval about t = 0 where `values` is negative, by linear interpolation of its ends."""
    inside = np.flatnonzero(values < 0)
    first, last = inside[0], inside[-1]
    low = np.interp(0.0, [values[first], values[first - 1]], [t[first], t[first - 1]])
    high = np.interp(0.0, [values[last], values[last + 1]], [t[last], t[last + 1]])
    return float(high - low)


def plate_size(body: Body, level: float) -> tuple[float, float]:
    """Width and midsagittal depth of an end plate, before its rim is rounded."""
    t = np.linspace(-40.0, 40.0, 4001)
    widths = [span(body.side(t, np.full_like(t, v), level), t) for v in np.linspace(-6.0, 6.0, 25)]
    return max(widths), span(body.side(np.zeros_like(t), t, level), t)


@pytest.mark.parametrize("level", [*LEVELS, "T13", "L6"])
@pytest.mark.parametrize("seed", [11])
def test_sizes_and_angles_of_a_drawn_person_are_found_back(level: str, seed: int) -> None:
    spec = draw(level, seed=seed + 97 * level_id(level), transition=level if level in ("T13", "L6") else "none")
    asked = spec.sizes_of(level)
    truth, _ = truth_and_spine(spec)
    for side, pedicle in truth.pedicles.items():
        assert pedicle.width_mm == pytest.approx(spec.pedicle_width_mm(side), abs=0.05)
        assert pedicle.height_mm == pytest.approx(asked.pedicle_height_mm, abs=0.05)
        axis = truth.frame.direction_to_local(pedicle.axis_lps)
        inwards = np.rad2deg(np.arctan2(-side.sign * axis[0], -axis[1]))
        downwards = np.rad2deg(np.arctan2(-axis[2], -axis[1]))
        assert inwards == pytest.approx(asked.convergence_deg, abs=0.1)
        assert downwards == pytest.approx(asked.caudal_deg, abs=0.1)
    body = truth.vertebra.body
    for at, width, depth in (
        (1.0, asked.plate_width_upper_mm, asked.plate_depth_upper_mm),
        (-1.0, asked.plate_width_lower_mm, asked.plate_depth_lower_mm),
    ):
        assert plate_size(body, at) == pytest.approx((width, depth), abs=0.05)
    v = np.array([-0.5, 0.5]) * body.depth_mm
    _, _, rim_top, rim_bottom = body.plates(np.zeros(2), v)
    assert rim_top[1] - rim_bottom[1] == pytest.approx(asked.height_posterior_mm, abs=0.05)
    tilt = [np.rad2deg(np.arctan2(w[1] - w[0], body.depth_mm)) for w in (rim_top, rim_bottom)]
    assert tilt[0] - tilt[1] == pytest.approx(asked.wedge_deg, abs=0.1)
    apex = [np.array(share * body.depth_mm) for share in (asked.superior_apex, asked.inferior_apex)]
    upper, lower = (body.plates(np.zeros(()), at) for at in apex)
    assert upper[2] - upper[0] == pytest.approx(asked.superior_concavity_mm, abs=0.05)
    assert lower[1] - lower[3] == pytest.approx(asked.inferior_concavity_mm, abs=0.05)


@pytest.mark.parametrize("level", LEVELS)
def test_the_table_itself_is_found_back_at_the_isthmus(level: str) -> None:
    spec = PhantomSpec(level, default_levels(level, 0, 0), "none", 0.0)
    pedicle = truth_and_spine(spec)[0].pedicles[Side.LEFT]
    assert pedicle.width_mm == pytest.approx(spec.sizes_of(level).pedicle_width_mm, abs=0.05)


@pytest.mark.parametrize("level", LEVELS)
def test_nothing_joins_a_pedicle_near_its_isthmus(level: str) -> None:
    # laminae once swallowed steep thoracic pedicles, articular processes wide lumbar ones
    turn = np.linspace(0.0, 2.0 * np.pi, 60, endpoint=False)[:, None]
    for seed in (3, 7):
        spine = build_spine(draw(level, "any", None, seed, osteophyte_mm=0.0))
        one = spine.vertebrae[spine.target]
        for tube in one.pedicles.values():
            across = tube.semi_start[0] * np.cross(tube.up, tube.axis)
            ring = np.cos(turn) * across + np.sin(turn) * tube.semi_start[1] * tube.up
            for behind_mm in (-1.3, -0.6, 0.0, 0.6, 1.3):
                points = tube.start + (tube.waist_mm + behind_mm) * tube.axis + ring
                p = (points[:, 0], points[:, 1], points[:, 2])
                np.testing.assert_allclose(one.value(p), tube.value(p), atol=0.02)


def volume_change(level: str) -> float:
    """Largest relative change of a part's volume between 0.5 and 0.25 mm sampling."""
    one = truth_and_spine(PhantomSpec(level, fracture="none", height_loss_percent=0.0))[0].vertebra
    coarse, fine = part_volumes(one, 0.5), part_volumes(one, 0.25)
    assert set(fine) == set(Part)
    return max(abs(coarse[part] / fine[part] - 1.0) for part in Part)


@pytest.mark.parametrize("level", ["T5"])
def test_part_volumes_do_not_depend_on_the_sampling(level: str) -> None:
    assert volume_change(level) < 0.01


@pytest.mark.long
@pytest.mark.parametrize("level", LEVELS)
def test_part_volumes_do_not_depend_on_the_sampling_at_any_level(level: str) -> None:
    assert volume_change(level) < 0.01


def test_the_sacrum_lies_under_l5_and_walls_its_canal_off() -> None:
    spec = PhantomSpec("L5", ("L4", "L5", "S1"), "none", 0.0)
    phantom = make_phantom(spec, Scanner((1.0, 1.0, 1.0), noise_hu=0.0))
    assert set(phantom.labels.ids()) == {23, 24, 26}
    bone = phantom.labels.array > 0
    assert ndimage.label(bone, np.ones((3, 3, 3)))[1] == 3
    spine = build_spine(spec)
    one, place = spine.vertebrae[2], spine.placements[2]
    assert place.origin[2] < -25.0
    across = np.linspace(-60.0, 60.0, 241)
    wing = one.value((across, np.full_like(across, 17.0), np.full_like(across, -6.0)))
    assert (across[wing < 0].min(), across[wing < 0].max()) == pytest.approx((-57.0, 57.0), abs=7.0)
    back = np.linspace(one.canal.front_mm + 2.0, one.canal.front_mm + 40.0, 100)
    behind = one.value((np.zeros(100), back, np.full(100, -8.0)))
    assert behind[0] > 0
    assert (behind < 0).any()


def test_ribs_keep_off_the_vertebrae_and_end_in_their_joints() -> None:
    spec = PhantomSpec("T7", ("T6", "T7"), "none", 0.0)
    phantom = make_phantom(spec, Scanner((1.0, 1.0, 1.0), noise_hu=0.0, psf_mm=0.0))
    spine = build_spine(spec)
    one, place = spine.vertebrae[1], spine.placements[1]
    near = phantom.ct.cropped(
        *np.sort(phantom.ct.grid.world_to_index(np.array([[-45, -15, -18], [45, 50, 22]])), axis=0)
    )
    points = near.grid.points_lps()
    q = place.to_own(points)
    p = (q[..., 0], q[..., 1], q[..., 2])
    rib = np.min([r.value(p) for r in spine.ribs[1]], axis=0)
    bone = one.value(p)
    hu = near.array
    assert np.median(hu[(rib < -1.0) & (bone > 4.0)]) > 100.0
    space = (rib < -0.2) & (bone > 0.6) & (bone < 1.0)
    assert space.any()
    assert (hu[space] < 300.0).mean() > 0.7  # joint space, not cortex
    starts = [r.tubes[0].start for r in spine.ribs[1]]
    assert [np.sign(s[0]) for s in starts] == [1.0, -1.0]
    assert max(float(one.value(tuple(np.array(x) for x in s))) for s in starts) < 6.0


def test_thoracic_slices_show_lung_and_the_asked_contrast_medium() -> None:
    spec = PhantomSpec("T7", ("T7",), "none", 0.0, aorta_hu=300.0)
    phantom = make_phantom(spec, Scanner((2.0, 1.0, 1.0), noise_hu=0.0))
    hu = phantom.ct.array[phantom.ct.grid.shape_zyx[0] // 2]
    assert (hu < -750).mean() > 0.15
    assert ((hu > 290) & (hu < 310)).sum() > 250
    grid = phantom.ct.grid
    k, j, i = np.rint(grid.world_to_index((45.0, -20.0, 0.0))).astype(int)
    assert phantom.ct.array[k, j, i] == pytest.approx(-850, abs=5)


def test_scoliosis_has_the_asked_cobb_angle_and_turns_the_frames() -> None:
    levels = ("T11", "T12", "L1", "L2", "L3", "L4", "L5")
    curve = SpineCurve(scoliosis_cobb_deg=30.0, apex="L2", half_span=3.0, rotation_deg=12.0)
    truth, spine = truth_and_spine(PhantomSpec("L1", levels, "none", 0.0, curve=curve))
    w = np.array([place.linear[:, 2] for place in spine.placements])
    lean = np.rad2deg(np.arctan2(w[:, 0], w[:, 2]))
    assert lean[levels.index("L5")] - lean[levels.index("T11")] == pytest.approx(30.0, abs=0.1)
    x = np.array([place.origin[0] for place in spine.placements])
    assert x[levels.index("L2")] > max(x[0], x[-1]) + 5.0  # convex to the left
    assert np.linalg.det(truth.frame.rotation) == pytest.approx(1.0)
    assert truth.frame.w[0] == pytest.approx(np.sin(np.deg2rad(-15.0 * np.sin(np.pi / 6))), abs=1e-9)
    turned = np.rad2deg(np.arctan2(spine.placements[3].linear[1, 0], spine.placements[3].linear[0, 0]))
    assert turned == pytest.approx(12.0, abs=1.0)
    assert truth.pedicles[Side.LEFT].width_mm == pytest.approx(8.7, abs=0.05)


def test_a_scoliotic_scan_is_labelled_by_its_turned_functions() -> None:
    curve = SpineCurve(scoliosis_cobb_deg=40.0, apex="L2", half_span=3.0, rotation_deg=15.0)
    phantom = make_phantom(PhantomSpec("L1", ("T12", "L1", "L2"), "none", 0.0, curve=curve), Scanner((2.0, 1.5, 1.5)))
    value = phantom.truth.bone_value(phantom.ct.grid.points_lps())
    sure = np.abs(value) > 2e-3
    np.testing.assert_array_equal((phantom.labels.array == level_id("L1"))[sure], (value < 0)[sure])


def test_kyphosis_adds_what_was_asked_between_t4_and_t12() -> None:
    levels = LEVELS[: LEVELS.index("T12") + 1]

    def bend(curve: SpineCurve) -> float:
        spine = build_spine(PhantomSpec("T8", levels, "none", 0.0, curve=curve))
        w = np.array([place.linear[:, 2] for place in spine.placements])
        angle = np.rad2deg(np.arctan2(-w[:, 1], w[:, 2]))
        return float(angle[0] - angle[-1])

    assert bend(SpineCurve(kyphosis_deg=12.0)) - bend(SpineCurve()) == pytest.approx(12.0, abs=0.01)
    assert 20.0 < bend(SpineCurve()) < 50.0  # what the bodies and discs bring along


def test_facets_look_inwards_in_the_loins_and_backwards_in_the_thorax() -> None:
    for level, frontal in (("T6", True), ("T12", True), ("L2", False), ("L5", False)):
        plan = plan_of(level, 1.0)
        normal = plan.joint_above(Side.LEFT).normal
        asked = plan.sizes.facet_deg
        assert np.rad2deg(np.arctan2(normal[1], -normal[0])) == pytest.approx(asked, abs=0.1)
        assert (normal[0] > 0) == frontal
        assert np.linalg.norm(normal) == pytest.approx(1.0)


def test_osteophytes_stand_out_and_leave_the_disc_open() -> None:
    plain = truth_and_spine(PhantomSpec("L3", fracture="none", height_loss_percent=0.0))[0]
    worn = truth_and_spine(PhantomSpec("L3", fracture="none", height_loss_percent=0.0, osteophyte_mm=5.0))[0]
    body = plain.vertebra.body
    front = np.linspace(-30.0, -8.0, 2201)
    w = np.full_like(front, 0.5 * body.height_mm - 2.5)
    edges = [front[t.bone_value(np.stack([0 * front, front, w], axis=-1)) < 0].min() for t in (plain, worn)]
    assert edges[0] - edges[1] == pytest.approx(0.85 * 5.0, abs=1.0)
    u, v = np.meshgrid(np.linspace(-35.0, 35.0, 71), np.linspace(-30.0, 5.0, 71))
    _, _, rim_top, rim_bottom = body.plates(u, v)
    assert all((spur.value((u, v, rim_top + 0.5)) > 0).all() for spur in worn.vertebra.extras)
    assert all((spur.value((u, v, rim_bottom - 0.5)) > 0).all() for spur in worn.vertebra.extras)
    assert worn.heights == plain.heights


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"curve": {"scoliosis_cobb_deg": 90.0}}, "curve_invalid"),
        ({"curve": {"apex": "C3"}}, "level_unsupported"),
        ({"spec": {"target": "S1", "levels": ("L5", "S1")}}, "level_unsupported"),
        ({"spec": {"osteophyte_mm": 12.0}}, "osteophytes_invalid"),
        ({"spec": {"surroundings": "lots"}}, "surroundings_unknown"),
        ({"spec": {"aorta_hu": 5000.0}}, "aorta_invalid"),
        ({"spec": {"target": "L1", "levels": ("T12", "L1", "L6")}}, "levels_not_adjacent"),
    ],
)
def test_impossible_spines_are_refused(wanted, code) -> None:
    with pytest.raises(InputError) as caught:
        PhantomSpec(**wanted.get("spec", {}), curve=SpineCurve(**wanted.get("curve", {})))
    assert caught.value.code == code


def test_a_curve_that_closes_a_disc_is_refused_with_its_height() -> None:
    curve = SpineCurve(scoliosis_cobb_deg=60.0, apex="T6", half_span=1.5)
    with pytest.raises(InputError, match="disc T") as caught:
        build_spine(PhantomSpec("T6", LEVELS[:9], "none", 0.0, curve=curve))
    assert caught.value.code == "disc_closed"
