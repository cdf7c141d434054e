"""One quantity of a re-check: planned, recomputed, and whether they agree."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class CheckLine:
    """One quantity: planned, recomputed and whether they agree within `limit` (0 = must be equal).

    `lower` is by how much the planned figure may lie below the recomputed one, where that is more than `limit`.
    """

    name: str
    planned: str | float | None
    recomputed: str | float | None
    limit: float
    unit: str
    lower: float = 0.0

    @property
    def agrees(self) -> bool:
        """Equal, or within the limit."""
        if isinstance(self.planned, float | int) and isinstance(self.recomputed, float | int):
            above = self.planned - self.recomputed
            return bool(-max(self.lower, self.limit) <= above <= self.limit)
        return self.planned == self.recomputed

    def sentence(self) -> str:
        """One line for a terminal."""
        mark = "ok  " if self.agrees else "FAIL"
        figures = f"planned {_show(self.planned)}, recomputed {_show(self.recomputed)} {self.unit}"
        return f"{mark} {self.name}: {figures}".rstrip()

    def as_dict(self) -> dict[str, Any]:
        """JSON-able; a figure that is not finite is None."""
        return {
            "name": self.name,
            "planned": _plain(self.planned),
            "recomputed": _plain(self.recomputed),
            "limit": self.limit,
            "unit": self.unit,
            "agrees": self.agrees,
        }


def _plain(value: str | float | None) -> str | float | None:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _show(value: str | float | None) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, str) and len(value) == _HASH_LENGTH:
        return value[:12]
    return str(value)


_HASH_LENGTH = 64
