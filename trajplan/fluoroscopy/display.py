"""Line integrals to a grey picture, and the letters at its edges.

Radiograph convention: dense is bright, bone white and metal brightest. (Many C-arms show the inverse; take
``255 - picture`` for that.) The grey scale is logarithmic in the detected fraction. What digital X-ray machines do to
such an image is done here in the same order, each step a stated formula of the image alone:

1. most of the slow change across the body is taken off, or soft tissue spends the grey scale and bone drowns;
2. local contrast is evened out: what differs from its surroundings is amplified where contrast is poor and
   damped where it is rich, by a gain that is kept within `_GAIN_LIMITS`;
3. edges are sharpened (unsharp mask);
4. the window is set on the neighbourhood of the isocentre, where a C-arm is aimed.

Where the scan ends inside the field (`coverage`), the rest is left out of all four and drawn as nothing, so that the
end is no false edge; behind the collimator's blades the picture is black, also when it is inverted.

At every pixel the grey rises with the line integral, so nothing denser is ever drawn darker there; but greys can only
be compared near each other: distances can be read off the picture, densities cannot. Metal is left out of every
neighbourhood, and a window made from the anatomy alone keeps the greys beside a needle exactly as they were.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from trajplan.errors import InputError
from trajplan.fluoroscopy.blades import behind_blades, open_part, open_px, shut
from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.coverage import cut_rays
from trajplan.fluoroscopy.drr import Drr
from trajplan.geometry.arrays import BoolArray, FloatArray, frozen

_PERCENTILES = (0.5, 99.5)
_WINDOW_RADIUS_MM = 42.0
"""At the isocentre: one vertebra with its neighbours' end plates."""
_KEPT_OUT = 0.85  # share of the slow background that is taken off
_CELLS = 64  # the background is found on an image of about this size
_METAL = 0.8  # excess over the background that no bone reaches: over 20 mm of solid cortex
_AREA_MM = 10.0  # at the isocentre: Gaussian sigma of the surroundings that contrast is evened out over
_EDGE_MM = 1.2  # at the isocentre: Gaussian sigma of the unsharp mask, about a cortex wide
_EDGE_GAIN = 1.0
_KEPT_AREA = 0.5  # share of the surroundings' own level that is kept: bone stays brighter than what lies beside it
_CONTRAST = 0.12  # standard deviation of the line integral that local contrast is brought towards
_GAIN_LIMITS = (0.4, 2.5)
_KNEE = 232.0  # grey at the top of the window; denser than any anatomy is squeezed between here and white
_SECOND_LETTER = float(np.sin(np.radians(22.5)))
_SHAFT_MM = 10.0  # wider than any instrument is seen, at the isocentre
_LETTERS = (("L", "R"), ("P", "A"), ("S", "I"))


@dataclass(frozen=True, eq=False)
class Window:
    """How line integrals become greys: ``gain * line_integral + offset`` from `low` (black) to `high` (almost white).

    `gain` (>= 0) and `offset` have the shape of the picture and hold the background, local contrast and edge steps.
    """

    low: float
    high: float
    gain: FloatArray
    offset: FloatArray


def display_window(drr: Drr) -> Window:
    """The window of a simulated X-ray, from the neighbourhood of its isocentre.

    Take it from the anatomy alone and pass it to `to_display`, so that the greys stay put while tools move.
    """
    part = replace(drr, line_integral=drr.line_integral[open_px(drr.carm)], carm=open_part(drr.carm))
    cut = cut_rays(part.ends_lps, part.carm)
    gain, offset, left_out = _enhancement(part, cut)
    values, met = gain * part.line_integral + offset, (part.line_integral > 0.02) & ~left_out
    rows, columns = np.ogrid[: met.shape[0], : met.shape[1]]
    middle = (np.array(met.shape) - 1) / 2
    near = np.hypot(rows - middle[0], columns - middle[1]) * _mm_per_px(drr.carm) < _WINDOW_RADIUS_MM
    seen = values[met & near] if (met & near).any() else values[met]
    low, high = 0.0, 1.0
    if seen.size:
        low, high = (float(np.percentile(seen, percent)) for percent in _PERCENTILES)
    if cut is not None:  # black but for what is narrow and dense: an instrument
        wide = ndimage.grey_opening(part.line_integral, max(3, round(_SHAFT_MM / _mm_per_px(part.carm))))
        offset[cut] = (low - gain * (wide + _METAL))[cut]
    whole = behind_blades(gain, drr.carm), behind_blades(offset, drr.carm, low)
    return Window(low, max(high, low + 1e-3), frozen(whole[0]), frozen(whole[1]))


