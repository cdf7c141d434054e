"""Packed bone: what a balloon displaces is not lost; it lies packed about it, and cannot be packed beyond a limit."""

from __future__ import annotations

from dataclasses import replace

from trajplan.augmentation.body_block import BodyBlock
from trajplan.augmentation.envelope import Envelope
from trajplan.fluoroscopy.attenuation import CORTICAL_HU

PACKED_SHARE = 0.3
"""Share of solid bone in the layer that a balloon packs about itself (proposed)."""

_MOST = 2.0


def packing(reference_hu: float) -> float:
    """Radius of the packed layer's outside as a multiple of the balloon's, along every direction from its axis.

    Bone of a solid share f out to that radius has gone into the layer at `PACKED_SHARE`: 1 / (1 - f / 0.3). f is
    HU / 1559 (water and cortical bone mixed, 70 keV; derived). At most 2.

    >>> round(packing(100.0), 2)
    1.27
    """
    solid = min(max(reference_hu / CORTICAL_HU, 0.0), 0.5 * PACKED_SHARE)
    return min(1.0 / (1.0 - solid / PACKED_SHARE), _MOST)


def packed(block: BodyBlock, envelope: Envelope) -> Envelope:
    """The outside of the layer about a balloon."""
    return replace(envelope, radius_mm=envelope.radius_mm * packing(block.reference_hu))
