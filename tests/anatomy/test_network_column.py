"""A whole phantom without a seed: every vertebra, no other, named by what is seen; and seeds that hit no body."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import pytest
from column_made import body_centers
from realdata import real_data

from trajplan.anatomy import network_model
from trajplan.anatomy.level_proposal import LevelStatus
from trajplan.anatomy.network_backend import NetworkBackend
from trajplan.anatomy.network_column import NetworkColumn, find_column_by_network
from trajplan.anatomy.seed_place import SeedPlace, place_of, seed_error
from trajplan.anatomy.seeded import segment_at_seed
from trajplan.anatomy.spine_labels import column_ids, spine_labels
from trajplan.anatomy.without_seed import named_at, require_level, worst_in_column
from trajplan.errors import AnatomyError
from trajplan.geometry import Grid, Volume
from trajplan.geometry.resample import resample_labels
from trajplan.levels import LEVEL_IDS
from trajplan.reading.labels import read_labels
from trajplan.reading.read import read_scan
from trajplan.reading.schemes import Scheme
from trajplan_phantoms import Phantom, Scanner, make_phantom
from trajplan_phantoms.population import draw
from trajplan_phantoms.surroundings import Surrounding

LEVELS = ("T11", "T12", "L1", "L2", "L3", "L4", "L5", "S1")
MOBILE = LEVELS[:-1]


def quiet(share: float, what: str) -> None:
    """No progress wanted."""


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    """T11 to S1 with a wedged L2, of a seed that no network has seen."""
    spec = draw(LEVELS, age_years=72.0, seed=100_011, target="L2", fracture="wedge", height_loss_percent=40.0,
                surroundings="full")  # fmt: skip
    return make_phantom(spec, Scanner((2.0, 1.0, 1.0), noise_hu=20.0))


@pytest.fixture(scope="module")
def centers(phantom: Phantom) -> dict[str, np.ndarray]:
    return body_centers(phantom)


@pytest.fixture(scope="module")
def ct(phantom: Phantom, centers: dict[str, np.ndarray]) -> Volume:
    """Cut through the upper third of T11's body."""
    top = round(float(phantom.ct.grid.world_to_index(centers["T11"])[0])) + 3
    return phantom.ct.cropped([0, 0, 0], [top, *phantom.ct.array.shape[1:]])


@pytest.fixture(scope="module")
def column(ct: Volume) -> NetworkColumn:
    return find_column_by_network(ct, quiet)


def test_every_vertebra_once_within_5_mm_and_the_sacrum_is_none(
    column: NetworkColumn, centers: dict[str, np.ndarray]
) -> None:
    whole = [one for one in column.vertebrae if not one.body_cut]
    truth = np.array([centers[level] for level in MOBILE[1:]])
    assert len(whole) == len(truth)
    assert np.linalg.norm(np.array([one.center_lps for one in whole]) - truth, axis=1).max() < 5.0
    assert [one.body_cut for one in column.vertebrae if one.body_cut] == [("superior",)]
    assert column.gaps == ()


def test_frames_stand_on_the_end_plates(column: NetworkColumn, phantom: Phantom) -> None:
    from trajplan_phantoms.spine import build_spine

    places = dict(zip(phantom.spec.levels, build_spine(phantom.spec).placements, strict=True))
    names = column.levels().names
    for frame, name in zip(column.frames, names, strict=True):
        if name in ("L1", "L3", "L4", "L5"):
            axes = places[name].to_patient(np.eye(3)) - places[name].to_patient(np.zeros(3))
            axes = axes @ phantom.spec.pose.linear.T
            degrees = np.degrees(np.arccos(np.clip(np.sum(axes * frame.rotation, axis=1), -1, 1)))
            assert degrees.max() < 5.0, name


def test_sacrum_and_last_rib_agree_on_the_names(column: NetworkColumn) -> None:
    levels = column.levels()
    assert levels.names == MOBILE
    assert levels.status is LevelStatus.AGREED


