"""No sentence of the core reaches a person before the window with an option of the command line in it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import trajplan
from napari_trajplan._session import short_message
from napari_trajplan._terms import in_window
from trajplan.errors import InputError
from trajplan.reading.findings import CODES

_ROOT = Path(trajplan.__file__).parent
_FLAG = re.compile(r"--[a-z]")
_NOT_TOLD = {"reproduce.py"}
"""Writes a command line on purpose."""


def _sentences():
    """Every string of the core, outside the command line, that names an option; joined as Python joins them."""
    for path in sorted(_ROOT.rglob("*.py")):
        if path.name.startswith("cli") or path.name in _NOT_TOLD:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
        for node in ast.walk(tree):
            if id(node) in docs or id(node) in inside:
                continue
            text = None
            if isinstance(node, ast.JoinedStr):
                text = "".join(p.value if isinstance(p, ast.Constant) else "1ab2" for p in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                text = node.value
            if text and len(text.split()) > 2 and _FLAG.search(text):  # an option alone is a name, no sentence
                yield pytest.param(text, id=f"{path.name}:{node.lineno}")


@pytest.mark.parametrize("text", list(_sentences()))
def test_every_sentence_that_names_an_option_names_a_control_instead(text):
    said = in_window(text)
    assert not _FLAG.search(said), said
    assert "the option" not in said, f"no phrase of _terms.py knows this one: {said}"


def test_there_are_such_sentences():
    assert len(list(_sentences())) > 15


def test_every_finding_is_told_without_options():
    for code in CODES.values():
        assert not _FLAG.search(in_window(f"{code.meaning} {code.to_do}"))


def test_an_error_is_told_in_the_terms_of_the_window():
    error = InputError("the level is not known: state it with --level", code="x")
    assert short_message(error) == "the level is not known: choose it under Vertebra > Level"


def test_an_option_nobody_has_thought_of_is_still_no_option():
    assert in_window("do it with --some-new-thing NAME now") == "do it with the option some new thing now"


def test_other_sentences_are_left_alone():
    text = "a path of 12 - 14 mm -- in bone -- is kept"
    assert in_window(text) == text
