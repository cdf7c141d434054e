"""Work shared among threads: in order, once each, and stopped by the first error."""

from __future__ import annotations

import threading

import numba as nb
import pytest

from trajplan.threads import count, each, slices


@pytest.fixture(autouse=True)
def _two_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nb, "get_num_threads", lambda: 2)


def test_results_come_in_the_order_of_the_items_and_from_other_threads() -> None:
    meet = threading.Barrier(2, timeout=20)

    def work(number: int) -> tuple[int, int]:
        meet.wait()  # both are at work at once, or this never returns
        return number, threading.get_ident()

    found = each(work, [3, 1])
    assert [number for number, _ in found] == [3, 1]
    assert threading.get_ident() not in {ident for _, ident in found}


def test_a_thread_that_has_its_share_does_not_share_it_again() -> None:
    assert count() == 2
    assert each(lambda _: (count(), len(slices(10))), range(2)) == [(1, 1), (1, 1)]


@pytest.mark.parametrize("length", [0, 1, 2, 7])
def test_slices_cover_every_row_once(length: int) -> None:
    assert [row for part in slices(length) for row in range(length)[part]] == list(range(length))


def test_the_first_error_is_raised_and_what_has_not_begun_never_does() -> None:
    begun: list[int] = []

    def work(number: int) -> None:
        begun.append(number)
        raise ValueError(f"item {number}")

    with pytest.raises(ValueError, match="item 0"):
        each(work, range(100))
    assert len(begun) < 100


def test_an_error_of_the_caller_ends_the_work() -> None:
    begun: list[int] = []
    held = threading.Event()

    def work(number: int) -> None:
        begun.append(number)
        held.wait(timeout=20)

    def before(number: int) -> None:
        held.set()
        raise InterruptedError(f"at {number}")

    with pytest.raises(InterruptedError, match="at 0"):
        each(work, range(50), before)
    assert len(begun) < 50
