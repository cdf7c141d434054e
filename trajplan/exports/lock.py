"""One writer at a time: a lock beside an output, released by the system when its process dies."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path

from trajplan.errors import InputError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_HELD: ContextVar[frozenset[str]] = ContextVar("trajplan_output_locks", default=frozenset())
"""What this flow of control has locked already, so that an inner step may ask again."""

_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP}
_BUSY = {errno.EAGAIN, errno.EACCES, errno.EDEADLK}
_TRIES = 20


@contextlib.contextmanager
def output_lock(target: Path, folder: Path | None = None) -> Iterator[bool]:
    """Hold ``.NAME.lock`` for the output `target`; the file is gone afterwards.

    Parameters
    ----------
    target : Path
        A file or folder that is about to be written.
    folder : Path, optional
        Where the lock lies; beside the target when not given. It must exist.

    Yields
    ------
    bool
        Whether the lock is held. False on a file system without locks: nothing of another run may then be touched.

    Raises
    ------
    InputError
        ``output_busy`` when another run writes there; ``output_unwritable`` when the lock cannot be made.
    """
    path = (folder or target.parent) / f".{target.name}.lock"
    key = os.path.realpath(path)
    if key in _HELD.get():
        yield True
        return
    descriptor, token = None, None
    try:
        descriptor = _acquire(path, target.name)
        token = _HELD.set(_HELD.get() | {key})
        yield descriptor is not None
    finally:
        if token is not None:
            _HELD.reset(token)
        if descriptor is not None:
            _release(descriptor, path)


def _acquire(path: Path, name: str) -> int | None:
    for _ in range(_TRIES):
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise InputError(f"cannot write {name} or beside it: {error.strerror}", code="output_unwritable") from error
        try:
            _lock(descriptor)
        except OSError as error:
            os.close(descriptor)
            if error.errno in _NO_LOCKS:
                return None
            if error.errno not in _BUSY:
                raise InputError(f"cannot lock {name}: {error.strerror}", code="output_unwritable") from error
            raise InputError(
                f"another run is writing {name}; wait until it is done, or name another output", code="output_busy"
            ) from error
        except BaseException:  # stopped in between: whoever comes next must not find a lock of nobody
            _release(descriptor, path)
            raise
        if _still_named(descriptor, path):
            return descriptor
        os.close(descriptor)  # the previous owner removed the file between our open and our lock
    raise InputError(f"another run is writing {name}; try again", code="output_busy")


def _still_named(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


def _release(descriptor: int, path: Path) -> None:
    if sys.platform == "win32":  # an open file cannot be removed there
        os.close(descriptor)
        with contextlib.suppress(OSError):
            path.unlink()
        return
    with contextlib.suppress(OSError):
        path.unlink()
    os.close(descriptor)


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