def test_naming_one_names_all_and_a_wrong_name_is_contradicted(
    column: NetworkColumn, centers: dict[str, np.ndarray]
) -> None:
    right = column.levels(named_at(column, centers["L3"], "l3"))
    assert right.names == MOBILE
    assert right.status is LevelStatus.NAMED
    assert right.reasons == ()
    wrong = column.levels(named_at(column, centers["L3"], "L2"))
    assert wrong.names == ("T10", "T11", "T12", "L1", "L2", "L3", "L4")
    assert any("counted from the sacrum" in reason for reason in wrong.reasons)


def test_a_level_is_looked_up_and_a_missing_or_cut_one_is_refused(
    column: NetworkColumn, centers: dict[str, np.ndarray]
) -> None:
    index = require_level(column, column.levels(), "L2")
    assert np.linalg.norm(column.vertebrae[index].center_lps - centers["L2"]) < 5.0
    with pytest.raises(AnatomyError, match="T5 was not found: the scan shows T11 to L5") as missing:
        require_level(column, column.levels(), "T5")
    assert missing.value.code == "level_not_found"
    with pytest.raises(AnatomyError, match="T11 is cut by the superior border") as cut:
        require_level(column, column.levels(), "T11")
    assert cut.value.code == "vertebra_cut"


def test_the_most_flattened_is_the_fractured_one(column: NetworkColumn) -> None:
    index, loss_percent, seen = worst_in_column(column, column.levels(), LEVEL_IDS.values())
    assert column.levels().names[index] == "L2"
    assert loss_percent > 20.0
    assert seen == 6


def test_all_masks_in_one_map(column: NetworkColumn, phantom: Phantom) -> None:
    names = column.levels().names
    labels = spine_labels(phantom.ct, column.vertebrae, column_ids(names), names)
    truth = resample_labels(phantom.labels, labels.grid)
    for level in MOBILE[1:]:
        one, other = labels.array == LEVEL_IDS[level], truth.array == LEVEL_IDS[level]
        assert 2 * np.count_nonzero(one & other) / (np.count_nonzero(one) + np.count_nonzero(other)) > 0.94, level


def disc(centers: dict[str, np.ndarray], phantom: Phantom) -> np.ndarray:
    array = phantom.surroundings.array
    found = array == Surrounding.DISC + LEVEL_IDS["L3"]
    return phantom.surroundings.grid.index_to_world(np.argwhere(found).mean(axis=0))


def rib(centers: dict[str, np.ndarray], phantom: Phantom) -> np.ndarray:
    grid, array = phantom.surroundings.grid, phantom.surroundings.array
    points = grid.index_to_world(np.argwhere(array == Surrounding.RIB_LEFT + LEVEL_IDS["T12"]))
    far = points[np.argsort(np.abs(points[:, 0] - centers["T12"][0] - 55.0))[:200]]
    return far[np.argmin(np.linalg.norm(far - far.mean(axis=0), axis=1))]


