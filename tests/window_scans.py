"""One phantom stored along straight, flipped and oblique axes and in 5 mm slices, for the tests of the window."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

import numpy as np
from oriented_files import reordered, write_scan

from trajplan.geometry import Grid, Volume
from trajplan.geometry.resample import resample_volume
from trajplan.parts import Part
from trajplan_phantoms import Scanner, make_phantom, named

STORED = ("straight", "flipped", "oblique", "5 mm slices")
_SPACING_MM = 1.25


@functools.cache
def phantom_of(stored: str):
    """The phantom: a wedge of L1 with its four neighbours, its left pedicle narrower than its right one."""
    across = 5.0 if stored == "5 mm slices" else _SPACING_MM
    return make_phantom(named("asymmetric-L1"), Scanner((across, _SPACING_MM, _SPACING_MM)))


def scan_file(stored: str, folder: Path) -> Path:
    """The scan as a file: its patient lies in the same place however it is stored."""
    ct = phantom_of(stored).ct
    if stored == "flipped":
        return write_scan(folder, reordered(ct, (0, 1, 2), (0, 2)), "nii")
    if stored == "oblique":
        return write_scan(folder, _turned(ct), "nrrd")
    return write_scan(folder, ct, "nii")


def body_center_lps(stored: str) -> np.ndarray:
    """Centroid of the fractured body by the phantom's truth, LPS mm."""
    parts = phantom_of(stored).parts
    return parts.grid.index_to_world(np.argwhere(parts.array == Part.BODY).mean(axis=0))


def part_at(stored: str, point_lps: np.ndarray) -> int:
    """The part of the fractured vertebra at a point, by the phantom's truth."""
    parts = phantom_of(stored).parts
    index = np.rint(parts.grid.world_to_index(point_lps)).astype(int)
    return int(parts.array[tuple(np.clip(index, 0, np.array(parts.array.shape) - 1))])


def _turned(ct: Volume) -> Volume:
    """Sampled along axes that are turned by 12 deg about x and 9 deg about z, about the middle of the scan."""
    a, b = np.radians((12.0, 9.0))
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_z = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    axes = about_z @ about_x
    grid = ct.grid
    half = grid.spacing_zyx[::-1] * (np.array(grid.shape_zyx[::-1]) - 1) / 2
    turned = Grid(grid.shape_zyx, grid.center_lps - axes @ half, grid.spacing_zyx, axes)
    sampled = resample_volume(ct, turned)
    return dataclasses.replace(sampled, array=np.rint(sampled.array).astype(np.int16))
