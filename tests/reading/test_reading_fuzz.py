"""Damaged files, by the thousand: each is read or refused in one line, and never anything else."""

from __future__ import annotations

import numpy as np
import pytest
from mutants import run

from trajplan.errors import InputError
from trajplan.reading import read_scan


def check(folder, seed, count):
    counts, faults = run(folder, seed, count)
    assert faults == []
    assert sum(counts.values()) == count
    assert counts["read"] > 0.02 * count  # the mutations are not all fatal
    assert counts["refused"] > 0.2 * count


def test_a_thousand_mutants_of_every_kind_are_read_or_refused(tmp_path):
    check(tmp_path, seed=7, count=1000)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10))
def test_twenty_thousand_mutants_are_read_or_refused(tmp_path, seed):
    check(tmp_path, seed=100 + seed, count=2100)


def test_a_slice_cut_anywhere_never_passes_for_a_whole_series(tmp_path, body, write_series):
    folder = write_series(tmp_path / "s", body)
    path = sorted(folder.iterdir())[3]
    data = path.read_bytes()
    for keep in np.linspace(133, len(data) - 1, 40).astype(int):
        path.write_bytes(data[:keep])
        with pytest.raises(InputError):
            read_scan(folder)
