"""Drawn people: their sizes agree with the tables, are theirs by seed alone, and can be built."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from scipy import ndimage
from scipy.stats import norm

from trajplan.errors import InputError
from trajplan_phantoms import PhantomSpec, Scanner, make_phantom
from trajplan_phantoms.morphometry import LEVELS
from trajplan_phantoms.population import draw
from trajplan_phantoms.population_expected import expected, expected_correlation
from trajplan_phantoms.population_tables import VARIATIONS, bone_hu

DRAWS = 300
MANY = 5_000
ARE = [(level, name) for level in LEVELS for name in VARIATIONS]
FALSE_ALARMS = 0.01
"""Chance that a correct draw fails one of the comparisons of a test, by Bonferroni's bound over all of them."""
PAIRS = [
    *[("L1", name, "L2", name) for name in VARIATIONS],
    *[("T6", name, "L4", name) for name in VARIATIONS],
    *[("T9", "height_posterior_mm", "T9", name) for name in VARIATIONS if name != "height_posterior_mm"],
    ("L2", "plate_width_upper_mm", "L2", "plate_width_lower_mm"),
    ("L2", "plate_width_upper_mm", "L2", "plate_depth_upper_mm"),
    ("L2", "facet_width_mm", "L2", "facet_height_mm"),
    ("L3", "pedicle_width_mm", "L3", "canal_width_mm"),
    ("L3", "wedge_deg", "L3", "plate_depth_upper_mm"),
]


def people(sex: str, age: float, first: int, count: int = DRAWS) -> list[PhantomSpec]:
    return [draw(("L1",), sex, age, first + k) for k in range(count)]  # type: ignore[arg-type]


def column(people: list[PhantomSpec], level: str, name: str) -> np.ndarray:
    return np.array([getattr(spec.sizes_of(level), name) for spec in people])


def agree(people: list[PhantomSpec], sex: str) -> None:
    """Every mean and SD lies within as many standard errors of its expectation as all comparisons together allow."""
    bound = norm.isf(0.5 * FALSE_ALARMS / (2 * len(ARE)))
    for level, name in ARE:
        values = column(people, level, name)
        mean, sd = expected(level, name, sex)  # type: ignore[arg-type]
        assert abs(values.mean() - mean) < bound * sd / np.sqrt(len(values)), (level, name)
        # an SD's standard error is at most that of a normal deviate: what is clipped has thinner tails
        assert abs(values.std(ddof=1) / sd - 1.0) < bound / np.sqrt(2 * len(values)), (level, name)


def belong_together(people: list[PhantomSpec]) -> None:
    """Correlations as stated: Fisher's z, and the 0.01 that clipping takes off."""
    bound = norm.isf(0.5 * FALSE_ALARMS / len(PAIRS)) / np.sqrt(len(people) - 3)
    for level, name, other_level, other in PAIRS:
        found = np.corrcoef(column(people, level, name), column(people, other_level, other))[0, 1]
        stated = expected_correlation(level, name, other_level, other)
        assert abs(np.arctanh(found) - np.arctanh(stated)) < bound + 0.01 / (1.0 - stated**2), (level, name, other)


def touches(labels: np.ndarray) -> bool:
    """Whether voxels of two vertebrae share a face, an edge or a corner."""
    return bool(((labels > 0) & (ndimage.maximum_filter(labels, 3) > labels)).any())


@pytest.fixture(scope="module")
def mixed() -> list[PhantomSpec]:
    return people("any", 50.0, 0)


def test_means_and_deviations_agree_with_the_tables_within_their_standard_errors(mixed) -> None:
    agree(mixed, "any")


def test_sizes_of_a_person_belong_together_as_stated(mixed) -> None:
    belong_together(mixed)


@pytest.mark.parametrize("sex", ["female", "male"])
def test_each_sex_agrees_with_its_own_expectation(sex: str) -> None:
    agree(people(sex, 50.0, 0), sex)


@pytest.mark.long
@pytest.mark.parametrize("sex", ["any", "female", "male"])
def test_five_thousand_people_show_no_bias(sex: str) -> None:
    many = people(sex, 50.0, 0, MANY)
    agree(many, sex)
    if sex == "any":
        belong_together(many)


def test_thin_discs_are_kept_open(mixed) -> None:
    assert column(mixed, "T4", "disc_below_mm").min() >= 2.2


def test_bone_density_falls_with_age_and_can_be_asked_for() -> None:
    for age in (30.0, 60.0, 85.0):
        hu = np.array([draw(("L1",), "any", age, 7_000 + k).trabecular_hu for k in range(80)])
        mean, sd = bone_hu(age)
        assert abs(hu.mean() - mean) < 3.5 * sd / np.sqrt(80)
    frail = [draw(("L1",), "female", 75.0, k, bone="osteoporotic").trabecular_hu for k in range(60)]
    assert np.mean(frail) == pytest.approx(73.0, abs=10.0)
    assert draw(("L1",), "male", 30.0, 1, bone="dense").trabecular_hu > 230.0


