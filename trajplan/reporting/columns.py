"""How wide the columns of a table are on paper."""

from __future__ import annotations

from collections.abc import Sequence

_PAGE_PT, _LETTER_PT, _EDGES_PT = 510.0, 4.9, 8.0
"""Of the PDF: width of a table, of a letter of its head, and of the space beside a cell."""


def fitting(rows: Sequence[tuple[str, ...]]) -> tuple[float, ...]:
    """Columns that hold their longest word; what is left goes by their longest text, within limits."""
    columns = list(zip(*rows, strict=True))
    longest = [max(len(word) for cell in column for word in (*cell.split(), "")) for column in columns]
    least = [min((n * _LETTER_PT + _EDGES_PT) / _PAGE_PT, 0.3) for n in longest]
    wanted = [min(max(max(len(cell) for cell in column), 8), 60) for column in columns]
    left = max(0.0, 1.0 - sum(least))
    return tuple(floor + left * w / sum(wanted) for floor, w in zip(least, wanted, strict=True))
