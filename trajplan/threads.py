"""Work shared among threads: the compiled kernels run without Python's lock, so that ordinary threads are enough.

numba's own parallel loops are not used here: its fallback thread pool, the only one on many machines, ends the process
when two threads start such loops at once, as a viewer that plans and projects would; and they take longer to compile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import numba as nb
import numpy as np

Item = TypeVar("Item")
Result = TypeVar("Result")

_here = threading.local()


def count() -> int:
    """How many threads share work started here: numba's number; one in a thread that has its share already."""
    return 1 if getattr(_here, "sharing", False) else int(nb.get_num_threads())


def each(
    work: Callable[[Item], Result], items: Iterable[Item], before: Callable[[int], None] = lambda _number: None
) -> list[Result]:
    """The results of `work` on every item, in their order; the first error is raised once nothing runs any more.

    `before` is called here, not in the threads, when the result of an item is the next to be waited for; an error it
    raises ends the work.

    >>> each(abs, [-1, 2])
    [1, 2]
    """
    todo = list(items)
    workers = min(count(), len(todo))
    if workers < 2:
        return [_called(work, item, before, i) for i, item in enumerate(todo)]
    with ThreadPoolExecutor(workers, "trajplan", _begin) as pool:
        running = [pool.submit(work, item) for item in todo]
        try:
            return [_called(Future.result, one, before, i) for i, one in enumerate(running)]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def slices(length: int) -> list[slice]:
    """Rows 0..length in as many parts as there are threads.

    >>> [range(5)[part] for part in slices(5)][0][0]
    0
    """
    parts = max(1, min(count(), length))
    return [slice(length * i // parts, length * (i + 1) // parts) for i in range(parts)]


def in_slices(work: Callable[[slice], tuple[Any, ...]], length: int) -> tuple[Any, ...]:
    """The arrays that `work` makes of rows 0..length, a slice for each thread, joined.

    >>> in_slices(lambda part: (np.arange(5)[part] ** 2,), 5)[0].tolist()
    [0, 1, 4, 9, 16]
    """
    return tuple(np.concatenate(parts) for parts in zip(*each(work, slices(length)), strict=True))


def _called(work: Callable[[Item], Result], item: Item, before: Callable[[int], None], number: int) -> Result:
    before(number)
    return work(item)


def _begin() -> None:
    _here.sharing = True
