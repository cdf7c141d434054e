"""What is put on the layers lies where it lies in the patient, however the scan is stored; moved layers are refused."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from sample_case import CENTER_LPS, sample_case, sample_volume

from trajplan.errors import InputError
from trajplan.geometry import Grid, LabelMap, Volume
from trajplan.geometry.resample import resample_volume
from trajplan.parts import Part, Side
from trajplan.planning.plan import SafeCone, Verdict
from trajplan.reading.scan import Scan

pytest.importorskip("napari.components", reason="napari is not installed")

from napari.components import ViewerModel

from napari_trajplan import _layer_data, _meshes, _path_layers, _vertebra_layers, _views
from napari_trajplan._coords import placement, to_lps, to_napari

_TILT = np.array([[1.0, 0.0, 0.0], [0.0, np.cos(0.3), -np.sin(0.3)], [0.0, np.sin(0.3), np.cos(0.3)]])
STORED = {
    "LPS": Grid((60, 90, 90), CENTER_LPS - 65, (1.5, 1.5, 1.5)),
    "flipped": Grid((60, 90, 90), CENTER_LPS + np.array([65, 65, -45]), (1.5, 1.5, 1.5), np.diag([-1.0, -1.0, 1.0])),
    "oblique": Grid((70, 90, 90), CENTER_LPS - 65, (1.5, 1.5, 1.5), _TILT),
    "5 mm": Grid((24, 90, 90), CENTER_LPS - np.array([65, 65, 60]), (5.0, 1.5, 1.5)),
}


@pytest.fixture(scope="module")
def case():
    return sample_case()


@pytest.fixture
def viewer():
    return ViewerModel()


def _scan_layer(viewer, scan):
    return viewer.add_image(
        scan.volume.array, name="CT", contrast_limits=(-200, 800),
        metadata={"trajplan": {"scan": scan, "grid": scan.volume.grid}}, **placement(scan.volume.grid),
    )  # fmt: skip


@pytest.mark.parametrize("stored", list(STORED))
def test_a_scan_and_all_that_is_drawn_on_it_share_one_world(viewer, case, stored):
    volume = resample_volume(sample_volume(), STORED[stored])
    scan = Scan.of_volume(Volume(volume.array.astype(np.int16), volume.grid), path_name="x", kind="phantom")
    layer = _scan_layer(viewer, scan)
    assert _layer_data.scan_of(layer) is scan
    _vertebra_layers.show_parts(viewer, case.vertebra)
    _vertebra_layers.show_heights(viewer, case.vertebra)
    _vertebra_layers.show_plates(viewer, case.vertebra)
    parts = viewer.layers[_vertebra_layers.PARTS]
    for part, offset in (
        (Part.BODY, (0, 0, 0)),
        (Part.PEDICLE_LEFT, (14.5, 20, 5)),
        (Part.PEDICLE_RIGHT, (-14.5, 20, 5)),
    ):
        point = CENTER_LPS + offset
        _views.look_at(viewer, point)
        assert parts.get_value(to_napari(point), world=True) == part
        seen = layer.get_value(to_napari(point), world=True)
        index = np.rint(scan.volume.grid.world_to_index(point)).astype(int)
        assert seen == scan.volume.array[tuple(index)]
    assert layer.get_value(to_napari(CENTER_LPS), world=True) > -200, "the vertebra is not in air"


def test_layers_that_were_put_there_empty_come_out_as_those_that_were_not(viewer, case):
    """Same place, look and size, and whoever works in another layer goes on working in it."""
    scan = _scan_layer(viewer, case.scan)
    for piece in _vertebra_layers.empty(viewer, case.scan.volume.grid):
        piece()
    extent = scan.extent.world
    assert np.all((viewer.layers.extent.world[0] >= extent[0]) & (viewer.layers.extent.world[1] <= extent[1]))
    fresh = ViewerModel()
    for one in (viewer, fresh):
        _vertebra_layers.show_parts(one, case.vertebra)
        _vertebra_layers.show_heights(one, case.vertebra)
        _vertebra_layers.show_plates(one, case.vertebra)
    assert viewer.layers.selection.active is scan
    for name in (_vertebra_layers.PARTS, _vertebra_layers.HEIGHTS, _vertebra_layers.PLATES):
        filled, made = viewer.layers[name], fresh.layers[name]
        if made.visible:  # what is hidden napari does not measure anew
            np.testing.assert_array_equal(filled.extent.world, made.extent.world)
        for what in ("opacity", "visible", "blending", "projection_mode"):
            assert getattr(filled, what) == getattr(made, what)
    filled, made = viewer.layers[_vertebra_layers.HEIGHTS], fresh.layers[_vertebra_layers.HEIGHTS]
    for what in ("data", "size", "face_color", "border_color", "symbol", "shown"):
        np.testing.assert_array_equal(getattr(filled, what), getattr(made, what))
    filled, made = viewer.layers[_vertebra_layers.PLATES], fresh.layers[_vertebra_layers.PLATES]
    for got, wanted in zip(filled.data, made.data, strict=True):
        np.testing.assert_array_equal(got, wanted)
    filled, made = viewer.layers[_vertebra_layers.PARTS], fresh.layers[_vertebra_layers.PARTS]
    np.testing.assert_array_equal(filled.data, made.data)
    np.testing.assert_array_equal(filled.colormap.colors, made.colormap.colors)
    assert _layer_data.labels_of(filled).grid == case.vertebra.parts.grid


@pytest.mark.parametrize("side", list(Side))
def test_a_path_is_a_tube_of_true_diameter_from_skin_to_tip(viewer, case, side):
    path = next(t for t in case.trajectories if t.side is side)
    _path_layers.show_trocar(viewer, path, case.scan.volume.grid)
    _path_layers.show_balloon(viewer, path)
    vertices = to_lps(viewer.layers[_path_layers.name_of(side, "trocar")].data[0])
    away = vertices - path.target_lps
    along = away @ path.direction_lps
    across = np.linalg.norm(away - along[:, None] * path.direction_lps, axis=1)
    assert along.max() == pytest.approx(0.0, abs=1e-4)
    assert -along.min() == pytest.approx(path.length_from_skin_mm, abs=0.5)
    assert across.max() == pytest.approx(path.instrument.radius_mm, abs=1e-4)
    rings = np.unique(np.round(along, 3))
    assert np.diff(rings).max() <= _meshes.RING_STEP_MM + 1e-3
    assert np.sign((path.entry_lps - CENTER_LPS)[0]) == side.sign


def test_the_depth_of_an_insertion_moves_the_tip_only(viewer, case):
    path = case.trajectories[0]
    name = _path_layers.name_of(path.side, "trocar")
    _path_layers.show_trocar(viewer, path, case.scan.volume.grid)
    whole = to_lps(viewer.layers[name].data[0])
    _path_layers.show_trocar(viewer, path, case.scan.volume.grid, 5.0)
    part = to_lps(viewer.layers[name].data[0])
    assert np.allclose(part[0], whole[0], atol=1e-4)
    tip = float(((part - path.entry_lps) @ path.direction_lps).max())
    assert tip == pytest.approx(5.0, abs=1e-3)
    assert len([one for one in viewer.layers if one.name == name]) == 1


def test_handles_are_entry_and_tip_and_survive_the_way_back(viewer, case):
    path = case.trajectories[0]
    layer = _path_layers.show_handles(viewer, path.side, (path.entry_lps, path.target_lps))
    entry, target = _layer_data.ends_of(layer)
    assert np.allclose(entry, path.entry_lps)
    assert np.allclose(target, path.target_lps)
    layer.data = np.vstack([layer.data, layer.data[:1]])
    with pytest.raises(InputError, match="has 3"):
        _layer_data.ends_of(layer)


def test_a_verdict_and_a_stale_plan_are_seen(viewer, case):
    path = case.trajectories[0]
    grid = case.scan.volume.grid
    _path_layers.show_trocar(viewer, dataclasses.replace(path, verdict=Verdict.SAFE), grid)
    layer = viewer.layers[_path_layers.name_of(path.side, "trocar")]
    safe = layer.colormap.colors.copy()
    _path_layers.show_trocar(viewer, dataclasses.replace(path, verdict=Verdict.UNSAFE), grid)
    unsafe = layer.colormap.colors.copy()
    assert not np.allclose(safe, unsafe)
    _path_layers.mark_stale(viewer, True)
    assert layer.opacity < 0.5
    assert np.ptp(layer.colormap.colors[0, :3]) < 0.01, "grey"
    _path_layers.mark_stale(viewer, False)
    assert np.allclose(layer.colormap.colors, unsafe)
    assert layer.opacity == 1.0


def test_the_cone_opens_towards_the_side_it_says(case):
    path = next(t for t in case.trajectories if t.side is Side.LEFT)
    azimuth = np.array([0.0, 90.0, 180.0, 270.0])
    wide = dataclasses.replace(path, cone=SafeCone(azimuth, np.array([10.0, 0.0, 0.0, 0.0]), 0.0, "medial"))
    vertices, faces = _meshes.cone(wide, case.vertebra.frame)
    assert np.allclose(vertices[-1], path.entry_lps)
    assert faces.max() == len(vertices) - 1
    moved = vertices[0] - path.target_lps
    assert moved @ case.vertebra.frame.u > 0.9 * np.linalg.norm(moved) > 0
    assert np.allclose(vertices[1:4], path.target_lps)


def test_a_layer_of_another_reader_is_refused_because_its_sides_are_not_known(viewer):
    layer = viewer.add_image(np.zeros((4, 5, 6), np.int16), name="MR", contrast_limits=(0, 1))
    with pytest.raises(InputError, match="File > Open"):
        _layer_data.scan_of(layer)


@pytest.mark.parametrize("move", [{"translate": (1.0, 0.0, 0.0)}, {"scale": (1.0, 1.0, -1.0)}, {"rotate": 10.0}])
def test_a_scan_that_was_moved_in_the_viewer_is_refused(viewer, case, move):
    layer = _scan_layer(viewer, case.scan)
    for name, value in move.items():
        if name == "rotate":
            turn = np.radians(value)
            matrix = np.eye(3)
            matrix[1:, 1:] = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
            layer.rotate = matrix
        else:
            setattr(layer, name, np.array(getattr(layer, name)) * (1 if name == "translate" else np.array(value))
                    + (np.array(value) if name == "translate" else 0))  # fmt: skip
    with pytest.raises(InputError, match="was moved"):
        _layer_data.scan_of(layer)


def test_labels_that_are_erased_away_are_refused_kindly(viewer, case):
    parts = case.vertebra.parts
    layer = _vertebra_layers.show_mask(viewer, LabelMap(np.array(parts.array), parts.grid))
    assert _layer_data.labels_of(layer).sha256() == parts.sha256()
    layer.data = np.zeros_like(layer.data)
    with pytest.raises(InputError, match="empty"):
        _layer_data.labels_of(layer)


@pytest.mark.parametrize("name", ["Axial", "Sagittal", "Coronal", "3D"])
def test_no_view_shows_a_mirrored_patient(viewer, case, name):
    _scan_layer(viewer, case.scan)
    _views.show_view(viewer, name)
    on_screen = {"right": (1, 0, 0), "left": (-1, 0, 0), "up": (0, 1, 0), "down": (0, -1, 0), "towards": (0, 0, 1)}
    on_screen["away"] = (0, 0, -1)
    screen = np.array([on_screen[str(way)] for way in viewer.scene.camera.orientation], dtype=float)
    axes_lps = to_lps(np.eye(3)[list(viewer.dims.order)])
    assert np.linalg.det(screen) * np.linalg.det(axes_lps) > 0


@pytest.mark.parametrize(("name", "up", "right"), [("Axial", "A", "L"), ("Sagittal", "S", "P"), ("Coronal", "S", "L")])
def test_the_letters_of_a_view_are_those_of_its_axes(viewer, case, name, up, right):
    _scan_layer(viewer, case.scan)
    _views.show_view(viewer, name)
    letters = {"S": "SI", "P": "PA", "L": "LR"}
    vertical, horizontal = (letters["SPL"[axis]] for axis in viewer.dims.displayed)
    _, down_or_up, _ = viewer.scene.camera.orientation
    assert vertical[1 if str(down_or_up) == "down" else 0] == up
    assert horizontal[0] == right
    assert f"top {up}" in _views.LETTERS[name]
    assert f"right {right}" in _views.LETTERS[name]
