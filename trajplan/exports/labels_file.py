"""Labels and volumes as gzip NRRD, the one lossless format that notices a damaged file; labels as NIfTI on request."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from trajplan.anatomy.vertebra import Vertebra
from trajplan.errors import InputError
from trajplan.exports.leftovers import clean_leftovers, temporary_name
from trajplan.exports.lock import output_lock
from trajplan.exports.segmentation_note import attach_note, is_nifti
from trajplan.geometry import LabelMap, Volume
from trajplan.geometry.itk import grid_of, labels_from_sitk, to_sitk
from trajplan.parts import PART_NAMES
from trajplan.target import Segmented

_HEADER_LIMIT = 65536
LABEL_SUFFIXES = (".nrrd", ".nii.gz", ".nii")


def label_suffix(path: Path) -> str:
    """The one of `LABEL_SUFFIXES` that a label file is to be written as.

    Raises
    ------
    InputError
        None of them; ``.seg.nrrd`` is a format of its own.
    """
    kind = next((one for one in LABEL_SUFFIXES if path.name.endswith(one)), None)
    if kind is None or path.name.endswith(".seg.nrrd"):
        raise InputError(f"labels are written as .nrrd, .nii.gz or .nii, got {path.name!r}", code="output_suffix")
    return kind


def write_parts(vertebra: Vertebra, path: Path) -> Path:
    """Write the part labels (`trajplan.parts.Part`) of a vertebra; see `write_labels`."""
    labels = vertebra.parts
    names = {int(i): name for i, name in PART_NAMES.items()}
    return write_labels(LabelMap(labels.array, labels.grid, names), path)


def write_labels(labels: LabelMap, path: Path, segmented: Segmented | None = None) -> Path:
    """Write labels 0..255, read them back and compare, and only then give the file its name.

    Only voxels, geometry, the names of the ids and, where a back-end made them, its name and confidence are stored:
    nothing of the patient. Whoever edits the file changes its hash, so that it counts as edited (`segmented_in`).

    Raises
    ------
    InputError
        The name ends in none of `LABEL_SUFFIXES`, an id does not fit, or what was written cannot be read back the same.
    """
    label_suffix(path)
    if labels.array.size and not (int(labels.array.min()) >= 0 and int(labels.array.max()) <= 255):
        raise InputError("labels must be 0 to 255 to be written", code="labels_range")
    image = to_sitk(labels.array.astype(np.uint8), labels.grid)
    if not is_nifti(path):
        image.SetMetaData("labels", "; ".join(f"{int(i)} {name}" for i, name in labels.names.items()))
    if segmented is not None:
        attach_note(image, path, labels, segmented)
    _write_checked(image, path)
    return path


def _write_checked(image: sitk.Image, path: Path) -> None:
    with output_lock(path) as alone:
        if alone:
            clean_leftovers(path)
        temporary = temporary_name(path, f".tmp{label_suffix(path)}")
        try:
            sitk.WriteImage(image, str(temporary), useCompression=True)
            with temporary.open("rb") as stream:
                os.fsync(stream.fileno())
            back = sitk.ReadImage(str(temporary))
            same = np.array_equal(sitk.GetArrayViewFromImage(back), sitk.GetArrayViewFromImage(image))
            if not (same and grid_of(back).same_as(grid_of(image))):
                raise InputError(f"{path.name} did not read back as written; check the disk", code="output_damaged")
            temporary.replace(path)
        except OSError as error:
            raise InputError(f"cannot write {path.name}: {error.strerror}", code="output_unwritable") from error
        except RuntimeError as error:  # ITK does not say why
            free_mb = shutil.disk_usage(path.parent).free / 1e6
            raise InputError(
                f"cannot write {path.name} in this folder: {free_mb:.1f} MB free", code="output_unwritable"
            ) from error
        finally:
            temporary.unlink(missing_ok=True)


def write_volume(volume: Volume, path: Path) -> Path:
    """Write a CT volume as gzip NRRD (HU, geometry and nothing else), checked as in `write_labels`."""
    if path.suffix != ".nrrd":
        raise InputError(f"volumes are written as .nrrd, got {path.name}", code="output_suffix")
    _write_checked(to_sitk(volume.array, volume.grid), path)
    return path


def read_parts(path: Path) -> LabelMap:
    """Read a parts label map written by `write_parts`.

    Raises
    ------
    InputError
        Missing, damaged, not three-dimensional integers, or a header that points to another file.
    """
    _refuse_detached(path)
    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise InputError(f"cannot read {path.name}: not a whole NRRD file", code="parts_unreadable") from error
    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
        raise InputError(f"{path.name} is not a 3-D label map", code="parts_unreadable")
    if "float" in image.GetPixelIDTypeAsString():
        raise InputError(f"{path.name} holds real numbers, labels must be integers", code="parts_unreadable")
    return labels_from_sitk(image, {int(k): v for k, v in PART_NAMES.items()})


def _refuse_detached(path: Path) -> None:
    """A header may name its data file anywhere on the machine: only whole files are read."""
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEADER_LIMIT)
    except OSError as error:
        raise InputError(f"cannot read {path.name}: {error.strerror}", code="parts_unreadable") from error
    if not head.startswith(b"NRRD"):
        raise InputError(f"{path.name} is not an NRRD file", code="parts_unreadable")
    for line in head.split(b"\n\n")[0].splitlines():
        if line.lower().replace(b" ", b"").startswith(b"datafile:"):
            raise InputError(f"{path.name} points to another file; give one whole .nrrd", code="parts_unreadable")
