"""What one command did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Run:
    """Exit status and output of one command."""

    status: int
    out: str
    err: str


Trajplan = Callable[..., Run]
