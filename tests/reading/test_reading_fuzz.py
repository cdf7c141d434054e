"""Damaged headers, by the hundred: each is read or refused in one line, and never anything else."""

from __future__ import annotations

import numpy as np
import pytest

from trajplan.errors import InputError
from trajplan.reading import read_scan

_TEXT = list(b"0123456789-. en")


def damaged(data, header_bytes, rng):
    out = bytearray(data)
    for _ in range(rng.integers(1, 5)):
        i = int(rng.integers(0, min(header_bytes, len(out) - 1)))
        action = rng.integers(0, 4)
        if action == 0:
            out[i] = int(rng.integers(0, 256))
        elif action == 1:
            out[i] = int(rng.choice(_TEXT))
        elif action == 2:
            del out[i]
        else:
            out.insert(i, int(rng.choice(_TEXT)))
    return bytes(out)


def survives(path):
    try:
        scan = read_scan(path)
    except InputError as error:
        return len(str(error)) < 500 and "\n" not in str(error)
    spacing = scan.volume.grid.spacing_zyx
    return bool(spacing.min() > 0.04 and spacing.max() < 6.1 and scan.volume.array.min() >= -1024)


@pytest.mark.parametrize(("name", "compress"), [("s.nii", 0), ("s.nrrd", 0), ("s.nrrd", 1), ("s.mha", 0), ("s.mha", 1)])
def test_damaged_headers_of_single_files_are_read_or_refused(tmp_path, body, write_itk, name, compress):
    path = write_itk(tmp_path / name, body, compress=bool(compress))
    data, rng = path.read_bytes(), np.random.default_rng(7)
    for _ in range(60):
        path.write_bytes(damaged(data, 352 if name == "s.nii" else 420, rng))
        assert survives(path)


def test_damaged_headers_of_a_slice_are_read_or_refused(tmp_path, body, write_series):
    folder = write_series(tmp_path / "s", body)
    paths, rng = sorted(folder.iterdir()), np.random.default_rng(7)
    for _ in range(60):
        path = paths[rng.integers(len(paths))]
        data = path.read_bytes()
        path.write_bytes(data[:132] + damaged(data[132:], 720, rng))
        assert survives(folder)
        path.write_bytes(data)


def test_a_slice_cut_anywhere_never_passes_for_a_whole_series(tmp_path, body, write_series):
    folder = write_series(tmp_path / "s", body)
    path = sorted(folder.iterdir())[3]
    data = path.read_bytes()
    for keep in np.linspace(133, len(data) - 1, 40).astype(int):
        path.write_bytes(data[:keep])
        with pytest.raises(InputError):
            read_scan(folder)
