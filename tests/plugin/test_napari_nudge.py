"""Arrow keys move the chosen end of a path as they point on the screen, in every view."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("napari", reason="napari is not installed")

from napari.components import ViewerModel

from napari_trajplan import _views
from napari_trajplan._coords import to_lps, to_napari
from napari_trajplan._nudge import STEP_MM, bind_arrows, nudged

ENTRY_LPS, TIP_LPS = np.array([10.0, 20.0, 30.0]), np.array([5.0, -10.0, 28.0])


@pytest.fixture
def viewer():
    model = ViewerModel()
    model.add_points(to_napari(np.stack([ENTRY_LPS, TIP_LPS])), name="Left path")
    return model


# patient directions, LPS: right of the screen, down the screen
@pytest.mark.parametrize(
    ("view", "right_lps", "down_lps"),
    [("Axial", (1, 0, 0), (0, 1, 0)), ("Sagittal", (0, 1, 0), (0, 0, -1)), ("Coronal", (1, 0, 0), (0, 0, -1))],
)
def test_an_arrow_moves_as_it_points(viewer, view, right_lps, down_lps):
    viewer.dims.order = _views.ORDERS[view]
    viewer.scene.camera.orientation = _views.ORIENTATION[view]
    data = viewer.layers[0].data
    for key, way in (("Right", right_lps), ("Down", down_lps)):
        moved = to_lps(nudged(viewer, data, {1}, key, STEP_MM)) - to_lps(data)
        assert np.allclose(moved[1], STEP_MM * np.array(way))
        assert np.allclose(moved[0], 0), "the other end stays"
    for key, back in (("Left", "Right"), ("Up", "Down")):
        there = nudged(viewer, data, {0}, key, STEP_MM)
        assert np.allclose(nudged(viewer, there, {0}, back, STEP_MM), data)


def _press(layer, key):
    found = {str(one): action for one, action in layer.keymap.items()}
    found[key](layer)


def test_keys_of_the_layer_choose_an_end_and_move_it_and_tell_whoever_listens(viewer):
    layer, told = viewer.layers[0], []
    bind_arrows(viewer, layer)
    layer.events.data.connect(lambda event: told.append(str(getattr(event.action, "value", event.action))))
    _press(layer, "T")
    assert set(layer.selected_data) == {1}
    assert np.allclose(viewer.dims.point, to_napari(TIP_LPS)), "what is moved is seen"
    before = np.array(layer.data)
    _press(layer, "Right")
    assert told[-1] == "changed"
    assert np.count_nonzero(layer.data != before) == 1
    assert set(layer.selected_data) == {1}, "a second press moves the same end"
    _press(layer, "E")
    _press(layer, "Shift+Up")
    assert np.abs(layer.data[0] - before[0]).sum() == pytest.approx(0.1)


def test_with_nothing_chosen_the_arrows_step_through_the_slices(viewer):
    layer = viewer.layers[0]
    bind_arrows(viewer, layer)
    layer.selected_data = set()
    viewer.dims.set_point(0, 29.0)
    before, at = np.array(layer.data), viewer.dims.point[0]
    _press(layer, "Right")
    assert viewer.dims.point[0] > at
    assert np.array_equal(layer.data, before)
