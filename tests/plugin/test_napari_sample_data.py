"""A phantom opened in napari lies where its truth says, in the model and on the screen."""

from __future__ import annotations

import numpy as np
import pytest
from displays import no_display

from napari_trajplan._coords import grid_of, to_lps, to_napari
from napari_trajplan._sample_data import phantom_layers
from trajplan.errors import InputError
from trajplan.levels import LEVEL_IDS
from trajplan_phantoms import Scanner, make_phantom, named

_SPACING_MM = 2.0
_NAME = "asymmetric-L1"


@pytest.fixture(scope="module")
def layers():
    return phantom_layers(_NAME, _SPACING_MM)


@pytest.fixture(scope="module")
def phantom():
    return make_phantom(named(_NAME), Scanner((_SPACING_MM,) * 3))


def test_a_sample_is_an_image_and_a_labels_layer_on_one_grid(layers, phantom):
    (image, image_place, image_kind), (labels, labels_place, labels_kind) = layers
    assert (image_kind, labels_kind) == ("image", "labels")
    assert image.shape == labels.shape
    for data, place in ((image, image_place), (labels, labels_place)):
        assert grid_of(data.shape, place["scale"], place["translate"]).same_as(phantom.ct.grid)


def test_an_unknown_phantom_is_refused_with_the_names_there_are():
    with pytest.raises(InputError, match="wedge-L1"):
        phantom_layers("no-such-phantom")


def test_in_the_napari_model_the_labels_lie_where_the_phantom_lies(layers, phantom):
    components = pytest.importorskip("napari.components", reason="napari is not installed")
    from napari.layers import Layer

    viewer = components.ViewerModel()
    for layer in layers:
        viewer.add_layer(Layer.create(*layer))
    image, labels = viewer.layers
    assert [str(unit) for unit in labels.units] == ["millimeter"] * 3
    assert tuple(labels.axis_labels) == ("S", "P", "L")
    assert np.allclose(image.extent.world, labels.extent.world)

    # The centre of L1, from the model's own transform, against the phantom's own grid.
    wanted = LEVEL_IDS["L1"]
    center_index = np.argwhere(labels.data == wanted).mean(axis=0)
    center_lps = phantom.labels.grid.index_to_world(center_index)
    assert np.allclose(to_lps(labels.data_to_world(center_index)), center_lps, atol=1e-6)
    left_of_patient = np.argwhere(phantom.parts.array == 2).mean(axis=0)
    right_of_patient = np.argwhere(phantom.parts.array == 3).mean(axis=0)
    assert labels.data_to_world(left_of_patient)[2] > labels.data_to_world(right_of_patient)[2]

    # A click on the middle of the body reads L1.
    body_lps = phantom.parts.grid.index_to_world(np.argwhere(phantom.parts.array == 1).mean(axis=0))
    assert labels.get_value(to_napari(body_lps), world=True) == wanted


@pytest.mark.viewer
def test_a_sample_opened_from_the_menu_is_seen_on_the_screen(request, monkeypatch):
    reason = no_display()
    if reason:
        pytest.skip(reason)
    pytest.importorskip("napari", reason="napari is not installed")
    from qtpy.QtWidgets import QApplication

    from napari_trajplan import _sample_data

    coarse = phantom_layers(_NAME, _SPACING_MM)
    monkeypatch.setattr(_sample_data, "phantom_layers", lambda name: coarse)
    viewer = request.getfixturevalue("make_napari_viewer")(show=True)
    opened = viewer.open_sample("trajplan", "wedge-L1")
    assert [layer.name for layer in opened] == [f"{_NAME} CT", f"{_NAME} vertebrae"]
    viewer.dims.set_point(0, float(opened[1].extent.world.mean(axis=0)[0]))
    for _ in range(5):
        QApplication.processEvents()
    picture = viewer.screenshot(flash=False)
    assert picture[..., :3].std() > 10, "the canvas is blank"
    assert len(np.unique(picture[..., :3].reshape(-1, 3), axis=0)) > 100, "no shades of grey: the CT is not drawn"
