"""Picture: one finished PNG with what it shows."""

from __future__ import annotations

import base64
from dataclasses import dataclass


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
    """

    name: str
    title: str
    caption: str
    group: str
    png: bytes

    @property
    def data_uri(self) -> str:
        """The picture inside a page, so that the page needs no other file and no network."""
        return "data:image/png;base64," + base64.b64encode(self.png).decode("ascii")

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, from the PNG's own header, so that a page keeps its shape while it loads."""
        return int.from_bytes(self.png[16:20], "big"), int.from_bytes(self.png[20:24], "big")
