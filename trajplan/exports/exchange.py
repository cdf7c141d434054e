"""Swap two folders in one step of the system, where it has such a step."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

_AT_FDCWD = -100
_EXCHANGE = 2
"""RENAME_EXCHANGE (Linux, renameat2) and RENAME_SWAP (macOS, renamex_np) have the same value."""


def exchange(one: Path, other: Path) -> bool:
    """Give each of two folders the name of the other, with no moment in between.

    Returns
    -------
    bool
        False when the system, the C library or the file system cannot; then nothing has changed.
    """
    a, b = os.fsencode(one), os.fsencode(other)
    if sys.platform not in ("linux", "darwin"):
        return False
    library = ctypes.CDLL(None, use_errno=True)
    try:
        if sys.platform == "linux":
            return bool(library.renameat2(_AT_FDCWD, a, _AT_FDCWD, b, _EXCHANGE) == 0)
        return bool(library.renamex_np(a, b, _EXCHANGE) == 0)
    except AttributeError:  # a C library older than the call
        return False
