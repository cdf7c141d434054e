"""One simulated X-ray as the bytes of a file: a picture, or its numbers with their place in space."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import SimpleITK as sitk
from PIL import Image, ImageDraw

from trajplan.errors import InputError
from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.coverage import cut_rays, label_places
from trajplan.fluoroscopy.display import display_window, edge_letters, to_display
from trajplan.fluoroscopy.drr import Drr
from trajplan.fluoroscopy.lines import Line
from trajplan.fluoroscopy.rays import detector_rays
from trajplan.fluoroscopy.tools import Canvas, steel_tool
from trajplan.geometry import Capsule
from trajplan.geometry.arrays import AnyArray, FloatArray
from trajplan.reporting.xray import drr_png
from trajplan.reporting.xray_tags import KEY, tagged_png, tiff, xray_tags

SUFFIXES: Final = (".png", ".tif", ".tiff", ".nrrd")
_GREYS: Final = 250
_YELLOW: Final = 255
_PALETTE: Final = bytes(
    value for k in range(256) for value in ([round(k * 255 / (_GREYS - 1))] * 3 if k < _GREYS else (255, 220, 60))
)
_FRAME_MS: Final = 120
_LAST_MS: Final = 1500


def xray_bytes(
    drr: Drr, suffix: str, *, inverted: bool = False, note: str = "", lines: Iterable[Line] = (),
    more: Mapping[str, Any] | None = None
) -> bytes:  # fmt: skip
    """A file of one X-ray, with the tags of `xray_tags`.

    Parameters
    ----------
    drr : Drr
    suffix : str
        ``.png``: the picture with letters, scale and "SIMULATED". ``.tif``, ``.tiff``: the line integrals, float32.
        ``.nrrd``: the same as a slice at the detector, LPS mm.
    inverted : bool
        Bone black on white; pictures only.
    note : str
        Put under the title of a picture, e.g. the dose estimate.
    lines : iterable of Line
        Drawn over a picture, and in the tags of every file as polylines of (row, column).
    more : mapping
        Further tags.

    Raises
    ------
    InputError
        Another suffix.
    """
    if suffix not in SUFFIXES:
        raise InputError(f"an X-ray is written as {', '.join(SUFFIXES)}, not {suffix!r}", code="usage")
    drawn = tuple(lines)
    tags = xray_tags(drr, {**(more or {}), **_polylines(drawn, drr.carm)})
    if suffix == ".png":
        return tagged_png(drr_png(drr, inverted=inverted, note=note, lines=drawn), tags)
    if suffix != ".nrrd":
        return tiff(drr, tags)
    image = sitk.GetImageFromArray(np.asarray(drr.line_integral)[None])
    rays, carm = detector_rays(drr.carm), drr.carm
    image.SetOrigin((rays.source + rays.corner).tolist())
    image.SetSpacing((carm.pixel_mm, carm.pixel_mm, 1.0))
    image.SetDirection(np.stack([carm.column_lps, carm.row_lps, carm.beam_lps], axis=1).ravel().tolist())
    image.SetMetaData(KEY, json.dumps(tags))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"xray{suffix}"
        sitk.WriteImage(image, str(path))
        return path.read_bytes()


def _polylines(lines: tuple[Line, ...], carm: CArm) -> dict[str, Any]:
    if not lines:
        return {}
    return {"overlays_px": {line.name: np.round(line.px(carm), 2).tolist() for line in lines}}


def advance_gif(
    anatomies: dict[str, Drr], needles: list[Capsule], outlines_lps: list[FloatArray], *, inverted: bool = False
) -> bytes:
    """An animation of a needle that advances, all views side by side.

    Parameters
    ----------
    anatomies : dict
        Name of the view -> its X-ray without the needle; greys stay those of the anatomy.
    needles : list of Capsule
        One a frame.
    outlines_lps : list of ndarray, shape (N, 3)
        Polylines to draw over every view, e.g. the pedicle; closed ones repeat their first point.
    """
    canvases = {name: Canvas(drr) for name, drr in anatomies.items()}
    windows = {name: display_window(drr) for name, drr in anatomies.items()}
    frames = []
    for needle in needles:
        parts = []
        for name, canvas in canvases.items():
            drr = canvas.anatomy
            shown = replace(drr, line_integral=canvas.draw([steel_tool(needle)]))
            grey = to_display(shown, window=windows[name], inverted=inverted)
            parts.append(_labelled(grey, name, drr, outlines_lps))
        frames.append(np.concatenate(parts, axis=1))
    pictures = []
    for frame in frames:
        picture = Image.frombytes("P", frame.shape[::-1], frame.tobytes())
        picture.putpalette(_PALETTE)
        pictures.append(picture)
    stream = io.BytesIO()
    times = [_FRAME_MS] * (len(pictures) - 1) + [_LAST_MS]
    pictures[0].save(stream, "GIF", save_all=True, append_images=pictures[1:], duration=times, loop=0)
    return stream.getvalue()


def _labelled(grey: AnyArray, name: str, drr: Drr, outlines_lps: list[FloatArray]) -> AnyArray:
    """The picture in the colours of `_PALETTE`, with outlines, letters and scale."""
    picture = Image.fromarray(np.asarray(grey.astype(np.uint16) * (_GREYS - 1) // 255, dtype=np.uint8))
    draw = ImageDraw.Draw(picture)
    draw.fontmode = "1"  # no shades between two colours of the palette
    carm = drr.carm
    cut = cut_rays(drr.ends_lps, carm)
    if cut is not None:
        for row, column in label_places(cut, (0.0, float(cut.shape[0])), (0.0, float(cut.shape[1]))):
            _text(draw, (column - 45, row - 6), "the scan ends here")
    for outline in outlines_lps:
        pixels = carm.project(outline)[:, ::-1]
        draw.line([(float(x), float(y)) for x, y in pixels], fill=_YELLOW, width=1)
    rows, columns = carm.detector_px
    letters = edge_letters(carm)
    _text(draw, (6, rows / 2), letters["left"])
    _text(draw, (columns - 14, rows / 2), letters["right"])
    _text(draw, (columns / 2, 18), letters["top"])
    _text(draw, (columns / 2, rows - 18), letters["bottom"])
    _text(draw, (6, 4), f"{name.upper()}  SIMULATED  not for clinical use")
    length = 20.0 * carm.magnification / carm.pixel_mm
    draw.line([(8, rows - 8), (8 + length, rows - 8)], fill=_GREYS - 1, width=2)
    _text(draw, (8, rows - 24), "20 mm at the isocentre")
    return np.asarray(picture)


def _text(draw: ImageDraw.ImageDraw, place: tuple[float, float], text: str) -> None:
    for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        draw.text((place[0] + dx, place[1] + dy), text, fill=0)
    draw.text(place, text, fill=_YELLOW)
