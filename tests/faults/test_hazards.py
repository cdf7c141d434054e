"""Every test that docs/hazards.md and SECURITY.md name is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from fault_runs import ROOT

NAMED = re.compile(r"`(tests/[\w/]+\.py)((?:::\w+)*)`")


def _named(page: str) -> set[tuple[str, str]]:
    return {(m[1], m[2]) for m in NAMED.finditer((ROOT / page).read_text(encoding="utf-8"))}


def _tests(path: Path) -> set[str]:
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            found.add(f"::{node.name}")
        if isinstance(node, ast.ClassDef):
            found |= {f"::{node.name}::{f.name}" for f in node.body if isinstance(f, ast.FunctionDef)}
    return found


@pytest.mark.parametrize(
    ("file", "test"), sorted(_named("docs/hazards.md") | _named("SECURITY.md")), ids=lambda name: name
)
def test_each_named_test_exists(file: str, test: str) -> None:
    assert (ROOT / file).exists(), file
    assert not test or test in _tests(ROOT / file), f"{file}{test}"


def test_every_hazard_has_a_cause_a_measure_and_a_test() -> None:
    rows = [r for r in (ROOT / "docs" / "hazards.md").read_text(encoding="utf-8").splitlines() if r.startswith("| ")]
    rows = rows[1:]
    assert len(rows) >= 20
    for row in rows:
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert len(cells) == 4, row
        assert all(cells), row
        assert NAMED.search(cells[3]), row
