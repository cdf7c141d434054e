"""Training crops on the fly; crop n of a seed is the same crop whichever process makes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.segmenter.phantom_cases import PATIENT
from training.segmenter.pull import pull
from training.segmenter.recolour import recolour, vary
from training.segmenter.scanner import cut_field_of_view, scan
from training.segmenter.target import IGNORE, KINDS, Target, hard_labels
from training.segmenter.warp import draw_warp
from trajplan.anatomy.network_input import PADDING_HU, SEED_SIGMA_MM, NetworkClass, normalise, seed_channel

RECOLOURED_SHARE = 0.5
PHANTOM_RECOLOURED_SHARE = 0.75
NEAR_MM = 5.0
MAX_DRAWS = 12
_SEED = seed_channel()
_NEAR = float(np.exp(-(NEAR_MM**2) / (2 * SEED_SIGMA_MM**2)))


@dataclass(frozen=True, eq=False)
class Crop:
    """One training crop.

    Attributes
    ----------
    image : ndarray of float32, shape (2, z, y, x)
        Network input.
    truth : ndarray of float32, shape (class, z, y, x)
        How much of each voxel is each `NetworkClass`; nothing of any where nobody knows.
    knows_canal : bool
        Whether the canal is labelled.
    name : str
    """

    image: npt.NDArray[np.float32]
    truth: npt.NDArray[np.float32]
    knows_canal: bool
    name: str


def has_target(labels: npt.NDArray[np.uint8]) -> bool:
    """Whether the body is within `NEAR_MM` of the seed."""
    return bool((labels[_SEED > _NEAR] == NetworkClass.BODY).any())


def is_ambiguous(labels: npt.NDArray[np.uint8]) -> bool:
    """Whether a seed without a target is beside another vertebra: the right answer there would be that one."""
    near = labels[_SEED > _NEAR]
    return not has_target(labels) and bool((near == NetworkClass.OTHER).any() or (near == IGNORE).any())


def without_target(share: npt.NDArray[np.float32]) -> None:
    """The vertebra beside a seed that went astray is a vertebra like any other, in place."""
    body, posterior, other, canal = (KINDS.index(kind) for kind in KINDS[:-1])
    share[..., other] += share[..., body] + share[..., posterior]
    share[..., [body, posterior, canal]] = 0.0


def truth_of(share: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Shares (z, y, x, 5) of `KINDS` as (class, z, y, x) with background, and nothing where nobody knows."""
    out = np.empty((len(NetworkClass), *share.shape[:3]), dtype=np.float32)
    out[1:] = np.moveaxis(share[..., : len(NetworkClass) - 1], -1, 0)
    out[NetworkClass.BACKGROUND] = np.maximum(1.0 - out[1:].sum(axis=0), 0.0)
    out[:, hard_labels(share) == IGNORE] = 0.0
    return out


class Synthesis:
    """Draws crops of a list of targets.

    Parameters
    ----------
    targets : sequence of Target
    seed : int
    """

    def __init__(self, targets: Sequence[Target], seed: int) -> None:
        self.targets, self.seed = list(targets), seed
        weight = np.array([one.weight for one in targets])
        self._share = weight / weight.sum()

    def crop(self, number: int) -> Crop:
        """Crop `number`."""
        rng = np.random.default_rng([self.seed, number])
        target = self.targets[rng.choice(len(self.targets), p=self._share)]
        for _ in range(1 + MAX_DRAWS):
            hu, share, tissues, valid = pull(target, draw_warp(target, rng))
            labels = hard_labels(share)
            if not is_ambiguous(labels):
                break
        if not has_target(labels):
            without_target(share)
        recoloured = rng.random() < (PHANTOM_RECOLOURED_SHARE if target.patient == PATIENT else RECOLOURED_SHARE)
        if recoloured:
            image = recolour(hu, tissues, rng)
        else:
            own = (labels > NetworkClass.BACKGROUND) & (labels <= NetworkClass.OTHER)
            image = vary(hu, own, rng)
        image = scan(image, rng)
        image[~valid] = PADDING_HU
        share[~valid] = 0.0
        cut_field_of_view(image, share, rng)
        name = f"{target.name} recoloured" if recoloured else target.name
        return Crop(np.stack([normalise(image), _SEED]), truth_of(share), target.knows_canal, name)
