"""A scan as files: NRRD, NIfTI, a DICOM CT series or an Enhanced CT."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import SimpleITK as sitk

from trajplan.errors import InputError
from trajplan.geometry.itk import to_sitk
from trajplan.geometry.volume import LabelMap, Volume
from trajplan_phantoms.orientation import POSITIONS, check_position, reordered, reordered_labels
from trajplan_phantoms.phantom import Phantom
from trajplan_phantoms.scanner import LOWEST_HU
from trajplan_phantoms.tilt import tilted
from trajplan_phantoms.write_dicom import write_series
from trajplan_phantoms.write_enhanced import write_enhanced

ScanFormat = Literal["nrrd", "nifti", "dicom", "dicom-enhanced"]
SUFFIXES: dict[str, str] = {"nrrd": ".nrrd", "nifti": ".nii.gz"}
DEFAULT_PADDING_HU = -2048


def write_scan(
    scan: Phantom | Volume,
    folder: Path,
    format: ScanFormat = "nrrd",  # noqa: A002  # the name of the command's option
    patient_position: str | None = None,
    orientation: str | None = None,
    tilt_deg: float = 0.0,
    seed: int = 1,
) -> list[Path]:
    """Write a CT, all of it or nothing.

    World positions are the patient's (LPS) whatever the position on the table: a prone or feet-first patient has the
    same coordinates, stored in another order.

    Parameters
    ----------
    scan : Phantom or Volume
        Of a phantom also its label maps are written (as NRRD beside DICOM, else in the scan's format and order).
    folder : Path
        Made when missing. Receives ``ct.nrrd``, ``ct.nii.gz``, ``dicom/IM0001.dcm`` ... or ``ct-enhanced.dcm``.
    format : {"nrrd", "nifti", "dicom", "dicom-enhanced"}
    patient_position : {"HFS", "HFP", "FFS", "FFP"}, optional
        On the table; sets the storage order and, in DICOM, PatientPosition. A phantom's scanner states its own,
        otherwise HFS.
    orientation : str, optional
        Storage order instead of the position's: the sides x, y and z index run towards, such as "PIL" for sagittal
        slices.
    tilt_deg : float
        Of the gantry, -30 to 30, DICOM only; the scan is resampled onto the tilted slices.
    seed : int
        Of the DICOM identifiers; the same arguments give the same bytes.

    Returns
    -------
    list of Path
        The files, the scan's first.

    Raises
    ------
    InputError
        ``format_unknown``, ``patient_position_unknown``, ``orientation_unknown``, ``tilt_invalid``,
        ``tilt_unsupported``, ``output_exists`` or ``output_unwritable``.
    """
    if format not in get_args(ScanFormat):
        raise InputError(
            f"unknown scan format {format!r}; use {', '.join(get_args(ScanFormat))}", code="format_unknown"
        )
    phantom = scan if isinstance(scan, Phantom) else None
    volume = scan.ct if isinstance(scan, Phantom) else scan
    position = check_position(patient_position or (phantom.scanner.patient_position if phantom else "HFS"))
    if tilt_deg != 0.0 and (format in SUFFIXES or orientation is not None):
        raise InputError(
            "a gantry tilt can be stored only in DICOM, in the order of the patient position; use dicom or "
            "dicom-enhanced without an orientation, or no tilt",
            code="tilt_unsupported",
            numbers={"tilt_deg": float(tilt_deg)},
        )
    order = orientation or POSITIONS[position]
    stored = reordered(volume, order)
    labels = {} if phantom is None else {k: getattr(phantom, k) for k in ("labels", "parts", "surroundings")}
    thickness = phantom.scanner.thickness_mm if phantom else None

    def write(staging: Path) -> None:
        if format in SUFFIXES:
            _write_image(to_sitk(stored.array, stored.grid), staging / f"ct{SUFFIXES[format]}")
        else:
            _write_dicom(stored, staging, format, position, tilt_deg, thickness, phantom, seed)
        for name, one in labels.items():
            suffix = SUFFIXES.get(format, ".nrrd")
            _write_labels(reordered_labels(one, order) if format in SUFFIXES else one, staging / f"{name}{suffix}")

    return _whole(Path(folder), write)


def _write_dicom(
    stored: Volume,
    staging: Path,
    form: str,
    position: str,
    tilt_deg: float,
    thickness_mm: float | None,
    phantom: Phantom | None,
    seed: int,
) -> None:
    low = int(stored.array.min())
    padding = phantom.scanner.padding_hu if phantom and phantom.scanner.fov_mm else None
    if padding is None and low < LOWEST_HU:
        padding = low
    if padding is None and tilt_deg != 0.0:
        padding = DEFAULT_PADDING_HU
    whole = Volume(np.rint(stored.array).astype(np.int16), stored.grid)
    stack = tilted(whole, tilt_deg, LOWEST_HU if padding is None else padding)
    content = f"{whole.sha256()} {position} {tilt_deg:g}"
    if form == "dicom":
        series = staging / "dicom"
        series.mkdir()
        write_series(
            stack, series, position=position, thickness_mm=thickness_mm, padding_hu=padding, seed=seed, content=content
        )
    else:
        write_enhanced(
            stack, staging / "ct-enhanced.dcm",
            position=position, thickness_mm=thickness_mm, padding_hu=padding, seed=seed, content=content,
        )  # fmt: skip


def _write_image(image: sitk.Image, path: Path) -> None:
    sitk.WriteImage(image, str(path), useCompression=True)


def _write_labels(labels: LabelMap, path: Path) -> None:
    image = to_sitk(labels.array, labels.grid)
    if path.suffix == ".nrrd":
        image.SetMetaData("labels", "; ".join(f"{int(i)} {name}" for i, name in labels.names.items()))
    _write_image(image, path)


def _whole(folder: Path, write: Callable[[Path], None]) -> list[Path]:
    """Let `write` fill a hidden folder beside the final names, then move what it made to them."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".writing-") as hidden:
            staging = Path(hidden)
            write(staging)
            made = sorted(staging.iterdir(), key=lambda p: (not p.name.startswith(("ct", "dicom")), p.name))
            for item in made:
                target = folder / item.name
                if target.is_dir():
                    _refuse_strangers(target)
                    shutil.rmtree(target)
                item.replace(target)
    except (OSError, RuntimeError) as error:
        raise InputError(f"cannot write the scan into folder {folder.name}", code="output_unwritable") from error
    names = [folder / item.name for item in made]
    return [f for one in names for f in (sorted(one.iterdir()) if one.is_dir() else [one])]


def _refuse_strangers(target: Path) -> None:
    """Only a series of our own making is replaced."""
    if any(not (p.is_file() and p.name.startswith("IM") and p.suffix == ".dcm") for p in target.iterdir()):
        raise InputError(
            f"folder {target.name} exists and holds other files; choose another folder", code="output_exists"
        )
