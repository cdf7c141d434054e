"""How large and where the linked views show their planes, and what stands still under the mouse. No Qt."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_trajplan._slice_planes import FIELD_MM, SLICES, Look, View, on_plane, plane_of
from trajplan.geometry.arrays import FloatArray
from trajplan.reporting.reslice import Plane

_FIELDS_MM = (8.0, 400.0)
_FINEST_MM = 0.1
_COARSE = 2.0


class Framing:
    """Field (mm across the smaller side) and shift of every view; the slices share theirs."""

    def __init__(self) -> None:
        self.whole()

    def whole(self) -> None:
        """All views at their first size and place."""
        self._fields_mm = dict(FIELD_MM)
        self._shift_mm = {view: np.zeros(2) for view in View}
        self._held_lps: dict[View, FloatArray] = {}

    def magnify(self, view: View, factor: float) -> tuple[View, ...]:
        """Show less (`factor` below 1) or more; which views that changes."""
        changed = tuple(SLICES) if view in SLICES else (view,)
        for one in changed:
            self._fields_mm[one] = float(np.clip(self._fields_mm[one] * factor, *_FIELDS_MM))
        return changed

    def shift(self, view: View, xy_mm: FloatArray) -> None:
        """Move the picture of a view."""
        self._shift_mm[view] = self._shift_mm[view] - xy_mm

    def center(self) -> None:
        """The slices have their middle in the middle again."""
        for view in SLICES:
            self._shift_mm[view] = np.zeros(2)

    def hold(self, view: View, plane: Plane) -> None:
        """The picture stands still although its middle would go with the path that is dragged in it."""
        self._held_lps.setdefault(view, plane.center_lps)

    def let_go(self) -> None:
        """Nothing is dragged any more."""
        self._held_lps.clear()

    def mm_per_px(self, view: View, size_px: tuple[int, int]) -> float:
        """Of a view of this width and height on the screen."""
        return self._fields_mm[view] / max(1, min(size_px))

    def plane(self, view: View, look: Look, size_px: tuple[int, int], *, coarse: bool = False) -> Plane | None:
        """Where a view lies, as large as it is on the screen; None where it needs a path and there is none."""
        scale = self.mm_per_px(view, size_px)
        step = max(_FINEST_MM, scale * (_COARSE if coarse else 1.0))
        plane = plane_of(view, look, size_px[0] / 2 * scale, size_px[1] / 2 * scale, step)
        if plane is None:
            return None
        held = self._held_lps.get(view)
        return replace(plane, center_lps=on_plane(plane, self._shift_mm[view]) if held is None else held)
