"""Make the pictures of docs/window.md: the real window on the demo phantom.

Needs napari with Qt and a display: ``env -u QT_QPA_PLATFORM xvfb-run -a python docs/make_window_figures.py``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import napari
import numpy as np
from napari.layers import Layer
from qtpy.QtWidgets import QApplication

from napari_trajplan._below import to_front
from napari_trajplan._dock import PlannerDock
from napari_trajplan._sample_data import phantom_layers
from napari_trajplan._session import State, Step
from napari_trajplan._views import middle_of, show_view
from trajplan.parts import Side

IMG = Path(__file__).parent / "img"


def main() -> None:
    """Plan, move, the linked views, 3D beside X-rays with noise: a picture of each."""
    viewer = napari.Viewer(show=True)
    viewer.window._qt_window.resize(1280, 800)
    dock = PlannerDock(viewer)
    viewer.window.add_dock_widget(dock, name="Planner (trajplan)", area="right")
    for layer in phantom_layers("wedge-L1"):
        viewer.add_layer(Layer.create(*layer))
    dock.plan_button.click()
    _until(lambda: not dock.planner.busy and not dock.planner.paths.later.waiting)
    center = middle_of(dock.session.target.vertebra)
    show_view(viewer, "Axial", center)
    _shoot(viewer, "window-plan")

    entry, target = dock.planner.paths.ends(Side.LEFT)
    dock.planner.paths.drag(Side.LEFT, (entry, target + np.array([0.0, 0.0, -6.0])), final=True)
    _until(lambda: bool(dock.session.edits.now) and dock.session.state(Step.VERIFY) is State.DONE)
    show_view(viewer, "Sagittal", center)
    _shoot(viewer, "window-moved")

    dock.planner.paths.undo()
    _until(lambda: not dock.planner.busy)
    to_front(dock.slices)
    show_view(viewer, "Axial", center)
    dock.slices.go_to(middle_of(dock.session.target.vertebra))
    _shoot(viewer, "window-slices")

    dock.show_xrays()
    screens = dock.xrays.screens
    screens[0].buttons["en_face_left"].click()
    dock.xrays.noise.setChecked(True)
    dock.xrays.inverse.setChecked(True)
    _until(lambda: all(screen.live.kind == "exposed" for screen in screens))
    show_view(viewer, "3D", center)
    _shoot(viewer, "window-3d")
    dock.planner.close()
    viewer.close()


def _until(holds: Callable[[], bool]) -> None:
    while not holds():
        QApplication.processEvents()
        time.sleep(0.01)


def _shoot(viewer: napari.Viewer, name: str) -> None:
    end = time.monotonic() + 2.0
    _until(lambda: time.monotonic() > end)
    viewer.screenshot(path=str(IMG / f"{name}.png"), canvas_only=False, flash=False)


if __name__ == "__main__":
    main()
