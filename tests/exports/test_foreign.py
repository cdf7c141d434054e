"""Somebody else's files in a result folder stay the very same files, whatever happens to the result."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from trajplan.exports import atomic
from trajplan.exports.atomic import staged_folder
from trajplan.exports.foreign import foreign_entries

pytestmark = pytest.mark.skipif(os.name != "posix", reason="hard links to links are POSIX")


def _write(out: Path, text: str) -> None:
    with staged_folder(out) as folder:
        (folder / "figures").mkdir()
        for name in ("plan.json", "figures/a.png"):
            (folder / name).write_text(text)


def _only(parent: Path) -> None:
    assert [path.name for path in parent.iterdir()] == ["out"], "no temporary file is left"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    out = tmp_path / "out"
    _write(out, "first")
    (out / "notes.txt").write_text("theirs")
    (out / "figures" / "mine.png").write_text("theirs")
    (out / "empty").mkdir()
    (out / "link").symlink_to("/nowhere")
    (out / "deep" / "er").mkdir(parents=True)
    (out / "deep" / "er" / "x").write_text("theirs")
    return out


THEIRS = ["deep/er/x", "empty", "figures/mine.png", "link", "notes.txt"]


def test_foreign_files_are_told_from_ours(out: Path) -> None:
    assert foreign_entries(out, {"plan.json", "figures/a.png", "manifest.json"}) == THEIRS


def test_they_stay_the_very_same_files_when_the_folder_is_exchanged(out: Path) -> None:
    (out / "deep").chmod(0o750)
    before = {name: (out / name).lstat() for name in THEIRS}
    folder = out.stat().st_ino
    with (out / "notes.txt").open("a") as open_before:
        _write(out, "second")
        open_before.write(" and more")
    assert out.stat().st_ino != folder, "it was exchanged as a whole"
    assert (out / "plan.json").read_text() == "second"
    assert (out / "notes.txt").read_text() == "theirs and more"
    assert os.readlink(out / "link") == "/nowhere"
    assert (out / "deep").stat().st_mode & 0o777 == 0o750
    for name in THEIRS:
        now = (out / name).lstat()
        assert now.st_mtime >= before[name].st_mtime
        assert name == "empty" or now.st_ino == before[name].st_ino
        assert name == "empty" or now.st_nlink == 1
    _only(out.parent)


def _late(out: Path, monkeypatch: pytest.MonkeyPatch, after: type[BaseException] | None) -> None:
    """Somebody saves files in the last moment before the exchange; the run dies right after it if asked for."""
    true = atomic.exchange

    def exchange(one: Path, other: Path) -> bool:
        (out / "late.txt").write_text("theirs")
        fresh = out / "notes.new"
        fresh.write_text("saved anew")
        fresh.replace(out / "notes.txt")
        done = true(one, other)
        if after:
            raise after
        return done

    monkeypatch.setattr(atomic, "exchange", exchange)


def test_a_file_saved_in_the_last_moment_comes_along(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _late(out, monkeypatch, None)
    _write(out, "second")
    assert (out / "plan.json").read_text() == "second"
    assert (out / "late.txt").read_text() == "theirs"
    assert (out / "notes.txt").read_text() == "saved anew"
    assert sorted(foreign_entries(out, {"plan.json", "figures/a.png", "manifest.json"})) == sorted(
        [*THEIRS, "late.txt"]
    )
    _only(out.parent)


def test_a_file_saved_in_the_last_moment_survives_a_kill_after_the_exchange(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _late(out, monkeypatch, KeyboardInterrupt)
    for where, name in ((atomic.shutil, "rmtree"), (atomic, "rescue")):  # a kill tidies nothing
        monkeypatch.setattr(where, name, lambda *_args, **_kwargs: None)
    with pytest.raises(KeyboardInterrupt):
        _write(out, "second")
    monkeypatch.undo()
    assert not (out / "late.txt").exists(), "the kill fell before it was brought along"
    with pytest.raises(ZeroDivisionError), staged_folder(out):
        raise ZeroDivisionError
    assert (out / "plan.json").read_text() == "second"
    assert (out / "late.txt").read_text() == "theirs"
    assert (out / "notes.txt").read_text() == "saved anew"
    _only(out.parent)


def test_a_file_saved_in_the_last_moment_survives_an_error_after_the_exchange(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _late(out, monkeypatch, KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        _write(out, "second")
    assert (out / "late.txt").read_text() == "theirs"
    _only(out.parent)


@pytest.mark.parametrize("hinder", ["links", "count", "exchange"])
def test_where_folders_cannot_be_exchanged_files_are_moved_one_by_one(
    hinder: str, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object, **_kwargs: object) -> bool:
        raise PermissionError(1, "Operation not permitted")

    if hinder == "links":
        monkeypatch.setattr(os, "link", refuse)
    elif hinder == "count":
        monkeypatch.setattr(atomic, "MOST_FOREIGN", 4)
    else:
        monkeypatch.setattr(atomic, "exchange", lambda *_: False)
    folder = out.stat().st_ino
    _write(out, "second")
    assert out.stat().st_ino == folder
    assert (out / "plan.json").read_text() == "second"
    assert foreign_entries(out, {"plan.json", "figures/a.png", "manifest.json"}) == THEIRS
    _only(out.parent)
