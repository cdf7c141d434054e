"""What a killed run left behind: temporary files go, a half-done change of a result folder is undone."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
from pathlib import Path, PurePosixPath

from trajplan.exports.foreign import NEW, rescue

OLD, JOURNAL = "old", "moving.json"
_TOKEN_BYTES = 6


def temporary_name(target: Path, suffix: str = ".tmp") -> Path:
    """A fresh hidden name beside `target` that `clean_leftovers` knows again."""
    return target.with_name(f".{target.name}.{secrets.token_hex(_TOKEN_BYTES)}{suffix}")


def leftovers(target: Path) -> list[Path]:
    """Temporary files and folders of earlier runs for this very target, beside it and in it."""
    known = re.compile(rf"\.{re.escape(target.name)}\.[0-9a-f]{{{2 * _TOKEN_BYTES}}}\.tmp(\.nrrd|\.nii(\.gz)?)?")
    found: list[Path] = []
    for folder in (target.parent, target):
        with contextlib.suppress(OSError):
            found += sorted(p for p in folder.iterdir() if known.fullmatch(p.name) and not p.is_symlink())
    return found


def clean_leftovers(target: Path) -> None:
    """Remove what killed runs left for `target`, after putting back a result that was being replaced.

    Only to be called while the lock of the target is held: a living run's files look the same.
    """
    for path in leftovers(target):
        if path.is_dir():
            put_back(path, target)
            rescue(path, target)
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def is_interrupted(out: Path) -> bool:
    """Whether a run was killed while it replaced the result in `out`; the next run there puts the old one back."""
    return any((path / JOURNAL).exists() for path in leftovers(Path(out).absolute()))


def write_journal(stage: Path, new: list[str], obsolete: list[str]) -> None:
    """Note what is about to be moved, so that it can be undone after a kill."""
    with (stage / JOURNAL).open("x", encoding="utf-8") as stream:
        json.dump({"new": new, "obsolete": obsolete}, stream)
        stream.flush()
        os.fsync(stream.fileno())


def put_back(stage: Path, out: Path) -> None:
    """Undo a replacement, however far it got: new files leave `out`, the old ones return. May itself be repeated.

    A new file that is no longer in `NEW` has been moved to `out`; an old one that had to make room is in `OLD`.
    """
    new, obsolete = _journal(stage)
    for name in new:
        with contextlib.suppress(OSError):
            if not (stage / NEW / name).exists():
                (out / name).replace(stage / NEW / name)
    for name in (*obsolete, *reversed(new)):  # the manifest, first to go, is the last to return
        with contextlib.suppress(OSError):
            if (stage / OLD / name).exists():
                (out / name).parent.mkdir(parents=True, exist_ok=True)
                (stage / OLD / name).replace(out / name)
    for parent in {str(PurePosixPath(name).parent) for name in new} - {"."}:
        with contextlib.suppress(OSError):
            (out / parent).rmdir()
    (stage / JOURNAL).unlink(missing_ok=True)


def _journal(stage: Path) -> tuple[list[str], list[str]]:
    try:
        noted = json.loads((stage / JOURNAL).read_text(encoding="utf-8"))
        return _inside(noted["new"]), _inside(noted["obsolete"])
    except (OSError, ValueError, KeyError, TypeError):
        return [], []


def _inside(names: list[str]) -> list[str]:
    return [n for n in names if not PurePosixPath(n).is_absolute() and ".." not in PurePosixPath(n).parts]
