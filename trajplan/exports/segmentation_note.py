"""What a back-end notes in the label file it made, so that an unedited automatic mask is never taken for a person's."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from trajplan.anatomy.vertebra import Confidence
from trajplan.geometry import LabelMap
from trajplan.target import Segmented

_NRRD_KEY = "trajplan_segmentation"
_NIFTI_KEY = "ITK_FileNotes"
"""NIfTI's `descrip`, 79 characters: too few for every rating, so the lowest stands for all."""

_NIFTI_NOTE = re.compile(r"trajplan (\S{1,20}) ([01]\.\d{3}) (check|-) ([0-9a-f]{36})")
_NAME, _LINE, _LINES = 40, 200, 20


def attach_note(image: sitk.Image, path: Path, labels: LabelMap, segmented: Segmented) -> None:
    """Put the back-end, its confidence and the hash of `labels` in the header that `image` will get as `path`."""
    if path.suffix == ".nrrd":
        image.SetMetaData(_NRRD_KEY, json.dumps(_noted(labels, segmented)))
        return
    lowest = min((one.score for one in segmented.ratings.values()), default=0.0)
    check = "check" if any(one.check for one in segmented.ratings.values()) else "-"
    backend = re.sub(r"\s", "-", segmented.backend)[:20]
    image.SetMetaData(_NIFTI_KEY, f"trajplan {backend} {lowest:.3f} {check} {_voxel_hash(labels)}")


def segmented_in(path: Path, labels: LabelMap) -> Segmented | None:
    """What a back-end of this program noted in a label file, and whether somebody has edited the labels since.

    Parameters
    ----------
    path : Path
        As `labels` were read from; NRRD or NIfTI.
    labels : LabelMap
        What was read, canonical LPS.
    """
    if path.suffix != ".nrrd" and not is_nifti(path):
        return None
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
        if is_nifti(path):
            return _of_nifti(reader, labels)
        if not reader.HasMetaDataKey(_NRRD_KEY):
            return None
        noted = json.loads(reader.GetMetaData(_NRRD_KEY))
        ratings = {int(level): _rating(one) for level, one in noted["ratings"].items()}
        edited = str(noted["sha256"]) != labels.sha256()
        return Segmented(str(noted["backend"])[:_NAME], ratings, edited)
    except (RuntimeError, ValueError, KeyError, TypeError, AttributeError):  # not understood: no note
        return None


def is_nifti(path: Path) -> bool:
    """Whether the name says NIfTI-1, packed or not."""
    return path.name.endswith((".nii", ".nii.gz"))


def _noted(labels: LabelMap, segmented: Segmented) -> dict[str, Any]:
    return {
        "backend": segmented.backend,
        "ratings": {
            str(level): {"score": round(one.score, 4), "check": list(one.check)}
            for level, one in segmented.ratings.items()
        },
        "sha256": labels.sha256(),
    }


def _of_nifti(reader: sitk.ImageFileReader, labels: LabelMap) -> Segmented | None:
    text = reader.GetMetaData(_NIFTI_KEY) if reader.HasMetaDataKey(_NIFTI_KEY) else ""
    noted = _NIFTI_NOTE.fullmatch(text.rstrip("\0 "))
    if noted is None:
        return None
    backend, lowest, check, digest = noted.groups()
    said = ("check the mask: the back-end had doubts, which a NIfTI file cannot hold",) if check == "check" else ()
    rating = Confidence(min(1.0, float(lowest)), {}, said)
    return Segmented(backend, dict.fromkeys(map(int, labels.ids()), rating), digest != _voxel_hash(labels))


def _voxel_hash(labels: LabelMap) -> str:
    """Of the voxels alone: NIfTI keeps its geometry in single precision."""
    return hashlib.sha256(np.ascontiguousarray(labels.array.astype(np.uint8)).tobytes()).hexdigest()[:36]


def _rating(noted: dict[str, Any]) -> Confidence:
    check = tuple(str(one)[:_LINE] for one in noted["check"])[:_LINES]
    return Confidence(min(1.0, max(0.0, float(noted["score"]))), {}, check)
