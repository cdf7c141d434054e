"""The long work of the steps, as plain functions: they run in a process of their own (`_worker`). No Qt, no napari."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from napari_trajplan._levels import Levels, list_levels
from trajplan.anatomy.backend import Progress
from trajplan.case import CaseRequest, CaseResult, run_case
from trajplan.confirm import confirm_mask
from trajplan.edited import Ends, edited_case, editor_of, graded
from trajplan.exports.saved_case import SavedCase
from trajplan.fluoroscopy.display import Window, display_window
from trajplan.kept import Kept, target_again
from trajplan.parts import Side
from trajplan.planning.edit import Editor
from trajplan.reading.origin import Origin
from trajplan.reading.scan import Scan
from trajplan.target import Target, find_target


@dataclass(frozen=True, eq=False)
class Planned:
    """A plan, the target it was made on, what grades its paths live, and the grey windows of its X-rays."""

    target: Target
    result: CaseResult
    editors: Mapping[Side, Editor]
    windows: Mapping[str, Window]


def segment(scan: Scan, request: CaseRequest, *, progress: Progress) -> Target:
    """Find, segment and measure the vertebra."""
    return find_target(
        scan, request.level, request.seed_lps, request.labels, request.labels_source, progress, request.backend,
        request.segmented,
    )  # fmt: skip


def levels(scan: Scan, request: CaseRequest, *, progress: Progress) -> Levels:
    """Every vertebra in view."""
    return list_levels(scan, request, progress=progress)


def plan(scan: Scan, request: CaseRequest, target: Target | None, *, progress: Progress) -> Planned:
    """Plan; the target is found first where there is none."""
    found = target or segment(scan, request, progress=_part(progress, 0.0, 0.5))
    result = run_case(scan, request, _part(progress, 0.5, 0.9), target=found)
    progress(0.92, "preparing live editing")
    told = confirm_mask(found, request.confirmed_mask)
    editors = {t.side: editor_of(result, told, t.side) for t in result.trajectories}
    return Planned(found, result, editors, {name: display_window(drr) for name, drr in result.drrs.items()})


def reopen(scan: Scan, request: CaseRequest, kept: Kept | None, *, progress: Progress) -> Planned:
    """Plan a saved case again: on its own segmentation where it has one."""
    return plan(scan, request, _again(scan, kept), progress=progress)


def measure(scan: Scan, request: CaseRequest, kept: Kept | None, *, progress: Progress) -> Target:
    """The vertebra of a saved case that was not planned yet."""
    return _again(scan, kept) or segment(scan, request, progress=progress)


def _again(scan: Scan, kept: Kept | None) -> Target | None:
    return None if kept is None else target_again(scan, kept)


def save(case: SavedCase, result: CaseResult | None, path: Path, *, progress: Progress) -> Path:
    """Write a case, with its plan where it has one."""
    from trajplan.exports.case_file import write_case
    from trajplan.exports.case_pack import PARTS
    from trajplan.exports.plan_json import plan_document

    progress(0.1, "saving")
    if result is not None and result.vertebra is not None:
        case = dataclasses.replace(case, plan=plan_document(result, PARTS), parts=result.vertebra.parts)
    return write_case(case, path)


def verify(result: CaseResult, target: Target, ends: Mapping[Side, Ends], *, progress: Progress) -> CaseResult:
    """The case with moved paths, judged on the views anew."""
    if not ends:
        return result
    told = confirm_mask(target, result.request.confirmed_mask)
    moved = {side: graded(editor_of(result, told, side), one) for side, one in ends.items()}
    return edited_case(result, told, moved, progress)


def report(
    result: CaseResult, folder: Path, kinds: tuple[str, ...] = (), origin: Origin | None = None, *, progress: Progress
) -> list[Path]:
    """Write the report folder and, in a folder ``...-exports`` beside it, the plan for other programs.

    Parameters
    ----------
    result : CaseResult
    folder : Path
    kinds : tuple of str
        Of `trajplan.hand_on.KINDS`.
    origin : Origin, optional
        Of a DICOM scan, for exports that lie in its study.
    progress : callable
    """
    from trajplan.reporting.write import write_report

    written = write_report(result, folder, _part(progress, 0.0, 0.6 if kinds else 1.0))
    if not kinds:
        return written
    from trajplan.exports.handover import hand_over
    from trajplan.hand_on import write_exports

    scan = result.scan
    handover = hand_over(folder / "plan.json", scan.volume, scan.sha256, origin)
    beside = folder.with_name(f"{folder.name}-exports")
    return written + write_exports(handover, kinds, beside, progress=_part(progress, 0.6, 1.0))


def _part(progress: Progress, start: float, stop: float) -> Progress:
    return lambda fraction, what: progress(start + (stop - start) * fraction, what)
