"""NIfTI-1 preflight: the header read by ourselves, before SimpleITK sees the file."""

from __future__ import annotations

import gzip
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trajplan.errors import InputError
from trajplan.geometry.arrays import FloatArray
from trajplan.geometry.grid import Grid
from trajplan.reading.datafile import check_length, check_size, check_spacing
from trajplan.reading.sniff import head_of

# NIfTI-1 datatype codes of real scalars -> bytes per voxel.
_SCALAR_BYTES = {2: 1, 4: 2, 8: 4, 16: 4, 64: 8, 256: 1, 512: 2, 768: 4, 1024: 8, 1280: 8}
_UNIT_MM = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
_FLOATS = {16: "f4", 64: "f8"}
FORMS_TOLERANCE_MM = 0.01
_HALF_TURN = 1e-7
_SHEAR = 1e-4
_FIRST_VOXEL, _LAST_OFFSET = 352, 1 << 28
_CHUNK = 1 << 20
_RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True, eq=False)
class NiftiPlace:
    """Index (x, y, z) -> LPS mm affine, shape (4, 4), and how exactly the file can state it."""

    affine_lps: FloatArray
    tolerance_mm: float


def preflight_nifti(path: Path) -> NiftiPlace:
    """Check a ``.nii`` or ``.nii.gz`` and return where its voxels lie.

    Raises
    ------
    InputError
        Cut short, NIfTI-2, header/image pair, not one 3-D scalar image, bad spacing, no orientation, qform and sform
        that disagree by more than 0.01 mm at a corner, or voxels that are NaN or infinite.
    """
    head = head_of(path)
    name = path.name
    order = "<" if struct.unpack("<i", head[:4])[0] in (348, 540) else ">"
    if struct.unpack(order + "i", head[:4])[0] == 540 or head[4:7] in {b"n+2", b"ni2"}:
        raise InputError(f"{name} is NIfTI-2; convert it to NIfTI-1 or NRRD", code="nifti2_unsupported")
    if struct.unpack(order + "i", head[:4])[0] != 348 or head[344:348] != b"n+1\0" or len(head) < 352:
        raise InputError(
            f"{name} is not a single-file NIfTI-1 (Analyze and .hdr/.img pairs carry no safe orientation); "
            "convert it to .nii.gz or .nrrd",
            code="nifti_unsupported",
        )
    dim = struct.unpack(order + "8h", head[40:56])
    extra = [n for n in dim[4 : max(dim[0], 0) + 1] if n != 1]
    if not 3 <= dim[0] <= 7 or extra:
        raise InputError(
            f"{name} has {dim[0]} dimensions {dim[1 : max(dim[0], 0) + 1]}; a single 3-D scalar volume is needed",
            code="not_3d_scalar",
        )
    datatype = struct.unpack(order + "h", head[70:72])[0]
    if datatype not in _SCALAR_BYTES:
        raise InputError(
            f"{name} has NIfTI datatype {datatype} (colour, complex or unknown); a single 3-D scalar volume is needed",
            code="not_3d_scalar",
        )
    count = check_size(name, dim[1:4])
    pixdim = np.array(struct.unpack(order + "8f", head[76:108]), dtype=np.float64)
    unit_mm = _UNIT_MM.get(head[123] & 7)
    if unit_mm is None:
        raise InputError(f"{name} has unknown length units (code {head[123] & 7})", code="spacing_range")
    check_spacing(name, [float(p) * unit_mm for p in pixdim[1:4]])
    affine, tolerance_mm = _orientation(name, head, order, pixdim, dim[1:4])
    affine[:3] *= unit_mm
    stated = struct.unpack(order + "f", head[108:112])[0]
    if not (_FIRST_VOXEL <= stated < _LAST_OFFSET and stated == int(stated)):
        raise InputError(
            f"{name} places its first voxel at byte {stated:g}; the header is damaged", code="header_invalid"
        )
    offset = int(stated)
    packed = name.lower().endswith(".gz")
    needed = count * _SCALAR_BYTES[datatype] + (offset if packed else 0)
    check_length(path, 0 if packed else offset, needed, "gzip" if packed else "raw")
    if datatype in _FLOATS:
        _check_finite(path, offset, np.dtype(order + _FLOATS[datatype]), count)
    return NiftiPlace(np.asarray(_RAS_TO_LPS @ affine), tolerance_mm * unit_mm)


