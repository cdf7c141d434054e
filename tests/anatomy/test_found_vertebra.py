"""What the network sees at a seed is a vertebra only when its looks agree, or leave little undecided."""

from __future__ import annotations

import numpy as np
import pytest

from trajplan.anatomy import found_vertebra
from trajplan.anatomy.found_vertebra import settle
from trajplan.anatomy.network_input import NetworkClass, crop_grid
from trajplan.anatomy.network_pass import Look
from trajplan.geometry import Grid, Volume

SEED = np.zeros(3)
WORK = Grid.isotropic(SEED - 90.0, SEED + 90.0, 1.5)
SCAN = Volume(np.zeros(WORK.shape_zyx, dtype=np.int16), WORK)


def seen(flip_dice: float, *, undecided: bool) -> Look:
    """A body of 30 x 24 x 20 mm about the seed with a canal behind it, its outer half undecided or not."""
    grid = crop_grid(SEED)
    x, y, z = np.moveaxis(grid.points_lps(), -1, 0)
    share = np.zeros((len(NetworkClass), *grid.shape_zyx), dtype=np.float32)
    out = np.max(np.abs(np.stack([x / 15, y / 12, z / 10])), axis=0)
    share[NetworkClass.BODY] = np.where(out < 0.7, 1.0, np.where(out < 1.0, 0.65 if undecided else 0.9, 0.0))
    share[NetworkClass.CANAL][(np.abs(x) < 8) & (np.abs(y - 22) < 7) & (np.abs(z) < 10)] = 1.0
    share[NetworkClass.BACKGROUND] = 1 - share[1:].sum(axis=0)
    return Look(grid, share, flip_dice)


@pytest.mark.parametrize(
    ("flip_dice", "undecided", "believed"),
    [(0.97, False, True), (0.97, True, True), (0.87, False, True), (0.87, True, False), (0.80, False, False)],
)
def test_looks_must_agree_or_be_decided(
    monkeypatch: pytest.MonkeyPatch, flip_dice: float, undecided: bool, believed: bool
) -> None:
    one = seen(flip_dice, undecided=undecided)
    monkeypatch.setattr(found_vertebra, "look", lambda *args, **options: one)
    monkeypatch.setattr(found_vertebra, "with_mirror", lambda *args: one)
    found = settle(None, SCAN, WORK, SEED)  # type: ignore[arg-type]
    assert (found is not None) == believed
