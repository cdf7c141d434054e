"""NIfTI-1 preflight: the header read by ourselves, before SimpleITK sees the file."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from trajplan.errors import InputError
from trajplan.geometry.arrays import FloatArray
from trajplan.reading.affine import grid_of_affine
from trajplan.reading.answers import NiftiForm, Question
from trajplan.reading.datafile import check_size, check_spacing
from trajplan.reading.scan import Finding
from trajplan.reading.sniff import head_of
from trajplan.reading.voxel_file import VoxelFile

# NIfTI-1 datatype codes of real scalars.
_TYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}
_UNIT_MM = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
FORMS_TOLERANCE_MM = 0.01
_HALF_TURN = 1e-7
_FIRST_VOXEL, _LAST_OFFSET = 352, 1 << 28
_RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def preflight_nifti(path: Path, form: NiftiForm | None = None) -> VoxelFile:
    """Check a ``.nii`` or ``.nii.gz``: its header by itself, before any voxel.

    Parameters
    ----------
    path : Path
    form : NiftiForm, optional
        Which place to believe where qform and sform disagree; recorded as a warning.

    Raises
    ------
    Question
        ``nifti_forms_disagree``: qform and sform differ by more than 0.01 mm at a corner and `form` is not given.
    InputError
        NIfTI-2, header/image pair, not one 3-D scalar image, bad spacing or scaling, no orientation.
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
    if datatype not in _TYPES:
        raise InputError(
            f"{name} has NIfTI datatype {datatype} (colour, complex or unknown); a single 3-D scalar volume is needed",
            code="not_3d_scalar",
        )
    check_size(name, dim[1:4])
    pixdim = np.array(struct.unpack(order + "8f", head[76:108]), dtype=np.float64)
    unit_mm = _UNIT_MM.get(head[123] & 7)
    if unit_mm is None:
        raise InputError(f"{name} has unknown length units (code {head[123] & 7})", code="spacing_range")
    check_spacing(name, [float(p) * unit_mm for p in pixdim[1:4]])
    size = (int(dim[1]), int(dim[2]), int(dim[3]))
    affine, slack_mm, findings = _place(name, head, order, pixdim, size, unit_mm, form)
    offset = _offset(name, struct.unpack(order + "f", head[108:112])[0])
    packed = name.lower().endswith(".gz")
    return VoxelFile(
        name=name,
        data=path,
        offset=0 if packed else offset,
        skip=offset if packed else 0,
        packing="gzip" if packed else "raw",
        dtype=np.dtype(order + _TYPES[datatype]),
        grid=grid_of_affine(name, size, affine[:3, :3], affine[:3, 3], slack_mm),
        scale=_scale(name, *struct.unpack(order + "2f", head[112:120])),
        findings=findings,
    )


def _offset(name: str, stated: float) -> int:
    if not (_FIRST_VOXEL <= stated < _LAST_OFFSET and stated == int(stated)):
        raise InputError(
            f"{name} places its first voxel at byte {stated:g}; the header is damaged", code="header_invalid"
        )
    return int(stated)


def _scale(name: str, slope: float, intercept: float) -> tuple[float, float]:
    """Slope and intercept of the stored values; by the standard a slope of 0 means none, for floats as well."""
    if slope == 0 or (np.isnan(slope) and (intercept == 0 or np.isnan(intercept))):
        return 1.0, 0.0
    if not (0 < slope < 1e4 and abs(intercept) < 1e6):
        raise InputError(
            f"{name} scales its values by {slope:g} and adds {intercept:g}; no CT is scaled like that",
            code="rescale_invalid",
            numbers={} if not np.isfinite([slope, intercept]).all() else {"slope": slope, "intercept": intercept},
        )
    return float(slope), float(intercept)


def _place(
    name: str,
    head: bytes,
    order: str,
    pixdim: FloatArray,
    size: tuple[int, int, int],
    unit_mm: float,
    asked: NiftiForm | None,
) -> tuple[FloatArray, float, tuple[Finding, ...]]:
    """The LPS mm affine, how far its axes may be off right angles (mm), and what a choice of the form changed."""
    codes = struct.unpack(order + "2h", head[252:256])
    qform, blur_rad = _qform(struct.unpack(order + "6f", head[256:280]), pixdim)
    sform = np.eye(4)
    sform[:3] = np.array(struct.unpack(order + "12f", head[280:328]), dtype=np.float64).reshape(3, 4)
    forms = {}
    for form, code, affine in ((NiftiForm.QFORM, codes[0], qform), (NiftiForm.SFORM, codes[1], sform)):
        if code > 0:
            affine[:3] *= unit_mm
            forms[form] = np.asarray(_RAS_TO_LPS @ affine)
    if not forms:
        raise InputError(
            f"{name} states no orientation (qform and sform codes are 0): left and right cannot be told; "
            "export it again from the DICOM series",
            code="nifti_no_orientation",
        )
    if asked is not None and asked not in forms:
        raise InputError(
            f"{name} has no {asked}, only a {next(iter(forms))}; leave --nifti-form out", code="nifti_no_orientation"
        )
    tolerance_mm = FORMS_TOLERANCE_MM + blur_rad * unit_mm * float(np.linalg.norm(np.array(size) * pixdim[1:4]))
    if len(forms) == 1:
        return next(iter(forms.values())), tolerance_mm, ()
    difference = _corner_difference_mm(forms[NiftiForm.QFORM], forms[NiftiForm.SFORM], size)
    if difference <= tolerance_mm:
        return forms[asked or NiftiForm.SFORM], tolerance_mm, ()
    if asked is None:
        raise Question(
            f"{name}: qform and sform disagree by up to {difference:.2f} mm (limit {tolerance_mm:.2f} mm), so "
            "sides may be swapped; find out which is right",
            code="nifti_forms_disagree",
            field="nifti_form",
            flag="--nifti-form",
            choices={str(form): _shown(affine, size) for form, affine in forms.items()},
            numbers={"difference_mm": difference, "limit_mm": tolerance_mm} if np.isfinite(difference) else {},
        )
    text = f"voxels lie where the {asked} says, as asked for; by the other form they lie up to {difference:.2f} mm away"
    return forms[asked], tolerance_mm, (Finding("nifti_form_chosen", "warning", text),)


def _shown(affine: FloatArray, size: tuple[int, int, int]) -> str:
    """Where the first and the last voxel lie."""
    last = affine[:3, :3] @ (np.array(size) - 1) + affine[:3, 3]
    first, last = (", ".join(f"{v:.1f}" for v in corner) for corner in (affine[:3, 3], last))
    return f"({first}) to ({last}) LPS mm"


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
