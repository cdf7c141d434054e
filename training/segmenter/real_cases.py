"""The labelled real scans, where they lie and what of them may be learnt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.ndimage as ndi
import SimpleITK as sitk

from training.segmenter import walked_labels
from training.segmenter.prepare import LabelledScan
from trajplan.errors import InputError
from trajplan.geometry import LabelMap, Volume
from trajplan.geometry.itk import labels_from_sitk
from trajplan.geometry.resample import canonical, resample_labels
from trajplan.levels import LEVEL_NAMES, level_id
from trajplan.reading.labels import read_labels
from trajplan.reading.read import read_scan
from trajplan.reading.schemes import Scheme
from trajplan_phantoms.warp import KINDS, fracture_scan


@dataclass(frozen=True)
class RealCase:
    """A labelled scan.

    Attributes
    ----------
    folder : str
        Below ``ct/`` of the data folder; also the patient's name.
    labels : str
        Beside the CT, or in the work folder where they were made by `walked_labels`.
    scheme : Scheme
    partly : bool
        Vertebrae above and below the labelled ones are in the scan without a label.
    organs : str or None
    targets : tuple of str
        Levels whose labels were looked at and are whole.
    fractured : tuple of str
        Levels that fractures are made on as well.
    weight : float
        Scans of few vertebrae are drawn more often.
    """

    folder: str
    labels: str
    scheme: Scheme
    targets: tuple[str, ...]
    fractured: tuple[str, ...]
    weight: float
    partly: bool = False
    organs: str | None = None


CASES = (
    RealCase(
        "lidc0001",
        "vertebrae_verse.nii.gz",
        Scheme.VERSE,
        (*(f"T{n}" for n in range(2, 13)), "L1", "L2"),
        ("T7", "T9", "T10", "T11", "T12", "L1"),
        1.0,
        organs="labels_totalseg117.nii.gz",
    ),
    RealCase(
        "ts_lumbar3mm",
        "vertebrae_verse.nii.gz",
        Scheme.VERSE,
        ("T12", "L1", "L2", "L3", "L4", "L5"),
        ("L1", "L2", "L3", "L4"),
        1.6,
    ),
    RealCase(
        walked_labels.FOLDER, walked_labels.OUTPUT, Scheme.VERSE, (*walked_labels.LEVELS, "T12"), (), 1.0, partly=True
    ),
)
BONE_HU = 110.0
LOSSES_PERCENT = (20.0, 60.0)


def read_case(case: RealCase, data: Path, work: Path) -> LabelledScan:
    """The scan with its labels."""
    base = data / "ct" / case.folder
    ct = read_scan(base / "ct.nii.gz").volume
    beside = base / case.labels
    labels = read_labels(beside if beside.exists() else work / case.labels, case.scheme)
    organs = None if case.organs is None else _organs(base / case.organs)
    ignore = _unlabelled_bone(ct, labels) if case.partly else None
    return LabelledScan(case.folder, case.folder, ct, labels, organs, ignore=ignore)


def _unlabelled_bone(ct: Volume, labels: LabelMap) -> npt.NDArray[np.bool_]:
    """Dense tissue beyond the middle of the first and the last vertebra labelled: their neighbours among it, which must
    not be learnt as background; between the two all vertebrae are labelled."""
    array = resample_labels(labels, ct.grid).array
    dense = ndi.gaussian_filter(np.asarray(ct.array, dtype=np.float32), 1.0) > BONE_HU
    z = [np.argwhere(array == one)[:, 0].mean() for one in np.unique(array[array > 0])]
    beyond = np.ones(len(array), dtype=bool)
    beyond[int(np.ceil(min(z))) : int(max(z)) + 1] = False
    return np.asarray(ndi.binary_dilation(dense) & ~ndi.binary_dilation(array > 0) & beyond[:, None, None])


def made_fractures(case: RealCase, scan: LabelledScan, seed: int) -> Iterator[tuple[LabelledScan, str]]:
    """The scan with one body broken, kinds and losses dealt in turn, and the broken level."""
    rng = np.random.default_rng(seed)
    for n, level in enumerate(case.fractured):
        loss = float(rng.uniform(*LOSSES_PERCENT))
        kind = KINDS[n % len(KINDS)]
        try:
            made = fracture_scan(scan.ct, scan.labels, level_id(level), kind, loss)
        except InputError as error:
            print(f"  {scan.name} {level}: no {kind} of {loss:.0f} %: {error}")
            continue
        name = f"{scan.name} {kind} {loss:.0f} %"
        yield LabelledScan(name, scan.patient, made.ct, made.labels), level


def _organs(path: Path) -> LabelMap:
    """TotalSegmentator v2 organs without the vertebrae."""
    stored = canonical(labels_from_sitk(sitk.ReadImage(str(path), sitk.sitkUInt8)))
    array = stored.array.copy()
    array[(array >= 26) & (array <= 50)] = 0
    return LabelMap(array, stored.grid)


def level_ids(levels: tuple[str, ...]) -> tuple[int, ...]:
    """VerSe ids."""
    return tuple(level_id(level) for level in levels if level in LEVEL_NAMES.values())
