"""One affine for a DICOM series, and how far the headers are from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trajplan.errors import InputError
from trajplan.geometry.arrays import FloatArray, unit
from trajplan.reading.answers import Doubt
from trajplan.reading.datafile import check_spacing
from trajplan.reading.dicom_header import Header
from trajplan.reading.irregular import regular_steps
from trajplan.reading.scan import Finding

FINE_MM, WARN_MM = 0.01, 0.10
TILT_DEG = 0.01
MAX_SHEAR_DEG = 45.0
SAME_PLACE_MM = 1e-3
_ORTHONORMAL, _SAME_COSINE, _SAME_SPACING_MM = 1e-3, 1e-3, 1e-3


@dataclass(frozen=True, eq=False)
class SeriesGeometry:
    """Where the voxels of a sorted series lie.

    Parameters
    ----------
    headers : tuple of Header
        In the order of the slices along the normal.
    matrix : ndarray, shape (3, 3)
        Columns are the LPS mm steps of one index along columns (x), rows (y) and slices (z).
    origin_lps : ndarray, shape (3,)
    corner_error_mm : float
        Largest distance between the corner of a slice by its header and by `matrix`.
    tilt_deg : float
        Angle between the slice step and the slice normal.
    tilt_along_rows_deg : float
        Part of it along x: a gantry tilts along the image columns only.
    along_mm : ndarray, shape (slices,), or None
        Distance of each slice from the first along the normal, where they are irregular and to be interpolated
        onto steps of `matrix`; None for a regular stack.
    """

    headers: tuple[Header, ...]
    matrix: FloatArray
    origin_lps: FloatArray
    corner_error_mm: float
    tilt_deg: float
    tilt_along_rows_deg: float
    along_mm: FloatArray | None = None

    @property
    def spacing_zyx_mm(self) -> tuple[float, float, float]:
        """Length of one index step along (z, y, x)."""
        z, y, x = (round(float(v), 9) for v in np.linalg.norm(self.matrix, axis=0)[::-1])
        return z, y, x

    @property
    def is_sheared(self) -> bool:
        """Whether the slices are stacked at an angle to their normal."""
        return self.tilt_deg > TILT_DEG


def slice_normal(orientation: FloatArray) -> FloatArray:
    """Row cosine x column cosine of an ImageOrientationPatient, shape (3,)."""
    return np.asarray(np.cross(orientation[:3], orientation[3:]))


def slice_spacing_mm(group: Sequence[Header]) -> float | None:
    """Median distance between slices, or None where the headers do not tell."""
    first = group[0].orientation
    positions = [h.position_lps for h in group if h.position_lps is not None]
    if first is None or len(positions) < 2:
        return None
    return float(np.median(np.diff(np.sort(np.array(positions) @ slice_normal(first)))))


def solve_geometry(
    group: Sequence[Header], *, resample_irregular: bool = False
) -> tuple[SeriesGeometry, list[Finding]]:
    """Sort a series along its normal, fit one affine and compare it with every header.

    Parameters
    ----------
    group : sequence of Header
    resample_irregular : bool
        Accept irregular or missing slices up to 6 mm apart, to be interpolated.

    Raises
    ------
    InputError
        ``missing_position``, ``missing_orientation``, ``missing_spacing``, ``spacing_invalid``, ``spacing_range``,
        ``orientation_invalid``, ``geometry_varies``, ``duplicate_positions``, ``geometry_not_affine``.
    """
    for header in group:
        _check_one(header)
    positions = np.array([h.position_lps for h in group])
    orientations = np.array([h.orientation for h in group])
    _check_same(group, orientations)
    normal = unit(slice_normal(orientations[0]))
    order = np.argsort(positions @ normal, kind="stable")
    headers = tuple(group[i] for i in order)
    positions, orientations = positions[order], orientations[order]
    _check_distinct(headers, positions @ normal)

    index = np.arange(len(headers), dtype=np.float64)
    step, origin = np.round(np.polyfit(index, positions, 1), 9)  # without the fuzz of the fit
    row = unit(orientations[0][:3])
    column = np.cross(normal, row)
    row_mm, column_mm = _spacing(headers[0])
    matrix = np.column_stack([row * column_mm, column * row_mm, step])
    error = _corner_error_mm(headers, positions, orientations, matrix, origin)
    along_mm = None
    if error > WARN_MM and resample_irregular:
        along_mm, origin, step, findings = regular_steps(positions, normal)
        matrix[:, 2] = step
    else:
        findings = _judge(error, positions, normal)
    tilt = float(np.degrees(np.arccos(np.clip(unit(step) @ normal, -1.0, 1.0))))
    along_rows = float(np.degrees(np.arctan2(step @ row, step @ normal)))
    if tilt > MAX_SHEAR_DEG:
        raise InputError(
            f"slices are stacked at {tilt:.1f} deg to their normal, more than any gantry tilts",
            code="geometry_not_affine",
            numbers={"tilt_deg": tilt},
        )
    return SeriesGeometry(headers, matrix, origin, error, tilt, along_rows, along_mm), findings


def _spacing(h: Header) -> tuple[float, float]:
    if h.spacing_mm is None:
        raise InputError(f"{h.path.name} has no PixelSpacing; geometry cannot be known", code="missing_spacing")
    return h.spacing_mm


def _check_one(h: Header) -> None:
    if h.position_lps is None:
        raise InputError(
            f"{h.path.name} has no valid ImagePositionPatient; geometry cannot be known", code="missing_position"
        )
    if h.orientation is None:
        raise InputError(
            f"{h.path.name} has no valid ImageOrientationPatient; geometry cannot be known", code="missing_orientation"
        )
    check_spacing(h.path.name, _spacing(h))
    axes = h.orientation.reshape(2, 3)
    error = float(np.abs(axes @ axes.T - np.eye(2)).max())
    if error > _ORTHONORMAL:
        raise InputError(
            f"direction cosines in {h.path.name} are not orthonormal (error {error:.3g})",
            code="orientation_invalid",
            numbers={"error": error},
        )


def _check_same(group: Sequence[Header], orientations: FloatArray) -> None:
    first = group[0]
    for h, orientation in zip(group, orientations, strict=True):
        changed = None
        if h.shape != first.shape:
            changed = f"image size ({first.shape[0]} x {first.shape[1]} and {h.shape[0]} x {h.shape[1]})"
        elif np.abs(np.subtract(_spacing(h), _spacing(first))).max() > _SAME_SPACING_MM:
            changed = f"PixelSpacing ({_spacing(first)[0]:g} and {_spacing(h)[0]:g} mm)"
        elif np.abs(orientation - orientations[0]).max() > _SAME_COSINE:
            changed = "ImageOrientationPatient"
        if changed:
            raise InputError(f"{changed} differs between {first.path.name} and {h.path.name}", code="geometry_varies")


def _check_distinct(headers: Sequence[Header], along_mm: FloatArray) -> None:
    same = np.flatnonzero(np.diff(along_mm) < SAME_PLACE_MM)
    if same.size:
        a, b = headers[same[0]].path.name, headers[same[0] + 1].path.name
        raise InputError(
            f"{same.size} slice positions occur more than once with different content, such as {a} and {b}; "
            "keep one phase or reconstruction in the folder",
            code="duplicate_positions",
            numbers={"positions": float(same.size), "groups": 0.0},
        )


def _corner_error_mm(
    headers: Sequence[Header],
    positions: FloatArray,
    orientations: FloatArray,
    matrix: FloatArray,
    origin: FloatArray,
) -> float:
    rows, columns = headers[0].shape
    worst = 0.0
    spacing = np.array([_spacing(h) for h in headers])
    index = np.arange(len(headers))[:, None]
    for x in (0, columns - 1):
        for y in (0, rows - 1):
            stated = positions + orientations[:, :3] * (spacing[:, 1:] * x) + orientations[:, 3:] * (spacing[:, :1] * y)
            fitted = origin + matrix[:, 0] * x + matrix[:, 1] * y + index * matrix[:, 2]
            worst = max(worst, float(np.linalg.norm(stated - fitted, axis=1).max()))
    return worst


def _judge(error_mm: float, positions: FloatArray, normal: FloatArray) -> list[Finding]:
    if error_mm <= FINE_MM:
        return []
    if error_mm <= WARN_MM:
        text = f"slice positions deviate from a regular grid by up to {error_mm:.3f} mm"
        return [Finding("geometry_not_affine", "warning", text)]
    gaps = np.diff(positions @ normal)
    usual = float(np.median(gaps))
    i = int(np.argmax(np.abs(gaps - usual)))
    what = "slice missing" if gaps[i] > 1.5 * usual else "irregular step"
    raise Doubt(
        f"slice positions deviate from a regular grid by {error_mm:.2f} mm (limit {WARN_MM:.2f} mm): {what} between "
        f"z = {positions[i][2]:.2f} and z = {positions[i + 1][2]:.2f} mm, {gaps[i]:.2f} mm apart where "
        f"{usual:.2f} mm is usual; send the whole series again",
        code="geometry_not_affine",
        field="resample_irregular",
        numbers={"corner_error_mm": error_mm, "gap_mm": float(gaps[i]), "usual_mm": usual},
    )
