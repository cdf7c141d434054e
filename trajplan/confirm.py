"""A person's word on a mask: which mask it was given on, and what it changes."""

from __future__ import annotations

import dataclasses
import re

from trajplan.anatomy.vertebra import Confidence
from trajplan.errors import InputError
from trajplan.target import Target

SHORT = 12
"""Digits of a mask's hash that are shown; at least `_LEAST` must be given back."""

_LEAST = 8


def confirm_mask(target: Target, confirmed: str | None) -> Target:
    """The target as a person has judged it.

    Parameters
    ----------
    confirmed : str or None
        The first digits of the SHA-256 of the mask (``provenance.mask_sha256`` of a plan) whose contours the person
        has looked at: a word given on one mask says nothing about another. None when nobody has said anything.

    Raises
    ------
    InputError
        ``usage`` for what is no such hash; ``stale_mask`` when the mask made now is another one.
    """
    if confirmed is None and not target.automatic:
        return target
    digest = target.vertebra.parts.sha256()
    if confirmed is None:
        how = (
            f"Compare its contours with the CT in the report; when they are right, plan again with --confirm-mask "
            f"{digest[:SHORT]}; when not, correct the label file and plan on that."
        )
        return dataclasses.replace(target, notes=(*target.notes, how))
    if not re.fullmatch(rf"[0-9a-f]{{{_LEAST},64}}", confirmed):
        raise InputError(
            f"--confirm-mask needs the first {_LEAST} or more digits of the SHA-256 of the mask you looked at, "
            f"got {confirmed[:70]!r}",
            code="usage",
        )
    if not digest.startswith(confirmed):
        raise InputError(
            f"the mask confirmed ({confirmed[:SHORT]}) is not the one made now ({digest[:SHORT]}): another scan, seed, "
            "label file or version; look at the new contours first",
            code="stale_mask",
        )
    rated = target.vertebra.confidence
    doubts = f" The program had rated it {rated.score:.2f}: {'; '.join(rated.check)}." if rated.check else ""
    vertebra = dataclasses.replace(target.vertebra, confidence=Confidence(1.0, rated.values, ()))
    said = f"A person confirmed the contours of this mask ({digest[:SHORT]}).{doubts}"
    provenance = {**target.provenance, "confirmed_mask": digest, "rated_before": round(rated.score, 3)}
    return dataclasses.replace(
        target, vertebra=vertebra, automatic=False, notes=(*target.notes, said), provenance=provenance
    )
