"""Slices as a scanner stores them: square to the table, or tilted with the gantry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from trajplan.errors import InputError
from trajplan.geometry.arrays import AnyArray, FloatArray
from trajplan.geometry.volume import Volume

MAX_TILT_DEG = 30.0


@dataclass(frozen=True, eq=False)
class Stack:
    """Parallel slices of equal shape.

    Attributes
    ----------
    array : ndarray of int16, shape (slices, rows, columns)
        HU.
    row_lps, column_lps : ndarray, shape (3,)
        Unit directions of growing column and growing row index, as in ImageOrientationPatient.
    spacing_mm : (float, float)
        Between rows, between columns, as in PixelSpacing.
    positions_lps : ndarray, shape (slices, 3)
        Centre of the first pixel of each slice.
    tilt_deg : float
        Of the gantry: from the slice normal to the line the slices are stacked along.
    """

    array: AnyArray
    row_lps: FloatArray
    column_lps: FloatArray
    spacing_mm: tuple[float, float]
    positions_lps: FloatArray
    tilt_deg: float = 0.0

    @property
    def orientation(self) -> list[float]:
        """ImageOrientationPatient; -0.0 is written 0.0."""
        return [float(v) + 0.0 for v in np.round(np.concatenate([self.row_lps, self.column_lps]), 12)]

    @property
    def slice_spacing_mm(self) -> float:
        """Distance between slices along their normal."""
        if len(self.positions_lps) < 2:
            return 1.0
        normal = np.cross(self.row_lps, self.column_lps)
        return float(abs((self.positions_lps[1] - self.positions_lps[0]) @ normal))


def stack_of(volume: Volume) -> Stack:
    """The slices of a volume, the first index one a slice."""
    grid = volume.grid
    index = np.arange(grid.shape_zyx[0])[:, None] * np.array([1.0, 0.0, 0.0])
    spacing = (float(grid.spacing_zyx[1]), float(grid.spacing_zyx[2]))
    return Stack(volume.array, grid.direction[:, 0], grid.direction[:, 1], spacing, grid.index_to_world(index))


def tilted(volume: Volume, tilt_deg: float, padding_hu: int) -> Stack:
    """The volume scanned again with a tilted gantry: rows lean along the table, the table still moves straight.

    Parameters
    ----------
    volume : Volume
        Its first index axis is the table's.
    tilt_deg : float
        -30 to 30; about the image rows, in the sense of Gantry/Detector Tilt as dcm2niix reads it. Positive: the top of
        the image lies further along the direction in which slices are stacked.
    padding_hu : int
        Stands where the volume ends. All of the volume is kept.

    Returns
    -------
    Stack
        HU by linear interpolation, so noise is a little smoother than in `volume`.
    """
    if not abs(tilt_deg) <= MAX_TILT_DEG:
        raise InputError(
            f"gantry tilt {tilt_deg:g} deg is not within -{MAX_TILT_DEG:g} to {MAX_TILT_DEG:g} deg",
            code="tilt_invalid",
            numbers={"tilt_deg": float(tilt_deg)},
        )
    if tilt_deg == 0.0:
        return stack_of(volume)
    grid = volume.grid
    slices, rows, columns = grid.shape_zyx
    dz, dy, dx = (float(s) for s in grid.spacing_zyx)
    cos, sin = float(np.cos(np.deg2rad(tilt_deg))), -float(np.sin(np.deg2rad(tilt_deg)))
    deep = (rows - 1) * dy
    new_rows = int(np.ceil(deep / (dy * cos) - 1e-9)) + 1
    lean = (new_rows - 1) * dy * sin
    first = -int(np.ceil(max(lean, 0.0) / dz - 1e-9))
    last = slices - 1 + int(np.ceil(max(-lean, 0.0) / dz - 1e-9))
    count = last - first + 1
    # stored index (x, y, z) -> index in the volume
    matrix = np.array([[1.0, 0.0, 0.0], [0.0, cos, 0.0], [0.0, dy * sin / dz, 1.0]])
    to_volume = sitk.AffineTransform(3)
    to_volume.SetMatrix([float(v) for v in matrix.ravel()])
    to_volume.SetTranslation([0.0, 0.0, float(first)])
    image = sitk.GetImageFromArray(volume.array.astype(np.float32))
    # identity geometry: world = index
    identity = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    out = sitk.Resample(
        image, [columns, new_rows, count], to_volume, sitk.sitkLinear,
        [0.0] * 3, [1.0] * 3, identity, float(padding_hu), sitk.sitkFloat32,
    )  # fmt: skip
    across, down, along = grid.direction.T
    positions = grid.origin_lps + (np.arange(first, last + 1) * dz)[:, None] * along
    array = np.rint(sitk.GetArrayFromImage(out)).astype(np.int16)
    return Stack(array, across, cos * down + sin * along, (dy, dx), positions, float(tilt_deg))
