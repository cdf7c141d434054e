"""TotalSegmentator as a back-end: what goes to its API, what comes back, and one clear line where it is missing.

A stand-in with the signature of TotalSegmentator 2.18 answers from known labels; where the package itself is installed
with its weights, the last test runs it.
"""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from trajplan.anatomy.backends import backend_names, get_backend
from trajplan.errors import AnatomyError, InputError
from trajplan.geometry.resample import resample_mask
from trajplan.levels import level_id
from trajplan.reading.schemes import TO_VERSE, Scheme
from trajplan_phantoms import Phantom, PhantomSpec, Scanner, make_phantom

L1, L2 = level_id("L1"), level_id("L2")
THEIRS = {ours: theirs for theirs, ours in TO_VERSE[Scheme.TOTALSEG_V2].items()}


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    spec = PhantomSpec(target="L1", levels=("T12", "L1", "L2"), fracture="none")
    return make_phantom(spec, Scanner((2.0, 1.5, 1.5), noise_hu=10.0, seed=2))


class StandIn:
    """`totalsegmentator.python_api` that knows the answer."""

    def __init__(self, phantom: Phantom) -> None:
        self.phantom, self.asked, self.counted = phantom, {}, 0
        self.fault: BaseException | None = None
        self.turned = False

    def totalsegmentator(self, image: nib.Nifti1Image, output: None, **asked: Any) -> nib.Nifti1Image:
        self.asked = asked
        sys.stdout.write("a line for the terminal")
        sys.modules["totalsegmentator.python_api"].send_usage_stats({}, {})
        if self.fault:
            raise self.fault
        found = np.zeros(self.phantom.labels.array.shape, dtype=np.uint8)
        for ours in self.phantom.labels.ids():
            found[self.phantom.labels.array == ours] = THEIRS[ours]
        found[0, 0, 0] = THEIRS[L1]  # a loose voxel
        # the image must lie where the phantom lies: nibabel's own affine takes index to RAS mm
        corner = nib.affines.apply_affine(image.affine, [0, 0, 0]) * (-1, -1, 1)
        np.testing.assert_allclose(corner, self.phantom.ct.grid.origin_lps, atol=1e-6)
        np.testing.assert_array_equal(np.asarray(image.dataobj)[3, 4, 5], self.phantom.ct.array[5, 4, 3])
        affine = np.diag([-1, 1, 1, 1]) @ image.affine if self.turned else image.affine
        return nib.Nifti1Image(found.transpose(2, 1, 0), affine)


@pytest.fixture
def stand_in(phantom: Phantom, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    one = StandIn(phantom)
    package, api = ModuleType("totalsegmentator"), ModuleType("totalsegmentator.python_api")
    vars(package)["__version__"] = "2.18.0"
    vars(api)["totalsegmentator"] = one.totalsegmentator

    def count(*_args: object) -> None:
        one.counted += 1

    vars(api)["send_usage_stats"] = count
    monkeypatch.setitem(sys.modules, "totalsegmentator", package)
    monkeypatch.setitem(sys.modules, "totalsegmentator.python_api", api)
    return one


def segment(phantom: Phantom, level: int | None = None, off_mm: float = 0.0):
    seed = phantom.truth.frame.origin_lps + np.array([0.0, -off_mm, 0.0])
    return get_backend("totalsegmentator").segment(phantom.ct, seed, level, lambda _f, _w: None)


def test_the_vertebra_at_the_seed_is_taken_with_its_neighbours(
    phantom: Phantom, stand_in: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    found = segment(phantom)
    assert found.target_id == L1
    assert found.labels.ids() == phantom.labels.ids()
    for one in phantom.labels.ids():
        ours = resample_mask(found.labels.array == one, found.labels.grid, phantom.labels.grid) > 0.5
        np.testing.assert_array_equal(ours, phantom.labels.array == one)
    assert found.provenance["version"] == "2.18.0"
    assert capsys.readouterr().out == "", "its own lines do not reach the terminal"


def test_only_thoracic_and_lumbar_vertebrae_of_the_total_task_are_asked_for_and_no_use_is_counted(
    phantom: Phantom, stand_in: StandIn
) -> None:
    segment(phantom)
    assert stand_in.asked["task"] == "total"
    assert set(stand_in.asked["roi_subset"]) == {f"vertebrae_T{n}" for n in range(1, 13)} | {
        f"vertebrae_L{n}" for n in range(1, 6)
    }
    assert stand_in.counted == 0
    sys.modules["totalsegmentator.python_api"].send_usage_stats()
    assert stand_in.counted == 1, "and its own function is back afterwards"


def test_a_level_stated_otherwise_moves_all_names_and_is_told(phantom: Phantom, stand_in: StandIn) -> None:
    found = segment(phantom, level=L2)
    assert found.target_id == L2
    assert found.labels.ids() == tuple(i + 1 for i in phantom.labels.ids())
    assert found.confidence.check[0] == "TotalSegmentator calls this vertebra L1, the level stated is L2"


def test_a_seed_beside_all_vertebrae_is_refused_with_the_distance(phantom: Phantom, stand_in: StandIn) -> None:
    with pytest.raises(AnatomyError, match=r"nearest is .*, \d+ mm away") as caught:
        segment(phantom, off_mm=32.0)
    assert caught.value.code == "seed_not_in_vertebra"


@pytest.mark.parametrize("fault", [SystemExit(1), OSError("no connection"), RuntimeError("out of memory")])
def test_its_failures_are_one_line(phantom: Phantom, stand_in: StandIn, fault: BaseException) -> None:
    stand_in.fault = fault
    with pytest.raises(AnatomyError, match="TotalSegmentator failed") as caught:
        segment(phantom)
    assert caught.value.code == "backend_failed"


def test_labels_that_do_not_lie_on_the_scan_are_refused(phantom: Phantom, stand_in: StandIn) -> None:
    stand_in.turned = True
    with pytest.raises(AnatomyError, match="do not lie on the scan"):
        segment(phantom)


def test_where_it_is_not_installed_the_command_to_install_it_is_said(
    phantom: Phantom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "totalsegmentator", None)
    assert "totalsegmentator" in backend_names()
    with pytest.raises(InputError, match="pip install TotalSegmentator") as caught:
        segment(phantom)
    assert caught.value.code == "backend_missing"


@pytest.mark.long
@pytest.mark.skipif(importlib.util.find_spec("totalsegmentator") is None, reason="TotalSegmentator is not installed")
def test_the_real_one_finds_the_phantom_s_vertebra(phantom: Phantom) -> None:
    found = segment(phantom)
    own = resample_mask(phantom.labels.array == L1, phantom.labels.grid, found.labels.grid) > 0.5
    theirs = found.labels.array == found.target_id
    assert 2 * (own & theirs).sum() / (own.sum() + theirs.sum()) > 0.6
