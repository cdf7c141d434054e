"""File > Open: a CT through trajplan's own reader, at its place in patient millimetres, with what was found in it.

A plan.json and a saved case go to `_read_saved`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from napari_trajplan import _read_saved
from napari_trajplan._coords import placement
from napari_trajplan._terms import in_window
from trajplan import DISCLAIMER

LayerData = tuple[Any, dict[str, Any], str]
_SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd", ".dcm")
_NOTHING = "Nothing."
_CONTRAST_HU = (-200.0, 800.0)


def get_reader(path: str | Sequence[str]) -> Callable[[str | Sequence[str]], list[LayerData]] | None:
    """The reader of one CT (a folder of DICOM slices, NIfTI, NRRD, MetaImage), plan or case; None for anything else."""
    if not isinstance(path, str):
        return None
    if (saved := _read_saved.get_reader(path)) is not None:
        return saved
    return read_layers if Path(path).is_dir() or path.lower().endswith(_SUFFIXES) else None


def read_layers(path: str | Sequence[str]) -> list[LayerData]:
    """Read a CT and tell its findings as napari notifications; what only a person can decide is asked.

    The layer's metadata hold the findings (code, severity, message, what to do) and the hash of the scan; no name of
    file or folder, which may be the patient's.

    Raises
    ------
    InputError
        The scan is refused; the message says why and what would help.
    """
    from napari_trajplan._ask import answered
    from trajplan.exports.nameless import nameless
    from trajplan.reading import read_scan
    from trajplan.reading.findings import to_do
    from trajplan.reading.origin import find_origin

    source = Path(str(path))
    read, answers = answered(lambda answers: read_scan(source, answers))
    scan = nameless(read, source)
    findings = [
        {"code": f.code, "severity": str(f.severity), "message": f.message, "to_do": to_do(f.code)}
        for f in scan.findings
    ]
    _tell(findings)
    about = {
        "kind": scan.kind, "sha256": scan.sha256, "findings": findings, "disclaimer": DISCLAIMER, "scan": scan,
        "grid": scan.volume.grid, "origin": find_origin(source, answers),
    }  # fmt: skip
    place = placement(scan.volume.grid)
    look = {"name": "CT", "colormap": "gray", "contrast_limits": _CONTRAST_HU, "metadata": {"trajplan": about}}
    return [(scan.volume.array, {**look, **place}, "image")]


def _tell(findings: list[dict[str, str]]) -> None:
    from napari.utils.notifications import show_info, show_warning

    for one in findings:
        tell = show_info if one["severity"] == "info" else show_warning
        what = "" if one["to_do"] == _NOTHING else f" {one['to_do']}"
        tell(in_window(f"{one['code']}: {one['message']}{what}"))
