"""write_report: the report folder of one case, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from trajplan.exports.atomic import MANIFEST, staged_folder
from trajplan.exports.labels_file import write_labels, write_parts
from trajplan.exports.plan_json import plan_document, write_plan
from trajplan.parts import Side
from trajplan.reporting.augmentation_pictures import augmentation_pictures
from trajplan.reporting.barrel import barrel_picture
from trajplan.reporting.curves import clearance_picture
from trajplan.reporting.pdf import report_pdf
from trajplan.reporting.picture import Picture
from trajplan.reporting.report import report_html
from trajplan.reporting.reslice import PartMasks
from trajplan.reporting.safety_picture import safety_picture
from trajplan.reporting.scene_picture import scene_picture
from trajplan.reporting.sections import report_of
from trajplan.reporting.slices import overview_pictures, side_pictures
from trajplan.reporting.staged_xray import staged_picture
from trajplan.reporting.xray import xray_pictures

if TYPE_CHECKING:
    from trajplan.case import CaseResult

Progress = Callable[[float, str], None]
PARTS_NAME = "parts.nrrd"
CEMENT_NAME = "cement.nrrd"
FIGURES = "figures"


def report_pictures(result: CaseResult, progress: Progress | None = None) -> list[Picture]:
    """Every picture of the report, in reading order."""
    tell = progress or _quiet
    masks = None if result.vertebra is None else PartMasks(result.vertebra.parts)
    tell(0.05, "context picture")
    pictures = overview_pictures(result, masks)
    if masks is not None:
        for side in Side:
            tell(0.2 if side is Side.LEFT else 0.45, f"slices of the {side.value} side")
            pictures += side_pictures(result, side, masks)
            of_side = (
                safety_picture(result, side),
                barrel_picture(result, side, masks),
                staged_picture(result, side),
                clearance_picture(result, side),
            )
            pictures += [p for p in of_side if p is not None]
        scene = scene_picture(result)
        pictures += [] if scene is None else [scene]
    tell(0.7, "simulated X-rays")
    pictures += xray_pictures(result)
    tell(0.8, "balloon and cement")
    return pictures + augmentation_pictures(result)


def write_report(
    result: CaseResult, out: Path, progress: Progress | None = None, suffixes: Sequence[str] = ()
) -> list[Path]:
    """Write ``report.html``, ``report.pdf``, ``plan.json``, ``parts.nrrd``, ``cement.nrrd`` and ``figures/*.png``.

    Works for a refused case and for a scan without a vertebra: the refusal and its numbers are then the report.

    Parameters
    ----------
    result : CaseResult
    out : Path
        The folder, made if missing. Files of an earlier report are replaced, anything else in it is left alone.
    progress : callable, optional
        Called with the fraction done and what is being done.
    suffixes : sequence of str
        ``.svg`` and ``.tiff``: further forms of every figure beside its PNG.

    Returns
    -------
    list of Path
        What was written, ``report.html`` first.

    Raises
    ------
    InputError
        The folder cannot be written; nothing is left behind.
    """
    tell = progress or _quiet
    cement = None if result.augmentation is None else result.augmentation.cement
    document = plan_document(
        result,
        PARTS_NAME if result.vertebra is not None else None,
        CEMENT_NAME if cement is not None else None,
    )
    with staged_folder(out) as folder:
        pictures = report_pictures(result, tell)
        report = report_of(result, pictures)
        tell(0.8, "page and PDF")
        with ThreadPoolExecutor(1) as beside:  # packing the pictures leaves Python's lock free
            page = beside.submit(report_html, report)
            (folder / "report.pdf").write_bytes(report_pdf(report))
            (folder / "report.html").write_text(page.result(), encoding="utf-8", newline="\n")
        write_plan(document, folder / "plan.json")
        if result.vertebra is not None:
            write_parts(result.vertebra, folder / PARTS_NAME)
        if cement is not None:
            write_labels(cement.labels, folder / CEMENT_NAME)
        (folder / FIGURES).mkdir()
        for picture in pictures:
            for suffix in dict.fromkeys((".png", *suffixes)):
                path = (folder / FIGURES / picture.name).with_suffix(suffix)
                path.write_bytes(picture.as_file(suffix))
        made = sorted(p.relative_to(folder) for p in folder.rglob("*") if p.is_file())
    tell(1.0, "report written")
    first = Path("report.html")
    return [out / name for name in (first, *(m for m in made if m != first), Path(MANIFEST))]


def _quiet(_fraction: float, _what: str) -> None:
    return None
