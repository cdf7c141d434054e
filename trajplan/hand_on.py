"""hand_on: a finished plan in the formats that other programs read. One row a kind of export."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from trajplan.anatomy.backend import Progress
from trajplan.errors import InputError
from trajplan.exports.atomic import MANIFEST, staged_folder
from trajplan.exports.csv_tables import csv_tables
from trajplan.exports.handover import Handover
from trajplan.exports.mesh_export import write_meshes
from trajplan.exports.reproduce import SCRIPT, can_be_made_again, script_text
from trajplan.exports.slicer_export import write_slicer
from trajplan.reporting.figure_files import write_figures

ALL = "all"


@dataclass(frozen=True)
class Wish:
    """What may be asked of an export beside its kind.

    Parameters
    ----------
    identity : bool
        Put the patient's name and numbers of a DICOM scan into the DICOM objects.
    """

    identity: bool = False


def _dicom(handover: Handover, folder: Path, wish: Wish) -> None:
    try:
        from trajplan.exports.dicom_export import write_dicom
    except ModuleNotFoundError as error:
        if error.name != "highdicom":
            raise
        raise InputError(
            'DICOM is written with highdicom, which is not installed: pip install "trajplan[dicom-export]"',
            code="missing_package",
        ) from error
    write_dicom(handover, folder, wish.identity)


def _csv(handover: Handover, folder: Path, _wish: Wish) -> None:
    for name, data in csv_tables(handover.document).items():
        (folder / name).write_bytes(data)


def _script(handover: Handover, folder: Path, _wish: Wish) -> None:
    (folder / SCRIPT).write_text(script_text(handover.document), encoding="utf-8", newline="\n")


KINDS: dict[str, Callable[[Handover, Path, Wish], None]] = {
    "slicer": lambda handover, folder, _wish: write_slicer(handover, folder),
    "dicom": _dicom,
    "mesh": lambda handover, folder, _wish: write_meshes(handover, folder),
    "csv": _csv,
    "figures": lambda handover, folder, _wish: write_figures(handover, folder),
    "script": _script,
}
"""Name of the kind, which is also its folder -> who writes it."""


def write_exports(
    handover: Handover,
    kinds: Sequence[str],
    out: Path,
    wish: Wish | None = None,
    progress: Progress = lambda _fraction, _what: None,
) -> list[Path]:
    """Write a plan in other formats, each kind in a folder of its own; all or none.

    Parameters
    ----------
    handover : Handover
    kinds : sequence of str
        Of `KINDS`, or ``all``; a plan that a person has moved has no script, and ``all`` leaves it out.
    out : Path
        The folder, made if missing.
    wish : Wish, optional
    progress : callable, optional

    Returns
    -------
    list of Path

    Raises
    ------
    InputError
        An unknown kind, a package that is missing, a folder that cannot be written.
    """
    unknown = [kind for kind in kinds if kind not in (*KINDS, ALL)]
    if unknown or not kinds:
        raise InputError(
            f"unknown export {', '.join(unknown) or '(none)'}; there are {', '.join(KINDS)} and {ALL}", code="usage"
        )
    every = [kind for kind in KINDS if kind != "script" or can_be_made_again(handover.document)]
    wanted = every if ALL in kinds else list(dict.fromkeys(kinds))
    with staged_folder(out) as folder:
        for number, kind in enumerate(wanted):
            progress(number / len(wanted), kind)
            (folder / kind).mkdir()
            KINDS[kind](handover, folder / kind, wish or Wish())
        made = sorted(p.relative_to(folder) for p in folder.rglob("*") if p.is_file())
    return [out / name for name in (*made, Path(MANIFEST))]
