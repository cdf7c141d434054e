"""A user's own atlases: kept, chosen where they fit, never for their own scan, and never half read."""

from __future__ import annotations

import dataclasses
import os
import stat
from pathlib import Path

import numpy as np
import pytest

from trajplan.anatomy.atlas import Atlas, atlas_of
from trajplan.anatomy.atlas_store import load_atlases, remove_atlas, save_atlas
from trajplan.anatomy.seed_frame import frame_at_seed
from trajplan.anatomy.simpleitk_backend import _suitable
from trajplan.errors import AnatomyError, InputError
from trajplan.levels import level_id
from trajplan_phantoms import Phantom, PhantomSpec, Scanner, make_phantom

L1, L2, L5 = level_id("L1"), level_id("L2"), level_id("L5")


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    spec = PhantomSpec(target="L1", levels=("T12", "L1", "L2"), fracture="none", scale=1.05)
    return make_phantom(spec, Scanner((1.5, 1.0, 1.0), noise_hu=10.0, seed=5))


@pytest.fixture(scope="module")
def atlas(phantom: Phantom) -> Atlas:
    return atlas_of("mine", phantom.ct, phantom.labels, L1, phantom.ct.sha256())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRAJPLAN_ATLASES", str(tmp_path / "kept"))
    return tmp_path / "kept"


def test_it_holds_the_vertebra_with_its_neighbours_and_its_size(phantom: Phantom, atlas: Atlas) -> None:
    assert atlas.level == "L1"
    assert atlas.labels.ids() == (level_id("T12"), L1, L2)
    assert np.linalg.norm(atlas.frame.origin_lps - phantom.truth.frame.origin_lps) < 2.0
    assert atlas.height_mm == pytest.approx(phantom.truth.heights.hp_mm, abs=1.0)
    volume_ml = float((phantom.labels.array == L1).sum() * np.prod(phantom.ct.grid.spacing_zyx)) / 1000
    assert float((atlas.labels.array == L1).sum()) / 1000 == pytest.approx(volume_ml, rel=0.02)


def test_what_is_saved_comes_back_the_same_and_only_for_its_owner(atlas: Atlas, folder: Path) -> None:
    path = save_atlas(atlas)
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (again,) = load_atlases()
    np.testing.assert_array_equal(again.labels.array, atlas.labels.array)
    np.testing.assert_allclose(again.ct.array, atlas.ct.array, atol=0.5)
    assert again.ct.grid.same_as(atlas.ct.grid)
    np.testing.assert_allclose(again.frame.rotation, atlas.frame.rotation)
    for field in ("name", "level", "label_id", "height_mm", "depth_mm", "source_sha256"):
        assert getattr(again, field) == getattr(atlas, field)
    assert [p.name for p in folder.rglob("*") if p.is_file()] == ["L1.npz"]


def test_it_is_offered_for_like_vertebrae_but_never_for_its_own_scan(
    phantom: Phantom, atlas: Atlas, folder: Path
) -> None:
    seed = frame_at_seed(phantom.ct, phantom.truth.frame.origin_lps)
    assert _suitable(phantom.ct, L1, seed) == []
    save_atlas(atlas)
    assert _suitable(phantom.ct, L1, seed) == [], "made from this very scan"
    save_atlas(dataclasses.replace(atlas, source_sha256="0" * 64))
    assert [one.name for one in _suitable(phantom.ct, L1, seed)] == ["mine"]
    assert [one.name for one in _suitable(phantom.ct, L2, seed)] == ["mine"]
    assert [one.name for one in _suitable(phantom.ct, None, seed)] == ["mine"]
    assert _suitable(phantom.ct, L5, seed) == [], "more than one level away"
    save_atlas(dataclasses.replace(atlas, source_sha256="0" * 64, depth_mm=1.6 * atlas.depth_mm))
    assert _suitable(phantom.ct, L1, seed) == [], "of quite another size"


def test_a_damaged_file_is_named_and_not_passed_over(atlas: Atlas, folder: Path) -> None:
    path = save_atlas(atlas)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"mine/L1\.npz cannot be read") as caught:
        load_atlases()
    assert caught.value.code == "atlas_damaged"
    assert remove_atlas("mine") == 1
    assert load_atlases() == ()


def test_a_pickle_in_an_atlas_file_is_not_run(folder: Path) -> None:
    (folder / "evil").mkdir(parents=True)
    np.savez(folder / "evil" / "L1.npz", facts=np.array([{"schema": "trajplan.atlas/1"}], dtype=object))
    with pytest.raises(InputError, match="cannot be read"):
        load_atlases()


@pytest.mark.parametrize("name", ["", "..", "a/b", "../a", "a b", "x" * 41, "-a"])
def test_names_cannot_leave_the_folder(name: str, atlas: Atlas, folder: Path) -> None:
    with pytest.raises(InputError, match="atlas name"):
        save_atlas(dataclasses.replace(atlas, name=name))
    with pytest.raises(InputError, match="atlas name"):
        remove_atlas(name)
    assert not folder.exists()


def test_what_is_not_there_cannot_be_removed(folder: Path) -> None:
    with pytest.raises(InputError, match="no atlas 'mine'"):
        remove_atlas("mine")


def test_a_cut_vertebra_is_no_atlas(phantom: Phantom) -> None:
    shape = phantom.ct.array.shape
    middle = phantom.ct.grid.world_to_index(phantom.truth.frame.origin_lps)
    start, stop = np.array([int(middle[0]), 0, 0]), np.array(shape)
    with pytest.raises(AnatomyError, match=r"cut|border"):
        atlas_of("mine", phantom.ct.cropped(start, stop), phantom.labels.cropped(start, stop), L1, "")
