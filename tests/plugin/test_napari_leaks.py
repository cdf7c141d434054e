"""Viewers that are opened and closed leave nothing behind: no widget, no thread, no process, no memory to speak of."""

from __future__ import annotations

import gc
import os
import sys
import weakref
from pathlib import Path

import pytest

pytest.importorskip("napari", reason="napari is not installed")
pytest.importorskip("qtpy", reason="Qt is not installed")

import napari
from displays import no_display
from planned_window import made, show
from qtpy.QtWidgets import QApplication

from napari_trajplan import _sample_data

pytestmark = [
    pytest.mark.viewer,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory and threads are read from /proc"),
]
_WARM = 3
"""Viewers after which napari and Qt have made what they keep."""

_OBJECTS_A_VIEWER = 1500
"""napari 0.9.2 alone keeps about 260; one linked view that stays is tens of thousands."""

_MB_A_VIEWER = 8.0


def threads() -> int:
    return len(os.listdir("/proc/self/task"))


def children() -> list[str]:
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


def memory_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def opened_and_closed(case) -> list[weakref.ref]:
    """A viewer as a person leaves it: planned, and closed without a word to the planner."""
    viewer = napari.Viewer(show=True)
    _, dock = viewer.window.add_plugin_dock_widget("trajplan", "Planner")
    if case is None:
        for layer in _sample_data.phantom_layers("intact-L3", 4.0):
            viewer.add_layer(napari.layers.Layer.create(*layer))
    else:
        show(viewer, dock, *case)
    for _ in range(10):
        QApplication.processEvents()
    parts = (dock, dock.planner, dock.planner.paths, dock.slices, dock.xrays, *dock.slices.views.values())
    kept = [weakref.ref(part) for part in parts]
    viewer.close()
    return kept


@pytest.mark.parametrize(
    ("count", "planned"),
    [pytest.param(5, False, id="five"), pytest.param(20, True, id="twenty", marks=pytest.mark.long)],
)
def test_closed_viewers_leave_nothing_behind(qapp, record_property, count, planned):
    reason = no_display()
    if reason:
        pytest.skip(reason)
    case = made() if planned else None
    kept, seen = [], []
    before = children()
    for _ in range(count):
        kept += opened_and_closed(case)
        for _ in range(10):
            QApplication.processEvents()
        gc.collect()
        seen.append((threads(), len(gc.get_objects()), memory_mb()))
    assert not [ref() for ref in kept if ref() is not None]
    assert set(children()) <= set(before), "a worker process was left running"
    told = "\n".join(f"{n} threads, {objects} objects, {mb:.0f} MB" for n, objects, mb in seen)
    record_property("seen", told)
    (first_threads, first_objects, first_mb), (last_threads, last_objects, last_mb) = seen[_WARM - 1], seen[-1]
    more = count - _WARM
    assert last_threads <= first_threads, told
    assert last_objects - first_objects <= more * _OBJECTS_A_VIEWER, told
    if more > 10:  # a few viewers say nothing: the allocator takes memory in large pieces
        assert last_mb - first_mb <= more * _MB_A_VIEWER, told
