"""The documents keep up with the program: links lead somewhere, commands and options exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_local_link_and_picture_exists(document):
    targets = re.findall(r"\]\(([^)#\s]+)", document.read_text())
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (document.parent / target).exists()] == []


def _readme_commands() -> list[list[str]]:
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("trajplan ")]
    return [shlex.split(line, comments=True) for line in lines]


@pytest.mark.parametrize("words", _readme_commands(), ids=" ".join)
def test_every_command_of_the_readme_is_understood(words):
    import typer

    from trajplan.cli import app

    command = typer.main.get_command(app).commands[words[1]]
    context = command.make_context(words[1], list(words[2:]))  # parses and checks the arguments, runs nothing
    assert context.command is command


def test_the_readme_states_every_exit_status_and_that_this_is_no_medical_device():
    text = (ROOT / "README.md").read_text()
    assert all(f"| {status} |" in text for status in (0, 2, 3))
    assert "not a medical device" in text.lower()
    assert all(f"make {target}" in text for target in ("demo", "test"))
