"""The hand-made faults still fit the source; `benchmarks/mutants.py` shows that the tests catch them."""

from __future__ import annotations

import ast

import pytest
from code_mutants import MUTANTS, Mutant
from fault_runs import ROOT


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_each_fault_fits_the_source_in_one_place_and_its_tests_exist(mutant: Mutant) -> None:
    source = (ROOT / mutant.file).read_text(encoding="utf-8")
    assert source.count(mutant.old) == 1, "the code has moved on: mend the fault, so that it is tried again"
    ast.parse(source.replace(mutant.old, mutant.new))
    assert all((ROOT / name.split("::")[0]).exists() for name in mutant.tests)


def test_there_are_enough_faults_and_no_name_twice() -> None:
    assert len({m.name for m in MUTANTS}) == len(MUTANTS) >= 30