PLACES = {
    SeedPlace.DISC: ("seed_in_disc", disc),
    SeedPlace.BONE: ("seed_in_other_bone", rib),
    SeedPlace.CUT: ("vertebra_cut", lambda centers, phantom: centers["T11"] - [0.0, 0.0, 6.0]),
    SeedPlace.SOFT: ("seed_in_soft_tissue", lambda centers, phantom: centers["L3"] + [45.0, -10.0, 0.0]),
    SeedPlace.OUTSIDE: (
        "seed_outside_body",
        lambda centers, phantom: np.array([*centers["L3"][:1], phantom.ct.grid.corners_lps()[:, 1].max() - 4.0,
                                           centers["L3"][2]]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_a_seed_beside_a_body_is_refused_with_the_nearest_vertebra(
    place: SeedPlace, column: NetworkColumn, centers: dict[str, np.ndarray], phantom: Phantom
) -> None:
    code, where = PLACES[place]
    seed = where(centers, phantom)
    assert place_of(column, seed) is place
    error = seed_error(column, seed)
    assert error.code == code
    assert str(place) in str(error)
    nearest = min(MOBILE[1:], key=lambda level: float(np.linalg.norm(centers[level] - seed)))
    told = np.array([error.numbers[f"nearest_{axis}_mm"] for axis in "xyz"])
    assert np.linalg.norm(told - centers[nearest]) < 5.0
    assert error.numbers["distance_mm"] == pytest.approx(np.linalg.norm(told - seed))
    assert f"{error.numbers['distance_mm']:.0f} mm away" in str(error)


def test_a_seed_in_air_inside_the_body(column: NetworkColumn, centers: dict[str, np.ndarray]) -> None:
    work = column.work
    gas = work.array.copy()
    at = np.rint(work.grid.world_to_index(centers["L3"] + [0.0, -50.0, 0.0])).astype(int)
    gas[tuple(slice(i - 4, i + 5) for i in at)] = -950.0
    bowel = NetworkColumn(
        column.vertebrae, column.frames, column.gaps, column.anchors, Volume(gas, work.grid), column.looks
    )
    seed = work.grid.index_to_world(at)
    assert place_of(bowel, seed) is SeedPlace.AIR
    assert seed_error(bowel, seed).code == "seed_in_air"


@pytest.mark.parametrize("level", ["T12", "L2", "L5"])
def test_a_seed_in_a_body_is_none_of_these(level: str, column: NetworkColumn, centers: dict[str, np.ndarray]) -> None:
    assert place_of(column, centers[level] + [3.0, 2.0, -2.0]) is SeedPlace.BODY


def test_the_back_end_refuses_a_disc_by_name(
    ct: Volume, column: NetworkColumn, centers: dict[str, np.ndarray], phantom: Phantom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trajplan.anatomy.seeded.find_column_by_network", lambda *given: column)
    with pytest.raises(AnatomyError, match=r"is in a disc: the nearest whole vertebra found \(L[34] by"):
        segment_at_seed(NetworkBackend(), ct, disc(centers, phantom), None, quiet)


def test_without_onnxruntime_it_is_said_what_to_install(ct: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *more: Any, **options: Any) -> Any:
        if name.startswith("onnxruntime"):
            raise ImportError(name)
        return real(name, *more, **options)

    network_model.load_model.cache_clear()
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(AnatomyError, match=r"pip install onnxruntime") as caught:
        find_column_by_network(ct, quiet)
    monkeypatch.undo()
    network_model.load_model.cache_clear()
    assert caught.value.code == "runtime_missing"


def test_a_scan_without_a_spine_is_refused() -> None:
    noise = 20.0 * np.random.default_rng(0).standard_normal((50, 60, 60)).astype(np.float32) + 40.0
    with pytest.raises(AnatomyError) as caught:
        find_column_by_network(Volume(noise, Grid(noise.shape, (0, 0, 0), (3.0, 3.0, 3.0))), quiet)
    assert caught.value.code == "no_spine"


@pytest.mark.real
@pytest.mark.long
@pytest.mark.parametrize(
    ("folder", "first", "status"),
    [("ts_lumbar3mm", "T12", LevelStatus.AGREED), ("lidc0001", "C7", LevelStatus.UNCONFIRMED)],
)
def test_real_scans_are_found_and_counted(folder: str, first: str, status: LevelStatus) -> None:
    base = real_data(f"ct/{folder}")
    found = find_column_by_network(read_scan(base / "ct.nii.gz").volume, quiet)
    labels = read_labels(base / "vertebrae_verse.nii.gz", Scheme.VERSE)
    levels = found.levels()
    assert levels.names[0] == first
    assert levels.status is status
    for one, name in zip(found.vertebrae, levels.names, strict=True):
        index = np.rint(labels.grid.world_to_index(one.center_lps)).astype(int)
        if str(name).startswith("C"):  # cervical vertebrae were never learnt: where their centre is, is a guess
            continue
        assert int(labels.array[tuple(index)]) == LEVEL_IDS[str(name)]


@pytest.mark.real
@pytest.mark.long
def test_a_real_chest_is_counted_from_its_last_rib() -> None:
    base = real_data("ct/ts_chest_stent")
    found = find_column_by_network(read_scan(base / "ct.nii.gz").volume, quiet)
    labels = read_labels(base / "vertebrae_T12.nii.gz", Scheme.MASK, level_id=LEVEL_IDS["T12"])
    levels = found.levels()
    at = levels.names.index("T12")
    index = np.rint(labels.grid.world_to_index(found.vertebrae[at].center_lps)).astype(int)
    assert labels.array[tuple(index)] == LEVEL_IDS["T12"]
    assert levels.status is LevelStatus.UNCONFIRMED
