"""A saved case comes back as it was; a damaged, changed, newer or hostile file is refused with what to do."""

from __future__ import annotations

import json
import zipfile

import numpy as np
import pytest
from sample_case import sample_case, sample_parts

from trajplan.anatomy.backend import LabelResult
from trajplan.anatomy.vertebra import Confidence
from trajplan.errors import InputError
from trajplan.exports import case_pack
from trajplan.exports.case_file import read_case, write_case
from trajplan.exports.plan_json import plan_document, plan_text
from trajplan.exports.plan_parts import scan_input
from trajplan.exports.saved_case import SavedCase, require_scan
from trajplan.geometry import Grid, LabelMap, Volume
from trajplan.kept import Kept
from trajplan.parts import Side
from trajplan.planning.plan import Approach, PlanSettings
from trajplan.reading.scan import Scan


@pytest.fixture(scope="module")
def case():
    result = sample_case()
    parts = sample_parts()
    labels = LabelMap(np.where(parts.array > 0, 20, 0).astype(np.uint8), parts.grid, {20: "L1"})
    rated = Confidence(0.71, {"dice": 0.9}, ("check the left pedicle",))
    kept = Kept(
        LabelResult(labels, 20, rated, {"backend": "simpleitk"}),
        "L1", True, "simpleitk", ("the mask is automatic",), {"backend": "simpleitk", "n": 3}, 1.25,
    )  # fmt: skip
    return SavedCase(
        scan_input(result.scan),
        "L1",
        np.array([1.0, 2.0000001, -3.5]),
        labels,
        "labels of the viewer",
        "network",
        PlanSettings(wall_margin_mm=1.5, approach=Approach.BIPEDICULAR),
        "ab" * 32,
        kept,
        {Side.LEFT: (np.array([1.0, 2.0, 3.0]), np.array([4.0, 1 / 3, 6.0]))},
        plan_document(result, "parts.nrrd"),
        parts,
    )


@pytest.fixture
def saved(case, tmp_path):
    return write_case(case, tmp_path / "case.trajplan")


@pytest.mark.parametrize("name", ["case.trajplan", "folder"])
def test_a_case_comes_back_as_it_was(case, tmp_path, name):
    path = write_case(case, tmp_path / name)
    assert path.is_dir() == (name == "folder")
    back = read_case(path)
    for field in ("scan", "level", "labels_source", "backend", "settings", "confirmed_mask"):
        assert getattr(back, field) == getattr(case, field), field
    assert np.array_equal(back.seed_lps, case.seed_lps)
    for one, other in ((back.labels, case.labels), (back.parts, case.parts)):
        assert one.sha256() == other.sha256()
    assert plan_text(back.plan) == plan_text(case.plan)
    assert all(np.array_equal(a, b) for a, b in zip(back.moved[Side.LEFT], case.moved[Side.LEFT], strict=True))
    assert back.kept.made.labels.sha256() == case.kept.made.labels.sha256()
    assert back.kept.made.confidence == case.kept.made.confidence
    for field in ("level", "level_confirmed", "source", "notes", "provenance", "spacing_mm"):
        assert getattr(back.kept, field) == getattr(case.kept, field), field


def test_a_case_that_was_only_begun_comes_back_too(case, tmp_path):
    back = read_case(write_case(SavedCase(case.scan), tmp_path / "c.trajplan"))
    assert (back.plan, back.labels, back.kept, back.seed_lps, back.moved) == (None, None, None, None, {})


def test_a_case_holds_no_voxel_of_the_ct(saved):
    with zipfile.ZipFile(saved) as archive:
        assert set(archive.namelist()) == set(case_pack.MEMBERS)
    assert saved.stat().st_size < 300_000


