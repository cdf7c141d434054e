"""File > Open, or a drop on the viewer, of a plan.json or a saved case: its plan to look at, and which CT it is of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from napari_trajplan._saved_layers import LayerData, case_layers, plan_layers, plan_words
from trajplan.exports.case_pack import CASE_JSON, SUFFIX
from trajplan.exports.labels_file import read_parts
from trajplan.exports.plan_json import read_plan
from trajplan.exports.plan_model import InputModel, PlanDocument
from trajplan.exports.saved_case import scan_line
from trajplan.geometry import LabelMap


def get_reader(path: str | Sequence[str]) -> Callable[[str | Sequence[str]], list[LayerData]] | None:
    """The reader of one plan.json, ``.trajplan`` file or folder of a case; None for anything else."""
    if not isinstance(path, str):
        return None
    if path.lower().endswith(SUFFIX) or (Path(path) / CASE_JSON).is_file():
        return read_case_layers
    return read_plan_layers if path.lower().endswith(".json") else None


def read_plan_layers(path: str | Sequence[str]) -> list[LayerData]:
    """The paths of a plan.json, and the mask beside it where it is still the one that was planned on.

    Raises
    ------
    InputError
        No plan of trajplan.
    """
    file = Path(str(path))
    document = read_plan(file)
    layers = plan_layers(document, _mask_beside(file, document))
    return _told(layers, plan_words(document), document.input)


def read_case_layers(path: str | Sequence[str]) -> list[LayerData]:
    """The saved plan of a case; the planner goes on with it as soon as its CT is open.

    Raises
    ------
    InputError
        Damaged, changed, newer, or no case of trajplan.
    """
    from trajplan.exports.case_file import read_case

    case = read_case(Path(str(path)))
    words = plan_words(case.plan) if case.plan is not None else f"Saved case without a plan, of {scan_line(case.scan)}"
    return _told(case_layers(case), words, case.scan)


def _told(layers: list[LayerData], words: str, scan: InputModel) -> list[LayerData]:
    """Say what was opened, in a notification and for the planner."""
    is_open = _open_scan(scan) is not None
    words += ", which is open." if is_open else ", which is not open: open it to see the bone and to go on."
    _tell(words, warn=not is_open)
    layers[-1][1]["metadata"]["trajplan"]["told"] = words
    return layers


def _mask_beside(file: Path, document: PlanDocument) -> LabelMap | None:
    if document.files.parts is None or not (file.parent / document.files.parts).is_file():
        return None
    parts = read_parts(file.parent / document.files.parts)
    if parts.sha256() == document.provenance.mask_sha256:
        return parts
    _tell(f"{document.files.parts} beside it was changed since: it is not shown", warn=True)
    return None


def _open_scan(scan: InputModel) -> Any:
    """The layer of the CT, in the viewer in front."""
    import napari

    from napari_trajplan import _opened

    viewer = napari.current_viewer()
    return None if viewer is None else _opened.image_of(viewer, scan.sha256)


def _tell(text: str, *, warn: bool) -> None:
    from napari.utils.notifications import show_info, show_warning

    (show_warning if warn else show_info)(text)
