"""From a file to a saved case in a real window, by mouse and buttons, for a patient stored along any axes.

The phantom lies in the same place however it is stored, so that the truth about it is the same for all.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("napari", reason="napari is not installed")
pytest.importorskip("qtpy", reason="Qt is not installed")

from qtpy.QtCore import QPointF
from viewer_window import click_at, drag, picture_folder, press, settled, shot, until
from window_scans import STORED, body_center_lps, part_at, scan_file

from napari_trajplan import _path_layers, _vertebra_layers, _views
from napari_trajplan._coords import to_lps, to_napari
from napari_trajplan._session import State, Step
from trajplan.parts import Part, Side

pytestmark = pytest.mark.viewer


@pytest.mark.parametrize(
    "stored", [pytest.param(one, marks=() if one == "oblique" else pytest.mark.long) for one in STORED]
)
def test_click_plan_drag_cancel_edit_export_save_and_reopen(window, tmp_path, stored):
    viewer, dock = window
    planner, session = dock.planner, dock.session
    folder = picture_folder(tmp_path) / stored.replace(" ", "-")
    folder.mkdir(exist_ok=True)
    told = []
    planner.told.connect(told.append)

    # five hints, dismissed by one press
    assert dock.tour.isVisible()
    shot(viewer, folder, "1-hints")
    press(dock.tour.close_button)
    assert not dock.tour.isVisible()

    # open the file: the scan lies where the patient lay
    viewer.open(str(scan_file(stored, tmp_path)), plugin="trajplan")
    assert session.state(Step.LOAD) is State.DONE, told
    (image,) = planner.choices.images()
    center = body_center_lps(stored)
    at_center = image.data[tuple(np.rint(image.world_to_data(to_napari(center))).astype(int))]
    assert 20 < at_center < 700, "the bone of the body is where the truth says"

    # planning before the vertebra is chosen finds one or says what to do; here it is chosen by a click in a slice
    dock.backend.setCurrentText("network")
    session.set_backend("network")
    _views.show_view(viewer, "Axial", center)
    _views.look_at(viewer, center)
    dock.steps[Step.VERTEBRA].header.setChecked(True)
    press(dock.vertebra.pick_button)
    click_at(viewer, image, to_napari(center))
    assert session.inputs.seed_lps is not None, told[-1]
    assert np.linalg.norm(session.inputs.seed_lps - center) < 1.0 + np.abs(image.scale).max() / 2
    dock.vertebra.level.setCurrentText("L1")
    dock.vertebra.level.activated.emit(dock.vertebra.level.currentIndex())
    shot(viewer, folder, "2-vertebra")

    # plan
    press(dock.plan_button)
    settled(dock)
    assert session.state(Step.PLAN) is State.DONE, told[-1]
    plan = session.plan
    assert plan.trajectories, told[-1]
    for path in plan.trajectories:
        tube = to_lps(viewer.layers[_path_layers.name_of(path.side, "trocar")].data[0])
        tip = tube[np.argmax((tube - path.entry_lps) @ path.direction_lps)]
        assert np.linalg.norm(tip - path.target_lps) <= path.instrument.radius_mm + 1e-3
        assert part_at(stored, path.target_lps) == Part.BODY
        assert np.sign(path.entry_lps[0] - center[0]) == path.side.sign, "left is the patient's left"
        assert path.entry_lps[1] > center[1] + 10, "the entry is behind the body"
        ends = viewer.layers[_path_layers.name_of(path.side, "path")].data
        assert np.allclose(to_lps(ends[1]), path.target_lps, atol=1e-3)
    parts = viewer.layers[_vertebra_layers.PARTS]
    assert parts.get_value(to_napari(center), world=True) == Part.BODY
    shot(viewer, folder, "3-planned")

    # drag a tip in the AP with the mouse
    side = plan.trajectories[0].side
    before = planner.paths.live[side].target_lps
    view = dock.xrays.screens[0].view
    handle = next(h for h in view._drawing.handles if h.name == f"{side.value} 1")
    start = view.to_screen(handle.at)
    drag(view, start, start + QPointF(0.0, 8.0))
    until(lambda: side in session.edits.now, "the move is kept")
    settled(dock)
    until(lambda: session.state(Step.VERIFY) is State.DONE, "the moved path is verified by itself")
    after = planner.paths.live[side].target_lps
    assert after[2] < before[2] - 0.5, "down on the AP is towards the feet"
    shot(viewer, folder, "4-dragged")

    # save, then export
    saved = tmp_path / "case.trajplan"
    planner.save(saved)
    settled(dock)
    assert saved.is_file(), told[-1]
    dock.report_form.folder.setText(str(tmp_path / "report"))
    press(dock.report_form.report_button)
    settled(dock)
    written = json.loads((tmp_path / "report" / "plan.json").read_text())
    exported = next(t for t in written["trajectories"] if t["side"] == side.value)
    assert exported["target_lps"] == pytest.approx(list(after), abs=0.01)

    # edit the mask: what is painted away is no bone any more, and the plan is stale until it is made again
    planner.choices.edit_mask()
    mask = viewer.layers[_vertebra_layers.MASK]
    filled = np.argwhere(mask.data > 0)
    top = filled[filled[:, 0] >= filled[:, 0].max() - 1]
    mask.data_setitem(tuple(top.T), 0)
    planner.update_mask()
    settled(dock)
    assert session.state(Step.SEGMENT) is State.DONE, told[-1]
    assert session.inputs.labels_source == "mask edited in the viewer"
    assert session.state(Step.PLAN) is State.STALE
    assert not dock.report_form.report_button.isEnabled()
    shot(viewer, folder, "5-mask-edited")

    # cancel: nothing is changed
    press(dock.plan_button)
    press(dock.cancel_button)
    until(lambda: not planner.busy, "planning stops")
    assert session.plan is plan

    # reopen what was saved: the same mask, the same path, the same move; nothing is stale
    planner.open_case(saved)
    settled(dock)
    until(lambda: session.state(Step.VERIFY) is State.DONE and bool(session.edits.now), "the moved path is back")
    settled(dock)
    assert "made again" in "".join(told)
    assert "saved one" not in "".join(told), "the plan is the saved one"
    assert [session.state(one) for one in Step if one is not Step.REPORT] == [State.DONE] * 5
    assert session.plan.provenance["mask_sha256"] == plan.provenance["mask_sha256"]
    assert np.allclose(session.edits.now[side][1], after, atol=1e-6)
    for old, new in zip(plan.trajectories, session.plan.trajectories, strict=True):
        assert np.allclose(old.target_lps, new.target_lps, atol=1e-6)
    shot(viewer, folder, "6-reopened")


def test_a_case_on_another_ct_is_refused_and_on_none_is_looked_at(window, tmp_path):
    from napari.layers import Layer
    from sample_case import sample_case

    from napari_trajplan import _sample_data
    from trajplan.exports.case_file import write_case
    from trajplan.exports.plan_json import plan_document
    from trajplan.exports.plan_parts import scan_input
    from trajplan.exports.saved_case import SavedCase

    viewer, dock = window
    told = []
    dock.planner.told.connect(told.append)
    result = sample_case()
    case = SavedCase(
        scan_input(result.scan), plan=plan_document(result, "parts.nrrd"), parts=result.vertebra.parts
    )  # fmt: skip
    saved = write_case(case, tmp_path / "case.trajplan")
    dock.planner.open_case(saved)
    assert "is not open" in told[-1]
    viewer.open(str(saved), plugin="trajplan")
    names = [one.name for one in viewer.layers]
    assert "Saved parts" in names
    tip = viewer.layers["Saved left entry and tip"].data[1]
    path = next(t for t in result.trajectories if t.side is Side.LEFT)
    assert np.allclose(to_lps(tip), path.target_lps, atol=1e-3)
    assert "not open" in dock.message.text()
    image = _sample_data.phantom_layers("intact-L3", 4.0)[0]
    viewer.add_layer(Layer.create(*image))
    dock.planner.open_case(saved)
    assert "another CT" in told[-1]
    assert dock.session.plan is None
