"""One back-end leads, another segments the same seed after it: where they disagree, a person has to look.

Two methods that were made in different ways seldom err alike: the network by what it has learnt, the classical route by
where an atlas came to lie.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from trajplan.anatomy.backend import Backend, LabelResult, Progress
from trajplan.anatomy.vertebra import Confidence
from trajplan.errors import AnatomyError
from trajplan.geometry import Volume
from trajplan.geometry.arrays import FloatArray
from trajplan.geometry.resample import resample_mask

AGREED_DICE = 0.85
"""Below it the masks are said to disagree (shared reference on networks, section 10: unverified)."""

LEADING_SHARE = 0.4
"""Of the progress bar; the second route is usually the slower one."""


@dataclass(frozen=True)
class SecondOpinion:
    """A back-end whose mask is that of `leading`, rated by how far `other` agrees; `name` is ``leading+other``."""

    leading: Backend
    other: Backend

    @property
    def name(self) -> str:
        """Both names."""
        return f"{self.leading.name}+{self.other.name}"

    def segment(self, ct: Volume, seed_lps: FloatArray, level_id: int | None, progress: Progress) -> LabelResult:
        """Segment twice; raises what `leading` raises."""
        first = self.leading.segment(ct, seed_lps, level_id, lambda share, what: progress(LEADING_SHARE * share, what))
        return self.asked(first, ct, seed_lps, level_id, progress)

    def asked(
        self, first: LabelResult, ct: Volume, seed_lps: FloatArray, level_id: int | None, progress: Progress
    ) -> LabelResult:
        """`first` with the other's opinion in its confidence; a refusal of the other is one too."""
        try:
            second = self.other.segment(
                ct,
                seed_lps,
                level_id,
                lambda share, what: progress(LEADING_SHARE + (1 - LEADING_SHARE) * share, f"second opinion: {what}"),
            )
        except AnatomyError as refusal:
            said = f"there is no second opinion: {self.other.name} refused ({refusal.code})"
            confidence = with_opinion(first.confidence, None, said)
        else:
            agreed = dice_of(first, second)
            confidence = with_opinion(first.confidence, agreed, f"{self.other.name} sees another vertebra or outline")
        opinion = {"backend": self.other.name, "dice": confidence.values.get("second_opinion_dice")}
        return replace(first, confidence=confidence, provenance={**first.provenance, "second_opinion": opinion})


def leading(backend: Backend) -> Backend:
    """The one whose mask it will be."""
    return backend.leading if isinstance(backend, SecondOpinion) else backend


def with_opinion(first: Confidence, agreed: float | None, said: str) -> Confidence:
    """Confidence after a second opinion: never higher; `said` is the reason when the masks disagree.

    >>> with_opinion(Confidence(0.9, {}, ()), 0.7, "simpleitk sees another outline")
    Confidence(score=0.63, values={'second_opinion_dice': 0.7}, check=('simpleitk sees another outline (Dice 0.70)',))
    >>> with_opinion(Confidence(0.9, {}, ()), 0.9, "").check
    ()
    """
    if agreed is None:
        return Confidence(first.score, first.values, (*first.check, said))
    values = {**first.values, "second_opinion_dice": round(agreed, 3)}
    if agreed >= AGREED_DICE:
        return Confidence(first.score, values, first.check)
    return Confidence(round(first.score * agreed, 3), values, (*first.check, f"{said} (Dice {agreed:.2f})"))


def dice_of(first: LabelResult, second: LabelResult) -> float:
    """Dice of both targets, on the first's grid; what lies outside it counts as disagreement."""
    mine = first.labels.array == first.target_id
    theirs = second.labels.array == second.target_id
    here = resample_mask(theirs, second.labels.grid, first.labels.grid) >= 0.5
    ml = [float(np.prod(one.labels.grid.spacing_zyx)) for one in (first, second)]
    size = np.count_nonzero(mine) * ml[0], np.count_nonzero(theirs) * ml[1]
    return float(2 * np.count_nonzero(mine & here) * ml[0] / max(sum(size), 1e-9))
