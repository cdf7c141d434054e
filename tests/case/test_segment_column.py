"""`segment` and `plan` without a seed: every vertebra with its measures and the evidence for its name."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from cli_runs import Trajplan
from column_made import body_centers

from trajplan.anatomy.network_column import NetworkColumn, find_column_by_network
from trajplan.errors import AnatomyError
from trajplan.exports.labels_file import write_volume
from trajplan.levels import UNNAMED_FIRST_ID
from trajplan.parts import Part
from trajplan.reading.read import read_scan
from trajplan.target import find_target
from trajplan_phantoms import Phantom, Scanner, make_phantom
from trajplan_phantoms.population import draw

T12, L1, L2 = 19, 20, 21


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    spec = draw(("T12", "L1", "L2"), age_years=70.0, seed=100_021, target="L1", fracture="wedge",
                height_loss_percent=40.0, surroundings="full")  # fmt: skip
    return make_phantom(spec, Scanner((2.0, 1.0, 1.0), noise_hu=15.0))


@pytest.fixture(scope="module")
def ct(phantom: Phantom, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_volume(phantom.ct, tmp_path_factory.mktemp("scan") / "ct.nrrd")


@pytest.fixture(scope="module")
def found(phantom: Phantom) -> NetworkColumn:
    return find_column_by_network(phantom.ct, lambda share, what: None)


@pytest.fixture
def searched(found: NetworkColumn, monkeypatch: pytest.MonkeyPatch) -> None:
    """The search is made once for all tests."""
    for room in ("network_column", "without_seed", "seeded"):
        monkeypatch.setattr(f"trajplan.anatomy.{room}.find_column_by_network", lambda *given: found)
    monkeypatch.setattr("trajplan.segmenting.find_column_by_network", lambda *given: found)


def point(phantom: Phantom, level: str) -> str:
    return "--seed=" + ",".join(f"{v:.1f}" for v in body_centers(phantom)[level])


@pytest.mark.usefixtures("searched")
def test_all_of_them_with_measures_and_evidence(ct: Path, phantom: Phantom, trajplan: Trajplan, tmp_path: Path) -> None:
    run = trajplan(
        *("segment", ct, "--all", "--backend", "network", "--out", tmp_path / "all.nrrd", "--json"),
        *("--parts", tmp_path / "parts.nii.gz", "--measures", tmp_path / "measures.json"),
    )
    assert run.status == 0, run.err
    facts = json.loads(run.out)
    levels = facts["levels"]
    assert levels["names"] == ["T12", "L1", "L2"]
    assert levels["status"] == "unconfirmed"
    assert [one["anchor"] for one in levels["evidence"]] == ["last rib"]
    assert levels["evidence"][0]["numbers"]["rib_reach_left_mm"] > 58.0
    assert "not the sacrum" in levels["reasons"][0]
    assert [one["label_id"] for one in facts["vertebrae"]] == [T12, L1, L2]
    for one, level in zip(facts["vertebrae"], ("T12", "L1", "L2"), strict=True):
        assert np.linalg.norm(np.array(one["center_lps"]) - body_centers(phantom)[level]) < 5.0
        assert len(one["heights_mm"]) == 3
        assert one["cut"] == []
        np.testing.assert_allclose(np.linalg.norm(list(one["frame"].values()), axis=1), 1.0, atol=1e-3)
    assert facts["vertebrae"][1]["loss_percent"] > 20.0
    written = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "all.nrrd")))
    assert set(np.unique(written)) == {0, T12, L1, L2}
    assert json.loads((tmp_path / "measures.json").read_text()) == facts
    split = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "parts.nii.gz")))
    assert split.shape == written.shape
    assert set(np.unique(split)) == {0, *map(int, Part)}
    for one in (T12, L1, L2):
        bone = (split > 0) & (split != Part.CANAL)
        assert (bone & (written == one)).sum() > 0.97 * (written == one).sum()
    assert not ((split == Part.CANAL) & (written > 0)).sum() > 0.02 * (split == Part.CANAL).sum()


@pytest.mark.usefixtures("searched")
def test_naming_one_names_all_and_the_contradiction_is_told(
    ct: Path, phantom: Phantom, trajplan: Trajplan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_few(*given: object, **named: object) -> None:
        raise AnatomyError("left out here", code="left_out")

    monkeypatch.setattr("trajplan.segmenting.measure_vertebra", too_few)
    seed = point(phantom, "L1")
    run = trajplan("segment", ct, "--all", "--backend", "network", seed, "--level", "L3", "--out", tmp_path / "n.nrrd")
    assert run.status == 0, run.err
    assert "named: last rib (T12), named by the user (L3)" in run.out
    assert "the vertebra named L3 is L1 when counted from the last rib" in run.out
    assert [line.split()[0] for line in run.out.splitlines()[-3:]] == ["L2", "L3", "L4"]


@pytest.mark.usefixtures("searched")
def test_a_level_alone_is_found(ct: Path, phantom: Phantom, trajplan: Trajplan, tmp_path: Path) -> None:
    run = trajplan("segment", ct, "--level", "L1", "--backend", "network", "--out", tmp_path / "one.nrrd", "--json")
    assert run.status == 0, run.err
    facts = json.loads(run.out)
    assert facts["target_id"] == L1
    assert facts["levels"]["status"] == "unconfirmed"
    assert np.linalg.norm(np.array(facts["seed_lps"]) - body_centers(phantom)["L1"]) < 5.0
    missing = trajplan("segment", ct, "--level", "T6", "--backend", "network", "--out", tmp_path / "none.nrrd")
    assert missing.status == 2
    assert "T6 was not found: the scan shows T12 to L2" in missing.err
    assert not (tmp_path / "none.nrrd").exists()


def test_vertebrae_that_cannot_be_counted_get_numbers_of_their_own(found: NetworkColumn, phantom: Phantom) -> None:
    from trajplan.anatomy.spine_labels import column_ids, spine_labels

    names = (None, None, None)
    labels = spine_labels(phantom.ct, found.vertebrae, column_ids(names), names)
    assert labels.ids() == (UNNAMED_FIRST_ID, UNNAMED_FIRST_ID + 1, UNNAMED_FIRST_ID + 2)
    assert labels.names[UNNAMED_FIRST_ID] == "vertebra 1 from above"


@pytest.mark.long
@pytest.mark.usefixtures("searched")
def test_a_plan_without_a_seed_takes_the_flattened_one_and_confirms_no_level(ct: Path) -> None:
    target = find_target(read_scan(ct), None, None, None, None, lambda share, what: None, "network")
    assert target.vertebra.level == "L1"
    assert not target.vertebra.level_confirmed
    said = " ".join(target.notes)
    assert "L1 has the largest height loss" in said
    assert "Levels unconfirmed: last rib (T12)" in said
    assert "program's own count" in said
    assert target.provenance["levels"] == "unconfirmed"
    assert target.provenance["level_evidence"] == ["last rib (T12)"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "say which vertebra: --seed, --level"),
        (("--all", "--backend", "simpleitk"), r"needs --backend network"),
        (("--all", "--backend", "network", "--parts", "p.txt"), "labels are written as .nrrd, .nii.gz or .nii"),
        (("--all", "--backend", "network+simpleitk"), "--all takes one back-end"),
        (("--all", "--backend", "network", "--measures", "m.csv"), "--measures must end in .json"),
        (("--level", "L1", "--backend", "simpleitk"), r"needs --backend network"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is_read(
    options: tuple[str, ...], said: str, ct: Path, trajplan: Trajplan, tmp_path: Path
) -> None:
    run = trajplan("segment", ct, *options, "--out", tmp_path / "x.nrrd")
    assert run.status == 2
    assert said in run.err
    assert not (tmp_path / "x.nrrd").exists()
