"""Files in a result folder that are not ours: they come along when the folder is replaced, as the very same files."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Collection
from pathlib import Path

NEW = "new"
"""The folder in a temporary one that becomes the result; after an exchange, the old result."""
_CARRIED = "carried.json"


def foreign_entries(out: Path, ours: Collection[str]) -> list[str]:
    """Relative names of what `out` holds beside `ours`: files of any kind, links, and folders without a file."""
    found: list[str] = []
    for folder, folders, files in os.walk(out):
        here = Path(folder)
        links = [name for name in folders if (here / name).is_symlink()]
        empty = [] if files or folders or here == out else [here]
        found += [path.relative_to(out).as_posix() for path in (*(here / n for n in (*files, *links)), *empty)]
    return sorted(name for name in found if name not in ours)


def carry_over(stage: Path, out: Path, foreign: Collection[str], ours: Collection[str]) -> bool:
    """Give the files `foreign` of `out` a second name in the new folder of `stage`, and note that in `stage`.

    No byte is copied: an open file stays open and a later write to it is seen. The note tells `rescue` after a kill
    whether the folders were exchanged.

    Returns
    -------
    bool
        False where the file system or the owner of a file does not allow it; then the folders must not be exchanged.
    """
    made = stage / NEW
    try:
        for name in foreign:
            _make_parents(out, made, name)
            if (out / name).is_dir() and not (out / name).is_symlink():
                (made / name).mkdir()
                _copy_look(out / name, made / name)
            else:
                os.link(out / name, made / name, follow_symlinks=False)
        note = {"made": made.stat().st_ino, "ours": sorted(ours)}
        with (stage / _CARRIED).open("w", encoding="utf-8") as stream:
            json.dump(note, stream)
            stream.flush()
            os.fsync(stream.fileno())
    except (OSError, NotImplementedError):  # Python's word for a system without links to links
        return False
    return True


def rescue(stage: Path, out: Path) -> None:
    """After an exchange: what somebody put into the old folder in the last moment comes along as well.

    Does nothing when the exchange never happened or nothing was carried over. May be repeated after a kill.
    """
    old = stage / NEW
    try:
        note = json.loads((stage / _CARRIED).read_text(encoding="utf-8"))
        made, ours = int(note["made"]), {str(name) for name in note["ours"]}
        if out.stat().st_ino != made or not old.is_dir():
            return
    except (OSError, ValueError, KeyError, TypeError):
        return
    for name in foreign_entries(old, ours):
        source, place = old / name, out / name
        with contextlib.suppress(OSError):
            if source.is_dir() and not source.is_symlink():
                place.mkdir(parents=True, exist_ok=True)
            elif not (os.path.lexists(place) and os.path.samestat(place.lstat(), source.lstat())):
                place.parent.mkdir(parents=True, exist_ok=True)
                source.replace(place)


def _make_parents(out: Path, made: Path, name: str) -> None:
    """The folders above `name`, looking like those they replace."""
    for parent in reversed(Path(name).parents):
        if parent != Path() and not (made / parent).exists():
            (made / parent).mkdir()
            _copy_look(out / parent, made / parent)


def _copy_look(source: Path, copy: Path) -> None:
    was, now = source.stat(), copy.stat()
    if (was.st_uid, was.st_gid) != (now.st_uid, now.st_gid):
        raise PermissionError(f"{source.name} belongs to somebody else")
    shutil.copystat(source, copy)
