"""A second back-end can only take confidence away, and says by how much it disagrees."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from trajplan.anatomy.backend import LabelResult, Progress
from trajplan.anatomy.backends import get_backend
from trajplan.anatomy.second_opinion import SecondOpinion, leading
from trajplan.anatomy.seeded import segment_at_seed
from trajplan.anatomy.vertebra import Confidence
from trajplan.errors import AnatomyError, InputError
from trajplan.geometry import Grid, LabelMap, Volume
from trajplan.geometry.arrays import FloatArray

L1 = 20
GRID = Grid((40, 40, 40), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
SEED = np.array([20.0, 20.0, 20.0])


@dataclass(frozen=True)
class Box:
    """A back-end that finds a box of 19 voxels of 1 mm, moved by so many mm along x, on voxels of its own."""

    name: str = "box"
    moved_mm: float = 0.0
    spacing_mm: float = 1.0
    asked: list[str] = field(default_factory=list)

    def segment(self, ct: Volume, seed_lps: FloatArray, level_id: int | None, progress: Progress) -> LabelResult:
        self.asked.append(self.name)
        progress(1.0, self.name)
        if self.moved_mm > 100:
            raise AnatomyError("nothing here", code="no_spine")
        grid = Grid.isotropic((-20.0, -20.0, -20.0), (60.0, 60.0, 60.0), self.spacing_mm)
        x, y, z = np.moveaxis(grid.index_to_world(np.argwhere(np.ones(grid.shape_zyx))), -1, 0)
        away = np.abs(np.stack([x - seed_lps[0] - self.moved_mm, y - seed_lps[1], z - seed_lps[2]]))
        inside = (away < 10.0).all(axis=0).reshape(grid.shape_zyx)
        labels = LabelMap(np.where(inside, np.uint8(level_id or 100), np.uint8(0)), grid, {})
        return LabelResult(labels, level_id or 100, Confidence(0.8, {"own": 1.0}, ()), {"backend": self.name})


@pytest.fixture
def ct() -> Volume:
    return Volume(np.zeros(GRID.shape_zyx, dtype=np.int16), GRID)


def opinion(ct: Volume, other: Box) -> LabelResult:
    return segment_at_seed(SecondOpinion(Box("first"), other), ct, SEED, L1, lambda share, what: None)


@pytest.mark.parametrize("spacing_mm", [1.0, 2.0])
def test_agreement_changes_nothing_but_is_told(ct: Volume, spacing_mm: float) -> None:
    result = opinion(ct, Box("second", spacing_mm=spacing_mm))
    assert result.confidence.score == 0.8
    assert result.confidence.check == ()
    assert result.confidence.values["second_opinion_dice"] == pytest.approx(1.0, abs=0.06)
    assert result.provenance["second_opinion"] == {
        "backend": "second", "dice": result.confidence.values["second_opinion_dice"],
    }  # fmt: skip


def test_a_quarter_beside_is_flagged_with_its_dice(ct: Volume) -> None:
    result = opinion(ct, Box("second", moved_mm=5.0))
    assert result.confidence.values["second_opinion_dice"] == pytest.approx(14 / 19, abs=0.001)
    assert result.confidence.score == pytest.approx(0.8 * 14 / 19, abs=0.001)
    assert result.confidence.check == ("second sees another vertebra or outline (Dice 0.74)",)
    mask = result.labels.array == L1
    assert np.count_nonzero(mask) == 19**3  # the first one's mask, untouched


def test_what_reaches_beyond_the_first_ones_grid_counts_against_it(ct: Volume) -> None:
    assert opinion(ct, Box("second", moved_mm=45.0)).confidence.values["second_opinion_dice"] == 0.0


def test_a_refusal_of_the_second_is_told_and_the_first_stands(ct: Volume) -> None:
    result = opinion(ct, Box("second", moved_mm=999.0))
    assert result.confidence.check == ("there is no second opinion: second refused (no_spine)",)
    assert result.confidence.score == 0.8
    assert result.provenance["second_opinion"] == {"backend": "second", "dice": None}


def test_a_refusal_of_the_first_ends_it(ct: Volume) -> None:
    second = Box("second")
    both = SecondOpinion(Box("first", moved_mm=999.0), second)
    with pytest.raises(AnatomyError, match="nothing here"):
        segment_at_seed(both, ct, SEED, L1, lambda share, what: None)
    assert second.asked == []


def test_names_are_joined_by_a_plus() -> None:
    both = get_backend("network+simpleitk")
    assert both.name == "network+simpleitk"
    assert leading(both).name == "network"
    assert leading(get_backend("simpleitk")).name == "simpleitk"
    with pytest.raises(InputError, match="no segmentation back-end 'nothing'"):
        get_backend("network+nothing")
    with pytest.raises(InputError, match="two back-ends"):
        get_backend("network+network")
    with pytest.raises(InputError, match="two back-ends"):
        get_backend("network+simpleitk+totalsegmentator")
