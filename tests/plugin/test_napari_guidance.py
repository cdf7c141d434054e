"""Hints, preferences and keys: seen once, really read, and enough to work without a mouse."""

from __future__ import annotations

import pytest

pytest.importorskip("napari", reason="napari is not installed")
pytest.importorskip("qtpy", reason="Qt is not installed")

from napari.layers import Layer
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit, QSlider
from viewer_window import settled, until

from napari_trajplan import _commands, _sample_data
from napari_trajplan._preferences import Preferences, preferences
from napari_trajplan._session import State, Step
from napari_trajplan._tour import HINTS, Tour
from trajplan import DISCLAIMER
from trajplan.planning.plan import PlanSettings


def test_the_defaults_of_the_manifest_are_those_of_the_planner(own_settings):
    assert preferences() == Preferences()
    assert Preferences().settings() == PlanSettings()


def test_what_is_set_in_preferences_is_what_a_new_plan_begins_with(own_settings):
    stored = own_settings["trajplan"]
    stored.plan.trocar, stored.plan.wall_margin_mm, stored.plan.execution = "13G", 2.0, "navigated"
    stored.carm.primary_deg, stored.display.window = 60.0, "soft tissue"
    found = preferences()
    settings = found.settings()
    assert (settings.instrument.name, settings.wall_margin_mm, settings.execution) == ("13G", 2.0, "navigated")
    assert settings.entry_sigma_mm != PlanSettings().entry_sigma_mm
    assert settings.carm_primary_deg == 60.0
    assert found.window_hu == (-160.0, 240.0)


def test_a_name_that_is_gone_falls_back_to_the_default():
    assert Preferences(instrument="99G", execution="by magic").settings() == PlanSettings()


@pytest.mark.viewer
def test_the_hints_are_read_one_by_one_and_end(qtbot):
    tour, over = Tour(), []
    qtbot.addWidget(tour)
    tour.over.connect(lambda: over.append(1))
    tour.start()
    seen = []
    for _ in HINTS:
        seen.append(tour.hint.text())
        tour.next_button.click()
    assert seen == list(HINTS)
    assert len(HINTS) == 5
    assert over == [1]
    assert tour.isHidden()
    tour.start()
    tour.next_button.click()
    tour.back_button.click()
    assert tour.hint.text() == HINTS[0]


@pytest.mark.viewer
def test_hints_come_once_and_again_on_request(window, own_settings):
    _, dock = window
    assert dock.tour.isVisible()
    dock.tour.close_button.click()
    assert own_settings["trajplan"].display.tour is False
    assert preferences().tour is False
    _commands.show_tour()
    assert dock.tour.isVisible()


@pytest.mark.viewer
def test_every_control_is_reached_by_tab_says_what_it_is_and_the_notice_is_in_sight(window):
    _, dock = window
    for step in dock.steps.values():
        step.header.setChecked(True)
    kinds = (QAbstractButton, QComboBox, QAbstractSpinBox, QLineEdit, QSlider)
    controls = [one for kind in kinds for one in dock.findChildren(kind)]
    inner = {id(child) for one in controls for child in one.findChildren(QLineEdit)}  # a part of a spin box
    assert len(controls) > 30
    for one in controls:
        if id(one) in inner or one.parent() is dock.vertebra.table:
            continue
        assert one.focusPolicy() & Qt.FocusPolicy.TabFocus, one.objectName() or type(one).__name__
        named = one.toolTip() or one.accessibleName() or getattr(one, "text", str)()
        assert named, f"{type(one).__name__} says nothing"
    from qtpy.QtWidgets import QLabel

    assert any(label.text() == DISCLAIMER and label.isVisible() for label in dock.findChildren(QLabel))


@pytest.mark.viewer
def test_a_vertebra_is_chosen_planned_and_nudged_without_a_mouse(window):
    viewer, dock = window
    told = []
    dock.planner.told.connect(told.append)
    for layer in _sample_data.phantom_layers("wedge-L1", 2.0):
        viewer.add_layer(Layer.create(*layer))
    place = dock.vertebra.place
    dock.steps[Step.VERTEBRA].header.setChecked(True)
    place.setText("12, somewhere")
    QTest.keyClick(place, Qt.Key.Key_Return)
    assert "three numbers" in told[-1]
    place.setText("0, 900, 0")
    QTest.keyClick(place, Qt.Key.Key_Return)
    assert "outside the scan" in told[-1]

    # the table, by keys
    dock.vertebra.find_button.setFocus()
    QTest.keyClick(dock.vertebra.find_button, Qt.Key.Key_Space)
    settled(dock)
    table = dock.vertebra.table
    levels = [table.item(row, 0).text() for row in range(table.rowCount())]
    assert "L1" in levels, told[-1]
    losses = [table.item(row, 2).text() for row in range(table.rowCount())]
    assert max(losses, key=lambda text: float(text.split()[0] or 0)) == losses[levels.index("L1")]
    table.setCurrentCell(levels.index("L1"), 0)
    table.setFocus()
    QTest.keyClick(table, Qt.Key.Key_Return)
    assert dock.session.inputs.seed_lps is not None
    assert dock.session.inputs.level is None, "a level in the table is a proposal"
    dock.vertebra.level.setFocus()
    QTest.keyClicks(dock.vertebra.level, "L1")
    QTest.keyClick(dock.vertebra.level, Qt.Key.Key_Return)
    dock.session.set_level(dock.vertebra.level.currentData())
    assert dock.session.inputs.level == "L1"

    _commands.plan()
    settled(dock)
    assert dock.session.state(Step.PLAN) is State.DONE, told[-1]
    side = next(iter(dock.planner.paths.live))
    layer = viewer.layers[f"{side.value.capitalize()} path"]
    viewer.layers.selection.active = layer
    for key in ("T", "Up"):
        {str(one): act for one, act in layer.keymap.items()}[key](layer)
    until(lambda: side in dock.session.edits.now, "the nudge is kept as a move")
    settled(dock)
    _commands.undo()
    assert not dock.session.edits.now
