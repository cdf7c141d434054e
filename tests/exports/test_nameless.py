"""Names of files and folders stay out of what is written, findings included."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from sample_case import sample_case

from trajplan.exports.nameless import nameless
from trajplan.reading.scan import Finding


def test_findings_lose_the_names_of_files_and_folders_and_nothing_else(tmp_path: Path) -> None:
    study = tmp_path / "DOE_JANE" / "CT 1"
    study.mkdir(parents=True)
    (study / "JANE_0007.dcm").write_bytes(b"x")
    said = "2 copies ignored, such as JANE_0007.dcm of CT 1 in DOE_JANE; spacing 1.5 mm"
    scan = dataclasses.replace(sample_case().scan, kind="dicom", findings=(Finding("copy", "repair", said),))
    found = nameless(scan, study)
    assert found.path_name == "dicom scan (name withheld)"
    assert found.findings[0].message == "2 copies ignored, such as a file of a file in a file; spacing 1.5 mm"
    assert found.findings[0].code == "copy"
    assert found.sha256 == scan.sha256
