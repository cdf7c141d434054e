"""One look of the network at a seed: the mean over the image and its mirror image, and what it shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trajplan.anatomy.network_input import NetworkClass, crop_grid, network_input
from trajplan.anatomy.network_model import NetworkModel
from trajplan.geometry import Grid, Volume
from trajplan.geometry.arrays import BoolArray, Float32Array, FloatArray
from trajplan.geometry.pieces import largest, thickest


@dataclass(frozen=True, eq=False)
class Look:
    """Probabilities about a seed.

    Attributes
    ----------
    grid : Grid
        The network's grid, 1.5 mm.
    share : ndarray of float32, shape (class, z, y, x)
    flip_dice : float
        Agreement of the target seen in the image and in its mirror image, 0..1; 1 when no mirror was looked at.
    """

    grid: Grid
    share: Float32Array
    flip_dice: float

    @property
    def target_share(self) -> Float32Array:
        """Body and posterior elements together."""
        return np.asarray(self.share[NetworkClass.BODY] + self.share[NetworkClass.POSTERIOR])

    def mask(self) -> BoolArray:
        """The target: its largest piece."""
        return largest(self.target_share > 0.5)

    def body(self) -> BoolArray:
        """The target's body."""
        return np.asarray(self.mask() & (self.share[NetworkClass.BODY] > self.share[NetworkClass.POSTERIOR]))

    def body_center_lps(self) -> FloatArray | None:
        """Where the body is thickest, LPS mm; None when no body is seen."""
        body = self.body()
        if not body.any():
            return None
        return self.grid.index_to_world(thickest(body))


def look(model: NetworkModel, ct: Volume, seed_lps: FloatArray, *, mirrored: bool = True) -> Look:
    """Run the network about `seed_lps` (LPS mm) in a canonical CT."""
    image = network_input(ct, seed_lps)
    share = model.probabilities(image)
    one = Look(crop_grid(seed_lps), np.asarray(share, dtype=np.float32), 1.0)
    return _with_mirror(model, image, one) if mirrored else one


def with_mirror(model: NetworkModel, ct: Volume, seed_lps: FloatArray, one: Look) -> Look:
    """A look from `seed_lps` that was made without the mirror image, with it."""
    return _with_mirror(model, network_input(ct, seed_lps), one)


def _with_mirror(model: NetworkModel, image: Float32Array, one: Look) -> Look:
    # the seed lies in the middle of x, so that mirroring the array mirrors the patient about the seed
    other = model.probabilities(np.ascontiguousarray(image[..., ::-1]))[..., ::-1]
    agreement = dice(_target(one.share), _target(other))
    return Look(one.grid, np.asarray(0.5 * (one.share + other), dtype=np.float32), agreement)


def dice(a: BoolArray, b: BoolArray) -> float:
    """Overlap of two masks, 0..1; 1 when both are empty."""
    total = int(np.count_nonzero(a)) + int(np.count_nonzero(b))
    return 2.0 * int(np.count_nonzero(a & b)) / total if total else 1.0


def overlapping(a: BoolArray, b: BoolArray, shift: FloatArray) -> tuple[BoolArray, BoolArray]:
    """The parts of two masks of one shape that lie at the same place, when index i of `a` is i + `shift` in `b`."""
    shape = np.array(a.shape)
    low, high = np.maximum(0, -shift).astype(int), np.minimum(shape, shape - shift).astype(int)
    high = np.maximum(high, low)
    one = a[tuple(slice(i, j) for i, j in zip(low, high, strict=True))]
    two = b[tuple(slice(i + s, j + s) for i, j, s in zip(low, high, np.asarray(shift, dtype=int), strict=True))]
    return one, two


def _target(share: Float32Array) -> BoolArray:
    return np.asarray(share[NetworkClass.BODY] + share[NetworkClass.POSTERIOR] > 0.5)
