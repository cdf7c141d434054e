"""The napari manifest is valid, is ours, and offers every named phantom."""

from __future__ import annotations

import subprocess
import sys

import pytest

from trajplan_phantoms import NAMED
from trajplan_phantoms.real_sample import REAL_SAMPLES

npe2 = pytest.importorskip("npe2", reason="npe2 is not installed")


@pytest.fixture(scope="module")
def manifest():
    return npe2.PluginManifest.from_distribution("trajplan")


def test_the_manifest_is_found_under_the_name_of_the_distribution(manifest):
    assert manifest.name == "trajplan"


def test_every_command_of_the_manifest_can_be_imported(manifest):
    manifest.validate_imports()


def test_every_named_phantom_is_a_sample_and_so_is_every_real_one(manifest):
    assert [sample.key for sample in manifest.contributions.sample_data] == [*NAMED, *REAL_SAMPLES]


def test_every_command_is_a_reader_a_writer_a_widget_a_sample_or_an_act_on_the_planner(manifest):
    given = manifest.contributions
    groups = (given.readers, given.writers, given.widgets, given.sample_data)
    used = [one.command for group in groups for one in group]
    acts = [one.id for one in given.commands if one.python_name.startswith("napari_trajplan._commands:")]
    assert sorted(used + acts) == sorted(command.id for command in given.commands)
    assert {one.command for items in given.menus.values() for one in items} <= set(acts)
    assert len(acts) >= 15


def test_commands_are_imperative_phrases_and_do_what_they_are_named_after(manifest):
    from napari_trajplan import _commands

    verbs = {"Add", "Cancel", "Confirm", "Edit", "Export", "Find", "Look", "Open", "Plan", "Redo", "Save", "Segment",
             "Show", "Snap", "Undo", "Update", "Verify", "Write"}  # fmt: skip
    for one in manifest.contributions.commands:
        assert one.title.split()[0] in verbs, one.title
        if one.python_name.startswith("napari_trajplan._commands:"):
            assert one.id == f"trajplan.{one.python_name.rpartition(':')[2]}"
            assert getattr(_commands, one.python_name.rpartition(":")[2]).__doc__


def test_every_sample_opens_what_its_key_names(manifest, monkeypatch):
    from napari_trajplan import _sample_data

    monkeypatch.setattr(_sample_data, "phantom_layers", lambda name: name)
    monkeypatch.setattr(_sample_data, "real_layers", lambda name: name)
    names = {command.id: command.python_name for command in manifest.contributions.commands}
    for sample in manifest.contributions.sample_data:
        function = getattr(_sample_data, names[sample.command].rpartition(":")[2])
        assert function() == sample.key


def test_the_choices_of_the_preferences_are_those_that_there_are(manifest):
    from napari_trajplan._views import WINDOWS_HU
    from trajplan.planning.execution import PRESETS
    from trajplan.planning.instruments import CATALOGUE

    asked = manifest.contributions.configurations
    assert asked["plan"].properties["trocar"].enum == list(CATALOGUE)
    assert asked["plan"].properties["execution"].enum == list(PRESETS)
    assert asked["display"].properties["window"].enum == list(WINDOWS_HU)


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
