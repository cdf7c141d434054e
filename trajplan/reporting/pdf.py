"""report.pdf: the same facts on a few A4 pages, the disclaimer on each."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import matplotlib
import PIL.Image
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import inch, mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Image, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table

from trajplan import DISCLAIMER
from trajplan.reporting import style
from trajplan.reporting.facts import ReportFacts
from trajplan.reporting.path_facts import PathFacts
from trajplan.reporting.picture import Picture

_FONT, _BOLD = "DejaVuSans", "DejaVuSans-Bold"
_WIDTH = A4[0] - 30 * mm
_BODY = ParagraphStyle("body", fontName=_FONT, fontSize=7.4, leading=9, wordWrap=None, splitLongWords=True)
_SMALL = ParagraphStyle("small", parent=_BODY, fontSize=7, leading=8.4)
_STRONG = ParagraphStyle("strong", parent=_BODY, fontName=_BOLD)
_ALARM = ParagraphStyle("alarm", parent=_STRONG, textColor=HexColor(style.UNSAFE_TEXT))
_BADGE_STYLE = ParagraphStyle(
    "badge", parent=_BODY, fontName=_BOLD, fontSize=10, leading=12, alignment=TA_CENTER, textColor="white"
)
_H1 = ParagraphStyle("h1", parent=_BODY, fontName=_BOLD, fontSize=14, leading=17, spaceAfter=2)
_H2 = ParagraphStyle("h2", parent=_BODY, fontName=_BOLD, fontSize=10.5, leading=13, spaceBefore=5, spaceAfter=2)
_GRID = [
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LINEBELOW", (0, 0), (-1, -1), 0.3, HexColor("#cccccc")),
    ("LEFTPADDING", (0, 0), (-1, -1), 3),
    ("RIGHTPADDING", (0, 0), (-1, -1), 3),
    ("TOPPADDING", (0, 0), (-1, -1), 1),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 1.4),
]
_ELSEWHERE = ("Parameters", "Segmentation", "Timings")  # too long for paper
_FEW_WARNINGS = 300  # characters that leave room for the curves on the first page
_PLANNED = (("left_clearance", "right_clearance"), ("xray_ap", "xray_lateral"), ("left_along", "right_along"))
"""The pictures of a planned case, two to a row; the page and the folder have them all."""
_REFUSED = (("context_sagittal", "xray_lateral"), ("left_axial", "right_axial"), ("xray_ap", "left_coronal"))
_BADGE = {**style.VERDICT_COLOR, "none": "#333333"}


def report_pdf(facts: ReportFacts, pictures: Sequence[Picture]) -> bytes:
    """The PDF as bytes; the same facts give the same bytes."""
    _fonts()
    buffer = io.BytesIO()
    document = SimpleDocTemplate(
        buffer,
        pagesize=A4,
        leftMargin=15 * mm,
        rightMargin=15 * mm,
        topMargin=14 * mm,
        bottomMargin=11 * mm,
        title=facts.title,
        author="trajplan",
        subject=DISCLAIMER,
        invariant=1,
    )
    by_name = {p.name.removesuffix(".png"): p for p in pictures}
    story: list[Any] = [_text(facts.title, _H1), _text(f"{facts.provenance[0][1]}, made {facts.created}", _SMALL)]
    story += [Spacer(1, 4), _badges(facts), Spacer(1, 4), *_notices(facts), Spacer(1, 3), _boxed(facts.summary)]
    story += [_sides(facts)] if facts.paths else []
    story += _refusals(facts)
    pairs = _PLANNED if facts.paths else _REFUSED
    if facts.paths and sum(len(notice.text) for notice in facts.notices) > _FEW_WARNINGS:
        pairs = (*pairs[1:], pairs[0])
    story += [_row(by_name, names) for names in pairs]
    story.append(KeepTogether([_text("Limits", _H2), *[_text("• " + limit) for limit in facts.limits]]))
    if facts.vertebra is not None:
        pedicles = "; ".join(f"{side} {w} × {h}" for side, w, h, _ in facts.vertebra.pedicles)
        measured = [("Pedicles, width × height", pedicles), *facts.vertebra.confidence]
        pair = _side_by_side(_rows(facts.vertebra.rows, width=0.49, label=0.5), _rows(measured, width=0.49, label=0.4))
        story.append(KeepTogether([_text("The vertebra", _H2), pair, Spacer(1, 6)]))
    story += [_wide(p) for p in pictures if p.name.endswith("_stages.png")]
    story += [_text("Methods and provenance", _H2), _text(" ".join(facts.methods), _SMALL), Spacer(1, 3)]
    known = "; ".join(f"{label}: {value}" for label, value in facts.provenance if label not in _ELSEWHERE)
    story.append(_text(f"{known}. All parameters and timings are in report.html and plan.json.", _SMALL))
    document.build(story, onFirstPage=_furniture, onLaterPages=_furniture)
    return buffer.getvalue()


def _fonts() -> None:
    """DejaVu Sans as shipped with matplotlib: the built-in PDF fonts have no minus sign and no middle dot."""
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    for name in (_FONT, _BOLD):
        if name not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(name, str(folder / f"{name}.ttf")))


def _furniture(canvas: Any, document: Any) -> None:
    canvas.saveState()
    canvas.setFillColor(HexColor("#111111"))
    canvas.rect(0, A4[1] - 11 * mm, A4[0], 11 * mm, stroke=0, fill=1)
    canvas.setFillColor(HexColor("#ffffff"))
    canvas.setFont(_BOLD, 9)
    canvas.drawCentredString(A4[0] / 2, A4[1] - 7 * mm, DISCLAIMER)
    canvas.setFillColor(HexColor("#444444"))
    canvas.setFont(_FONT, 7)
    canvas.drawCentredString(A4[0] / 2, 6 * mm, f"{document.title}, page {document.page}")
    canvas.restoreState()


def _text(text: str, kind: ParagraphStyle = _BODY) -> Paragraph:
    return Paragraph(escape(text), kind)


def _notices(facts: ReportFacts) -> list[Any]:
    story: list[Any] = []
    for notice in facts.notices:
        warning = notice.kind == "warning"
        table = Table([[_text(f"{'Warning' if warning else 'Note'}: {notice.text}")]], colWidths=[_WIDTH])
        edge = style.WARNING if warning else style.SKY
        back = "#fdf0e6" if warning else "#eaf4fb"
        table.setStyle([
            ("BACKGROUND", (0, 0), (-1, -1), HexColor(back)),
            ("LINEBEFORE", (0, 0), (0, -1), 3, HexColor(edge)),
            ("TOPPADDING", (0, 0), (-1, -1), 2),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
        ])  # fmt: skip
        story += [table, Spacer(1, 1.5)]
    return story


def _boxed(text: str) -> Table:
    table = Table([[_text(text, _STRONG)]], colWidths=[_WIDTH])
    table.setStyle([("BACKGROUND", (0, 0), (-1, -1), HexColor("#f0f0f0"))])
    return table


def _badges(facts: ReportFacts) -> Table:
    """One coloured box for every side, the first thing that is read."""
    cells = [
        Paragraph(escape(f"{badge.side.capitalize()}  {badge.text}".strip()), _BADGE_STYLE) for badge in facts.badges
    ]
    table = Table([cells], colWidths=[_WIDTH / len(cells)] * len(cells))
    fill = [("BACKGROUND", (i, 0), (i, 0), HexColor(_BADGE[badge.verdict])) for i, badge in enumerate(facts.badges)]
    table.setStyle([*fill, ("INNERGRID", (0, 0), (-1, -1), 4, HexColor("#ffffff")), ("TOPPADDING", (0, 0), (-1, -1), 4),
                    ("BOTTOMPADDING", (0, 0), (-1, -1), 6), ("VALIGN", (0, 0), (-1, -1), "MIDDLE")])  # fmt: skip
    return table


def _sides(facts: ReportFacts) -> Table:
    """The paths side by side, each half a page wide."""
    columns = [_path(path) for path in facts.paths]
    return _side_by_side(*columns) if len(columns) == 2 else _side_by_side(columns[0], "")


def _side_by_side(*halves: Any) -> Table:
    table = Table([list(halves)], colWidths=[_WIDTH / 2] * 2)
    table.setStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0),
                    ("LEFTPADDING", (1, 0), (1, 0), 4), ("RIGHTPADDING", (0, 0), (-1, -1), 0),
                    ("TOPPADDING", (0, 0), (-1, -1), 0), ("BOTTOMPADDING", (0, 0), (-1, -1), 0)])  # fmt: skip
    return table


def _path(path: PathFacts) -> list[Any]:
    """Reasons are not repeated: they stand among the warnings above."""
    verdict = f'<font color="{_BADGE[path.verdict]}">{path.verdict.upper()}</font>'
    head = Paragraph(f"{path.side.capitalize()} side: {verdict}", _H2)
    clearance = _table(
        ["Wall", "Clearance", "Margin", "Kept"],
        [[r.wall, r.clearance, r.margin, r.kept] for r in path.clearance],
        [0.225, 0.105, 0.09, 0.07],
    )
    story: list[Any] = [head, _rows(path.rows, width=0.49, label=0.37), Spacer(1, 3), clearance]
    if path.stages:
        stages = [[f"{s.number}. {s.name}", s.depth, s.result, s.margin] for s in path.stages]
        story += [Spacer(1, 3), _table(["Stage", "Depth", "Result", "Margin"], stages, [0.17, 0.08, 0.1, 0.14])]
        story += [_text(f"{s.number}. {s.place}", _SMALL) for s in path.stages if s.place]
    return story


def _refusals(facts: ReportFacts) -> list[Any]:
    story: list[Any] = [_text("Refusals: what is not offered, and why", _H2)] if facts.refusals else []
    for refusal in facts.refusals:
        numbers = "; ".join(f"{label}: {value}" for label, value in refusal.numbers)
        story += [_text(f"{refusal.who}: {refusal.message}"), _text(numbers, _SMALL), Spacer(1, 2)]
    return story


def _rows(
    rows: Sequence[tuple[str, str]], kind: ParagraphStyle = _BODY, width: float = 1.0, label: float = 0.36
) -> Table:
    table = Table(
        [[_text(name, kind), _text(value, kind)] for name, value in rows],
        colWidths=[width * label * _WIDTH, width * (1 - label) * _WIDTH],
    )
    table.setStyle(_GRID)
    return table


def _table(head: list[str], body: list[list[str]], shares: list[float]) -> Table:
    cells = [[_text(h, _STRONG) for h in head], *[[_cell(cell) for cell in row] for row in body]]
    table = Table(cells, colWidths=[share * _WIDTH for share in shares], repeatRows=1)
    table.setStyle([*_GRID, ("BACKGROUND", (0, 0), (-1, 0), HexColor("#f0f0f0"))])
    return table


def _cell(text: str) -> Paragraph:
    """A margin that is not kept and a broken rule stand out."""
    return _text(text, _ALARM if text in ("no", "BROKEN") else _BODY)


def _row(pictures: Mapping[str, Picture], names: Sequence[str]) -> Table | Spacer:
    found = [_picture(pictures[name], style.WIDTH_IN * inch, 110 * mm) for name in names if name in pictures]
    return _side_by_side(*[*found, [], []][:2]) if found else Spacer(1, 1)


def _wide(picture: Picture) -> KeepTogether:
    return KeepTogether([*_picture(picture, 156 * mm, 95 * mm), Spacer(1, 3)])


def _picture(picture: Picture, width: float, height: float) -> list[Any]:
    image = Image(_jpeg(picture.png))
    scale = min(width / image.imageWidth, height / image.imageHeight)
    image.drawWidth, image.drawHeight = scale * image.imageWidth, scale * image.imageHeight
    return [image, _text(picture.caption, _SMALL)]


def _jpeg(png: bytes) -> io.BytesIO:
    """Full-colour-resolution JPEG: a PDF takes it as it is, while a PNG would be unpacked and packed again slowly."""
    buffer = io.BytesIO()
    with PIL.Image.open(io.BytesIO(png)) as image:
        image.convert("RGB").save(buffer, format="JPEG", quality=88, subsampling=0)
    buffer.seek(0)
    return buffer
