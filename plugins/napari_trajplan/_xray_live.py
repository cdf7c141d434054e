"""One simulated X-ray that follows: the anatomy is kept, tools move over it, only touched pixels are made anew."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.display import Window, display_window, to_display
from trajplan.fluoroscopy.drr import Drr
from trajplan.fluoroscopy.prepared import PreparedVolume
from trajplan.fluoroscopy.projector import project
from trajplan.fluoroscopy.tools import Tool, add_tools_to
from trajplan.geometry.arrays import AnyArray

PREVIEW, FULL = "preview", "fast"


class LiveXray:
    """A view of one CT with tools in the beam, as an 8-bit picture (bone white).

    Parameters
    ----------
    prepared : PreparedVolume
    anatomy : Drr
        What is seen first, without tools.
    window : Window, optional
        `display_window` of it, where it was made already.
    """

    def __init__(self, prepared: PreparedVolume, anatomy: Drr, window: Window | None = None) -> None:
        self._prepared = prepared
        self._tools: tuple[Tool, ...] = ()
        self.show(anatomy, window)

    @property
    def carm(self) -> CArm:
        """Where the view is taken from."""
        return self._anatomy.carm

    @property
    def quality(self) -> str:
        """Of the anatomy that is shown: ``preview`` or ``fast``."""
        return self._anatomy.quality

    def aim(self, carm: CArm, quality: str) -> None:
        """Move the C-arm: the anatomy is projected anew.

        Raises
        ------
        InputError, GeometryError
            The view would show nothing; the one before stays.
        """
        self.show(project(self._prepared, carm, quality=quality))

    def show(self, anatomy: Drr, window: Window | None = None) -> None:
        """Take an anatomy image that was made elsewhere."""
        self._anatomy = anatomy
        self._window = display_window(anatomy) if window is None else window
        self._clean = to_display(anatomy, window=self._window)
        self._grey = self._clean.copy()
        self._line = np.array(anatomy.line_integral, dtype=np.float32)
        self._boxes: list[tuple[slice, slice]] = []
        self.draw(self._tools)

    def draw(self, tools: Iterable[Tool]) -> AnyArray:
        """The picture with these tools, uint8 (rows, columns); the same array every time."""
        self._tools = tuple(tools)
        for box in self._boxes:
            self._line[box] = self._anatomy.line_integral[box]
            self._grey[box] = self._clean[box]
        self._boxes = add_tools_to(self._line, self._tools, self.carm)
        shown = self._window
        for box in self._boxes:
            if not self._line[box].size:
                continue
            part = Window(shown.low, shown.high, shown.gain[box], shown.offset[box])
            self._grey[box] = to_display(Drr(self._line[box], self.carm, self.quality), window=part)
        return self._grey

    @property
    def picture(self) -> AnyArray:
        """The picture as last drawn."""
        return self._grey
