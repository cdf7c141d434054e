"""Every refusal: the right code, its numbers, and what would help; nothing that is withheld is called safe."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
from planning_cases import Case

from trajplan.anatomy.vertebra import Confidence, Vertebra
from trajplan.errors import InputError
from trajplan.parts import Part, Side
from trajplan.planning.instruments import instrument
from trajplan.planning.plan import Approach, PlanSettings, Refusal, Trajectory, Verdict
from trajplan.planning.planner import plan_vertebra
from trajplan.planning.refusals import too_narrow, withheld

LEFT = PlanSettings(approach=Approach.UNIPEDICULAR_LEFT)
Change = Callable[[Vertebra], Vertebra]


def _planned(
    case: Case, change: Change | None = None, settings: PlanSettings = LEFT, automatic: bool = False
) -> tuple[tuple[Trajectory, ...], tuple[Refusal, ...]]:
    vertebra = change(case.vertebra) if change else case.vertebra
    return plan_vertebra(case.phantom.ct, vertebra, settings, automatic_mask=automatic)


def _doubtful(v: Vertebra) -> Vertebra:
    return dataclasses.replace(v, confidence=Confidence(0.31, {}, ("the ring is open",)))


@pytest.mark.parametrize(
    ("change", "code", "number", "helps"),
    [
        (lambda v: dataclasses.replace(v, level=None), "level_unconfirmed", "levels_known", "--level"),
        (_doubtful, "low_confidence_mask", "confidence", "--confirm-mask"),
        (lambda v: dataclasses.replace(v, touches_edge=True), "truncated", "border_mm", "whole vertebra"),
    ],
)
def test_what_is_not_known_withholds_the_word_safe_and_says_what_would_help(
    wedge: Case, change: Change, code: str, number: str, helps: str
) -> None:
    planned, refused = _planned(wedge, change, automatic=True)
    assert [r.code for r in refused] == [code]
    assert refused[0].side is None
    assert np.isfinite(refused[0].numbers[number])
    assert helps in refused[0].message
    assert [t.verdict for t in planned] == [Verdict.UNKNOWN]


def test_a_mask_of_ones_own_is_corrected_not_confirmed(wedge: Case) -> None:
    (told,) = withheld(_doubtful(wedge.vertebra), "auto", automatic_mask=False, border_mm=30.0)
    assert "label file" in told.message
    assert "the ring is open" in told.message
    assert told.numbers == {"confidence": 0.31, "needed": 0.5}


def test_nothing_is_withheld_where_all_is_known(wedge: Case) -> None:
    assert withheld(wedge.vertebra, "auto", automatic_mask=False, border_mm=30.0) == ()


def _flattened(v: Vertebra) -> Vertebra:
    """The body without all but 6 mm about its middle."""
    grid = v.parts.grid
    height = v.frame.to_local(grid.points_lps().reshape(-1, 3))[:, 2].reshape(grid.shape_zyx)
    array = np.where((v.parts.array == Part.BODY) & (np.abs(height) > 3.0), 0, v.parts.array)
    return dataclasses.replace(v, parts=dataclasses.replace(v.parts, array=array))


def test_a_flat_body_is_refused_with_its_height_and_the_height_needed(wedge: Case) -> None:
    planned, (refusal,) = _planned(wedge, _flattened)
    assert planned == ()
    assert refusal.code == "vertebra_plana"
    assert refusal.numbers["height_mm"] == pytest.approx(6.0, abs=1.0)
    assert refusal.numbers["needed_mm"] == pytest.approx(9.05, abs=0.01)
    assert refusal.numbers["loss_percent"] == 20.0
    assert "end-plate margin" in refusal.message


def test_end_plates_further_apart_than_the_margin_allows_are_refused_as_flat(wedge: Case) -> None:
    """The body is high enough for the needle, not for the margin that is asked."""
    settings = dataclasses.replace(LEFT, endplate_margin_mm=12.0)
    planned, (refusal,) = _planned(wedge, settings=settings)
    assert planned == ()
    assert refusal.code == "vertebra_plana"
    assert refusal.numbers["height_mm"] < refusal.numbers["needed_mm"] == pytest.approx(27.05, abs=0.01)


def test_a_wall_of_other_bone_behind_the_pedicle_blocks_every_line(wedge: Case) -> None:
    v = wedge.vertebra
    behind = v.frame.to_local(v.parts.grid.points_lps().reshape(-1, 3))[:, 1].reshape(v.parts.array.shape)
    shut = dataclasses.replace(v, other_bone=v.other_bone | ((behind > 20.0) & (v.parts.array == 0)))
    planned, (refusal,) = _planned(wedge, lambda _v: shut)
    assert planned == ()
    assert refusal.code == "blocked_by_bone"
    assert 0 < refusal.numbers["blocked"] <= refusal.numbers["tried"]
    assert "approach" in refusal.message


def test_limits_that_no_line_keeps_are_refused_as_such(wedge: Case) -> None:
    settings = dataclasses.replace(LEFT, min_craniocaudal_deg=24.0, max_craniocaudal_deg=25.0)
    planned, refused = _planned(wedge, settings=settings)
    assert planned == ()
    assert refused[0].code in ("no_free_line", "blocked_by_bone", "no_margin")
    assert refused[0].numbers


def test_the_catalogue_is_looked_through_for_a_thinner_instrument(wedge: Case) -> None:
    pedicle = dataclasses.replace(wedge.vertebra.pedicles[Side.LEFT], width_mm=5.4)
    thick = dataclasses.replace(LEFT, instrument=instrument("8G"))
    told = too_narrow(pedicle, "unipedicular", thick, 0.0)
    assert "13G" in told.message
    assert "11G" not in told.message, "half a millimetre of the width is not sure"
    assert told.numbers["needed_mm"] == pytest.approx(6.19, abs=0.01)


def test_an_unknown_instrument_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="7G") as refused:
        instrument("7G")
    assert refused.value.code == "unknown_instrument"
