"""How the program ends when something stops it: one clear line on stderr, a status that is not 0, no trace."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from trajplan.errors import TrajplanError

EXIT_REFUSED = 2
EXIT_FAILED = 4
TRACEBACK_VARIABLE = "TRAJPLAN_TRACEBACK"
_WHOLE = "files under their final names are whole"


class Stopped(BaseException):
    """A signal asked the program to stop. No `Exception`, so that nothing on the way takes it for an error."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def run_to_the_end(command: Callable[[], object]) -> None:
    """Run a command; whatever it raises ends as one line and an exit status.

    2 for what is refused or cannot be written, 4 for lack of memory or an error of the program, 128 + n for signal n.

    Raises
    ------
    SystemExit
    """
    try:
        with _signals_as_exceptions():
            command()
    except TrajplanError as refused:
        _leave(str(refused), EXIT_REFUSED)
    except Stopped as stop:
        _leave(f"stopped by {signal.Signals(stop.number).name}; {_WHOLE}", 128 + stop.number)
    except MemoryError:
        _leave(f"not enough memory; close other programs or crop the scan; {_WHOLE}", EXIT_FAILED)
    except OSError as failed:
        where = f": {Path(os.fsdecode(failed.filename)).name}" if isinstance(failed.filename, str | bytes) else ""
        _leave(f"{failed.strerror or 'I/O error'}{where}; {_WHOLE}", EXIT_REFUSED)
    except Exception as unforeseen:
        # the last door: no trace, since a trace may name the patient's files; the error is told, never swallowed
        if os.environ.get(TRACEBACK_VARIABLE):
            raise
        _leave(
            f"an error of the program ({type(unforeseen).__name__}); {_WHOLE}. Set {TRACEBACK_VARIABLE}=1 for the full "
            "trace; it may hold file and folder names",
            EXIT_FAILED,
        )


@contextmanager
def _signals_as_exceptions() -> Iterator[None]:
    """Ctrl-C, a closed terminal or a termination unwinds the stack, so that temporary files are taken away."""

    def stop(number: int, _frame: object) -> None:
        raise Stopped(number)

    names = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP
    wanted = [n for n in (getattr(signal, name, None) for name in names) if n is not None]
    # what was told to be ignored (nohup) stays ignored
    before = {n: signal.signal(n, stop) for n in wanted if signal.getsignal(n) is not signal.SIG_IGN}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(message: str, status: int) -> NoReturn:
    sys.stderr.write(f"trajplan: {' '.join(message.split())}\n")
    raise SystemExit(status)