def test_only_the_very_ct_is_gone_on_with(case, saved):
    back, scan = read_case(saved), sample_case().scan
    require_scan(back, scan)
    with pytest.raises(InputError, match=r"is not open.*voxels of") as caught:
        require_scan(back, None)
    assert caught.value.code == "scan_not_open"
    other = Scan.of_volume(Volume(np.zeros((4, 4, 4), np.int16), Grid.isotropic((0, 0, 0), (3, 3, 3), 1.0)),
                           path_name="x", kind="nifti")  # fmt: skip
    with pytest.raises(InputError, match="another CT") as caught:
        require_scan(back, other)
    assert caught.value.code == "other_scan"
    assert case.scan.sha256[:12] in str(caught.value)


def _changed(saved, changes):
    """The zip with other files in it; None takes one away."""
    with zipfile.ZipFile(saved) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    files |= changes(files)
    with zipfile.ZipFile(saved, "w") as archive:
        for name, data in files.items():
            if data is not None:
                archive.writestr(name, data)
    return saved


def _edit(**new):
    return lambda files: {"case.json": json.dumps(json.loads(files["case.json"]) | new).encode()}


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        (lambda f: {"labels.nrrd": f["mask.nrrd"][:-9]}, "case_damaged", "labels.nrrd in it is not the one"),
        (lambda f: {"parts.nrrd": None}, "case_damaged", "parts.nrrd in it is missing"),
        (lambda f: {"plan.json": f["plan.json"].replace(b"safe", b"SAFE")}, "case_damaged", "plan.json"),
        (lambda f: {"case.json": b"\x80\x04N."}, "case_damaged", "not JSON"),
        (lambda f: {"case.json": None}, "case_damaged", "holds no case.json"),
        (_edit(schema="trajplan.case/2", software={"name": "trajplan", "version": "9.1"}), "case_newer", "9.1"),
        (_edit(schema="something/1"), "case_invalid", "schema"),
        (_edit(moved={"up": {}}), "case_invalid", "moved"),
        (_edit(parameters={"wall_margin_mm": 0.0}), "case_damaged", "parameters"),
        (lambda f: {"../../home/x.txt": b"x"}, "case_unsafe", "leads out of a case"),
        (lambda f: {"/etc/passwd": b"x"}, "case_unsafe", "leads out of a case"),
        (lambda f: {"a\\..\\b": b"x"}, "case_unsafe", "leads out of a case"),
    ],
)  # fmt: skip
def test_what_is_no_whole_case_of_ours_is_refused(saved, changes, code, says):
    before = set(saved.parent.iterdir())
    with pytest.raises(InputError, match=says) as caught:
        read_case(_changed(saved, changes))
    assert caught.value.code == code
    assert set(saved.parent.iterdir()) == before, "nothing was written"


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_case_cut_short_is_refused(saved, share):
    data = saved.read_bytes()
    saved.write_bytes(data[: int(share * len(data))])
    with pytest.raises(InputError, match="copy or download it again") as caught:
        read_case(saved)
    assert caught.value.code == "case_damaged"


def test_any_flipped_byte_is_noticed_or_changes_nothing(case, saved):
    data, rng = saved.read_bytes(), np.random.default_rng(4)
    for at in rng.integers(0, len(data), 60):
        saved.write_bytes(data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :])
        try:
            back = read_case(saved)
        except InputError:
            continue
        assert plan_text(back.plan) == plan_text(case.plan)
        assert back.labels.sha256() == case.labels.sha256()


def test_a_file_that_would_fill_the_memory_is_refused(saved, monkeypatch):
    monkeypatch.setattr(case_pack, "MOST_BYTES", 1000)
    with pytest.raises(InputError, match="larger than") as caught:
        read_case(saved)
    assert caught.value.code == "case_unsafe"


def test_a_link_in_a_case_folder_is_not_followed(case, tmp_path):
    folder = write_case(case, tmp_path / "folder")
    secret = tmp_path / "secret.json"
    (folder / "plan.json").replace(secret)
    (folder / "plan.json").symlink_to(secret)
    with pytest.raises(InputError, match="is a link") as caught:
        read_case(folder)
    assert caught.value.code == "case_unsafe"


def test_what_cannot_be_read_is_said(tmp_path):
    with pytest.raises(InputError, match="cannot read"):
        read_case(tmp_path / "none.trajplan")