def test_a_seed_gives_the_same_person_whatever_levels_are_asked_for() -> None:
    one, again = draw("L1", "female", 70.0, 5), draw("L1", "female", 70.0, 5)
    other, next_seed = draw(("T6", "T7", "T8"), "female", 70.0, 5), draw("L1", "female", 70.0, 6)
    assert asdict(one.sizes_of("L1")) == asdict(again.sizes_of("L1")) == asdict(other.sizes_of("L1"))
    assert one.trabecular_hu == other.trabecular_hu
    assert asdict(next_seed.sizes_of("L1")) != asdict(one.sizes_of("L1"))
    quick = Scanner((3.0, 2.0, 2.0))
    small = draw(("L1",), "female", 70.0, 5)
    assert make_phantom(small, quick).ct.sha256() == make_phantom(draw(("L1",), "female", 70.0, 5), quick).ct.sha256()


def test_narrow_pedicles_are_narrow() -> None:
    usual = np.mean([draw("T6", seed=k).pedicle_width_mm_left for k in range(20)])
    narrow = np.mean([draw("T6", seed=k, pedicle_shift_sd=-2.0).pedicle_width_mm_left for k in range(20)])
    assert narrow < usual - 1.5


def test_transitions_put_their_segment_in() -> None:
    assert draw(("T12", "L1"), transition="T13", seed=1).levels == ("T12", "T13", "L1")
    assert draw("L5", transition="L6", seed=1).levels == ("L3", "L4", "L5", "L6")
    sacral = draw("L5", transition="sacralised L5", seed=1)
    assert sacral.levels[-2:] == ("L5", "S1")
    assert sacral.sizes_of("L5").transverse_height_mm > 19.0  # Castellvi's limit
    assert sacral.sizes_of("L5").disc_below_mm < 6.0


@pytest.mark.parametrize(
    ("levels", "transition", "seed"),
    [(("T4", "T5", "T6", "T7", "T8"), "none", 3), (("T11", "T12", "T13", "L1"), "T13", 8),
     (("L3", "L4", "L5", "S1"), "sacralised L5", 3)],
)  # fmt: skip
def test_drawn_neighbours_do_not_touch_and_each_vertebra_is_one_piece(levels, transition, seed) -> None:
    phantom = make_phantom(draw(levels, "any", None, seed, transition=transition), Scanner((0.9, 0.9, 0.9)))
    labels = phantom.labels.array
    assert not touches(labels)
    for identifier in phantom.labels.ids():
        pieces, count = ndimage.label(labels == identifier, np.ones((3, 3, 3)))
        assert count == 1, np.bincount(pieces.ravel())[1:]
    assert len(phantom.labels.ids()) == len(phantom.spec.levels)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("first", [*range(0, len(LEVELS) - 2, 2), len(LEVELS) - 3])
def test_neighbours_do_not_touch_by_a_corner_up_to_one_millimetre(first: int, seed: int) -> None:
    for spacing in (0.5, 0.7, 1.0):
        phantom = make_phantom(draw(LEVELS[first : first + 3], "any", None, seed), Scanner((spacing,) * 3))
        assert not touches(phantom.labels.array), spacing


def test_thin_drawn_discs_keep_labels_apart_at_one_millimetre() -> None:
    # osteophytes of 4.6 mm over a disc of 2.7 mm; their blend once raised the rims until T5 and T6 touched
    phantom = make_phantom(draw(("T4", "T5", "T6"), "any", None, 4), Scanner((1.0, 1.0, 1.0)))
    assert not touches(phantom.labels.array)


def test_other_fields_pass_through() -> None:
    spec = draw("L2", "male", 60.0, 4, fracture="wedge", height_loss_percent=30.0, aorta_hu=300.0)
    assert (spec.fracture, spec.height_loss_percent, spec.aorta_hu) == ("wedge", 30.0, 300.0)
    assert draw("L2", seed=4).fracture == "none"


@pytest.mark.parametrize(
    "wanted",
    [
        {"sex": "x"},
        {"age_years": 12.0},
        {"seed": -1},
        {"bone": "glass"},
        {"transition": "T14"},
        {"pedicle_shift_sd": 9.0},
    ],
)
def test_impossible_people_are_refused(wanted) -> None:
    with pytest.raises(InputError) as caught:
        draw("L1", **wanted)
    assert caught.value.code == "population_invalid"
