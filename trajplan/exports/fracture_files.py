"""A fractured scan as files: the CT, its labels and what is exactly true of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from trajplan.exports.atomic import staged_folder
from trajplan.exports.labels_file import write_labels, write_volume
from trajplan.exports.plain import plain
from trajplan.geometry import LabelMap, Volume

NAMES = ("ct.nrrd", "labels.nrrd", "truth.json")


def write_fracture(ct: Volume, labels: LabelMap, truth: dict[str, Any], out: Path) -> list[Path]:
    """Write ``ct.nrrd``, ``labels.nrrd`` (VerSe ids) and ``truth.json``, all or none.

    Raises
    ------
    InputError
        The folder cannot be written.
    """
    text = json.dumps(plain(truth), allow_nan=False, indent=1) + "\n"
    with staged_folder(out) as folder:
        write_volume(ct, folder / NAMES[0])
        write_labels(labels, folder / NAMES[1])
        (folder / NAMES[2]).write_text(text, encoding="utf-8", newline="\n")
    return [out / name for name in NAMES]
