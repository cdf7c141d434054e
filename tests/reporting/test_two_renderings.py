"""The page and the PDF say and show the same, pass checkers that are not ours, and are readable as rendered."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from validators import judge

from trajplan import DISCLAIMER
from trajplan.case import CaseResult
from trajplan.planning.plan import PlanSettings
from trajplan.reporting import write
from trajplan.reporting.barrel import barrel_depths
from trajplan.reporting.content import Report, Table, Words
from trajplan.reporting.scene_points import Cloud, Eye, render
from trajplan.reporting.sections import report_of
from trajplan.reporting.threshold_facts import threshold_rows

REPORTS = ("report", "refused_report", "blind_report")


class _Text(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.feed(text)

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


@pytest.fixture(scope="module")
def content(case: CaseResult) -> Report:
    return report_of(case, write.report_pictures(case))


def _words(text: str) -> str:
    """What a text says, whatever its lines and hyphens."""
    return re.sub(r"[\s•]+", "", text)


def _said(report: Report) -> list[str]:
    said = [report.title, report.summary, *(n.text for n in report.notices), *(b.text for b in report.badges)]
    for section in report.sections:
        said.append(section.title)
        for block in section.blocks:
            if isinstance(block, Words):
                said += block.items
            elif isinstance(block, Table):
                said += [*block.head, block.caption, *(cell for row in block.rows for cell in row)]
            else:
                said += [text for p in block.pictures for text in (p.title, p.caption)]
    return said


def test_both_renderings_say_everything(content: Report, report: Path) -> None:
    page = _words("".join(_Text((report / "report.html").read_text(encoding="utf-8")).parts))
    paper = _words(judge("pdftotext", "-raw", report / "report.pdf", "-").stdout)
    furniture = re.compile(re.escape(_words(content.title)) + r",page\d+|\f|" + re.escape(_words(DISCLAIMER)))
    paper = furniture.sub("", paper)
    missing: dict[str, list[str]] = {"page": [], "paper": []}
    for text in _said(content):
        for name, where in (("page", page), ("paper", paper)):
            # a long cell may be split where a page of the PDF ends: its beginning is looked for
            if _words(text)[:60] not in where:
                missing[name].append(text)
    assert missing == {"page": [], "paper": []}


@pytest.mark.parametrize("which", REPORTS)
def test_an_html_checker_finds_nothing(which: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    page = request.getfixturevalue(which) / "report.html"
    told = judge("tidy", "-q", "-e", page)
    assert (told.returncode, told.stderr) == (0, "")
    bad = tmp_path / "bad.html"
    bad.write_text(page.read_text(encoding="utf-8").replace("</h1>", "</h2>"), encoding="utf-8")
    assert judge("tidy", "-q", "-e", bad).returncode > 0


@pytest.mark.parametrize("which", REPORTS)
def test_no_page_of_the_pdf_is_blank_or_clipped(which: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    report: Path = request.getfixturevalue(which)
    assert judge("pdftoppm", "-r", "50", "-png", report / "report.pdf", tmp_path / "p").returncode == 0
    pages = sorted(tmp_path.glob("p*.png"))
    assert pages
    for path in pages:
        with PIL.Image.open(path) as image:
            grey = np.asarray(image.convert("L"), dtype=int)
        below = grey[30:]  # under the band with the disclaimer
        assert (below < 200).sum() > 300, f"{path.name} is blank"
        edge = round(50 * 9 / 25.4)
        assert below[:, :edge].min() > 200, f"{path.name}: something stands in the left margin"
        assert below[:, -edge:].min() > 200, f"{path.name}: something stands in the right margin"
        assert DISCLAIMER in judge("pdftotext", report / "report.pdf", "-").stdout


def test_the_page_prints_light_and_shows_dark_where_it_is_wanted(report: Path) -> None:
    page = (report / "report.html").read_text(encoding="utf-8")
    assert "@media (prefers-color-scheme: dark)" in page
    assert page.index("@media (prefers-color-scheme: dark)") < page.index("@media print { :root { color-scheme: light")


def test_every_number_of_the_settings_is_among_the_thresholds() -> None:
    settings = PlanSettings(wall_margin_mm=1.17, canal_margin_mm=1.23, anterior_margin_mm=3.31, endplate_margin_mm=3.37,
                            max_convergence_deg=44.4, min_craniocaudal_deg=-15.5, max_craniocaudal_deg=25.3,
                            max_skin_midline_mm=80.8, entry_sigma_mm=0.71, angle_sigma_deg=2.13)  # fmt: skip
    rows = threshold_rows(settings)
    text = " ".join(value for _, value, _ in rows)
    for value in (1.17, 1.23, 3.31, 3.37, 44.4, -15.5, 25.3, 80.8, 0.71, 2.13):
        assert f"{value:g}" in text
    assert all(source for *_, source in rows)


def test_what_would_change_the_plan_starts_with_what_is_missing_and_names_the_nearest_wall(content: Report) -> None:
    (section,) = (s for s in content.sections if s.title == "What would change this plan")
    (words,) = section.blocks
    assert isinstance(words, Words)
    assert words.items[0].startswith("The level:")
    assert any(i.startswith("Right path: 0.4 mm are missing at the lateral wall") for i in words.items)
    assert any("Left path: nearest to its limit is the lateral wall, with 0.9 mm more" in i for i in words.items)


def test_figures_come_in_other_forms_when_asked(content: Report, tmp_path: Path) -> None:
    (curve,) = (p for p in content.pictures if p.name == "left_clearance.png")
    svg = curve.as_file(".svg").decode()
    assert svg.startswith("<?xml")
    assert "depth from the bone entry, mm" in svg, "letters stay letters"
    assert svg == curve.as_file(".svg").decode()
    (tmp_path / "c.tiff").write_bytes(curve.as_file(".tiff"))
    with PIL.Image.open(tmp_path / "c.tiff") as image:
        assert image.size == curve.size


def test_the_barrel_ends_at_the_tip() -> None:
    assert barrel_depths(45.3).tolist() == [*np.arange(0.0, 45.0, 3.0).tolist(), 45.3]
    assert barrel_depths(45.0).tolist() == np.arange(0.0, 45.5, 3.0).tolist()


def test_in_space_what_is_nearer_hides_what_is_behind() -> None:
    flat = np.stack(np.meshgrid(np.arange(-8, 8, 0.2), np.arange(-8, 8, 0.2)), axis=-1).reshape(-1, 2)
    toward = np.tile([0.0, -1.0, 0.0], (len(flat), 1))

    def sheet(y: float, color: tuple[float, float, float], opacity: float = 1.0) -> Cloud:
        return Cloud(np.stack([flat[:, 0], np.full(len(flat), y), flat[:, 1]], axis=1), toward, color, opacity)

    # from the front: right of the picture is the patient's left, down is inferior, the eye looks to posterior
    eye = Eye(np.zeros(3), np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, -1.0]), 20.0)
    np.testing.assert_allclose(eye.away_lps, [0, 1, 0])
    red, blue = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)
    near_red = render([sheet(-5, red), sheet(5, blue)], eye)
    near_blue = render([sheet(5, red), sheet(-5, blue)], eye)
    middle = near_red.shape[0] // 2
    assert near_red[middle, middle, 0] > near_red[middle, middle, 2]
    assert near_blue[middle, middle, 2] > near_blue[middle, middle, 0]
    through = render([sheet(-5, red, 0.5), sheet(5, blue)], eye)[middle, middle]
    assert min(through[0], through[2]) > 40, "a see-through sheet shows both"
    assert (near_red[0, 0] == 255).all()
