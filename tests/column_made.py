"""Vertebrae as the network would see them, made from exact labels or from plain shapes: tests without the network."""

from __future__ import annotations

import numpy as np

from trajplan.anatomy.found_vertebra import FoundVertebra
from trajplan.anatomy.network_input import NetworkClass, crop_grid
from trajplan.anatomy.network_pass import Look
from trajplan.anatomy.work_volume import on_lattice
from trajplan.geometry import Grid
from trajplan.geometry.resample import resample_mask
from trajplan_phantoms import Phantom
from trajplan_phantoms.spine import build_spine


def body_centers(phantom: Phantom) -> dict[str, np.ndarray]:
    """Exact body centres by level, LPS mm."""
    places = build_spine(phantom.spec).placements
    own = np.array([place.to_patient(np.zeros(3)) for place in places])
    return dict(zip(phantom.spec.levels, phantom.spec.pose.to_world(own), strict=True))


def seen(phantom: Phantom, level: str, work: Grid, canal_behind_mm: float = 24.0) -> FoundVertebra:
    """A vertebra of a phantom as its labels have it; what lies before the canal's front is its body."""
    center = on_lattice(work, body_centers(phantom)[level])
    grid = crop_grid(center)
    identifier = next(i for i, name in phantom.labels.names.items() if name == level)
    mask = resample_mask(phantom.labels.array == identifier, phantom.labels.grid, grid) > 0.5
    offset = grid.points_lps() - center
    body = mask & (offset[..., 1] < canal_behind_mm - 8.0) & (np.abs(offset[..., 0]) < 30.0)
    canal = ~mask & (np.hypot(offset[..., 0], offset[..., 1] - canal_behind_mm) < 7.0)
    return made(grid, mask, body, canal)


def blob(center_lps: np.ndarray, radius_mm: float = 14.0, height_mm: float = 20.0) -> FoundVertebra:
    """An upright cylinder with a canal behind it, certain everywhere."""
    center = np.asarray(center_lps, dtype=np.float64)
    grid = crop_grid(center)
    offset = grid.points_lps() - center
    level = np.abs(offset[..., 2]) < height_mm / 2
    body = level & (np.hypot(offset[..., 0], offset[..., 1]) < radius_mm)
    canal = np.hypot(offset[..., 0], offset[..., 1] - radius_mm - 8.0) < 6.0
    return made(grid, body, body, canal)


def made(grid: Grid, mask: np.ndarray, body: np.ndarray, canal: np.ndarray) -> FoundVertebra:
    """From masks on the network's grid."""
    share = np.zeros((len(NetworkClass), *grid.shape_zyx), dtype=np.float32)
    share[NetworkClass.BODY][body] = 1.0
    share[NetworkClass.POSTERIOR][mask & ~body] = 1.0
    share[NetworkClass.CANAL][canal] = 1.0
    center = grid.index_to_world(np.argwhere(body).mean(axis=0))
    return FoundVertebra(Look(grid, share, 1.0), mask, body, center, (), ())
