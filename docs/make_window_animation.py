"""Make docs/img/window-advance.gif and window-vertebra.png: the real window, the needle advancing in every view.

Needs napari with Qt and a display: ``env -u QT_QPA_PLATFORM xvfb-run -a python docs/make_window_animation.py``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import napari
import numpy as np
from napari.layers import Layer
from PIL import Image
from qtpy.QtWidgets import QApplication

from napari_trajplan._dock import PlannerDock
from napari_trajplan._sample_data import phantom_layers
from napari_trajplan._session import Step
from napari_trajplan._views import look_at, middle_of, show_view

IMG = Path(__file__).parent / "img"
FRAMES, FRAME_MS, LAST_MS = 10, 300, 1500
MIDDLE = 333, 24, 917, 668
WIDTH = 480
COLORS = 80


def main() -> None:
    """List the levels, plan, then move the slider from the bone to the final tip."""
    viewer = napari.Viewer(show=True)
    viewer.window._qt_window.resize(1280, 800)
    dock = PlannerDock(viewer)
    viewer.window.add_dock_widget(dock, name="Planner (trajplan)", area="right")
    dock.tour.setVisible(False)
    for layer in phantom_layers("wedge-L1"):
        viewer.add_layer(Layer.create(*layer))
    dock.steps[Step.VERTEBRA].header.setChecked(True)
    dock.vertebra.find()
    _until(lambda: not dock.planner.busy)
    target = dock.session.inputs.scan.volume.grid.center_lps
    show_view(viewer, "Axial", target)
    _rest(1.0)
    _picture(viewer).quantize(200).save(IMG / "window-vertebra.png", optimize=True)

    dock.steps[Step.VERTEBRA].header.setChecked(False)
    dock.steps[Step.LOAD].header.setChecked(False)
    dock.plan_button.click()
    _until(lambda: not dock.planner.busy and not dock.planner.paths.later.waiting)
    show_view(viewer, "Axial", middle_of(dock.session.target.vertebra))
    path = next(iter(dock.planner.paths.live.values()))
    frames = []
    for share in np.linspace(0.0, 1.0, FRAMES):
        depth_mm = share * path.capsule.length_mm
        for side, one in dock.planner.paths.live.items():
            dock.planner.paths.advance(side, share * one.capsule.length_mm)
        look_at(viewer, path.entry_lps + depth_mm * path.direction_lps)
        _rest(0.5)
        frames.append(_small(_picture(viewer)))
    times = [FRAME_MS] * (FRAMES - 1) + [LAST_MS]
    frames[0].save(
        IMG / "window-advance.gif", save_all=True, append_images=frames[1:], duration=times, loop=0, optimize=True
    )
    dock.planner.close()
    viewer.close()


def _picture(viewer: Any) -> Image.Image:
    return Image.fromarray(viewer.screenshot(canvas_only=False, flash=False)[..., :3])


def _small(picture: Image.Image) -> Image.Image:
    """The slices and the X-rays; the columns beside them stand still."""
    middle = picture.crop(MIDDLE)
    height = round(WIDTH * middle.height / middle.width)
    return middle.resize((WIDTH, height), Image.Resampling.LANCZOS).quantize(
        COLORS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE
    )


def _rest(seconds: float) -> None:
    end = time.monotonic() + seconds
    _until(lambda: time.monotonic() > end)


def _until(holds: Callable[[], bool]) -> None:
    while not holds():
        QApplication.processEvents()
        time.sleep(0.01)


if __name__ == "__main__":
    main()
