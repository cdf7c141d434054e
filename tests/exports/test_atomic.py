"""A file under its final name is whole; a failed run leaves what was there and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trajplan.errors import InputError
from trajplan.exports import atomic
from trajplan.exports.atomic import MANIFEST, staged_folder, write_atomically


def _tree(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def _fill(out: Path, files: dict[str, bytes], error: type[Exception] | None = None) -> None:
    with staged_folder(out) as folder:
        for name, data in files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(data)
        if error is not None:
            raise error


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a.json", b"one")
    write_atomically(tmp_path / "a.json", b"two")
    assert _tree(tmp_path) == {"a.json": b"two"}


def test_a_failed_replace_keeps_the_old_file_and_no_temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_atomically(tmp_path / "a.json", b"one")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic.os, "fsync", full)
    with pytest.raises(InputError, match=r"a\.json: No space left"):
        write_atomically(tmp_path / "a.json", b"two")
    assert _tree(tmp_path) == {"a.json": b"one"}


def test_a_missing_folder_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot write a\.json"):
        write_atomically(tmp_path / "none" / "a.json", b"one")


def test_files_appear_only_when_all_is_done(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with staged_folder(out) as folder:
        (folder / "figures").mkdir()
        (folder / "figures" / "a.png").write_bytes(b"a")
        assert not out.exists()
    assert (out / "figures" / "a.png").read_bytes() == b"a"
    assert list(json.loads((out / MANIFEST).read_text())["files"]) == ["figures/a.png"]
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_an_exception_midway_leaves_the_old_result_and_no_temporary(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with staged_folder(out) as folder:
        (folder / "a").write_bytes(b"old")
    before = _tree(tmp_path)
    with pytest.raises(ZeroDivisionError):
        _fill(out, {"a": b"new"}, ZeroDivisionError)
    assert _tree(tmp_path) == before
    with pytest.raises(ZeroDivisionError):
        _fill(tmp_path / "fresh", {}, ZeroDivisionError)
    assert _tree(tmp_path) == before
    assert not (tmp_path / "fresh").exists()


def test_a_move_that_fails_is_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    with staged_folder(out) as folder:
        for name in "abc":
            (folder / name).write_bytes(b"old " + name.encode())
    before = _tree(tmp_path)
    monkeypatch.chdir(out)  # so that the folder cannot be exchanged as a whole
    replace = Path.replace

    def broken(self: Path, target: Path) -> Path:
        if self.name == "b" and self.parent.name == "new":
            raise OSError(5, "Input/output error")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", broken)
    with pytest.raises(InputError, match="Input/output error"):
        _fill(out, dict.fromkeys("abcd", b"new"))
    assert _tree(tmp_path) == before


def test_only_our_own_unchanged_files_go(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with staged_folder(out) as folder:
        for name in ("kept", "obsolete", "edited"):
            (folder / name).write_bytes(b"first")
    (out / "foreign").write_bytes(b"theirs")
    (out / "edited").write_bytes(b"by hand")
    with staged_folder(out) as folder:
        (folder / "kept").write_bytes(b"second")
    tree = _tree(out)
    assert {k: tree[k] for k in ("kept", "edited", "foreign")} == {
        "kept": b"second",
        "edited": b"by hand",
        "foreign": b"theirs",
    }
    assert "obsolete" not in tree


def test_a_manifest_cannot_reach_outside(tmp_path: Path) -> None:
    out, victim = tmp_path / "out", tmp_path / "victim"
    victim.write_bytes(b"x")
    out.mkdir()
    digest = atomic._digest(victim)
    (out / MANIFEST).write_text(json.dumps({"files": {"../victim": digest, str(victim): digest}}))
    with staged_folder(out) as folder:
        (folder / "a").write_bytes(b"a")
    assert victim.read_bytes() == b"x"


def test_links_that_lead_outside_are_refused(tmp_path: Path) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    out.mkdir()
    elsewhere.mkdir()
    (out / "figures").symlink_to(elsewhere)
    with pytest.raises(InputError, match="link"):
        _fill(out, {"figures/a.png": b"a"})
    assert list(elsewhere.iterdir()) == []


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"x")
    with pytest.raises(InputError, match="is a file"), staged_folder(tmp_path / "out"):
        pass
