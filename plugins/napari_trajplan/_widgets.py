"""The widgets of the manifest. Without Qt the manifest is read all the same, and a widget says what to install."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import napari.viewer

_NO_QT = 'the planner needs napari with Qt: pip install "trajplan[napari]"'


class Planner:
    """Plan access on the scan in this viewer.

    Calling it gives the dock itself; napari reads from `__init__` that it wants the viewer, and the dock, which needs
    Qt, is imported only here.
    """

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        raise AssertionError("what __new__ gives is no Planner")

    def __new__(cls, viewer: napari.viewer.Viewer) -> Any:
        """The dock."""
        try:
            from napari_trajplan._dock import PlannerDock
        except ImportError as error:
            raise ImportError(_NO_QT) from error
        return PlannerDock(viewer)
