"""A plan.json or a case that is dropped on the viewer is seen where it was planned, and says which CT it is of."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("napari", reason="napari is not installed")

from napari.layers import Layer
from napari.utils.notifications import notification_manager
from sample_case import sample_case

from napari_trajplan._coords import to_lps
from napari_trajplan._reader import get_reader
from napari_trajplan._saving import case_of, plan_of, take
from napari_trajplan._session import Session, State, Step
from trajplan.errors import InputError
from trajplan.exports.case_file import read_case, write_case
from trajplan.exports.labels_file import write_parts
from trajplan.exports.plan_json import plan_document, write_plan
from trajplan.exports.saved_case import SavedCase
from trajplan.parts import Side
from trajplan.target import Target


@pytest.fixture
def plan_file(tmp_path):
    result = sample_case()
    write_parts(result.vertebra, tmp_path / "parts.nrrd")
    return write_plan(plan_document(result, "parts.nrrd"), tmp_path / "plan.json")


def _open(path):
    before = len(notification_manager.records)
    layers = [Layer.create(*one) for one in get_reader(str(path))(str(path))]
    return {one.name: one for one in layers}, [str(r.message) for r in list(notification_manager.records)[before:]]


def test_a_plan_is_drawn_where_it_was_planned_and_its_ct_is_named(plan_file):
    layers, told = _open(plan_file)
    result = sample_case()
    for path in result.trajectories:
        ends = to_lps(layers[f"Saved {path.side.value} entry and tip"].data)
        assert np.allclose(ends, [path.entry_lps, path.target_lps], atol=1e-3)
        tube = to_lps(layers[f"Saved {path.side.value} trocar ({path.verdict.value})"].data[0])
        assert np.linalg.norm(tube - path.target_lps, axis=1).min() <= path.instrument.radius_mm + 1e-3
    assert np.array_equal(layers["Saved parts"].data, result.vertebra.parts.array)
    assert "is not open" in told[-1]
    assert result.scan.sha256[:12] in told[-1]


def test_a_mask_that_was_changed_since_is_not_shown_as_that_of_the_plan(plan_file):
    import dataclasses

    result = sample_case()
    array = np.array(result.vertebra.parts.array)
    array[tuple(np.argwhere(array)[0])] = 0
    changed = dataclasses.replace(result.vertebra, parts=dataclasses.replace(result.vertebra.parts, array=array))
    write_parts(changed, plan_file.parent / "parts.nrrd")
    layers, told = _open(plan_file)
    assert "Saved parts" not in layers
    assert any("was changed since" in one for one in told)


def test_a_file_that_is_no_plan_is_refused(tmp_path):
    (tmp_path / "plan.json").write_text('{"schema": "else/1"}')
    with pytest.raises(InputError, match="schema"):
        _open(tmp_path / "plan.json")


@pytest.mark.parametrize("name", ["case.trajplan", "case-folder"])
def test_a_case_is_opened_as_file_and_as_folder(tmp_path, name):
    session = _session()
    case = case_of(session)
    path = write_case(case, tmp_path / name)
    layers, told = _open(path)
    (layer,) = layers.values()
    assert isinstance(layer.metadata["trajplan"]["case"], SavedCase)
    assert "without a plan" in told[-1]


def _session():
    result = sample_case()
    session = Session()
    session.set_scan(result.scan)
    session.set_seed([1.0, 2.0, 3.0])
    session.set_level("L1")
    session.made(Step.SEGMENT, Target(result.vertebra, True, (), {}))
    session.made(Step.PLAN, result)
    session.made(Step.VERIFY, result)
    return session


def test_what_is_taken_from_a_case_gives_every_key_again(tmp_path):
    session = _session()
    session.set_settings(Session().inputs.settings)
    session.confirm_mask()
    path = write_case(case_of(session), tmp_path / "c.trajplan")
    again = Session()
    take(again, read_case(path), session.inputs.scan)
    for step in (Step.LOAD, Step.VERTEBRA, Step.SEGMENT, Step.PLAN):
        assert again.key(step) == session.key(step), step


def test_a_stale_plan_and_a_stale_mask_stay_out_of_a_case():
    session = _session()
    assert plan_of(session) is session.plan
    session.edits.move(Side.LEFT, (np.zeros(3), np.ones(3)))
    assert plan_of(session) is None, "a move that was not verified is no verified plan"
    assert set(case_of(session).moved) == {Side.LEFT}
    session.set_seed([9.0, 9.0, 9.0])
    assert session.state(Step.SEGMENT) is State.STALE
    assert case_of(session).kept is None
    assert case_of(session).moved == {}


def test_nothing_is_saved_before_a_scan_is_open():
    with pytest.raises(InputError, match="open a scan first"):
        case_of(Session())
