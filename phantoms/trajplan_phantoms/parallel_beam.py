"""Parallel-beam projection of a square slice and its back projection, one thread, the same bytes everywhere."""

from __future__ import annotations

import numba as nb
import numpy as np

from trajplan.geometry.arrays import AnyArray, FloatArray


def project(image: AnyArray, angles: FloatArray) -> FloatArray:
    """Line sums of an (n, n) image, in cells, with linear interpolation along rays a cell apart: (view, detector cell).

    The detector is as wide as the image: what lies outside the inscribed circle is cut, so leave a margin.
    """
    return np.asarray(_project(np.ascontiguousarray(image, dtype=np.float64), np.cos(angles), np.sin(angles)))


def back_project(sinogram: AnyArray, angles: FloatArray, cells: int) -> FloatArray:
    """Mean over the half circle of filtered views, times pi: the (cells, cells) image of filtered line integrals."""
    filtered = np.ascontiguousarray(sinogram, dtype=np.float64)
    return np.asarray(_back(filtered, np.cos(angles), np.sin(angles), cells) * (np.pi / len(angles)))


@nb.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]  # numba has no types
def _project(image: AnyArray, cos: AnyArray, sin: AnyArray) -> AnyArray:
    n = image.shape[0]
    out = np.zeros((len(cos), n))
    middle = 0.5 * (n - 1)
    for v in range(len(cos)):
        for cell in range(n):
            s, total = cell - middle, 0.0
            for step in range(n):
                t = step - middle
                x, y = s * cos[v] - t * sin[v] + middle, s * sin[v] + t * cos[v] + middle
                i, j = int(np.floor(x)), int(np.floor(y))
                if i >= 0 and j >= 0 and i + 1 < n and j + 1 < n:
                    a, b = x - i, y - j
                    upper = image[j, i] * (1.0 - a) + image[j, i + 1] * a
                    lower = image[j + 1, i] * (1.0 - a) + image[j + 1, i + 1] * a
                    total += upper * (1.0 - b) + lower * b
            out[v, cell] = total
    return out


@nb.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]  # numba has no types
def _back(sinogram: AnyArray, cos: AnyArray, sin: AnyArray, n: int) -> AnyArray:
    out = np.zeros((n, n))
    middle, centre = 0.5 * (n - 1), 0.5 * (sinogram.shape[1] - 1)
    for v in range(len(cos)):
        for j in range(n):
            for i in range(n):
                s = (i - middle) * cos[v] + (j - middle) * sin[v] + centre
                low = int(np.floor(s))
                if low >= 0 and low + 1 < sinogram.shape[1]:
                    part = s - low
                    out[j, i] += sinogram[v, low] * (1.0 - part) + sinogram[v, low + 1] * part
    return out
