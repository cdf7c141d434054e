"""Where the sacrum begins: below which vertebra bone reaches far to both sides of the body."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trajplan.geometry import Frame, Volume
from trajplan.geometry.arrays import FloatArray

WING_HU = 130.0
MIN_WING_SHARE, MIN_WING_SHARE_BELOW = 0.08, 0.12
"""Bone beside a body, and beside the place where the next body should be, on the poorer side. Measured: S1 0.09 to
0.34 (phantoms and a 3 mm scan), lumbar bodies at most 0.05 (psoas, vessels, osteophytes)."""

MOST_SACRAL = 2
"""Pieces of the sacrum that the network may take for vertebrae."""

_BELOW_TILTS_DEG, _BELOW_STEPS_MM = (0.0, 15.0, 30.0, 45.0, 60.0), (28.0, 34.0, 40.0)
_OWN_TILTS_DEG, _OWN_STEPS_MM = (-30.0, -15.0, 0.0, 15.0, 30.0, 45.0), (0.0, 5.0)
_SURE_PLACES = 3
"""The share is that of the third best place: one place may be a vessel."""

_U_MM, _V_MM, _W_MM = (26.0, 44.0), (-14.0, 6.0), (-10.0, 10.0)
_STEP_MM = 1.5
_SEEN_SHARE = 0.8


def wings_of(work: Volume, frame: Frame) -> float | None:
    """Share of bone to both sides of a body, on the poorer side; None outside the scan."""
    return _third_best(work, frame, _OWN_TILTS_DEG, _OWN_STEPS_MM)


def wings_below(work: Volume, frame: Frame) -> float | None:
    """The same of the body that should lie below the vertebra of `frame`.

    The sacrum leans back against the vertebra above it: several tilts and distances are tried.
    """
    return _third_best(work, frame, _BELOW_TILTS_DEG, _BELOW_STEPS_MM)


def first_sacral(work: Volume, frames: Sequence[Frame], first: int = 0) -> tuple[int, float] | None:
    """Index (in vertebrae from top to bottom) at which the sacrum begins, and the share of bone in its wings.

    ``len(frames)`` when it begins below the last vertebra; None when it is not seen. Vertebrae before `first` are
    known to be none of it.
    """
    count = len(frames)
    for k in range(max(first, count - MOST_SACRAL), count):
        share = wings_of(work, frames[k])
        if share is not None and share >= MIN_WING_SHARE:
            return k, share
    share = wings_below(work, frames[-1])
    return (count, share) if share is not None and share >= MIN_WING_SHARE_BELOW else None


def _third_best(work: Volume, frame: Frame, tilts_deg: Sequence[float], steps_mm: Sequence[float]) -> float | None:
    shares: list[float] = []
    for tilt in np.radians(tilts_deg):
        w = np.cos(tilt) * frame.w - np.sin(tilt) * frame.v
        v = np.cos(tilt) * frame.v + np.sin(tilt) * frame.w
        down = -np.cos(tilt / 2) * frame.w + np.sin(tilt / 2) * frame.v
        for step in steps_mm:
            sides = [_bone_share(work, frame.origin_lps + step * down, np.stack([s * frame.u, v, w])) for s in (1, -1)]
            seen = [side for side in sides if side is not None]
            if len(seen) == 2:
                shares.append(min(seen))
    return sorted(shares)[-_SURE_PLACES] if len(shares) >= _SURE_PLACES else None


def _bone_share(work: Volume, center_lps: FloatArray, axes: FloatArray) -> float | None:
    u, v, w = (np.arange(a, b + 1e-6, _STEP_MM) for a, b in (_U_MM, _V_MM, _W_MM))
    local = np.stack(np.meshgrid(u, v, w, indexing="ij"), axis=-1).reshape(-1, 3)
    index = np.rint(work.grid.world_to_index(center_lps + local @ axes)).astype(int)
    inside = ((index >= 0) & (index < work.grid.shape_zyx)).all(axis=1)
    if inside.mean() < _SEEN_SHARE:
        return None
    return float((work.array[tuple(index[inside].T)] > WING_HU).mean())