def _check_finite(path: Path, offset: int, dtype: np.dtype[Any], count: int) -> None:
    """SimpleITK's NIfTI reader turns NaN and infinity into 0 silently, so they are counted here."""
    bad, left = 0, count
    with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as f:
        f.seek(offset)
        while left > 0:
            values = np.frombuffer(f.read(min(left, _CHUNK) * dtype.itemsize), dtype)
            if not values.size:
                break
            bad += int(values.size - np.isfinite(values).sum())
            left -= values.size
    if bad:
        raise InputError(f"{path.name} has {bad} voxels that are NaN or infinite", code="not_finite")


def _orientation(
    name: str, head: bytes, order: str, pixdim: FloatArray, size: tuple[int, ...]
) -> tuple[FloatArray, float]:
    """The RAS affine in the file's own length units, and the distance two readings of it may differ by."""
    qform_code, sform_code = struct.unpack(order + "2h", head[252:256])
    if qform_code <= 0 and sform_code <= 0:
        raise InputError(
            f"{name} states no orientation (qform and sform codes are 0): left and right cannot be told; "
            "export it again from the DICOM series",
            code="nifti_no_orientation",
        )
    qform, blur_rad = _qform(struct.unpack(order + "6f", head[256:280]), pixdim)
    tolerance_mm = FORMS_TOLERANCE_MM + blur_rad * float(np.linalg.norm(np.array(size) * pixdim[1:4]))
    sform = np.eye(4)
    sform[:3] = np.array(struct.unpack(order + "12f", head[280:328]), dtype=np.float64).reshape(3, 4)
    chosen = sform if sform_code > 0 else qform
    if not np.isfinite(chosen).all():
        raise InputError(f"{name} has an orientation matrix that is not finite", code="orientation_invalid")
    lengths = np.linalg.norm(chosen[:3, :3], axis=0)
    cosines = chosen[:3, :3].T @ chosen[:3, :3] / np.outer(lengths, lengths) if lengths.all() else np.ones((3, 3))
    shear = float(np.abs(cosines - np.eye(3)).max())
    if shear > _SHEAR:
        raise InputError(
            f"{name} has a sheared orientation matrix (axes off a right angle by a cosine of {shear:.2g}); "
            "export it again from the DICOM series",
            code="orientation_invalid",
            numbers={"cosine": shear},
        )
    if qform_code > 0 and sform_code > 0:
        difference = _corner_difference_mm(qform, sform, size)
        if not difference <= tolerance_mm:
            raise InputError(
                f"{name}: qform and sform disagree by {difference:.2f} mm (limit {tolerance_mm:.2f} mm), so left and "
                "right may be swapped; decide which is right and set both",
                code="nifti_forms_disagree",
                numbers={"difference_mm": difference},
            )
    return chosen, tolerance_mm


def check_place(name: str, place: NiftiPlace, grid: Grid) -> None:
    """That the grid SimpleITK made lies where the header's own affine says (it silently squares a sheared one)."""
    corners = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)]) * (np.array(grid.shape_zyx) - 1)
    stated = corners[:, ::-1] @ place.affine_lps[:3, :3].T + place.affine_lps[:3, 3]
    error = float(np.linalg.norm(stated - grid.index_to_world(corners), axis=1).max())
    if not error <= place.tolerance_mm:
        raise InputError(
            f"{name} has a sheared or inconsistent orientation matrix (voxels up to {error:.2f} mm off a right-angled "
            f"grid, limit {place.tolerance_mm:.2f} mm); export it again from the DICOM series",
            code="orientation_invalid",
            numbers={"corner_error_mm": error},
        )


def _qform(values: tuple[float, ...], pixdim: FloatArray) -> tuple[FloatArray, float]:
    """The affine of the stored quaternion, and the angle that its float32 rounding leaves open."""
    b, c, d = values[:3]
    square = 1.0 - (b * b + c * c + d * d)
    if square < _HALF_TURN:  # a = 0 up to rounding: a half turn, as the NIfTI library treats it
        a = 0.0
        b, c, d = np.array([b, c, d]) / max(np.sqrt(1.0 - square), 1e-12)
    else:
        a = np.sqrt(square)
    rotation = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
    handed = -1.0 if pixdim[0] < 0 else 1.0
    affine = np.eye(4)
    affine[:3, :3] = rotation * (pixdim[1:4] * [1.0, 1.0, handed])
    affine[:3, 3] = values[3:6]
    # An error e of a * a is e / a in the angle; float32 leaves about 1e-7.
    return affine, _HALF_TURN / max(a, float(np.sqrt(_HALF_TURN)))


def _corner_difference_mm(first: FloatArray, second: FloatArray, size: tuple[int, ...]) -> float:
    corners = np.array([[i, j, k, 1] for i in (0, size[0] - 1) for j in (0, size[1] - 1) for k in (0, size[2] - 1)])
    return float(np.linalg.norm(corners @ (first - second)[:3].T, axis=1).max())
