"""The report folder is complete, self-contained, escaped, and says the worst first."""

from __future__ import annotations

import dataclasses
import html
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from sample_case import sample_case

from trajplan import DISCLAIMER
from trajplan.case import CaseRequest, CaseResult
from trajplan.errors import InputError
from trajplan.exports.labels_file import read_parts
from trajplan.exports.plan_json import read_plan
from trajplan.parts import Side
from trajplan.reporting import style, write
from trajplan.reporting.write import write_report
from trajplan.reporting.xray import drr_png

VIEWS = ("ap", "lateral", "en_face_left", "en_face_right")
SLICES = ("axial", "sagittal", "coronal", "along", "across", "barrel", "clearance", "stages")


class _Tags(HTMLParser):
    """Every start tag with its attributes, and the visible text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data + " "


@pytest.fixture(scope="module")
def page(report: Path) -> str:
    return (report / "report.html").read_text(encoding="utf-8")


def test_all_files_are_there(report: Path) -> None:
    names = {p.relative_to(report).as_posix() for p in report.rglob("*") if p.is_file()}
    figures = {f"figures/xray_{v}.png" for v in VIEWS} | {f"figures/{s.value}_{n}.png" for s in Side for n in SLICES}
    files = {"report.html", "report.pdf", "plan.json", "parts.nrrd", "manifest.json"}
    figures |= {"figures/context_sagittal.png", "figures/scene.png"}
    assert names == files | figures
    assert [p.name for p in report.parent.iterdir()] == [report.name]


def test_the_files_belong_together(report: Path) -> None:
    plan = read_plan(report / "plan.json")
    assert plan.files.parts == "parts.nrrd"
    assert read_parts(report / "parts.nrrd").sha256() == plan.provenance.mask_sha256


def test_every_picture_shows_something(report: Path) -> None:
    for path in sorted((report / "figures").glob("*.png")):
        with PIL.Image.open(path) as image:
            picture = np.asarray(image.convert("L"), dtype=float)
        assert picture.std() > 15, path.name
        assert min(picture.shape) > 400, path.name


def test_a_path_that_is_not_safe_looks_different_at_a_glance(report: Path) -> None:
    """The title of every picture of such a path stands on a band in the colour of its verdict."""
    for name, marked in (("left_axial", False), ("right_axial", True), ("right_clearance", True), ("xray_ap", True)):
        with PIL.Image.open(report / "figures" / f"{name}.png") as image:
            corner = np.asarray(image.convert("RGB"), dtype=int)[4, 4]
        wanted = [int(style.UNSAFE_TEXT[i : i + 2], 16) for i in (1, 3, 5)] if marked else [255, 255, 255]
        assert np.abs(corner - wanted).max() < 12, name


def test_the_page_is_light_enough_to_send(report: Path) -> None:
    assert (report / "report.html").stat().st_size < 1_500_000
    assert (report / "report.pdf").stat().st_size < 3_000_000
    for path in (report / "figures").glob("*.png"):
        with PIL.Image.open(path) as image:
            assert image.mode == "P", path.name


def test_a_hostile_name_is_text_and_not_markup(page: str) -> None:
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=" in page
    tags = _Tags(page).tags
    assert not [tag for tag, _ in tags if tag in {"script", "iframe", "object", "embed", "link", "form", "base"}]
    assert not [name for _, attributes in tags for name in attributes if name.startswith("on")]
    assert all(re.match(r"data:image/(png|webp);base64,", a.get("src") or "") for tag, a in tags if tag == "img")


def test_the_page_fetches_nothing(page: str) -> None:
    csp = next(a["content"] for _, a in _Tags(page).tags if a.get("http-equiv") == "Content-Security-Policy")
    assert csp is not None
    assert csp.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")
    without_pictures = re.sub(r"data:image/(png|webp);base64,[A-Za-z0-9+/=]+", "", page)
    assert not re.search(r"https?:|//[a-z]|@import|url\(", without_pictures)


def test_a_page_has_words_for_every_picture(page: str) -> None:
    images = [a for tag, a in _Tags(page).tags if tag == "img"]
    assert len(images) == 22
    assert all(len(a["alt"] or "") > 30 for a in images)
    assert all(int(a["width"] or 0) > 400 and int(a["height"] or 0) > 400 for a in images)


def test_warnings_come_before_the_summary_and_the_disclaimer_before_all(page: str) -> None:
    text = _Tags(page).text
    order = [
        text.index(DISCLAIMER),
        text.index("Level not confirmed"),
        text.index("The right path is UNSAFE"),
        text.index("Check by eye: left pedicle outline is faint"),
        text.index("Scan: one slice is missing"),
        text.index("the target is the worst fracture found"),
        text.index("L1: left transpedicular path"),
        text.index("Refusals"),
        text.index("Left: axial, through the isthmus"),
        text.index("Left: down the barrel"),
        text.index("Left: insertion step by step"),
        text.index("Simulated true AP"),
        text.index("In space"),
        text.index("Clearance by direction"),
        text.index("Pedicles at the isthmus"),
        text.index("Clearance along the depth"),
        text.index("Every threshold, and where it comes from"),
        text.index("What would change this plan"),
        text.index("Parameter SHA-256"),
    ]
    assert order == sorted(order)


def test_the_facts_of_the_case_are_printed(page: str, case: CaseResult) -> None:
    text = " ".join(html.unescape(_Tags(page).text).split())
    for fact in ("1.9 mm", "0.6 mm", "3.1 %", "12.9°", "91.3 mm", "BROKEN", "−0.7 mm", "wedge, grade 2", "8.4 mm"):
        assert fact in text, fact
    for fact in ("7.90 mm", "4000 draws", case.scan.sha256, "trajplan 0.1.0", "anatomy 3.2 s", "22.5, -127.0, 909.0"):
        assert fact in text, fact


def test_nothing_of_the_patient_or_the_machine_leaks(report: Path) -> None:
    for path in report.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert b"DOE_JANE" not in data, path.name
            assert str(Path.home()).encode() + b"/" not in data, path.name
            assert str(report.parent).encode() not in data, path.name


def test_label_folders_are_not_printed(case: CaseResult, tmp_path: Path) -> None:
    request = CaseRequest(level="L1", labels_source="labels.nii.gz")
    planted = dataclasses.replace(case, request=request, provenance={"labels": Path("/data/DOE_JANE/labels.nii.gz")})
    write_report(dataclasses.replace(planted, trajectories=(), drrs={}, stages={}), tmp_path / "r")
    for name in ("report.html", "plan.json"):
        assert "DOE_JANE" not in (tmp_path / "r" / name).read_text(encoding="utf-8")


def test_a_refused_case_shows_numbers_and_no_path(refused_report: Path) -> None:
    text = " ".join(_Tags((refused_report / "report.html").read_text(encoding="utf-8")).text.split())
    assert "no path is offered" in text
    assert "No path on the left (transpedicular): the left pedicle is 4.1 mm wide" in text
    assert "needed 5.05 mm" in text
    assert "Left: axial, through the isthmus" in text
    assert {p.name for p in (refused_report / "figures").glob("xray*")} == {"xray_ap.png", "xray_lateral.png"}


def test_a_scan_without_a_vertebra_still_has_a_report(blind_report: Path) -> None:
    text = _Tags((blind_report / "report.html").read_text(encoding="utf-8")).text
    assert "no vertebra was found in 105 mm of scan" in text
    assert not (blind_report / "parts.nrrd").exists()
    assert json.loads((blind_report / "plan.json").read_text(encoding="utf-8"))["vertebra"] is None
    assert [p.name for p in (blind_report / "figures").iterdir()] == ["context_sagittal.png"]


@pytest.mark.parametrize("which", ["report", "refused_report", "blind_report"])
def test_the_pdf_is_whole_and_says_the_disclaimer_on_each_page(which: str, request: pytest.FixtureRequest) -> None:
    data = (request.getfixturevalue(which) / "report.pdf").read_bytes()
    assert data.startswith(b"%PDF-")
    assert data.rstrip().endswith(b"%%EOF")
    pages = len(re.findall(rb"/Type /Page\b", data))
    assert 1 <= pages <= (14 if which == "report" else 8)
    assert DISCLAIMER.encode() in data
    if which == "report":
        assert len(re.findall(rb"/Subtype /Image", data)) == 22


def test_a_second_report_replaces_the_first_and_drops_its_pictures(tmp_path: Path) -> None:
    out = tmp_path / "report"
    case = sample_case()
    small = dataclasses.replace(case, trajectories=(), stages={}, drrs={})
    write_report(dataclasses.replace(small, drrs={"ap": case.drrs["ap"]}), out)
    assert (out / "figures" / "xray_ap.png").exists()
    (out / "mine.txt").write_text("kept")
    written = write_report(small, out)
    assert not (out / "figures" / "xray_ap.png").exists()
    assert (out / "mine.txt").read_text() == "kept"
    assert all(p.is_file() for p in written)
    assert written[0].name == "report.html"


def test_a_failure_midway_leaves_the_old_report(
    blind_report: Path, case: CaseResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {p: p.read_bytes() for p in blind_report.rglob("*") if p.is_file()}

    def broken(*_: object) -> bytes:
        raise InputError("planted", code="planted")

    monkeypatch.setattr(write, "report_pdf", broken)
    monkeypatch.setattr(write, "report_pictures", lambda *_: [])
    with pytest.raises(InputError, match="planted"):
        write_report(case, blind_report)
    assert {p: p.read_bytes() for p in blind_report.rglob("*") if p.is_file()} == before
    assert [p.name for p in blind_report.parent.iterdir()] == [blind_report.name]


def test_a_single_view_is_a_marked_picture(case: CaseResult) -> None:
    with PIL.Image.open(io.BytesIO(drr_png(case.drrs["ap"]))) as image:
        picture = np.asarray(image.convert("RGB"), dtype=float)
    assert picture.std() > 15
    orange = np.abs(picture - [230, 159, 0]).max(axis=-1) < 12
    assert orange.sum() > 200, "SIMULATED is burned in"


def test_the_same_case_gives_the_same_pictures(case: CaseResult, report: Path) -> None:
    small = dataclasses.replace(case, drrs={"ap": case.drrs["ap"]}, stages={})
    pictures = {p.name: p.png for p in write.report_pictures(small)}
    for name in ("left_axial.png", "right_clearance.png"):
        assert pictures[name] == (report / "figures" / name).read_bytes()
    with PIL.Image.open(io.BytesIO(pictures["left_axial.png"])) as image:
        assert set(image.info) <= {"dpi"}
