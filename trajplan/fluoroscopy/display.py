"""Line integrals to a grey picture, and the letters at its edges.

Radiograph convention: dense is bright, bone white and metal brightest. (Many C-arms show the inverse; take
``255 - picture`` for that.) The grey scale is logarithmic in the detected fraction, and most of the slow change across
the body is taken off, as digital X-ray machines do: otherwise soft tissue spends the grey scale and bone drowns.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from trajplan.errors import InputError
from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.drr import Drr
from trajplan.geometry.arrays import FloatArray

_PERCENTILES = (1.0, 99.7)
_GAMMA = 1.1
_KEPT_OUT = 0.75  # share of the slow background that is taken off
_CELLS = 64  # the background is found on an image of about this size
_KNEE = 232.0  # grey at the top of the window; denser than any anatomy is squeezed between here and white
_SECOND_LETTER = float(np.sin(np.radians(22.5)))
_LETTERS = (("L", "R"), ("P", "A"), ("S", "I"))


def display_window(drr: Drr) -> tuple[float, float]:
    """Values (line integral less background) to show as black and as almost white.

    From the pixels whose ray meets the volume. Take it from the anatomy alone and pass it to `to_display`, so that the
    greys stay put while tools move.
    """
    seen = _detail(drr)[drr.line_integral > 0.02]
    if seen.size == 0:
        return 0.0, 1.0
    low, high = (float(v) for v in np.percentile(seen, _PERCENTILES))
    return low, max(high, low + 1e-3)


def to_display(drr: Drr, *, window: tuple[float, float] | None = None) -> NDArray[np.uint8]:
    """An 8-bit picture of a simulated X-ray, bone white, metal brightest.

    Parameters
    ----------
    drr : Drr
    window : (low, high), optional
        Values for black and almost white; `display_window` of this image if not given.

    Returns
    -------
    ndarray of uint8, shape (rows, columns)
    """
    low, high = display_window(drr) if window is None else window
    if not high > low:
        raise InputError(f"the display window is empty: {low:g} to {high:g}", code="window_invalid")
    share = (_detail(drr) - low) / (high - low)
    grey = _KNEE * np.clip(share, 0.0, 1.0) ** _GAMMA + (255.0 - _KNEE) * np.clip((share - 1.0) / 0.6, 0.0, 1.0)
    return np.rint(grey).astype(np.uint8)


def _detail(drr: Drr) -> FloatArray:
    """The line integrals less most of their slow background.

    A median over a tenth of the picture, so that neither a needle nor the edge of the skin leaves a halo.
    """
    image = np.asarray(drr.line_integral, dtype=np.float64)
    step = max(1, max(image.shape) // _CELLS)
    rows, columns = (int(np.ceil(n / step)) for n in image.shape)
    even = np.pad(image, ((0, rows * step - image.shape[0]), (0, columns * step - image.shape[1])), mode="edge")
    small = np.median(even.reshape(rows, step, columns, step), axis=(1, 3))
    slow = ndimage.gaussian_filter(ndimage.median_filter(small, size=9, mode="nearest"), 3.0, mode="nearest")
    at = np.meshgrid(*((np.arange(n) + 0.5) / step - 0.5 for n in image.shape), indexing="ij")
    background = ndimage.map_coordinates(slow, at, order=1, mode="nearest")
    return np.asarray(image - _KEPT_OUT * background)


def edge_letters(carm: CArm) -> dict[str, str]:
    """Patient directions at the picture's ``top``, ``bottom``, ``left`` and ``right``: L R A P, S (head), I (feet).

    A second letter follows when the edge is more than 22.5 deg off the first direction, as in DICOM: ``"LA"``.

    >>> edge_letters(CArm(0.0, 0.0, np.zeros(3)))
    {'top': 'S', 'bottom': 'I', 'left': 'L', 'right': 'R'}
    """
    return {
        "top": _letters(-carm.row_lps),
        "bottom": _letters(carm.row_lps),
        "left": _letters(-carm.column_lps),
        "right": _letters(carm.column_lps),
    }


def _letters(direction_lps: FloatArray) -> str:
    size: Any = np.abs(direction_lps)
    order = np.argsort(-size, kind="stable")
    wanted = [order[0]] + [axis for axis in order[1:2] if size[axis] > _SECOND_LETTER]
    return "".join(_LETTERS[axis][0 if direction_lps[axis] > 0 else 1] for axis in wanted)
