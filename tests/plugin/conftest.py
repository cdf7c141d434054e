"""What the tests of the window share."""

from __future__ import annotations

import pytest
from displays import no_display


@pytest.fixture
def own_settings(monkeypatch):
    """The preferences of the plugin at their defaults, kept nowhere."""
    from napari import settings

    monkeypatch.setattr(settings, "_PLUGIN_SETTINGS", {})
    return settings.get_plugin_settings(path_dir=None)


@pytest.fixture
def window(make_napari_viewer, own_settings):
    """A viewer of 1280 x 800 with the planner docked; its threads and process are ended with it."""
    reason = no_display()
    if reason:
        pytest.skip(reason)
    viewer = make_napari_viewer(show=True)
    viewer.window._qt_window.resize(1280, 800)
    _, dock = viewer.window.add_plugin_dock_widget("trajplan", "Planner")
    yield viewer, dock
    dock.planner.close()
