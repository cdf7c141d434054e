"""Whole files only: write to a temporary name, fsync, then rename; and the same for a folder of files."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from trajplan.errors import InputError
from trajplan.exports.exchange import exchange
from trajplan.exports.foreign import NEW, carry_over, foreign_entries, rescue
from trajplan.exports.leftovers import (
    JOURNAL,
    OLD,
    clean_leftovers,
    put_back,
    temporary_name,
    write_journal,
)
from trajplan.exports.lock import output_lock

MANIFEST = "manifest.json"
MOST_FOREIGN = 1000
"""Above so many files that are not ours a folder is a home, not a result, and is not exchanged."""
_MANIFEST_SCHEMA = "trajplan.manifest/1"


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` so that `path` is either what it was or all of `data`.

    Raises
    ------
    InputError
        The folder does not exist or cannot be written, the disk is full, or another run writes the same file.
    """
    with output_lock(path) as alone:
        if alone:
            clean_leftovers(path)
        temporary = temporary_name(path)
        try:
            with temporary.open("xb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(path)
            _sync(path.parent)
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

    One run at a time writes to `out`. The folder is replaced in one step, and files that are not ours come along as
    the very same files. Where the system has no such step (a mount point, the folder the shell stands in, files of
    another owner, more than `MOST_FOREIGN` of them) the old files go first and the new ones come, the manifest last,
    and a run killed in between is undone by the next one. Old and new files never lie side by side.

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
        `out` is a file, cannot be written, or a link in it leads elsewhere; another run is writing there.
    """
    out = Path(os.path.realpath(out))
    if out.exists() and not out.is_dir():
        raise InputError(f"output {out.name} is a file; give a folder", code="output_not_folder")
    with _parents(out), output_lock(out, home := _home(out)) as alone:
        if alone:
            clean_leftovers(out)
        stage = home / temporary_name(out).name
        try:
            yield _fresh_stage(stage, out.name)
            _publish(stage, out)
        finally:
            rescue(stage, out)
            shutil.rmtree(stage, ignore_errors=True)


def _fresh_stage(stage: Path, name: str) -> Path:
    """Make the temporary folder, closed to others, and in it the one that will become the result."""
    try:
        stage.mkdir(mode=0o700)
        (stage / NEW).mkdir()
    except OSError as error:
        raise InputError(f"cannot write beside {name}: {error.strerror}", code="output_unwritable") from error
    return stage / NEW


def output_folder_lock(out: Path) -> contextlib.AbstractContextManager[object]:
    """Hold the lock of an output folder from before a long computation until its result is written.

    A folder whose parent does not exist yet is locked when it is made.
    """
    real = Path(os.path.realpath(out))
    return output_lock(real, _home(real)) if real.parent.is_dir() else contextlib.nullcontext()


@contextlib.contextmanager
def _parents(out: Path) -> Iterator[None]:
    """Make the folders above `out`; take the new ones away again when the block fails."""
    missing = [p for p in out.parents if not p.exists()]
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot write beside {out.name}: {error.strerror}", code="output_unwritable") from error
    try:
        yield
    except BaseException:
        for folder in missing:
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise


def _home(out: Path) -> Path:
    """Where temporary files go: beside `out`, or in it when it is a mount of its own or its parent is closed."""
    try:
        if out.is_dir() and (out.stat().st_dev != out.parent.stat().st_dev or not os.access(out.parent, os.W_OK)):
            return out
    except OSError:
        return out.parent
    return out.parent


def _publish(stage: Path, out: Path) -> None:
    made = stage / NEW
    try:
        digests = {name: _digest(made / name) for name in _files(made) if name != MANIFEST}
        ours = _written_before(out)
        obsolete = [name for name in ours if name not in digests]
        manifest = {"schema": _MANIFEST_SCHEMA, "files": digests}
        (made / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        _files(made)
        _refuse_links(out, (*digests, MANIFEST))
        if not _swap(stage, out, {*ours, *digests, MANIFEST}):
            _move_all(stage, out, [MANIFEST, *digests], obsolete)
        _sync(out.parent)
    except OSError as error:
        raise InputError(f"cannot write into {out.name}: {error.strerror}", code="output_unwritable") from error


def _swap(stage: Path, out: Path, ours: set[str]) -> bool:
    """Put the finished folder in place in one step; False when that is not possible here."""
    made = stage / NEW
    if not out.exists():
        made.rename(out)
        return True
    if stage.is_relative_to(out) or Path.cwd().is_relative_to(out):  # a shell in the folder would stand nowhere
        return False
    was, now = out.stat(), made.stat()
    if (was.st_uid, was.st_gid) != (now.st_uid, now.st_gid):
        return False
    foreign = foreign_entries(out, ours)
    if len(foreign) > MOST_FOREIGN or not carry_over(stage, out, foreign, ours):
        return False
    made.chmod(was.st_mode & 0o7777)
    return exchange(made, out)


def _move_all(stage: Path, out: Path, names: list[str], obsolete: list[str]) -> None:
    """Old files out, new files in, file by file; `names` starts with the manifest, which is moved in last."""
    write_journal(stage, names, obsolete)
    try:
        for name in (*names, *obsolete):
            if (out / name).exists():
                (stage / OLD / name).parent.mkdir(parents=True, exist_ok=True)
                (out / name).replace(stage / OLD / name)
        for name in (*names[1:], names[0]):
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            (stage / NEW / name).replace(out / name)
    except BaseException:
        put_back(stage, out)
        raise
    (stage / JOURNAL).unlink()


def _refuse_links(out: Path, names: tuple[str, ...]) -> None:
    for name in names:
        target = out / name
        if target.is_symlink() or not target.parent.resolve().is_relative_to(out):
            raise InputError(f"{name} in the output folder is a link; remove it first", code="output_outside")
        if target.is_dir():
            raise InputError(f"{name} in the output folder is a folder; remove it first", code="output_not_folder")


def _files(folder: Path) -> list[str]:
    found = sorted(p for p in folder.rglob("*") if not p.is_dir())
    for path in found:
        with path.open("rb") as stream:
            os.fsync(stream.fileno())
    return [path.relative_to(folder).as_posix() for path in found]


def _sync(folder: Path) -> None:
    """Make a rename last through a power cut, where folders can be synced."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


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
