"""Cross-entropy plus soft Dice against shares of a voxel, with what nobody labelled left out."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from trajplan.anatomy.network_input import NetworkClass

CLASS_WEIGHT = (0.5, 1.5, 1.5, 1.0, 0.5)
CROSS_ENTROPY_WEIGHT = 2.0
SMOOTHING_VOX = 20.0


def segmentation_loss(logits: Tensor, truth: Tensor, knows_canal: Sequence[bool]) -> tuple[Tensor, float]:
    """Mean loss of a batch, and the mean Dice of the whole target (body and posterior elements).

    Both tensors are (crop, class, z, y, x). Cross-entropy and a Dice with squares below (Milletari 2016) are least
    where the network answers with the share of the voxel itself: the surface between two voxels keeps its place.
    Where a crop's canal is not labelled, its class counts as background; voxels without any share count nowhere.
    """
    log_share = F.log_softmax(logits.float(), 1)
    loss, dice = log_share.new_zeros(()), 0.0
    for crop, one, knows in zip(log_share, truth, knows_canal, strict=True):
        crop_loss, target_dice = _one(crop, one, knows)
        loss, dice = loss + crop_loss, dice + target_dice
    return loss / len(truth), dice / len(truth)


def _one(log_share: Tensor, truth: Tensor, knows_canal: bool) -> tuple[Tensor, float]:
    if not knows_canal:
        canal, background = NetworkClass.CANAL, NetworkClass.BACKGROUND
        merged = torch.logsumexp(log_share[[background, canal]], 0, keepdim=True)
        log_share = torch.cat([merged, log_share[1:canal]])
        truth = torch.cat([truth[[background, canal]].sum(0, keepdim=True), truth[1:canal]])
    known = truth.sum(0) > 0
    share = log_share.exp() * known
    entropy = -(log_share * truth).sum() / known.sum().clamp(min=1)
    both = (share * truth).sum((1, 2, 3))
    size = share.square().sum((1, 2, 3)) + truth.square().sum((1, 2, 3))
    overlap = (2 * both + SMOOTHING_VOX) / (size + SMOOTHING_VOX)
    weight = torch.tensor(CLASS_WEIGHT[: len(overlap)], device=overlap.device)
    loss = CROSS_ENTROPY_WEIGHT * entropy + (weight * (1 - overlap)).sum() / weight.sum()
    with torch.no_grad():
        own, true = share[1] + share[2] > 0.5, truth[1] + truth[2] > 0.5
        dice = float((2 * (own & true).sum() + 1) / (own.sum() + true.sum() + 1))
    return loss, dice
