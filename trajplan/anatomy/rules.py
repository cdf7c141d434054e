"""Rules that turn figures about a mask into a confidence; shared by the back-ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from trajplan.anatomy.vertebra import Confidence


@dataclass(frozen=True)
class Rule:
    """A figure: `bad` gives 0 and `good` gives 1 (linear between); `text` is the reason shown when below 0.5."""

    bad: float
    good: float
    text: str


def rate(values: Mapping[str, float], rules: Mapping[str, Rule]) -> Confidence:
    """The mean of the lowest and the average mark, and a reason for each mark below 0.5.

    >>> rate({"overlap": 0.6}, {"overlap": Rule(0.5, 1.0, "the looks differ")})
    Confidence(score=0.2, values={'overlap': 0.6}, check=('the looks differ (overlap 0.60)',))
    """
    marks = {k: float(np.clip((values[k] - r.bad) / (r.good - r.bad), 0.0, 1.0)) for k, r in rules.items()}
    score = 0.5 * min(marks.values()) + 0.5 * float(np.mean(list(marks.values())))
    check = tuple(f"{rules[k].text} ({k} {values[k]:.2f})" for k, mark in marks.items() if mark < 0.5)
    return Confidence(score=round(score, 3), values=dict(values), check=check)
