"""Compiling what a plan needs: once after an installation, beside other work, so that the first plan waits for little.

Kernels are compiled when they are first called and then lie in numba's cache. Groups of them can be compiled by
processes of their own (``python -m trajplan.first_use GROUP...``), which leave what they made in that cache.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from trajplan.beside import run_beside
from trajplan.fluoroscopy import projector
from trajplan.fluoroscopy.chords import add_chords
from trajplan.fluoroscopy.slab_kernels import compose_slabs
from trajplan.planning import warm_up
from trajplan.planning.climb import climb_each

WALLS, PATHS, X_RAYS, TOOLS = "walls", "paths", "X-rays", "tools"
_GROUPS: dict[str, tuple[Any, Callable[[], None]]] = {
    WALLS: (list(warm_up.WALLS)[-1], lambda: warm_up.compile_kernels(warm_up.WALLS)),
    PATHS: (climb_each, lambda: warm_up.compile_kernels(warm_up.PATHS)),
    X_RAYS: (compose_slabs, lambda: projector.warm_up(("fast", "preview"), tools=False)),
    TOOLS: (add_chords, projector.warm_up_tools),
}
"""By name: the kernel by which the group is known to be compiled, and what compiles all of it."""

_BESIDE = (WALLS, X_RAYS), (PATHS, TOOLS)
"""What each of two processes compiles, in this order: about as long as one another, what X-rays need last."""


def uncompiled() -> tuple[str, ...]:
    """Groups of kernels that are not in the cache yet."""
    return tuple(name for name, (kernel, _) in _GROUPS.items() if not _in_cache(kernel))


def compile_beside(groups: Sequence[str]) -> list[subprocess.Popen[bytes]]:
    """Processes that compile groups beside one another and end."""
    silent = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
    shares = [[name for name in share if name in groups] for share in _BESIDE]
    return [run_beside("trajplan.first_use", *names, **silent) for names in shares if names]


@contextmanager
def compiling(announce: Callable[[str], None]) -> Iterator[None]:
    """While the block runs, compile what is missing beside it; say so first. What is not done at its end is stopped."""
    groups = [group for group in uncompiled() if group != WALLS]  # those are compiled here, where they come first
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
    """Compile the groups that are named."""
    for group in sys.argv[1:]:
        _GROUPS[group][1]()


if __name__ == "__main__":
    main()
