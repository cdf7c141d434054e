"""The worker process, ``python -m napari_trajplan._worker``: tasks on standard input, answers on standard output.

A process, not a thread: compiled loops hold Python's lock for seconds, and a window that cannot be moved in that time
looks dead. It can be stopped at any moment, and one that runs out of memory leaves the window alive.
"""

from __future__ import annotations

import os
import sys
import time

from napari_trajplan import _first_use, _tasks
from napari_trajplan._wire import Shared, error_facts, receive, send

_EVERY_S = 0.05


def main() -> None:
    """Serve until standard input ends."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no message
    questions, shared, last = sys.stdin.buffer, Shared(), [0.0]

    def progress(fraction: float, what: str) -> None:
        now = time.perf_counter()
        if now - last[0] > _EVERY_S:
            last[0] = now
            send(answers, ("told", float(fraction), what), shared)

    while True:
        try:
            kind, *rest = receive(questions, shared)
        except EOFError:
            return
        if kind == "scan":
            (shared.scan,) = rest
            continue
        name, arguments = rest
        try:
            _first_use.wait(progress)
            value = getattr(_tasks, name)(*arguments, progress=progress)
        except Exception as error:  # noqa: BLE001 - whatever it is must be told in the window
            send(answers, ("failed", *error_facts(error)), shared)
            continue
        send(answers, ("done", value), shared)


if __name__ == "__main__":
    main()
