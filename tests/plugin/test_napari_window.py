"""The planner in a real window, by its real widgets: open, plan, drag, go stale, cancel, export."""

from __future__ import annotations

import json

import numpy as np
import pytest

from trajplan.errors import InputError
from trajplan.parts import Part, Side
from trajplan.planning.plan import Verdict
from trajplan_phantoms import Scanner, make_phantom, named

pytest.importorskip("napari", reason="napari is not installed")
pytest.importorskip("qtpy", reason="Qt is not installed")

from napari.layers import Layer
from qtpy.QtCore import QPointF
from viewer_window import drag, picture_folder, press, settled, shot, until

from napari_trajplan import _path_layers, _sample_data, _vertebra_layers, _views
from napari_trajplan._coords import to_lps, to_napari
from napari_trajplan._session import State, Step

pytestmark = pytest.mark.viewer
_SPACING_MM = 1.5


@pytest.fixture(scope="module")
def phantom():
    return make_phantom(named("wedge-L1"), Scanner((_SPACING_MM,) * 3))


def test_open_plan_drag_go_stale_cancel_and_export(window, phantom, tmp_path):
    viewer, dock = window
    planner, session, folder = dock.planner, dock.session, picture_folder(tmp_path)
    told = []
    planner.told.connect(told.append)

    press(dock.plan_button)
    assert "File > Open Sample" in told[-1], "planning without a scan says what to do"

    for layer in _sample_data.phantom_layers("wedge-L1", _SPACING_MM):
        viewer.add_layer(Layer.create(*layer))
    assert session.state(Step.LOAD) is State.DONE
    assert session.inputs.level == "L1"
    shot(viewer, folder, "1-opened")

    # Plan, without touching another control
    press(dock.plan_button)
    assert session.state(Step.PLAN) is State.RUNNING
    assert not dock.report_form.report_button.isEnabled()
    settled(dock)
    assert [session.state(s) for s in Step if s is not Step.REPORT] == [State.DONE] * 5, told[-1]
    plan = session.plan
    assert {t.verdict for t in plan.trajectories} <= {Verdict.SAFE, Verdict.UNKNOWN}
    shot(viewer, folder, "2-planned")

    # what is on the layers lies where the phantom's truth says
    for path in plan.trajectories:
        tube = to_lps(viewer.layers[_path_layers.name_of(path.side, "trocar")].data[0])
        nearest = tube[np.argmax((tube - path.entry_lps) @ path.direction_lps)]
        assert np.linalg.norm(nearest - path.target_lps) <= path.instrument.radius_mm + 1e-3
        index = np.rint(phantom.parts.grid.world_to_index(path.target_lps)).astype(int)
        assert phantom.parts.array[tuple(index)] == Part.BODY
        handles = viewer.layers[_path_layers.name_of(path.side, "path")]
        assert np.allclose(handles.data[1], to_napari(path.target_lps), atol=1e-3)
    body = phantom.parts.grid.index_to_world(np.argwhere(phantom.parts.array == Part.BODY).mean(axis=0))
    _views.look_at(viewer, body)
    assert viewer.layers[_vertebra_layers.PARTS].get_value(to_napari(body), world=True) == Part.BODY
    assert dock.xrays is not None
    assert "SAFE" in dock._texts["paths"].text()

    # drag the left tip in the AP, with the mouse
    view = dock.xrays.screens[0].view
    before = planner.paths.live[Side.LEFT]
    picture = view._grey.copy()
    handle = next(h for h in view._drawing.handles if h.name == "left 1")
    start = view.to_screen(handle.at)
    drag(view, start, start + QPointF(6.0, 8.0))
    until(lambda: bool(session.edits.now), "the move is kept")
    settled(dock)
    until(lambda: session.state(Step.VERIFY) is State.DONE, "the moved path is verified by itself")
    after = planner.paths.live[Side.LEFT]
    moved_mm = after.target_lps - before.target_lps
    assert np.linalg.norm(moved_mm) > 1.0
    assert moved_mm[2] < 0, "down on the AP is towards the feet"
    assert moved_mm[0] < 0, "the AP is seen from behind: to its right is towards the patient's right"
    assert after.clearance.min_mm != before.clearance.min_mm
    assert not np.array_equal(picture, view._grey), "the X-ray follows"
    assert viewer.layers[_path_layers.name_of(Side.LEFT, "automatic plan")].visible, (
        "the planner's own path stays as a ghost"
    )
    assert any("moved by a person" in note for note in session.exportable().notes)
    shot(viewer, folder, "3-dragged")

    # move the entry on its Points layer, as napari does on release; then undo, redo, snap
    handles = viewer.layers[_path_layers.name_of(Side.RIGHT, "path")]
    handles.data = handles.data + np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    until(lambda: Side.RIGHT in session.edits.now, "the entry's move is kept")
    both = session.edits.key
    settled(dock)
    press(dock.undo_button)
    assert set(session.edits.now) == {Side.LEFT}
    press(dock.redo_button)
    assert session.edits.key == both
    settled(dock)
    until(lambda: session.state(Step.VERIFY) is State.DONE, "both moves are verified")

    # export
    dock.report_form.folder.setText(str(tmp_path / "report"))
    for kind in ("slicer", "csv", "mesh"):
        dock.report_form.kinds[kind].setChecked(True)
    press(dock.report_form.report_button)
    settled(dock)
    assert session.state(Step.REPORT) is State.DONE, told[-1]
    written = json.loads((tmp_path / "report" / "plan.json").read_text())
    assert written["provenance"]["details"]["moved_by_a_person"].keys() == {"left", "right"}
    assert written["trajectories"][0]["target_lps"] == pytest.approx(list(after.target_lps), abs=0.05)
    assert (tmp_path / "report" / "report.html").exists()
    handed_on = {
        path.parent.name for path in (tmp_path / "report-exports").rglob("*.*") if path.parent.name != "report-exports"
    }
    assert handed_on == {"slicer", "csv", "mesh"}

    # another margin: the plan is stale, looks stale and cannot be exported
    dock.margin.setValue(dock.margin.value() + 0.5)
    trocar = viewer.layers[_path_layers.name_of(Side.LEFT, "trocar")]
    assert session.state(Step.PLAN) is State.STALE
    assert trocar.opacity < 0.5
    assert not dock.report_form.report_button.isEnabled()
    assert "STALE" in dock._texts["paths"].text()
    with pytest.raises(InputError, match="stale"):
        session.exportable()
    drag(view, start, start + QPointF(5.0, 5.0))
    assert "stale" in told[-1]
    shot(viewer, folder, "4-stale")

    # cancel at once; nothing is changed, and the next plan runs
    press(dock.plan_button)
    until(lambda: planner.busy, "planning runs")
    press(dock.cancel_button)
    until(lambda: not planner.busy, "planning stops")
    assert "cancelled" in told[-1]
    assert session.plan is plan
    assert session.state(Step.PLAN) is State.STALE

    # the scan is closed in the middle of work
    press(dock.plan_button)
    viewer.layers.remove(planner.choices.images()[0])
    until(lambda: not planner.busy, "the work ends with its scan")
    assert session.state(Step.LOAD) is State.TODO
    assert not [one.name for one in viewer.layers if one.name.startswith(("Left", "Right", "Parts"))]