def to_display(drr: Drr, *, window: Window | None = None, inverted: bool = False) -> NDArray[np.uint8]:
    """An 8-bit picture of a simulated X-ray, bone white and metal brightest, or the inverse.

    Parameters
    ----------
    drr : Drr
    window : Window, optional
        `display_window` of this image if not given.
    inverted : bool
        Bone dark on light.

    Returns
    -------
    ndarray of uint8, shape (rows, columns)

    Raises
    ------
    InputError
        The window is empty or belongs to a picture of another size.
    """
    shown = display_window(drr) if window is None else window
    if not shown.high > shown.low:
        raise InputError(f"the display window is empty: {shown.low:g} to {shown.high:g}", code="window_invalid")
    if shown.gain.shape != drr.line_integral.shape:
        raise InputError(
            f"the display window is of a picture of {shown.gain.shape} px, this one has {drr.line_integral.shape}",
            code="window_invalid",
        )
    share = (shown.gain * drr.line_integral + shown.offset - shown.low) / (shown.high - shown.low)
    grey = _KNEE * np.clip(share, 0.0, 1.0) + (255.0 - _KNEE) * np.clip((share - 1.0) / 0.6, 0.0, 1.0)
    picture = np.rint(255.0 - grey if inverted else grey).astype(np.uint8)
    shut(picture, drr.carm)
    return picture


def _enhancement(drr: Drr, cut: BoolArray | None) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Gain and offset of every pixel (background off, contrast evened out, edges sharpened), and what was left out.

    With `flat` the image less most of its background, `area` its mean over `_AREA_MM` and `edge` its mean over
    `_EDGE_MM`, the value is ``kept * area + g * ((flat - area) + e * (flat - edge))``: linear in the pixel itself.
    """
    image = np.asarray(drr.line_integral, dtype=np.float64)
    mm_per_px = _mm_per_px(drr.carm)
    background = _background(image, cut)
    flat = image - _KEPT_OUT * background
    free = ndimage.minimum_filter((image - background < _METAL).astype(np.float64), 3)
    if cut is not None:
        free[cut] = 0

    cell = max(1, round(0.25 * _AREA_MM / mm_per_px))
    weight = _surroundings(free, cell, mm_per_px)
    area = _surroundings(free * flat, cell, mm_per_px) / weight
    spread = np.sqrt(_surroundings(free * (flat - area) ** 2, cell, mm_per_px) / weight)
    amplified = np.clip(_CONTRAST / np.maximum(spread, 1e-6), *_GAIN_LIMITS)

    sigma_px = _EDGE_MM / mm_per_px
    near = ndimage.gaussian_filter(free, sigma_px, mode="nearest", truncate=3.0)
    mean = ndimage.gaussian_filter(free * flat, sigma_px, mode="nearest", truncate=3.0)
    edge = np.where(near > 0.05, mean / np.maximum(near, 0.05), area)

    gain = (1.0 + _EDGE_GAIN) * amplified
    offset = _KEPT_AREA * area - amplified * (area + _EDGE_GAIN * edge) - gain * _KEPT_OUT * background
    return gain, offset, np.asarray(free == 0)


def _mm_per_px(carm: CArm) -> float:
    return carm.pixel_mm / carm.magnification


def _background(image: FloatArray, cut: BoolArray | None) -> FloatArray:
    """A median over a tenth of the picture, so that neither a needle nor the edge of the skin leaves a halo.

    Where rays are cut it goes on as it was at the nearest whole ones.
    """
    step = max(1, max(image.shape) // _CELLS)
    small = np.median(_cells(image, step), axis=(1, 3))
    if cut is not None and not cut.all():
        lost = _cells(cut.astype(np.float64), step).max(axis=(1, 3)) > 0
        if not lost.all():
            nearest = ndimage.distance_transform_edt(lost, return_distances=False, return_indices=True)
            small = small[tuple(nearest)]
    slow = ndimage.gaussian_filter(ndimage.median_filter(small, size=9, mode="nearest"), 3.0, mode="nearest")
    return enlarged(slow, image.shape, step)


def _surroundings(image: FloatArray, step: int, mm_per_px: float) -> FloatArray:
    """Gaussian mean over `_AREA_MM`, worked out on cells of `step` pixels; never zero, so that it may divide."""
    small = _cells(image, step).mean(axis=(1, 3))
    mean = ndimage.gaussian_filter(small, _AREA_MM / mm_per_px / step, mode="nearest", truncate=3.0)
    return enlarged(mean, image.shape, step) + 1e-9


def _cells(image: FloatArray, step: int) -> FloatArray:
    """The image as (rows, step, columns, step), its edges repeated where no cell fits."""
    rows, columns = (-(-n // step) for n in image.shape)
    even = np.pad(image, ((0, rows * step - image.shape[0]), (0, columns * step - image.shape[1])), mode="edge")
    return np.asarray(even.reshape(rows, step, columns, step))


def enlarged(small: FloatArray, shape: tuple[int, ...], step: int) -> FloatArray:
    """Cells back to pixels, linear between the middles of the cells."""
    by_row, by_column = (_linear(n, m, step) for n, m in zip(shape, small.shape, strict=True))
    return np.asarray(by_row @ small @ by_column.T)


def _linear(pixels: int, cells: int, step: int) -> FloatArray:
    """The matrix, shape (pixels, cells), that interpolates cells at pixels."""
    at = np.clip((np.arange(pixels) + 0.5) / step - 0.5, 0, cells - 1)
    return np.asarray(np.maximum(0.0, 1.0 - np.abs(at[:, None] - np.arange(cells)[None, :])))


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
