"""The made-up case on a scan file of any format and any axes, planned to a landmark in it, and all its exports."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from oriented_files import write_scan
from sample_case import CENTER_LPS, sample_case

from trajplan.case import CaseResult
from trajplan.exports.atomic import staged_folder
from trajplan.exports.handover import Handover, hand_over
from trajplan.exports.labels_file import write_parts
from trajplan.exports.nameless import nameless
from trajplan.exports.plan_json import plan_document, write_plan
from trajplan.geometry import Grid, Volume
from trajplan.hand_on import write_exports
from trajplan.parts import Side
from trajplan.planning.instruments import SHIPPED
from trajplan.planning.plan import BalloonFit
from trajplan.reading import Answers, Scan, read_scan
from trajplan.reading.origin import find_origin

STORED = ("nrrd-flipped", "nii-oblique", "dicom-flipped", "dicom-oblique")
LANDMARK_LPS = CENTER_LPS + np.array([8.0, -8.0, -1.0])
"""The left path ends here, and the scan has a bright ball with a soft border here."""
_SIGMA_MM = 5.0


@dataclass(frozen=True, eq=False)
class StoredCase:
    """A scan file, the plan on it, and the folder with every export."""

    source: Path
    scan: Scan
    case: CaseResult
    plan: Path
    handover: Handover
    out: Path


def _axes(turn: str) -> np.ndarray:
    """Columns are where x, y and z of the file run."""
    if turn == "flipped":
        return np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    a, b = np.radians((17.0, -11.0))
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_z = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    return about_z @ about_x @ np.diag([-1.0, -1.0, 1.0])


def _hu(points_lps: np.ndarray) -> np.ndarray:
    x, y, _ = np.moveaxis(points_lps - CENTER_LPS, -1, 0)
    away2 = ((points_lps - LANDMARK_LPS) ** 2).sum(axis=-1)
    tissue = np.where((x / 70) ** 2 + ((y - 10) / 66) ** 2 < 1, 40.0, -1000.0)
    return tissue + 900.0 * np.exp(-away2 / (2 * _SIGMA_MM**2))


def stored_scan(name: str, folder: Path) -> Path:
    """Write the scan file of a case of `STORED`."""
    kind, turn = name.split("-")
    axes, spacing, shape = _axes(turn), np.array([1.5, 1.1, 1.3]), (64, 112, 96)
    middle = CENTER_LPS + np.array([0.0, 12.0, 0.0])
    start = middle - axes @ (spacing[::-1] * (np.array(shape[::-1]) - 1) / 2)
    grid = Grid(shape, start, spacing, axes)
    return write_scan(folder, Volume(np.rint(_hu(grid.points_lps())).astype(np.int16), grid), kind)


def landmark_in(source: Path) -> np.ndarray:
    """Where the ball lies by the word of SimpleITK alone, LPS mm."""
    if source.is_dir():
        names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(source))
        image = sitk.ReadImage(names)
    else:
        image = sitk.ReadImage(str(source))
    array = sitk.GetArrayFromImage(image).astype(float) - 40.0
    near = np.argwhere(array > 20.0)
    points = np.array([image.TransformIndexToPhysicalPoint([int(v) for v in index[::-1]]) for index in near])
    weight = array[tuple(near.T)]
    return np.asarray((points * weight[:, None]).sum(axis=0) / weight.sum())


@functools.cache
def stored_case(name: str, folder: Path) -> StoredCase:
    """Write scan and plan, hand them over and export everything but figures and script."""
    folder = folder / name
    folder.mkdir()
    source = stored_scan(name, folder)
    scan = nameless(read_scan(source), source)
    left, right = sample_case().trajectories
    balloon = SHIPPED.balloons[next(iter(SHIPPED.balloons))]
    fit = BalloonFit(
        balloon, LANDMARK_LPS - 8 * left.direction_lps, left.direction_lps, 12.0, 20.0, 1.508, 2.0, "", 0.9
    )
    case = dataclasses.replace(
        sample_case(),
        scan=scan,
        trajectories=(dataclasses.replace(left, target_lps=LANDMARK_LPS, balloons=(fit,)), right),
    )
    result = folder / "plan"
    with staged_folder(result) as stage:
        write_plan(plan_document(case, "parts.nrrd"), stage / "plan.json")
        assert case.vertebra is not None
        write_parts(case.vertebra, stage / "parts.nrrd")
        (stage / "report.pdf").write_bytes(b"%PDF-1.4\n% a stand-in\n%%EOF\n")
    handover = hand_over(result / "plan.json", scan.volume, scan.sha256, find_origin(source, Answers()))
    out = folder / "out"
    write_exports(handover, ("slicer", "mesh", "csv", "dicom"), out)
    return StoredCase(source, scan, case, result / "plan.json", handover, out)


def path_of(stored: StoredCase, side: Side) -> np.ndarray:
    """Entry and tip of one path, LPS mm, shape (2, 3)."""
    path = next(t for t in stored.case.trajectories if t.side is side)
    return np.array([path.entry_lps, path.target_lps])
