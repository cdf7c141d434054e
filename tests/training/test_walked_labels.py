"""The reviewed corrections of labels: what each operation does, and that the list can be applied as it stands."""

import json
import shutil
import subprocess
from types import SimpleNamespace

import numpy as np
import pytest

from training.segmenter import walked_labels as walked
from training.segmenter.walked_labels import Correction
from trajplan.anatomy.network_model import WEIGHTS, load_model
from trajplan.geometry import Grid, LabelMap, Volume
from trajplan.levels import LEVEL_IDS

_SHAPE_ZYX = (164, 126, 120)  # of the scan the list was made on
_EVERYWHERE = np.ones((3, 9, 9), dtype=bool)
_NOWHERE = np.zeros((3, 9, 9), dtype=bool)


def _block(first, last):
    out = np.zeros((3, 9, 9), dtype=bool)
    out[:, first : last + 1, 2:7] = True
    return out


def test_every_entry_says_what_was_seen_and_lies_in_the_scan():
    sha256, corrections = walked.read_corrections()
    assert len(sha256) == 64
    assert {one.level for one in corrections} == set(walked.LEVELS)
    for one in corrections:
        assert len(one.seen) > 20
        assert one.do in walked.OPERATIONS
        assert one.steps >= 1
        for part, length in zip(one.box, _SHAPE_ZYX, strict=True):
            assert 0 <= part.start < part.stop <= length


def test_growth_takes_dense_voxels_only_and_none_of_another_level():
    own, others = _block(0, 2), _block(6, 8)
    grown = walked.grow(own, others, _EVERYWHERE, 3)
    assert grown[:, :5, 2:7].all()
    assert not (grown & others).any()
    assert not grown[:, 5:].any(), "what is nearer to the other level stays free"
    np.testing.assert_array_equal(walked.grow(own, others, _NOWHERE, 3), own)


def test_a_gap_is_closed_in_its_plane():
    own = _block(0, 8)
    own[1, 4, 4] = False
    assert walked.close(own, _NOWHERE, _EVERYWHERE, 1)[1, 4, 4]
    assert not walked.close(own, _NOWHERE, _NOWHERE, 1)[1, 4, 4]


def test_the_last_row_is_labelled_as_the_one_before():
    own = _block(0, 7)
    out = walked.border(own, _NOWHERE, _EVERYWHERE, 1)
    np.testing.assert_array_equal(out[:, 8], own[:, 7])


def test_peeling_ends_at_dense_bone():
    own, dense = _block(1, 7), _block(3, 7)
    np.testing.assert_array_equal(walked.peel(own, _NOWHERE, dense, 2), dense)


def test_corrections_change_their_level_in_their_box_and_never_the_given_mask():
    array = np.zeros((20, 30, 20), dtype=np.uint8)
    array[2:9, 5:25, 5:15] = LEVEL_IDS["T12"]
    array[10:18, 5:25, 5:15] = LEVEL_IDS["T11"]
    grid = Grid(array.shape, np.zeros(3), np.full(3, 1.5))
    ct = Volume(np.full(array.shape, 500, dtype=np.int16), grid)
    box = (slice(9, 18), slice(5, 12), slice(0, 20))
    after = walked.corrected(LabelMap(array, grid), ct, (Correction("T11", "made up", "grow", box, 200.0, 2),)).array
    changed = after != array
    assert changed.any()
    assert not np.delete(changed, np.r_[5:12], axis=1).any()
    np.testing.assert_array_equal(after == LEVEL_IDS["T12"], array == LEVEL_IDS["T12"])


def test_labels_of_other_weights_are_refused(tmp_path, monkeypatch):
    corrections = walked.read_corrections()[1]
    monkeypatch.setattr(walked, "read_corrections", lambda: ("0" * 64, corrections))
    with pytest.raises(SystemExit, match=r"give them by python .* --weights"):
        walked.make(tmp_path, tmp_path)
    assert load_model(WEIGHTS).sha256 != "0" * 64
    with pytest.raises(SystemExit, match=r"not for segmenter\.onnx"):
        walked.make(tmp_path, tmp_path, WEIGHTS)


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_weights_that_were_replaced_come_from_the_history(tmp_path, monkeypatch):
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    weights = home / "weights.onnx"
    monkeypatch.setattr(walked, "ROOT", home)
    monkeypatch.setattr(walked, "WEIGHTS", weights)
    git = ["git", "-C", str(home), "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*git, "init", "-q"], check=True)
    for word in ("first", "second"):
        weights.write_bytes(word.encode())
        weights.with_suffix(".json").write_text(json.dumps({"sha256": word}))
        subprocess.run([*git, "add", "."], check=True)
        subprocess.run([*git, "commit", "-q", "-m", word], check=True)
    monkeypatch.setattr(walked, "load_model", lambda path: SimpleNamespace(sha256=path.read_text()))
    assert walked.reviewed_weights("second", work) == weights
    found = walked.reviewed_weights("first", work)
    assert found.parent == work
    assert found.read_text() == "first"
    assert json.loads(found.with_suffix(".json").read_text()) == {"sha256": "first"}
    with pytest.raises(SystemExit, match="nor the history"):
        walked.reviewed_weights("third", work)
