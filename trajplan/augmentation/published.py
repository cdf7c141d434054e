"""Published: one figure from the literature, with its source and how well that was checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Evidence = Literal["read", "secondary", "derived", "unverified", "proposed"]
"""How a figure is known: ``read`` in the source named; in a ``secondary`` source; ``derived`` from others;
``unverified`` (from recall, the source was not opened); ``proposed`` by us, without any source."""


@dataclass(frozen=True)
class Published:
    """What is said, by whom, and how far that was checked."""

    text: str
    source: str
    evidence: Evidence

    @property
    def cited(self) -> str:
        """The statement with its source, and a word where the source itself was not read."""
        checked = "" if self.evidence == "read" else f", {self.evidence}"
        return f"{self.text} ({self.source}{checked})"
