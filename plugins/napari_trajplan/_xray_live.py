"""One simulated X-ray that follows: the anatomy is kept, tools move over it, only touched pixels are made anew."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from napari_trajplan._xray_develop import Developed
from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.display import Window, to_display
from trajplan.fluoroscopy.drr import Drr
from trajplan.fluoroscopy.tools import Tool, add_tools_to
from trajplan.geometry.arrays import AnyArray


class LiveXray:
    """A view of one CT with tools in the beam, as an 8-bit picture (bone white)."""

    def __init__(self, developed: Developed) -> None:
        self._tools: tuple[Tool, ...] = ()
        self.show(developed)

    @property
    def carm(self) -> CArm:
        """Where the view is taken from."""
        return self.developed.drr.carm

    @property
    def kind(self) -> str:
        """Of the anatomy that is shown: preview, full or exposed."""
        return self.developed.kind

    def show(self, developed: Developed) -> None:
        """Take another anatomy image."""
        self.developed = developed
        self._clean = to_display(developed.drr, window=developed.window)
        self._grey = self._clean.copy()
        self._line = np.array(developed.drr.line_integral, dtype=np.float32)
        self._boxes: list[tuple[slice, slice]] = []
        self.draw(self._tools)

    def draw(self, tools: Iterable[Tool]) -> AnyArray:
        """The picture with these tools, uint8 (rows, columns); the same array every time."""
        anatomy, shown = self.developed.drr, self.developed.window
        self._tools = tuple(tools)
        for box in self._boxes:
            self._line[box] = anatomy.line_integral[box]
            self._grey[box] = self._clean[box]
        self._boxes = add_tools_to(self._line, self._tools, self.carm)
        for box in self._boxes:
            if not self._line[box].size:
                continue
            part = Window(shown.low, shown.high, shown.gain[box], shown.offset[box])
            self._grey[box] = to_display(Drr(self._line[box], self.carm, anatomy.quality), window=part)
        return self._grey

    @property
    def picture(self) -> AnyArray:
        """The picture as last drawn."""
        return self._grey
