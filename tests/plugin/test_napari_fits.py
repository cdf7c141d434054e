"""The planned window at 1280 x 800 points, on a plain screen and on one of twice the density: nothing is cut."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from displays import no_display
from viewer_window import picture_folder

pytest.importorskip("napari", reason="napari is not installed")
pytest.importorskip("qtpy", reason="Qt is not installed")

pytestmark = pytest.mark.viewer
_TESTS = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("scale", [1, 2])
def test_all_of_it_is_in_sight(tmp_path, scale):
    if reason := no_display():
        pytest.skip(reason)
    picture = picture_folder(tmp_path) / f"fits-{scale}x"
    paths = [str(_TESTS), *(p for p in sys.path if p)]
    environment = {**os.environ, "QT_SCALE_FACTOR": str(scale), "PYTHONPATH": os.pathsep.join(paths)}
    run = subprocess.run(
        [sys.executable, str(_TESTS / "window_fit.py"), str(picture)], env=environment, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr[-2000:]
    found = json.loads(run.stdout.splitlines()[-1])
    assert found["ratio"] == scale
    assert found["size"] == [1280, 800]
    assert found["clipped"] == []
    assert found["canvas_black"] < 0.5
    assert max(found["dark"].values()) < 0.6
