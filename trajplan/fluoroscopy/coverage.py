"""Where a scan ends inside the field of view: rays that miss part of the patient because nobody scanned it."""

from __future__ import annotations

from typing import Final

import numpy as np

from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.rays import detector_rays
from trajplan.geometry import Volume
from trajplan.geometry.arrays import BoolArray, FloatArray

_TISSUE_HU: Final = -500.0
_CUT_PATIENT: Final = 0.02  # share of tissue on a face of the scan from which on the patient goes on beyond it
_HALF_DEPTH_MM: Final = 150.0  # of a patient who ends before the scan does
_RINGING: Final = 2.0  # voxels
_LEAST: Final = 0.99  # share of the patient's depth that a whole ray goes through


def scan_ends(volume: Volume) -> FloatArray:
    """Low and high end of what is known of the patient along x, y, z: LPS mm, shape (2, 3).

    A face of the scan with tissue on it is an end, two voxels inwards, because interpolation rings at the step to
    nothing; where a face shows air the patient ends before it, and the end is infinite.
    """
    grid = volume.grid
    low = grid.origin_lps + (_RINGING - 0.5) * grid.spacing_xyz
    high = low + (np.array(grid.shape_zyx[::-1]) - 2 * _RINGING) * grid.spacing_xyz
    ends = np.stack([low, high])
    for axis in range(3):
        for end, index in enumerate((0, -1)):
            face = np.take(volume.array, index, axis=2 - axis)[::4, ::4]
            if float((face > _TISSUE_HU).mean()) < _CUT_PATIENT:
                ends[end, axis] = np.inf if end else -np.inf
    ends.setflags(write=False)
    return ends


def cut_rays(ends_lps: FloatArray | None, carm: CArm) -> BoolArray | None:
    """Pixels (rows, columns) whose rays leave the scan sideways while the patient goes on; None where there are none.

    Sideways is across the axis that the beam runs along most: a patient who is cut in front or behind is cut for all.
    """
    if ends_lps is None:
        return None
    rows, columns = carm.detector_px
    rays = detector_rays(carm)
    along = int(np.argmax(np.abs(carm.beam_lps)))
    patient = carm.isocenter_lps[along] + np.array([-_HALF_DEPTH_MM, _HALF_DEPTH_MM])
    front = np.where(np.isfinite(ends_lps[:, along]), ends_lps[:, along], patient)
    sides = [axis for axis in range(3) if axis != along and np.isfinite(ends_lps[:, axis]).any()]

    def cut(row: FloatArray, column: FloatArray) -> BoolArray:
        vectors = rays.of(row[:, None] + 0 * column, column + 0 * row[:, None])
        first, last = _ordered((front[:, None, None] - rays.source[along]) / vectors[None, ..., along])
        begin, end = first.copy(), last.copy()
        for axis in sides:
            step = np.where(np.abs(vectors[..., axis]) < 1e-9, 1e-9, vectors[..., axis])
            enters, leaves = _ordered((ends_lps[:, axis, None, None] - rays.source[axis]) / step)
            begin, end = np.maximum(begin, enters), np.minimum(end, leaves)
        return np.asarray(end - begin < _LEAST * (last - first))

    if not sides or not cut(np.array([0.0, rows - 1.0]), np.array([0.0, columns - 1.0])).any():
        return None  # the field is a rectangle on every plane, so a cut reaches one of its corners
    return cut(np.arange(rows, dtype=np.float64), np.arange(columns, dtype=np.float64))


def _ordered(pair: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The smaller and the larger of two; a sort of two takes five times as long."""
    return np.minimum(pair[0], pair[1]), np.maximum(pair[0], pair[1])


def label_places(cut: BoolArray, rows: tuple[float, float], columns: tuple[float, float]) -> list[tuple[float, float]]:
    """Where to say so on a picture that shows `rows` and `columns`: (row, column) just beyond each end that is seen."""
    first, last = max(0, round(rows[0])), min(cut.shape[0], round(rows[1]))
    middle = min(max(round(0.3 * columns[0] + 0.7 * columns[1]), 0), cut.shape[1] - 1)
    found, off = [], 0.03 * (rows[1] - rows[0])
    if last - first > 2 * off:
        steps = np.diff(cut[first:last, middle].astype(np.int8))
        for at in np.flatnonzero(steps):
            found.append((float(first + at + (off if steps[at] > 0 else -off)), float(middle)))
    return found
