"""What a person chooses in the viewer: the scan, labels that came with it, the vertebra, the mask as painted."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Image, Labels, Layer
from numpy.typing import ArrayLike
from qtpy.QtCore import QObject, Signal

from napari_trajplan import _layer_data, _layers, _opened, _vertebra_layers
from napari_trajplan._coords import to_lps
from napari_trajplan._session import Session, Step
from napari_trajplan._tell import Telling
from trajplan.errors import InputError
from trajplan.geometry import LabelMap
from trajplan.levels import LEVEL_NAMES, UNKNOWN_LEVEL_ID, level_id
from trajplan.parts import Part
from trajplan.target import Target

_BONE = (Part.BODY, Part.PEDICLE_LEFT, Part.PEDICLE_RIGHT, Part.POSTERIOR)

_SAME_MM = 10.0
"""Two points of one body that are meant to be the same lie closer; the next body is 25 mm away and more."""


class Choices(QObject):
    """Choices of one case. `told` is a line for the user; `put_away` says that the case before is over, `opened` that
    another has begun with a scan."""

    told = Signal(str)
    put_away = Signal()
    opened = Signal(object)

    def __init__(self, viewer: Any, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer, self._session = viewer, session
        viewer.layers.events.removed.connect(self._layer_removed)

    def images(self) -> list[Image]:
        """The image layers that trajplan has read."""
        return _opened.images(self._viewer)

    def label_layers(self) -> list[Labels]:
        """The labels of vertebrae that belong to the scan in work."""
        return _opened.label_layers(self._viewer, self._session.inputs.scan)

    def load(self, layer: Layer | None = None) -> bool:
        """Take a scan: the layer given, or the only (or selected) one there is. Whether there is one now."""
        with Telling(self.told):
            scan = _layer_data.scan_of(layer or _opened.only_image(self._viewer))
            before = self._session.inputs.scan
            if before is None or scan.sha256 != before.sha256:
                self.put_away.emit()
                self._session.set_scan(scan)
                if found := self.label_layers():
                    self.use_labels(found[-1])
                self.opened.emit(scan)
            return True
        return False

    def use_labels(self, layer: Layer | None) -> None:
        """Take labels as they are in their layer now; None to segment."""
        with Telling(self.told):
            if layer is None:
                self._session.set_labels(None, None)
                return
            labels = _layer_data.labels_of(layer, LEVEL_NAMES)
            made_up = "level" in _opened.about(layer)
            if made_up:
                self._session.set_level(_opened.about(layer)["level"])  # of a phantom it is known, not counted
            self._session.set_labels(labels, "phantom truth labels" if made_up else "labels of the viewer")

    # the vertebra ---------------------------------------------------------------------------------------------------

    @property
    def picking(self) -> bool:
        """Whether the next click in a slice is taken."""
        return self._clicked in self._viewer.mouse_drag_callbacks

    def pick(self, on: bool) -> None:
        """Take the next click in a slice as a point in the vertebra."""
        callbacks = self._viewer.mouse_drag_callbacks
        callbacks[:] = [one for one in callbacks if one != self._clicked]
        if on:
            callbacks.append(self._clicked)

    def choose_at(self, point_lps: ArrayLike) -> None:
        """Choose the vertebra by a point in its body, LPS mm: clicked, typed, or of a row of the table."""
        with Telling(self.told):
            if not self.load():
                return
            session, point = self._session, np.asarray(point_lps, dtype=float)
            if session.inputs.scan is None or not session.inputs.scan.volume.grid.contains(point):
                raise InputError("that place lies outside the scan: click on the vertebral body", code="seed_outside")
            before = session.inputs.seed_lps
            if session.inputs.labels is not None or (before is not None and np.linalg.norm(point - before) > _SAME_MM):
                session.set_level(None)  # the level that was stated was that of the vertebra before
            session.set_seed(point)
            self.pick(False)
            self.told.emit(f"Vertebra chosen at ({', '.join(f'{v:.0f}' for v in point)}) LPS mm. Press Plan.")

    def _clicked(self, viewer: Any, event: Any) -> None:
        with Telling(self.told):
            if viewer.dims.ndisplay != 2:
                raise InputError("click in a slice: press the 2D/3D button of napari to leave 3D", code="in_3d")
            self.choose_at(to_lps(np.array(event.position)[-3:]))

    # the mask -------------------------------------------------------------------------------------------------------

    def confirm(self) -> None:
        """The contours are right; the plan has to be made again with that word."""
        with Telling(self.told):
            self._session.confirm_mask()

    def edit_mask(self) -> None:
        """Put the mask into a layer that can be painted in."""
        with Telling(self.told):
            target: Target = self._session.require(Step.SEGMENT)
            parts = target.vertebra.parts
            mask = parts.mask(*_BONE).astype(np.uint8) * (target.vertebra.level_id or UNKNOWN_LEVEL_ID)
            layer = _vertebra_layers.show_mask(self._viewer, LabelMap(mask.astype(np.uint8), parts.grid))
            layer.visible = True
            layer.selected_label = int(mask.max())
            self._viewer.layers.selection.active = layer
            self.told.emit("Paint or erase in the layer Mask, then press Update.")

    def take_mask(self) -> bool:
        """Take the mask as it was painted; everything after Vertebra is stale. Whether it could be taken."""
        with Telling(self.told):
            layer = _layers.find(self._viewer, _vertebra_layers.MASK)
            if layer is None:
                raise InputError("there is no mask to take: press Edit mask first", code="no_mask")
            target = self._session.target
            level = self._session.inputs.level or (target and target.vertebra.level)
            if level is None:
                raise InputError("choose the level under Vertebra first, then press Update", code="no_level")
            labels = _layer_data.labels_of(layer, LEVEL_NAMES)
            array = np.where(labels.array > 0, level_id(level), 0).astype(np.uint8)
            self._session.set_level(level)
            self._session.set_labels(LabelMap(array, labels.grid, LEVEL_NAMES), "mask edited in the viewer")
            return True
        return False

    # upkeep ---------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Let go of the viewer."""
        self.pick(False)
        self._viewer.layers.events.removed.disconnect(self._layer_removed)

    def _layer_removed(self, event: Any) -> None:
        scan = self._session.inputs.scan
        if scan is None or _opened.about(event.value).get("scan") is not scan:
            return
        self.put_away.emit()
        self._session.set_scan(None)
        self.told.emit("The scan was closed; its case was put away.")
