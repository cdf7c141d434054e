"""Whole files only: write to a temporary name, fsync, then rename; and the same for a folder of files."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from trajplan.errors import InputError

MANIFEST = "manifest.json"
_MANIFEST_SCHEMA = "trajplan.manifest/1"


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` so that `path` is either what it was or all of `data`.

    Raises
    ------
    InputError
        The folder does not exist or cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    try:
        with temporary.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"cannot write {path.name}: {error.strerror}", code="output_unwritable") from error
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def staged_folder(out: Path) -> Iterator[Path]:
    """A temporary folder beside `out`; its files move into `out` only if the block ends without an error.

    A ``manifest.json`` with the SHA-256 of every file is added. Files of an earlier run that this run did not make
    again are removed if they are still as written then (an old picture beside a new plan would mislead); anything
    else in `out` is left alone. If a move fails, the files already moved are put back as they were.

    Parameters
    ----------
    out : Path
        The output folder; made if missing.

    Yields
    ------
    Path
        Where to write; sub-folders are kept.

    Raises
    ------
    InputError
        `out` is a file, cannot be written, or a link in it leads elsewhere.
    """
    out = Path(os.path.abspath(out))
    if out.exists() and not out.is_dir():
        raise InputError(f"output {out.name} is a file; give a folder", code="output_not_folder")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".tmp", dir=out.parent))
    except OSError as error:
        raise InputError(f"cannot write beside {out.name}: {error.strerror}", code="output_unwritable") from error
    try:
        made = stage / "new"
        made.mkdir()
        yield made
        _publish(made, stage / "old", out)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _publish(made: Path, backup: Path, out: Path) -> None:
    names = _files(made)
    digests = {name: _digest(made / name) for name in names if name != MANIFEST}
    obsolete = [name for name in _written_before(out) if name not in digests]
    manifest = {"schema": _MANIFEST_SCHEMA, "files": digests}
    (made / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    root = out.resolve()
    for name in (*digests, MANIFEST):
        target = out / name
        if target.is_symlink() or not target.parent.resolve().is_relative_to(root):
            raise InputError(f"{name} in the output folder is a link; remove it first", code="output_outside")
        if target.is_dir():
            raise InputError(f"{name} in the output folder is a folder; remove it first", code="output_not_folder")
    fresh = not out.exists()
    moved: list[str] = []
    try:
        for name in (*digests, MANIFEST, *obsolete):
            target, old = out / name, backup / name
            moved.append(name)
            if target.exists():
                old.parent.mkdir(parents=True, exist_ok=True)
                target.replace(old)
            if name not in obsolete:
                target.parent.mkdir(parents=True, exist_ok=True)
                (made / name).replace(target)
    except OSError as error:
        _put_back(moved, backup, out)
        if fresh:
            shutil.rmtree(out, ignore_errors=True)
        raise InputError(f"cannot write into {out.name}: {error.strerror}", code="output_unwritable") from error


def _put_back(names: list[str], backup: Path, out: Path) -> None:
    for name in names:
        with contextlib.suppress(OSError):
            if (backup / name).exists():
                (backup / name).replace(out / name)
            else:
                (out / name).unlink(missing_ok=True)


def _files(folder: Path) -> list[str]:
    found = sorted(p for p in folder.rglob("*") if not p.is_dir())
    for path in found:
        with path.open("rb") as stream:
            os.fsync(stream.fileno())
    return [path.relative_to(folder).as_posix() for path in found]


def _written_before(out: Path) -> list[str]:
    """Files of an earlier run that nobody has changed since, as its manifest tells."""
    try:
        files = json.loads((out / MANIFEST).read_text(encoding="utf-8"))["files"]
        listed = {str(k): str(v) for k, v in files.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []
    kept: list[str] = []
    for name, digest in listed.items():
        pure, path = PurePosixPath(name), out / name
        inside = not pure.is_absolute() and ".." not in pure.parts and path.resolve().is_relative_to(out.resolve())
        if inside and path.is_file() and not path.is_symlink() and _digest(path) == digest:
            kept.append(name)
    return kept


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
