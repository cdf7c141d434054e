"""The widgets of the manifest. Without Qt the manifest is read all the same, and a widget says what to install."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import napari.viewer

_NO_QT = 'the planner needs napari with Qt: pip install "trajplan[napari]" "napari[pyside6]"'


def planner(viewer: napari.viewer.Viewer) -> Any:
    """Plan access on the scan in this viewer."""
    try:
        from napari_trajplan._dock import PlannerDock
    except ImportError as error:
        raise ImportError(_NO_QT) from error
    return PlannerDock(viewer)
