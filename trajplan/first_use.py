"""Compiling what a plan needs: once after an installation, beside other work, so that the first plan waits for little.

Kernels are compiled when they are first called and then lie in numba's cache. The two slowest groups can be compiled by
a process of its own (``python -m trajplan.first_use GROUP...``), which leaves what it made in that cache.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from trajplan.fluoroscopy import projector
from trajplan.fluoroscopy.slab_kernels import compose_slabs
from trajplan.planning import climb

PATHS, X_RAYS = "paths", "X-rays"
_GROUPS: dict[str, tuple[Any, Callable[[], None]]] = {
    PATHS: (climb.climb_each, climb.warm_up),
    X_RAYS: (compose_slabs, lambda: projector.warm_up(("fast", "preview"))),
}
"""By name: the kernel by which the group is known to be compiled, and what compiles all of it."""


def uncompiled() -> tuple[str, ...]:
    """Groups of kernels that are not in the cache yet."""
    return tuple(name for name, (kernel, _) in _GROUPS.items() if not _in_cache(kernel))


def compile_beside(groups: Sequence[str]) -> subprocess.Popen[bytes] | None:
    """A process that compiles one group after the other and ends; None where there are none. Nobody has to wait."""
    if not groups:
        return None
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    return subprocess.Popen(  # noqa: S603 - this module, with its own names
        [sys.executable, "-m", "trajplan.first_use", *groups], env=environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


@contextmanager
def compiling(announce: Callable[[str], None]) -> Iterator[None]:
    """While the block runs, compile what is missing beside it; say so first. What is not done at its end is stopped."""
    groups = uncompiled()
    if groups:
        announce("compiling, once after an installation: up to a minute")
    process = compile_beside(groups)
    try:
        yield
    finally:
        if process is not None:
            process.kill()
            process.wait()


def _in_cache(kernel: Any) -> bool:
    name = f"{kernel.__module__.rpartition('.')[2]}.{kernel.__name__}-*.nbi"
    return any(Path(kernel.stats.cache_path).glob(name))


def main() -> None:
    """Compile the groups that are named."""
    for group in sys.argv[1:]:
        _GROUPS[group][1]()


if __name__ == "__main__":
    main()
