"""States follow from inputs and products: what changes upstream makes all downstream stale, and only that."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from sample_case import sample_case

from napari_trajplan._edits import Edits
from napari_trajplan._session import Session, State, Step, short_message
from trajplan.confirm import confirm_mask
from trajplan.errors import InputError
from trajplan.geometry import LabelMap
from trajplan.parts import Side
from trajplan.target import Target


@pytest.fixture
def session():
    """A session with everything made."""
    result = sample_case()
    one = Session()
    one.set_scan(result.scan)
    one.set_seed([1.0, 2.0, 3.0])
    one.made(Step.SEGMENT, Target(result.vertebra, True, (), {}))
    one.made(Step.PLAN, result)
    one.made(Step.VERIFY, result)
    one.made(Step.REPORT, ["report.html"])
    return one


def _states(session):
    return {step: session.state(step) for step in Step}


def _changed(session, change):
    before = _states(session)
    change(session)
    return {step for step, state in _states(session).items() if state is not before[step]}


def test_nothing_is_done_before_a_scan_is_there():
    session = Session()
    assert set(_states(session).values()) == {State.TODO}
    with pytest.raises(InputError, match="press Plan first"):
        session.exportable()


def test_everything_made_is_done_and_can_be_exported(session):
    assert set(_states(session).values()) == {State.DONE}
    assert session.exportable() is session.plan


def test_what_a_change_makes_stale(session):
    after_segment = {Step.PLAN, Step.VERIFY, Step.REPORT}
    settings = dataclasses.replace(session.inputs.settings, wall_margin_mm=2.0)
    assert _changed(session, lambda s: s.set_settings(settings)) == after_segment
    assert session.state(Step.PLAN) is State.STALE
    assert _changed(session, lambda s: s.set_level("L2")) == {Step.SEGMENT}
    assert session.state(Step.SEGMENT) is State.STALE


@pytest.mark.parametrize("step", [Step.PLAN, Step.VERIFY])
def test_a_stale_plan_is_never_exported(session, step):
    if step is Step.PLAN:
        session.set_seed([1.0, 2.0, 4.0])
    else:
        session.edits.move(Side.LEFT, (np.zeros(3), np.ones(3)))
    assert session.state(step) is State.STALE
    assert session.plan is not None, "it may still be looked at"
    with pytest.raises(InputError, match=f"{step.value} is stale") as caught:
        session.exportable()
    assert caught.value.code == "stale"


def test_what_is_put_back_is_current_again(session):
    seed = session.inputs.seed_lps
    session.set_seed([9.0, 9.0, 9.0])
    assert session.state(Step.PLAN) is State.STALE
    session.set_seed(seed)
    assert set(_states(session).values()) == {State.DONE}


def test_a_confirmed_mask_is_that_very_mask(session):
    session.confirm_mask()
    assert session.state(Step.SEGMENT) is State.DONE
    assert session.state(Step.PLAN) is State.STALE, "the plan was made without that word"
    told = confirm_mask(session.target, session.inputs.confirmed_mask)
    assert not told.automatic
    session.set_seed([5.0, 5.0, 5.0])
    assert session.inputs.confirmed_mask is None, "a word on one mask says nothing of another"


def test_labels_that_are_edited_make_the_mask_stale(session):
    parts = session.plan.vertebra.parts
    session.set_labels(LabelMap(np.array(parts.array), parts.grid), "labels")
    session.made(Step.SEGMENT, session.target)
    edited = np.array(parts.array)
    edited[tuple(np.argwhere(edited)[0])] = 0
    session.set_labels(LabelMap(edited, parts.grid), "labels")
    assert session.state(Step.SEGMENT) is State.STALE


def test_a_refused_step_says_why_and_stops_the_export(session):
    session.refused(Step.PLAN, "no canal was found")
    assert session.state(Step.PLAN) is State.REFUSED
    with pytest.raises(InputError, match="no canal was found"):
        session.exportable()


def test_work_that_ends_after_its_inputs_changed_is_stale_on_arrival(session):
    key = session.key(Step.PLAN)
    session.set_level("L3")
    session.made(Step.PLAN, session.plan, key)
    assert session.state(Step.PLAN) is State.STALE


def test_another_scan_leaves_nothing_of_the_case_before(session):
    session.edits.move(Side.LEFT, (np.zeros(3), np.ones(3)))
    session.set_scan(None)
    assert set(_states(session).values()) == {State.TODO}
    assert session.plan is None
    assert not session.edits.can_undo


def test_every_change_is_announced():
    calls = []
    session = Session(lambda: calls.append(1))
    session.set_level("L1")
    session.set_backend("simpleitk")
    session.made(Step.SEGMENT, None)
    assert len(calls) == 3


def test_moves_are_undone_redone_and_snapped_back():
    edits = Edits()
    planned = edits.key
    edits.move(Side.LEFT, (np.zeros(3), np.ones(3)))
    first = edits.key
    edits.move(Side.RIGHT, (np.zeros(3), 2 * np.ones(3)))
    both = edits.key
    assert len({planned, first, both}) == 3
    edits.undo()
    assert edits.key == first
    edits.redo()
    assert edits.key == both
    edits.snap(Side.LEFT)
    assert set(edits.now) == {Side.RIGHT}
    edits.undo()
    assert edits.key == both
    edits.move(Side.LEFT, (np.ones(3), np.zeros(3)))
    assert not edits.can_redo
    for _ in range(10):
        edits.undo()
    assert edits.key == planned
    assert not edits.can_undo


def test_a_foreseeable_error_is_its_own_line_and_another_names_its_kind():
    assert short_message(InputError("seed outside;\nclick again", code="x")) == "seed outside; click again"
    assert short_message(ZeroDivisionError("by zero")) == "ZeroDivisionError: by zero"
