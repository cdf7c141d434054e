"""Sample a target along warped coordinates: HU and shares trilinear, tissues nearest, in one compiled pass."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from training.segmenter.target import FULL, KINDS, Target


def pull(
    target: Target, source_zyx: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """HU, shares, tissues and validity at voxel positions `source_zyx` of the target's cube.

    Parameters
    ----------
    source_zyx : ndarray of float32, shape (z, y, x, 3)

    Returns
    -------
    tuple of ndarray, shape (z, y, x)
        float32 HU, float32 shares 0..1 of `KINDS` (z, y, x, 5), uint8 tissues, bool validity.
    """
    shape = source_zyx.shape[:3]
    hu, inside = np.empty(shape, np.float32), np.empty(shape, np.float32)
    share, tissues = np.zeros((*shape, len(KINDS)), np.float32), np.empty(shape, np.uint8)
    _pull(target.hu, target.share, target.tissues, target.valid, source_zyx, hu, share, tissues, inside)
    return hu, share, tissues, inside > 0.5


@njit(cache=True, nogil=True)
def _pull(
    hu_in: Any, share_in: Any, tissue_in: Any, valid_in: Any, source: Any, hu: Any, share: Any, tissue: Any, valid: Any
) -> None:
    nz, ny, nx = hu_in.shape
    count = share_in.shape[3]
    for k in range(source.shape[0]):
        for j in range(source.shape[1]):
            for i in range(source.shape[2]):
                z, y, x = source[k, j, i, 0], source[k, j, i, 1], source[k, j, i, 2]
                z0, y0, x0 = int(np.floor(z)), int(np.floor(y)), int(np.floor(x))
                fz, fy, fx = z - z0, y - y0, x - x0
                total, inside = np.float32(0.0), np.float32(0.0)
                for dz in range(2):
                    for dy in range(2):
                        for dx in range(2):
                            a, b, c = z0 + dz, y0 + dy, x0 + dx
                            if a < 0 or b < 0 or c < 0 or a >= nz or b >= ny or c >= nx:
                                continue
                            w = (fz if dz else 1 - fz) * (fy if dy else 1 - fy) * (fx if dx else 1 - fx)
                            for n in range(count):
                                share[k, j, i, n] += w / FULL * share_in[a, b, c, n]
                            if valid_in[a, b, c]:
                                total += w * hu_in[a, b, c]
                                inside += w
                hu[k, j, i] = total / inside if inside > 0.5 else 30.0
                valid[k, j, i] = inside
                a, b, c = int(np.floor(z + 0.5)), int(np.floor(y + 0.5)), int(np.floor(x + 0.5))
                near = 0 <= a < nz and 0 <= b < ny and 0 <= c < nx
                tissue[k, j, i] = tissue_in[a, b, c] if near else 200
