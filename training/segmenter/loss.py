"""Cross-entropy plus soft Dice, with what nobody labelled left out."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from training.segmenter.target import IGNORE
from trajplan.anatomy.network_input import NetworkClass

CLASS_WEIGHT = (0.5, 1.5, 1.5, 1.0, 0.5)
CROSS_ENTROPY_WEIGHT = 2.0
SMOOTHING_VOX = 20.0


def segmentation_loss(logits: Tensor, labels: Tensor, knows_canal: Sequence[bool]) -> tuple[Tensor, float]:
    """Mean loss of a batch, and the mean Dice of the whole target (body and posterior elements).

    Where a crop's canal is not labelled, its class counts as background; voxels of `IGNORE` count nowhere.
    """
    log_share = F.log_softmax(logits.float(), 1)
    loss, dice = log_share.new_zeros(()), 0.0
    for crop, label, knows in zip(log_share, labels, knows_canal, strict=True):
        crop_loss, target_dice = _one(crop, label, knows)
        loss, dice = loss + crop_loss, dice + target_dice
    return loss / len(labels), dice / len(labels)


def _one(log_share: Tensor, label: Tensor, knows_canal: bool) -> tuple[Tensor, float]:
    if not knows_canal:
        merged = torch.logsumexp(log_share[[NetworkClass.BACKGROUND, NetworkClass.CANAL]], 0, keepdim=True)
        log_share = torch.cat([merged, log_share[1 : NetworkClass.CANAL]])
        label = torch.where(label == NetworkClass.CANAL, torch.zeros_like(label), label)
    known = label != IGNORE
    truth = torch.stack([label == c for c in range(len(log_share))]).float()
    share = log_share.exp() * known
    entropy = -(log_share * truth).sum() / known.sum().clamp(min=1)
    both, size = (share * truth).sum((1, 2, 3)), share.sum((1, 2, 3)) + truth.sum((1, 2, 3))
    overlap = (2 * both + SMOOTHING_VOX) / (size + SMOOTHING_VOX)
    weight = torch.tensor(CLASS_WEIGHT[: len(overlap)], device=overlap.device)
    loss = CROSS_ENTROPY_WEIGHT * entropy + (weight * (1 - overlap)).sum() / weight.sum()
    with torch.no_grad():
        own, true = share[1] + share[2], truth[1] + truth[2]
        dice = float((2 * (own * true).sum() + 1) / (own.sum() + true.sum() + 1))
    return loss, dice
