"""The napari manifest is valid, is ours, and offers every named phantom."""

from __future__ import annotations

import subprocess
import sys

import pytest

from trajplan_phantoms import NAMED

npe2 = pytest.importorskip("npe2", reason="npe2 is not installed")


@pytest.fixture(scope="module")
def manifest():
    return npe2.PluginManifest.from_distribution("trajplan")


def test_the_manifest_is_found_under_the_name_of_the_distribution(manifest):
    assert manifest.name == "trajplan"


def test_every_command_of_the_manifest_can_be_imported(manifest):
    manifest.validate_imports()


def test_every_named_phantom_is_a_sample_and_every_sample_a_named_phantom(manifest):
    assert [sample.key for sample in manifest.contributions.sample_data] == list(NAMED)


def test_readers_widgets_and_samples_use_every_command_once(manifest):
    given = manifest.contributions
    used = [one.command for group in (given.readers, given.widgets, given.sample_data) for one in group]
    assert used == [command.id for command in manifest.contributions.commands]


def test_every_sample_opens_the_phantom_of_its_key(manifest, monkeypatch):
    from napari_trajplan import _sample_data

    monkeypatch.setattr(_sample_data, "phantom_layers", lambda name: name)
    names = {command.id: command.python_name for command in manifest.contributions.commands}
    for sample in manifest.contributions.sample_data:
        function = getattr(_sample_data, names[sample.command].rpartition(":")[2])
        assert function() == sample.key


def test_the_palette_offers_to_open_a_fractured_spine_phantom(manifest):
    assert "Open a fractured-spine phantom" in [command.title for command in manifest.contributions.commands]


def test_without_qt_the_manifest_is_read_and_a_widget_says_what_to_install(manifest):
    code = (
        "import sys\n"
        "for name in ('qtpy', 'PySide6', 'PyQt6'):\n"
        "    sys.modules[name] = None\n"
        "import napari_trajplan\n"
        "from napari_trajplan._widgets import Planner\n"
        "try:\n"
        "    Planner(None)\n"
        "except ImportError as error:\n"
        "    sys.exit(0 if 'pip install' in str(error) else 2)\n"
        "sys.exit(3)\n"
    )
    assert manifest.contributions.widgets
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
