"""One vertebra as the network sees it from its own body's centre, and when that is believed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trajplan.anatomy.network_confidence import doubt_share
from trajplan.anatomy.network_input import SPACING_MM, NetworkClass
from trajplan.anatomy.network_model import NetworkModel
from trajplan.anatomy.network_pass import Look, look, with_mirror
from trajplan.anatomy.work_volume import on_lattice
from trajplan.geometry import Grid, Volume
from trajplan.geometry.arrays import BoolArray, FloatArray
from trajplan.geometry.pieces import largest

MIN_FLIP_DICE = 0.82
"""Below, image and mirror image disagree: seen at sacrum, disc and rib; whole vertebrae have 0.88 and more."""

UNSURE_FLIP_DICE, MAX_DOUBT_SHARE = 0.92, 0.45
"""Below the one and above the other nothing is believed: lower segments of the sacrum had 0.84 to 0.89 and 0.52 to
0.58; vertebrae of patients never learnt had at least 0.95, whatever their doubt (0.52 at most), those of phantoms 0.97
and 0.31."""

MIN_VOLUME_ML, MIN_BODY_ML = 5.0, 2.0
MIN_CANAL_ML = 0.8
"""No canal behind the body, no vertebra."""

NEAR_MM = 6.0
"""A look this close to the body's centre is not repeated from there."""

SURE_FLIP_DICE, STEADY_MM, MOST_AGAIN = 0.93, 2.5, 2
"""A vertebra less sure than this must be seen from within `STEADY_MM` of its centre, in so many more looks."""

REACH_MM = 24.0
"""A body centre further from the seed than this is another vertebra's."""

_VOXEL_ML = SPACING_MM**3 / 1000.0


@dataclass(frozen=True, eq=False)
class FoundVertebra:
    """A vertebra seen by the network.

    Attributes
    ----------
    seen : Look
        From (about) its own body's centre, with the mirror image.
    mask, body : ndarray of bool
        On ``seen.grid``.
    center_lps : ndarray, shape (3,)
        Centroid of the body, LPS mm.
    cut, body_cut : tuple of str
        Sides of the scan that the mask and the body reach; empty for what is wholly visible.
    """

    seen: Look
    mask: BoolArray
    body: BoolArray
    center_lps: FloatArray
    cut: tuple[str, ...]
    body_cut: tuple[str, ...]

    @property
    def volume_ml(self) -> float:
        """Of the whole mask."""
        return float(np.count_nonzero(self.mask)) * _VOXEL_ML

    @property
    def height_mm(self) -> float:
        """Of the body along z about its centre: median over 12 x 12 mm."""
        _, y, x = np.rint(self.seen.grid.world_to_index(self.center_lps)).astype(int)
        columns = self.body[:, max(0, y - 4) : y + 5, max(0, x - 4) : x + 5].sum(axis=0)
        return float(np.median(columns)) * SPACING_MM


def settle(model: NetworkModel, work: Volume, scan: Grid, seed_lps: FloatArray) -> FoundVertebra | None:
    """The vertebra about a seed, seen again from its own body's centre; None when there is none to believe in.

    Parameters
    ----------
    work : Volume
        `work_volume.work_volume` of the scan.
    scan : Grid
        Of the scan itself: what lies at its border is cut.
    """
    seed = on_lattice(work.grid, seed_lps)
    first = look(model, work, seed, mirrored=False)
    center = _body_center(first)
    if center is None or np.linalg.norm(center - seed) > REACH_MM:
        return None
    if np.linalg.norm(center - seed) <= NEAR_MM:
        second = with_mirror(model, work, seed, first)
    else:
        seed = on_lattice(work.grid, center)
        second = look(model, work, seed)
    found = _believed(second, seed, scan)
    for _ in range(MOST_AGAIN):
        if found is None or not _unsteady(found, seed):
            break
        # between two bodies, a piece of one can look like a vertebra: from its own centre it does not
        seed = on_lattice(work.grid, found.center_lps)
        found = _believed(look(model, work, seed), seed, scan)
    return found


def _unsteady(found: FoundVertebra, seed: FloatArray) -> bool:
    away = float(np.linalg.norm(found.center_lps - seed))
    return away > NEAR_MM or (found.seen.flip_dice < SURE_FLIP_DICE and away > STEADY_MM)


def _believed(seen: Look, seed: FloatArray, scan: Grid) -> FoundVertebra | None:
    if seen.flip_dice < MIN_FLIP_DICE:
        return None
    if seen.flip_dice < UNSURE_FLIP_DICE and doubt_share(seen.target_share) > MAX_DOUBT_SHARE:
        return None
    mask, body = _mask_and_body(seen)
    canal_ml = np.count_nonzero(seen.share[NetworkClass.CANAL] > 0.5) * _VOXEL_ML
    small = np.count_nonzero(mask) * _VOXEL_ML < MIN_VOLUME_ML or np.count_nonzero(body) * _VOXEL_ML < MIN_BODY_ML
    if small or canal_ml < MIN_CANAL_ML:
        return None
    center = seen.grid.index_to_world(np.argwhere(body).mean(axis=0))
    if np.linalg.norm(center - seed) > REACH_MM / 2:
        return None  # it runs away from its own centre
    return FoundVertebra(seen, mask, body, center, _cut(seen, mask, scan), _cut(seen, body, scan))


def _mask_and_body(seen: Look) -> tuple[BoolArray, BoolArray]:
    mask = seen.mask()
    body = largest(mask & (seen.share[NetworkClass.BODY] > seen.share[NetworkClass.POSTERIOR]))
    return mask, body


def _body_center(seen: Look) -> FloatArray | None:
    mask, body = _mask_and_body(seen)
    if np.count_nonzero(mask) * _VOXEL_ML < MIN_VOLUME_ML or not body.any():
        return None
    return seen.grid.index_to_world(np.argwhere(body).mean(axis=0))


def _cut(seen: Look, mask: BoolArray, scan: Grid) -> tuple[str, ...]:
    """The sides of the scan within a voxel of which the mask lies."""
    points = seen.grid.index_to_world(np.argwhere(mask))
    corners = scan.corners_lps()
    low, high = points.min(axis=0) - corners.min(axis=0), corners.max(axis=0) - points.max(axis=0)
    names = (("right", "left"), ("anterior", "posterior"), ("inferior", "superior"))
    return tuple(
        name
        for pair, distances in zip(names, zip(low, high, strict=True), strict=True)
        for name, distance in zip(pair, distances, strict=True)
        if distance < SPACING_MM
    )
