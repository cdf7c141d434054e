"""report.pdf: the same facts on a few A4 pages, the disclaimer on each."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import matplotlib
import PIL.Image
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import CondPageBreak, Image, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table

from trajplan import DISCLAIMER
from trajplan.reporting import style
from trajplan.reporting.facts import ReportFacts
from trajplan.reporting.path_facts import PathFacts
from trajplan.reporting.picture import Picture

_FONT, _BOLD = "DejaVuSans", "DejaVuSans-Bold"
_WIDTH = A4[0] - 30 * mm
_BODY = ParagraphStyle("body", fontName=_FONT, fontSize=7.4, leading=9.1, wordWrap=None, splitLongWords=True)
_SMALL = ParagraphStyle("small", parent=_BODY, fontSize=6.4, leading=7.9)
_STRONG = ParagraphStyle("strong", parent=_BODY, fontName=_BOLD)
_H1 = ParagraphStyle("h1", parent=_BODY, fontName=_BOLD, fontSize=14, leading=17, spaceAfter=2)
_H2 = ParagraphStyle("h2", parent=_BODY, fontName=_BOLD, fontSize=10.5, leading=13, spaceBefore=7, spaceAfter=3)
_GRID = [
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LINEBELOW", (0, 0), (-1, -1), 0.3, HexColor("#cccccc")),
    ("LEFTPADDING", (0, 0), (-1, -1), 3),
    ("RIGHTPADDING", (0, 0), (-1, -1), 3),
    ("TOPPADDING", (0, 0), (-1, -1), 1),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 1.4),
]
_MAIN = ("axial", "along", "clearance")


def report_pdf(facts: ReportFacts, pictures: Sequence[Picture]) -> bytes:
    """The PDF as bytes; the same facts give the same bytes."""
    _fonts()
    buffer = io.BytesIO()
    document = SimpleDocTemplate(
        buffer,
        pagesize=A4,
        leftMargin=15 * mm,
        rightMargin=15 * mm,
        topMargin=15 * mm,
        bottomMargin=13 * mm,
        title=facts.title,
        author="trajplan",
        subject=DISCLAIMER,
        invariant=1,
    )
    story: list[Any] = [_text(facts.title, _H1), _text(f"{facts.provenance[0][1]}, made {facts.created}", _SMALL)]
    story += [Spacer(1, 4), *_notices(facts), Spacer(1, 4), _boxed(facts.summary), Spacer(1, 2)]
    for path in facts.paths:
        story += _path(path)
    story += _refusals(facts)
    main = [p for p in pictures if p.group == "xray" and not p.name.startswith("xray_en_face")]
    main += [p for p in pictures if p.group == "overview"]
    main += [p for p in pictures if p.name.removesuffix(".png").split("_")[-1] in _MAIN and p not in main]
    if not facts.paths:
        main = list(pictures)
    if main:
        story += [CondPageBreak(85 * mm), _text("Pictures", _H2), *_gallery(main)]
        story += [_wide(p) for p in pictures if p.name.endswith("_stages.png")]
    if facts.vertebra is not None:
        sides = [(f"{side.capitalize()} pedicle", f"{w} wide, {h} high") for side, w, h, _ in facts.vertebra.pedicles]
        rows = [*facts.vertebra.rows, *sides, *facts.vertebra.confidence]
        story += [_text("The vertebra", _H2), _rows(rows)]
    story += [_text("Limits", _H2), *[_text("• " + limit) for limit in facts.limits]]
    story += [_text("Methods and provenance", _H2), *[_text("• " + m, _SMALL) for m in facts.methods]]
    story += [Spacer(1, 3), _rows(facts.provenance, _SMALL)]
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
    canvas.drawCentredString(A4[0] / 2, 8 * mm, f"{document.title}, page {document.page}")
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


def _path(path: PathFacts) -> list[Any]:
    shade = {"safe": style.SAFE_TEXT, "unsafe": style.UNSAFE_TEXT}.get(path.verdict, "#444444")
    head = Paragraph(f'{path.side.capitalize()} side: <font color="{shade}">{path.verdict.upper()}</font>', _H2)
    clearance = _table(
        ["Wall", "Clearance", "Margin", "Kept"],
        [[r.wall, r.clearance, r.margin, r.kept] for r in path.clearance],
        [0.18, 0.11, 0.09, 0.07],
    )
    rows = _rows(path.rows, width=0.53)
    pair = Table([[rows, clearance]], colWidths=[0.54 * _WIDTH, 0.46 * _WIDTH])
    pair.setStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0),
                   ("RIGHTPADDING", (0, 0), (-1, -1), 0)])  # fmt: skip
    story: list[Any] = [KeepTogether([head, *[_text("• " + r) for r in path.reasons], pair])]
    if path.stages:
        story.append(
            _table(
                ["Stage", "Depth", "Result", "Margin", "Rule"],
                [[f"{s.number}. {s.name}", s.depth, s.result, s.margin, s.rule] for s in path.stages],
                [0.16, 0.08, 0.1, 0.09, 0.57],
            )
        )
    return story


def _refusals(facts: ReportFacts) -> list[Any]:
    story: list[Any] = [_text("Refusals: what is not offered, and why", _H2)] if facts.refusals else []
    for refusal in facts.refusals:
        numbers = "; ".join(f"{label}: {value}" for label, value in refusal.numbers)
        story += [_text(f"{refusal.who}: {refusal.message}"), _text(numbers, _SMALL), Spacer(1, 2)]
    return story


def _rows(rows: Sequence[tuple[str, str]], kind: ParagraphStyle = _BODY, width: float = 1.0) -> Table:
    table = Table(
        [[_text(label, kind), _text(value, kind)] for label, value in rows],
        colWidths=[width * 0.33 * _WIDTH, width * 0.67 * _WIDTH],
    )
    table.setStyle(_GRID)
    return table


def _table(head: list[str], body: list[list[str]], shares: list[float]) -> Table:
    cells = [[_text(h, _STRONG) for h in head], *[[_text(cell) for cell in row] for row in body]]
    table = Table(cells, colWidths=[share * _WIDTH for share in shares], repeatRows=1)
    table.setStyle([*_GRID, ("BACKGROUND", (0, 0), (-1, 0), HexColor("#f0f0f0"))])
    return table


def _gallery(pictures: Sequence[Picture], columns: int = 3) -> list[Any]:
    cell = _WIDTH / columns
    story: list[Any] = []
    for start in range(0, len(pictures), columns):
        row = [_picture(p, cell - 3 * mm, 78 * mm) for p in pictures[start : start + columns]]
        row += [[] for _ in range(columns - len(row))]
        table = Table([row], colWidths=[cell] * columns)
        table.setStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 1)])
        story.append(table)
    return story


def _wide(picture: Picture) -> KeepTogether:
    return KeepTogether([*_picture(picture, 158 * mm, 95 * mm), Spacer(1, 4)])


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
