"""Labels and plans leave the viewer at their place in the patient, or not at all."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("napari", reason="napari is not installed")

from napari.components import ViewerModel
from napari.layers import Labels, Points
from sample_case import sample_case, sample_parts

from napari_trajplan import _commands, _path_layers, _sample_data
from napari_trajplan._coords import placement
from napari_trajplan._session import Session, Step
from napari_trajplan._writer import labels_at, write_labels_layer, write_plan_layers
from trajplan.errors import InputError
from trajplan.exports.handover import plan_and_parts
from trajplan.reading.labels import read_labels
from trajplan.reading.schemes import Scheme
from trajplan.target import Target

_TURN = np.array([[1.0, 0.0, 0.0], [0.0, 0.8, -0.6], [0.0, 0.6, 0.8]])


@pytest.fixture
def told(monkeypatch):
    lines = []
    monkeypatch.setattr("napari.utils.notifications.show_error", lines.append)
    return lines


@pytest.mark.parametrize("name", ["vertebrae.nrrd", "vertebrae.nii.gz", "vertebrae.nii"])
def test_labels_of_a_sample_are_read_back_where_they_were(tmp_path, name):
    data, about, _ = _sample_data.phantom_layers("wedge-L1", 2.5)[1]
    data[3, 4, 5] = 20  # painted
    written = write_labels_layer(str(tmp_path / name), data, about)
    assert written == [str(tmp_path / name)]
    back = read_labels(tmp_path / name, Scheme.VERSE)
    assert np.array_equal(back.array, data)
    assert back.grid.same_as(about["metadata"]["trajplan"]["grid"], tolerance_mm=1e-3)


def test_the_writer_that_napari_finds_for_labels_is_ours_and_works(tmp_path):
    npe2 = pytest.importorskip("npe2")
    manifest = npe2.PluginManifest.from_distribution("trajplan")
    for one in manifest.contributions.writers:
        assert {".nrrd", ".nii.gz"} <= set(one.filename_extensions) or one.filename_extensions == [".json"]


def test_labels_painted_beside_our_scan_are_written_at_their_place():
    grid = sample_parts().grid
    layer = Labels(np.ones(grid.shape_zyx, np.uint8), **placement(grid))
    assert labels_at(layer.data, layer.as_layer_data_tuple()[1]).grid.same_as(grid)


@pytest.mark.parametrize(
    "look",
    [{}, {"rotate": _TURN}, {"scale": (1, 1, -1)}, {"affine": np.diag([1.0, 1, 2, 1])}],
    ids=["bare", "turned", "mirrored", "stretched"],
)
def test_labels_of_another_world_are_refused_with_what_to_do(tmp_path, told, look):
    grid = sample_parts().grid
    place = {**placement(grid), **look} if look else {}
    layer = Labels(np.ones(grid.shape_zyx, np.uint8), name="mine", **place)
    with pytest.raises(InputError, match="left and right of 'mine' are not known"):
        labels_at(layer.data, layer.as_layer_data_tuple()[1])
    assert write_labels_layer(str(tmp_path / "a.nrrd"), layer.data, layer.as_layer_data_tuple()[1]) == []
    assert "paint in a layer that trajplan made" in told[-1]
    assert list(tmp_path.iterdir()) == []


class _Dock:
    def __init__(self, session):
        self.session = session


@pytest.fixture
def session(monkeypatch):
    result = sample_case()
    one = Session()
    one.set_scan(result.scan)
    one.made(Step.SEGMENT, Target(result.vertebra, True, (), {}))
    one.made(Step.PLAN, result)
    one.made(Step.VERIFY, result)
    monkeypatch.setattr(_commands, "planner_dock", lambda: _Dock(one))
    return one


@pytest.fixture
def path_layer():
    viewer = ViewerModel()
    path = sample_case().trajectories[0]
    return _path_layers.show_handles(viewer, path.side, (path.entry_lps, path.target_lps)).as_layer_data_tuple()


def test_a_plan_is_written_with_its_mask_beside_it(session, path_layer, tmp_path):
    written = write_plan_layers(str(tmp_path / "L1.json"), [path_layer])
    assert sorted(written) == [str(tmp_path / "L1-parts.nrrd"), str(tmp_path / "L1.json")]
    document, parts = plan_and_parts(tmp_path / "L1.json")
    assert parts.sha256() == document.provenance.mask_sha256
    assert len(document.trajectories) == len(session.plan.trajectories)


def test_a_stale_plan_is_not_written(session, path_layer, tmp_path, told):
    session.set_level("L2")
    assert write_plan_layers(str(tmp_path / "plan.json"), [path_layer]) == []
    assert "stale" in told[-1]
    assert list(tmp_path.iterdir()) == []


def test_points_that_are_no_plan_are_not_written_as_one(session, tmp_path, told):
    other = Points(np.zeros((2, 3)), name="cells").as_layer_data_tuple()
    assert write_plan_layers(str(tmp_path / "plan.json"), [other]) == []
    assert "choose a layer of the plan" in told[-1]
