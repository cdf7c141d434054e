"""Label maps from file: integer ids of a known scheme to VerSe ids, in LPS, and in the same place as the CT."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np

from trajplan.errors import GeometryError, InputError
from trajplan.geometry.arrays import AnyArray, FloatArray
from trajplan.geometry.grid import Grid
from trajplan.geometry.resample import canonical
from trajplan.geometry.volume import LabelMap, Volume
from trajplan.levels import LEVEL_NAMES, UNKNOWN_LEVEL_ID
from trajplan.reading.answers import NiftiForm
from trajplan.reading.read import kind_of_path, open_voxels
from trajplan.reading.scan import Finding
from trajplan.reading.schemes import TO_VERSE, Scheme
from trajplan.reading.voxel_file import fill

MIN_OVERLAP = 0.90
_ORDER_SLACK_MM = 5.0
# Head to feet. T13 (28) lies between T12 and L1, S1 (26) below L6.
_HEAD_TO_FEET = [*range(1, 20), 28, *range(20, 26), 26]


def read_labels(
    path: Path, scheme: Scheme, *, level_id: int | None = None, nifti_form: NiftiForm | None = None
) -> LabelMap:
    """Read an integer label file as VerSe ids on an axis-aligned LPS grid.

    Parameters
    ----------
    path : Path
        NIfTI-1, NRRD or MetaImage.
    scheme : Scheme
        Numbering of the file; ids that are no vertebra in it (organs, ribs, sacrum) are dropped.
    level_id : int, optional
        For ``mask``: VerSe id of the one vertebra; unknown (100) when not given.
    nifti_form : NiftiForm, optional
        Which place of a NIfTI file to believe where its two disagree.

    Raises
    ------
    Question
        The two places of a NIfTI file disagree and `nifti_form` is not given.
    InputError
        Unreadable file, fractional or negative ids, no vertebra of the scheme, or vertebrae that do not follow
        each other from head to feet (the wrong scheme, or a file turned upside down).
    """
    return read_labels_with_findings(path, scheme, level_id=level_id, nifti_form=nifti_form)[0]


def read_labels_with_findings(
    path: Path, scheme: Scheme, *, level_id: int | None = None, nifti_form: NiftiForm | None = None
) -> tuple[LabelMap, tuple[Finding, ...]]:
    """`read_labels`, and what was found on the way: to be said in the plan."""
    path, scheme = Path(path), Scheme(scheme)
    try:
        kind = kind_of_path(path, path.name)
        if kind == "dicom":
            raise InputError(f"{path.name}: labels are read from NIfTI, NRRD or MetaImage only", code="unknown_format")
        stored = open_voxels(path, kind, nifti_form)
        ids, grid = fill(stored, np.uint16, _whole)
        mapped = _mapped(path.name, ids, scheme, level_id)
        labels = canonical(LabelMap(mapped, grid, _names(mapped)))
    except GeometryError as error:
        raise InputError(f"{path.name}: {error}", code=error.code, numbers=error.numbers) from error
    except OSError as error:
        raise InputError(
            f"{path.name} cannot be read: {error.strerror or 'I/O error'}", code="unreadable_file"
        ) from error
    _check_order(path.name, labels, scheme)
    return labels, tuple(Finding(f.code, f.severity, f"labels: {f.message}") for f in stored.findings)


def check_same_space(labels: LabelMap, volume: Volume) -> tuple[Finding, ...]:
    """That the labelled voxels lie in the CT; both axis-aligned LPS.

    Returns
    -------
    tuple of Finding
        ``labels_other_grid`` (info) when the grids differ but the content lies in the CT.

    Raises
    ------
    InputError
        ``labels_elsewhere`` when less than 90 % of the box around the labels lies in the CT box.
    """
    filled = labels.array != 0
    inside = [np.flatnonzero(filled.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
    if not inside[0].size:
        raise InputError("the label map is empty", code="no_vertebra")
    content = labels.grid.cropped([i[0] for i in inside], [i[-1] + 1 for i in inside])
    content_low, content_high = _box(content)
    ct_low, ct_high = _box(volume.grid)
    shared = np.clip(np.minimum(content_high, ct_high) - np.maximum(content_low, ct_low), 0.0, None)
    overlap = float(np.prod(shared) / np.prod(content_high - content_low))
    if overlap < MIN_OVERLAP:
        raise InputError(
            f"only {100 * overlap:.0f} % of the labels' box ({_shown(content_low, content_high)}) lies in the CT "
            f"({_shown(ct_low, ct_high)}), at least {100 * MIN_OVERLAP:.0f} % is needed; are they of the same scan?",
            code="labels_elsewhere",
            numbers={"overlap": overlap},
        )
    if labels.grid.same_as(volume.grid, tolerance_mm=0.01):
        return ()
    shape, spacing = labels.grid.shape_zyx, labels.grid.spacing_zyx
    text = (
        f"labels lie on another grid than the CT ({' x '.join(str(n) for n in shape)} voxels of "
        f"{' x '.join(f'{s:.2f}' for s in spacing)} mm, z y x); {100 * overlap:.0f} % of their box lies in it"
    )
    return (Finding("labels_other_grid", "info", text),)


def _whole(array: AnyArray, name: str) -> AnyArray:
    """A slice as uint16 ids."""
    if array.dtype.kind == "f" and not (np.isfinite(array).all() and (array == np.rint(array)).all()):
        raise InputError(
            f"{name} holds fractional or non-finite values, so it is no label map (a probability map? threshold it)",
            code="labels_not_integer",
        )
    low, high = float(array.min()), float(array.max())
    if low < 0 or high > 65535:
        raise InputError(
            f"{name} holds values {low:g} to {high:g}; label ids are 0 to 65535",
            code="labels_not_integer",
            numbers={"min": low, "max": high},
        )
    return array.astype(np.uint16)


def _mapped(name: str, ids: AnyArray, scheme: Scheme, level_id: int | None) -> AnyArray:
    found = _present(ids)
    if not found.size:
        raise InputError(f"{name} is empty: every voxel is 0", code="no_vertebra")
    table = np.zeros(int(ids.max()) + 1, dtype=np.uint8)
    if scheme is Scheme.MASK:
        target = UNKNOWN_LEVEL_ID if level_id is None else level_id
        if target != UNKNOWN_LEVEL_ID and target not in LEVEL_NAMES:
            raise InputError(f"{target} is not a VerSe level id", code="unknown_level")
        table[1:] = target
    else:
        known = TO_VERSE[scheme]
        for i in found:
            table[i] = known.get(int(i), 0)
        if not table.any():
            shown = ", ".join(str(i) for i in found[:12]) + (" ..." if found.size > 12 else "")
            raise InputError(
                f"{name} holds no vertebra of the {scheme.value} scheme (ids found: {shown}); choose another scheme",
                code="no_vertebra",
            )
    mapped = np.empty(ids.shape, dtype=np.uint8)
    for out, one in zip(mapped, ids, strict=True):  # a slice at a time: indexing widens its index
        out[...] = table[one]
    return mapped


def _names(mapped: AnyArray) -> dict[int, str]:
    return {int(i): LEVEL_NAMES.get(int(i), "unknown level") for i in _present(mapped)}


def _present(ids: AnyArray) -> AnyArray:
    return np.flatnonzero(_per_slice(ids).sum(axis=0)[1:]) + 1


def _per_slice(ids: AnyArray) -> AnyArray:
    """Voxels of each id (column) in each slice (row); slice by slice, since `bincount` widens to 64 bits."""
    top = int(ids.max()) + 1
    return np.array([np.bincount(s.reshape(-1), minlength=top) for s in ids])


def _check_order(name: str, labels: LabelMap, scheme: Scheme) -> None:
    counts = _per_slice(labels.array)
    ordered = [i for i in _HEAD_TO_FEET if i < counts.shape[1] and counts[:, i].any()]
    height_mm = np.arange(len(counts)) * labels.grid.spacing_zyx[0]
    z = {i: float(height_mm @ counts[:, i] / counts[:, i].sum()) for i in ordered}
    for upper, lower in pairwise(ordered):
        rise = z[lower] - z[upper]
        if rise > _ORDER_SLACK_MM:
            a, b = LEVEL_NAMES[upper], LEVEL_NAMES[lower]
            raise InputError(
                f"{name}: {b} lies {rise:.0f} mm above {a} when read as {scheme.value}; wrong scheme, or upside down",
                code="label_order",
                numbers={"rise_mm": rise},
            )


def _box(grid: Grid) -> tuple[FloatArray, FloatArray]:
    """Outer faces of an axis-aligned grid (half a voxel beyond the centres), LPS mm."""
    corners, half = grid.corners_lps(), grid.spacing_xyz / 2
    return corners.min(axis=0) - half, corners.max(axis=0) + half


def _shown(low: FloatArray, high: FloatArray) -> str:
    return ", ".join(f"{axis} {a:.0f} to {b:.0f}" for axis, a, b in zip("xyz", low, high, strict=True)) + " mm"
