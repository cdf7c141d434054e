"""Words and colours: nothing unknown is printed as a number, and colours can be told apart."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from sample_case import blind_case, refused_case, sample_case, sample_trajectory, sample_vertebra

from trajplan.case import CaseResult
from trajplan.parts import Side
from trajplan.planning.plan import PlanSettings, Verdict
from trajplan.reporting import style
from trajplan.reporting.path_facts import path_facts
from trajplan.reporting.sections import report_of
from trajplan.reporting.vertebra_facts import level_text
from trajplan.reporting.words import chance, degrees, mm, point, readable, verdict_words, worst_verdict


def test_unknown_numbers_are_words() -> None:
    assert mm(None) == mm(math.nan) == point(None) == readable("width_mm", None)[1] == "not known"
    assert readable("canal_area_mm2", math.nan) == ("canal area", "not known")


def test_numbers_have_units_and_a_true_minus() -> None:
    assert mm(-1.26) == "−1.3 mm"
    assert mm(-0.01) == "0.0 mm"
    assert degrees(12.34) == "12.3°"
    assert readable("beam_error_deg", 1.5) == ("beam error", "1.50°")
    assert readable("tried", 12345.0) == ("tried", "12345")


def test_no_breach_in_n_draws_is_not_zero() -> None:
    assert chance(0.0, 4000) == "below 0.075 %"
    assert chance(0.0005, 4000) == "0.05 %"
    assert chance(0.0, 0) == "not known"


def test_a_margin_that_is_not_kept_or_not_known_says_so() -> None:
    path = sample_trajectory(Side.RIGHT)
    path = dataclasses.replace(path, clearance=dataclasses.replace(path.clearance, canal_mm=None))
    kept = {row.wall: row.kept for row in path_facts(path, (), PlanSettings()).clearance}
    assert kept["Lateral"] == "no"
    assert kept["Medial (towards the canal)"] == "yes"
    assert kept["Spinal canal"] == "not known"


def test_a_level_is_never_printed_bare() -> None:
    v = sample_vertebra()
    assert level_text(v) == "L1 (not confirmed)"
    assert level_text(dataclasses.replace(v, level_confirmed=True)) == "L1 (as entered, not verified)"
    assert level_text(dataclasses.replace(v, level=None)) == "level not known"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda c: dataclasses.replace(c, vertebra=dataclasses.replace(c.vertebra, touches_edge=True)), "border"),
        (
            lambda c: dataclasses.replace(
                c,
                trajectories=tuple(
                    dataclasses.replace(t, verdict=Verdict.UNKNOWN, reasons=("no canal",)) for t in c.trajectories
                ),
            ),
            "UNKNOWN: no canal",
        ),
    ],
)
def test_what_makes_a_plan_doubtful_is_a_warning(change: object, says: str) -> None:
    changed: CaseResult = change(sample_case())  # type: ignore[operator]  # a function of the parametrisation
    assert any(n.kind == "warning" and says in n.text for n in report_of(changed, []).notices)


def test_every_side_has_a_badge_and_only_a_safe_path_says_safe() -> None:
    case = sample_case()
    badges = {b.side: b for b in report_of(case, []).badges}
    assert badges["left"].verdict == "safe"
    assert badges["right"].verdict == "unsafe"
    unknown = dataclasses.replace(
        case, trajectories=tuple(dataclasses.replace(t, verdict=Verdict.UNKNOWN) for t in case.trajectories)
    )
    for badge in report_of(unknown, []).badges:
        assert badge.verdict == "unknown"
        assert "SAFE" not in badge.text
    assert {b.verdict for b in report_of(refused_case(), []).badges} == {"none"}
    assert [b.text for b in report_of(blind_case(), []).badges] == ["NO PATH is offered"]


def test_a_picture_of_several_paths_carries_the_worst_verdict() -> None:
    left, right = sample_case().trajectories
    assert worst_verdict([left, right]) is Verdict.UNSAFE
    assert verdict_words([left, right]) == "left SAFE, right UNSAFE"
    assert worst_verdict([left]) is Verdict.SAFE
    assert verdict_words([left, left]) == "SAFE"
    assert worst_verdict([]) is None
    assert verdict_words([]) == ""


def _luminance(color: str) -> float:
    rgb = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("color", [style.SAFE_TEXT, style.UNSAFE_TEXT, style.UNKNOWN_TEXT])
def test_verdict_labels_have_enough_contrast(color: str) -> None:
    assert 1.05 / (_luminance(color) + 0.05) >= 4.5


def test_every_structure_has_its_own_colour() -> None:
    used = [*style.PART_COLOR.values(), style.TROCAR, style.POSTERIOR_WALL]
    assert len(set(used)) == len(used)
