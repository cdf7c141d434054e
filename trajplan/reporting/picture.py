"""Picture: one finished PNG with what it shows."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from functools import cached_property

import PIL.Image
from matplotlib import rc_context
from matplotlib.figure import Figure

_QUALITY, _EFFORT = 72, 2
"""Letters of 7 points stay clean; a third of the bytes of a PNG."""


@dataclass(frozen=True)
class Picture:
    """A PNG of the report.

    Parameters
    ----------
    name : str
        File name without folder, ends in ``.png``.
    title : str
    caption : str
        What to look for.
    group : str
        ``overview``, ``left``, ``right`` or ``xray``: where the report puts it.
    png : bytes
    figure : Figure, optional
        What it was drawn on, for other formats.
    """

    name: str
    title: str
    caption: str
    group: str
    png: bytes
    figure: Figure | None = None

    @cached_property
    def data_uri(self) -> str:
        """The picture inside a page, so that the page needs no other file and no network; the smaller of two forms."""
        kind, data = min((("png", self.png), ("webp", self._webp())), key=lambda form: len(form[1]))
        return f"data:image/{kind};base64," + base64.b64encode(data).decode("ascii")

    def as_file(self, suffix: str) -> bytes:
        """The picture as ``.png``, ``.tiff`` or ``.svg`` (letters and lines as such, the CT as pixels in it)."""
        if suffix == ".png" or (suffix == ".svg" and self.figure is None):
            return self.png
        stream = io.BytesIO()
        if suffix == ".svg" and self.figure is not None:
            with rc_context({"svg.hashsalt": self.name, "svg.fonttype": "none"}):
                self.figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": "trajplan"})
        else:
            with PIL.Image.open(io.BytesIO(self.png)) as image:
                image.convert("RGB").save(stream, format="TIFF", compression="tiff_deflate", dpi=image.info.get("dpi"))
        return stream.getvalue()

    def _webp(self) -> bytes:
        stream = io.BytesIO()
        with PIL.Image.open(io.BytesIO(self.png)) as image:
            image.convert("RGB").save(stream, format="WEBP", quality=_QUALITY, method=_EFFORT)
        return stream.getvalue()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, from the PNG's own header, so that a page keeps its shape while it loads."""
        return int.from_bytes(self.png[16:20], "big"), int.from_bytes(self.png[20:24], "big")
