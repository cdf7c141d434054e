"""Compiling what a plan needs: once after an installation, beside other work, so that the first plan waits for little.

Kernels are compiled when they are first called and then lie in numba's cache. The two slowest groups can be compiled by
processes of their own (``python -m trajplan.first_use GROUP``), which leave what they made in that cache.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
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


def compile_beside(groups: Iterable[str]) -> tuple[subprocess.Popen[bytes], ...]:
    """A process for each group, which ends when it is compiled. Nobody has to wait for it."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    return tuple(
        subprocess.Popen(  # noqa: S603 - this module, with one of its own names
            [sys.executable, "-m", "trajplan.first_use", group], env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        for group in groups
    )  # fmt: skip


@contextmanager
def compiling(announce: Callable[[str], None]) -> Iterator[None]:
    """While the block runs, compile what is missing beside it; say so first. What is not done at its end is stopped."""
    groups = uncompiled()
    if groups:
        announce("compiling, once after an installation: up to a minute")
    processes = compile_beside(groups)
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _in_cache(kernel: Any) -> bool:
    name = f"{kernel.__module__.rpartition('.')[2]}.{kernel.__name__}-*.nbi"
    return any(Path(kernel.stats.cache_path).glob(name))


def main() -> None:
    """Compile the group that is named."""
    _GROUPS[sys.argv[1]][1]()


if __name__ == "__main__":
    main()
