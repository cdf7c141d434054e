"""Mistakes of a user are met with a line of what to do, in the terms of the window; nothing breaks."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("napari", reason="napari is not installed")
pytest.importorskip("qtpy", reason="Qt is not installed")

from dicom_files import write_series
from napari.layers import Layer
from viewer_window import click_at, press, settled, until

from napari_trajplan import _sample_data, _vertebra_layers, _views
from napari_trajplan._coords import to_napari
from napari_trajplan._reader import read_layers
from napari_trajplan._session import State, Step, short_message
from trajplan.errors import InputError

pytestmark = pytest.mark.viewer


@pytest.fixture
def planner(window):
    """Window, planner, and all that was told."""
    viewer, dock = window
    told = []
    dock.planner.told.connect(told.append)
    return viewer, dock, told


def _add(viewer, name="wedge-L1", spacing_mm=3.0, labels=True):
    for layer in _sample_data.phantom_layers(name, spacing_mm)[: 2 if labels else 1]:
        viewer.add_layer(Layer.create(*layer))


def _as_mr(_number, header):
    header.Modality = "MR"


def test_no_image(planner):
    _, dock, told = planner
    press(dock.plan_button)
    assert "no scan is open: use File > Open" in told[-1]
    dock.planner.save("nowhere")
    assert "open a scan first" in told[-1]


def test_an_image_that_trajplan_has_not_read(planner):
    viewer, dock, told = planner
    viewer.add_image(np.zeros((8, 9, 10), np.int16), name="MR", contrast_limits=(0, 1))
    press(dock.plan_button)
    assert "left and right of 'MR' are not known" in told[-1]
    assert "choose trajplan as its reader" in told[-1]


def test_an_mr_image_is_refused_by_its_modality(tmp_path):
    folder = write_series(tmp_path / "mr", np.zeros((4, 8, 8), np.int16), edit=_as_mr)
    with pytest.raises(InputError, match="MR") as caught:
        read_layers(str(folder))
    assert "--" not in short_message(caught.value)


def test_two_images_and_none_chosen(planner):
    viewer, dock, told = planner
    _add(viewer, "intact-L3", 4.0, labels=False)
    _add(viewer, "wedge-L1", 4.0, labels=False)
    first = dock.session.inputs.scan
    assert first is not None, "the first one is taken as it comes"
    viewer.layers.selection.clear()
    viewer.layers.selection.active = None
    press(dock.plan_button)
    assert "more than one scan is open" in told[-1]
    assert "choose one under Load" in told[-1]
    dock.image.setCurrentIndex(1)
    dock.image.activated.emit(1)
    assert dock.session.inputs.scan is not first


def test_clicking_air(planner):
    viewer, dock, told = planner
    _add(viewer, labels=False)
    dock.session.set_backend("network")
    grid = dock.session.inputs.scan.volume.grid
    corner = grid.index_to_world(np.array([grid.shape_zyx[0] // 2, 3, grid.shape_zyx[2] // 2]))
    _views.show_view(viewer, "Axial", grid.center_lps)
    _views.look_at(viewer, corner)
    viewer.scene.camera.zoom /= 3
    dock.steps[Step.VERTEBRA].header.setChecked(True)
    press(dock.vertebra.pick_button)
    click_at(viewer, dock.planner.choices.images()[0], to_napari(corner))
    assert dock.session.inputs.seed_lps is not None
    press(dock.plan_button)
    settled(dock)
    assert dock.session.state(Step.SEGMENT) is State.REFUSED
    assert "air" in told[-1] or "tissue" in told[-1], told[-1]
    assert "--" not in told[-1]
    assert dock.session.plan is None


def test_clicking_in_3d_or_outside(planner):
    viewer, dock, told = planner
    _add(viewer, spacing_mm=4.0)

    class Click:
        position = (0.0, 0.0, 9999.0)

    dock.planner.choices._clicked(viewer, Click())
    assert "outside the scan" in told[-1]
    viewer.dims.ndisplay = 3
    dock.planner.choices._clicked(viewer, Click())
    assert "leave 3D" in told[-1]


def test_steps_in_the_wrong_order(planner):
    viewer, dock, told = planner
    _add(viewer, spacing_mm=4.0)
    one = dock.planner
    for act, says in ((one.choices.confirm, "Segment"), (one.choices.edit_mask, "Segment"), (one.verify, "Plan")):
        act()
        assert f"press {says} first" in told[-1]
    one.update_mask()
    assert "press Edit mask first" in told[-1]
    press(dock.vertebra.pick_button)
    press(dock.vertebra.pick_button)
    assert not one.choices.picking


def test_labels_that_are_edited_away_entirely(planner):
    viewer, dock, told = planner
    _add(viewer)
    press(dock.steps[Step.SEGMENT].header)
    press(dock.segment_button)
    settled(dock)
    assert dock.session.state(Step.SEGMENT) is State.DONE, told[-1]
    target = dock.session.target
    dock.planner.choices.edit_mask()
    mask = viewer.layers[_vertebra_layers.MASK]
    mask.data_setitem(tuple(np.argwhere(mask.data > 0).T), 0)
    dock.planner.update_mask()
    assert "is empty: undo the erasing" in told[-1]
    assert dock.session.target is target
    assert dock.session.state(Step.SEGMENT) is State.DONE, "nothing was changed"
    mask.undo()
    dock.planner.update_mask()
    settled(dock)
    assert dock.session.state(Step.SEGMENT) is State.DONE


def test_saving_where_nothing_can_be_written(planner, tmp_path):
    viewer, dock, told = planner
    _add(viewer, spacing_mm=4.0)
    dock.planner.save(tmp_path / "no" / "such" / "folder" / "case.trajplan")
    settled(dock)
    assert "cannot write" in told[-1] or "No such file" in told[-1], told[-1]
    assert dock.session.state(Step.REPORT) is State.TODO


def test_closing_the_image_in_the_middle_of_work(planner):
    viewer, dock, told = planner
    _add(viewer)
    press(dock.plan_button)
    until(lambda: dock.progress.value() > 0, "work is under way")
    assert dock.planner.busy
    viewer.layers.remove(dock.planner.choices.images()[0])
    until(lambda: not dock.planner.busy, "the work ends with its scan")
    assert "The scan was closed; its case was put away." in told
    assert dock.session.state(Step.LOAD) is State.TODO
    _add(viewer)
    assert dock.session.state(Step.LOAD) is State.DONE, "the next scan is taken"
