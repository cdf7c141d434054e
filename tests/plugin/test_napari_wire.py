"""What goes to the worker process and back: whole, read-only where it was, and with one scan on each side."""

from __future__ import annotations

import io
import pickle

import numpy as np
import pytest
from sample_case import sample_case

from napari_trajplan._wire import Shared, error_facts, error_of, receive, send
from trajplan.errors import AnatomyError, InputError, TrajplanError
from trajplan.exports.plan_json import plan_document, plan_text


@pytest.fixture(scope="module")
def case():
    return sample_case()


def _through(message, here, there):
    stream = io.BytesIO()
    send(stream, message, here)
    size = stream.tell()
    stream.seek(0)
    return receive(stream, there), size


def test_a_case_comes_back_the_same_and_its_scan_stays_where_it_is(case):
    shared = Shared()
    whole, size = _through(case, shared, shared)
    shared.scan = case.scan
    again, smaller = _through(case, shared, shared)
    assert again.scan is case.scan
    assert whole.scan is not case.scan
    assert size - smaller > case.scan.volume.array.nbytes / 2
    assert plan_text(plan_document(again)) == plan_text(plan_document(case))
    assert again.vertebra.parts.sha256() == case.vertebra.parts.sha256()


def test_labels_are_read_only_on_the_other_side_too(case):
    parts = pickle.loads(pickle.dumps(case.vertebra.parts))  # noqa: S301 - made the line before
    assert dict(parts.names) == dict(case.vertebra.parts.names)
    with pytest.raises(ValueError, match="read-only"):
        parts.array[0, 0, 0] = 1


@pytest.mark.parametrize(
    "error", [InputError("no seed", code="usage"), AnatomyError("cut", code="c", numbers={"a_mm": 1.0})]
)
def test_a_refusal_keeps_its_kind_code_and_numbers(error):
    again = error_of(*error_facts(error))
    assert type(again) is type(error)
    assert (str(again), again.code, again.numbers) == (str(error), error.code, error.numbers)


def test_a_fault_of_the_program_is_not_taken_for_a_refusal():
    again = error_of(*error_facts(ZeroDivisionError("by zero")))
    assert not isinstance(again, TrajplanError)
    assert "ZeroDivisionError" in str(again)


def test_an_end_in_the_middle_of_a_message_is_noticed():
    stream = io.BytesIO()
    send(stream, np.zeros(100), Shared())
    for kept in (0, 4, stream.tell() - 1):
        with pytest.raises(EOFError):
            receive(io.BytesIO(stream.getvalue()[:kept]), Shared())
