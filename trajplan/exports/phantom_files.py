"""A phantom as files: the scan, its labels, the target's parts and the exact truth."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from trajplan.exports.atomic import staged_folder
from trajplan.exports.labels_file import write_labels, write_volume
from trajplan.exports.plain import plain
from trajplan.geometry import LabelMap, Volume

NAMES = ("ct.nrrd", "labels.nrrd", "parts.nrrd", "surroundings.nrrd", "truth.json")


class _Truth(Protocol):
    def to_dict(self) -> dict[str, Any]: ...


class PhantomLike(Protocol):
    """What is written of a `trajplan_phantoms.Phantom`."""

    @property
    def ct(self) -> Volume: ...
    @property
    def labels(self) -> LabelMap: ...
    @property
    def parts(self) -> LabelMap: ...
    @property
    def surroundings(self) -> LabelMap: ...
    @property
    def truth(self) -> _Truth: ...


def write_phantom(phantom: PhantomLike, out: Path, write_images: Callable[[Path], object] | None = None) -> list[Path]:
    """Write ``ct.nrrd``, ``labels.nrrd`` (VerSe ids), ``parts.nrrd``, ``surroundings.nrrd`` and ``truth.json``.

    All or none. ``truth.json`` names the ids of the surroundings: ribs and discs.

    Parameters
    ----------
    phantom : PhantomLike
    out : Path
    write_images : callable, optional
        Writes scan and label maps into the folder it is given, in another format.

    Returns
    -------
    list of Path
        What was written, the scan first.

    Raises
    ------
    InputError
        The folder cannot be written.
    """
    facts = {**phantom.truth.to_dict(), "surroundings": {str(k): v for k, v in phantom.surroundings.names.items()}}
    truth = json.dumps(plain(facts), allow_nan=False, indent=1) + "\n"
    names: list[str] = list(NAMES)
    with staged_folder(out) as folder:
        if write_images is None:
            write_volume(phantom.ct, folder / "ct.nrrd")
            write_labels(phantom.labels, folder / "labels.nrrd")
            write_labels(phantom.parts, folder / "parts.nrrd")
            write_labels(phantom.surroundings, folder / "surroundings.nrrd")
        else:
            write_images(folder)
            made = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
            names = [*sorted(made, key=lambda name: not name.startswith(("ct", "dicom/"))), NAMES[-1]]
        (folder / "truth.json").write_text(truth, encoding="utf-8", newline="\n")
    return [out / name for name in names]
