"""A phantom's folder is whole and reads back as the phantom."""

from __future__ import annotations

import json
from pathlib import Path

import SimpleITK as sitk

from trajplan.exports.labels_file import read_parts
from trajplan.exports.phantom_files import write_phantom
from trajplan.geometry.itk import volume_from_sitk
from trajplan_phantoms import Scanner, make_phantom, named


def test_a_phantom_reads_back_the_same(tmp_path: Path) -> None:
    phantom = make_phantom(named("asymmetric-L1"), Scanner((2.5, 2.0, 2.0)))
    written = write_phantom(phantom, tmp_path / "p")
    assert [p.name for p in written] == ["ct.nrrd", "labels.nrrd", "parts.nrrd", "surroundings.nrrd", "truth.json"]
    assert volume_from_sitk(sitk.ReadImage(str(written[0]))).sha256() == phantom.ct.sha256()
    assert read_parts(written[1]).sha256() == phantom.labels.sha256()
    assert read_parts(written[2]).sha256() == phantom.parts.sha256()
    assert read_parts(written[3]).sha256() == phantom.surroundings.sha256()
    truth = json.loads(written[4].read_text(encoding="utf-8"))
    assert truth["pedicles"]["left"]["width_mm"] < truth["pedicles"]["right"]["width_mm"]
    assert truth["surroundings"] == {str(i): phantom.surroundings.names[i] for i in phantom.surroundings.ids()}
    assert truth["surroundings"]["115"] == "disc below T12"
