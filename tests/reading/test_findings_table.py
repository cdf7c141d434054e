"""The list of codes, the source and the page in docs/ say the same."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import trajplan.reading
from trajplan.errors import InputError
from trajplan.reading import Question
from trajplan.reading.findings import CODES, SEVERITIES, findings_markdown, severity_of, to_do

ROOM = Path(trajplan.reading.__file__).parent
PAGE = Path(__file__).resolve().parents[2] / "docs" / "findings.md"
FROM_GEOMETRY = {"empty_grid", "shape_mismatch"}  # raised on the ground floor, passed on by `read_scan`


def raised_and_found():
    """(code, severity or None) of every InputError and Finding in the source of the room."""
    for path in sorted(ROOM.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            if node.func.id == "Finding" and isinstance(node.args[0], ast.Constant):
                yield node.args[0].value, node.args[1].value
            for keyword in node.keywords:
                if keyword.arg == "code":
                    yield from ((code, None) for code in constants(keyword.value))


def constants(node):
    """The strings an expression can be: a literal, or either side of a choice."""
    if isinstance(node, ast.IfExp):
        return constants(node.body) | constants(node.orelse)
    return {node.value} if isinstance(node, ast.Constant) else set()


def test_every_code_in_the_source_is_in_the_list_and_the_other_way_round():
    used = {code for code, _ in raised_and_found()} | FROM_GEOMETRY | {"several_series", "duplicate_positions"}
    assert used == set(CODES)


def test_findings_carry_a_severity_that_the_list_gives_them():
    for code, severity in raised_and_found():
        if severity is not None:
            assert severity in CODES[code].severities, code
            assert severity in {"info", "repair", "warning"}, code


def test_the_page_holds_the_tables_of_the_list():
    assert PAGE.read_text(encoding="utf-8").endswith(findings_markdown())


@pytest.mark.parametrize("code", sorted(CODES))
def test_each_code_says_what_it_means_and_what_to_do(code):
    entry = CODES[code]
    assert set(entry.severities) <= set(SEVERITIES)
    assert entry.meaning.endswith(".")
    assert entry.to_do.endswith((".", "`."))
    assert to_do(code) == entry.to_do


def test_a_refusal_with_choices_is_an_ask():
    choices = {"1.2": "9 slices", "1.3": "8 slices"}
    asked = Question("two", code="several_series", field="series", flag="--series UID", choices=choices)
    assert severity_of(asked) == "ask"
    assert str(asked) == "two; choose one with --series UID: 1.2 [9 slices]; 1.3 [8 slices]"
    assert severity_of(InputError("", code="duplicate_positions")) == "refuse"
    assert severity_of(InputError("", code="not_ct")) == "refuse"
    assert severity_of(InputError("", code="of_another_room")) == "refuse"
    assert to_do("of_another_room") == ""
