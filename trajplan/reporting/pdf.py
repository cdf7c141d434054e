"""report.pdf: the same report on A4 pages, the disclaimer on each."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import matplotlib
import PIL.Image
from reportlab import rl_config
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_CENTER, TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import inch, mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import CondPageBreak, Image, KeepTogether, Paragraph, SimpleDocTemplate, Spacer
from reportlab.platypus import Table as Grid

from trajplan import DISCLAIMER
from trajplan.reporting import style
from trajplan.reporting.content import Block, Gallery, Report, Section, Table, Words
from trajplan.reporting.picture import Picture

_FONT, _BOLD = "DejaVuSans", "DejaVuSans-Bold"
_WIDTH = A4[0] - 30 * mm
_BODY = ParagraphStyle("body", fontName=_FONT, fontSize=7.4, leading=9, wordWrap=None, splitLongWords=True)
_SMALL = ParagraphStyle("small", parent=_BODY, fontSize=7, leading=8.4)
_STRONG = ParagraphStyle("strong", parent=_BODY, fontName=_BOLD)
_HEAD = ParagraphStyle("head", parent=_STRONG, alignment=TA_RIGHT)
_FIGURE = ParagraphStyle("figure", parent=_BODY, alignment=TA_RIGHT)
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
_BADGE = {**style.VERDICT_COLOR, "none": "#333333"}
_ROOM = 28 * mm
"""Left on a page for a title or a caption with the first lines of its table."""
_HALF_PX = 900
"""Wider pictures take the whole width of the page."""


def report_pdf(report: Report) -> bytes:
    """The PDF as bytes; the same report gives the same bytes."""
    _fonts()
    rl_config.useA85 = 0  # letters in place of bytes: a quarter larger, and slow to make
    buffer = io.BytesIO()
    document = SimpleDocTemplate(
        buffer,
        pagesize=A4,
        leftMargin=15 * mm,
        rightMargin=15 * mm,
        topMargin=14 * mm,
        bottomMargin=11 * mm,
        title=report.title,
        author="trajplan",
        subject=report.disclaimer,
        invariant=1,
    )
    story: list[Any] = [_text(report.title, _H1), _text(report.subtitle, _SMALL)]
    story += [Spacer(1, 4), _badges(report), Spacer(1, 4), *_notices(report), Spacer(1, 3), _boxed(report.summary)]
    for section in report.sections:
        story += _section(section)
    document.build(story, onFirstPage=_furniture, onLaterPages=_furniture)
    return buffer.getvalue()


def _section(section: Section) -> list[Any]:
    """Title and blocks; the title stays with what follows it."""
    verdict = ""
    if section.verdict:
        verdict = f' <font color="{_BADGE[section.verdict]}">{escape(section.verdict.upper())}</font>'
    parts = [part for block in section.blocks for part in _block(block)]
    title = Paragraph(escape(section.title) + verdict, _H2)
    if parts and not isinstance(section.blocks[0], Gallery):
        return [CondPageBreak(_ROOM), title, *parts]  # a long table may begin here and go on overleaf
    return [KeepTogether([title, parts[0]]), *parts[1:]] if parts else []


def _block(block: Block) -> list[Any]:
    if isinstance(block, Words):
        return [_text(("• " if block.listed else "") + item) for item in block.items]
    if isinstance(block, Table):
        caption = [CondPageBreak(_ROOM), _text(block.caption, _STRONG)] if block.caption else []
        return [*caption, _table(block), Spacer(1, 4)]
    return _gallery(block.pictures)


def _gallery(pictures: Sequence[Picture]) -> list[Any]:
    """Two to a row; a picture that is wider than half a page has a row of its own."""
    rows: list[Any] = []
    waiting: list[Picture] = []
    for picture in pictures:
        if picture.size[0] > _HALF_PX:
            rows += [*_pair(waiting), KeepTogether([*_picture(picture, _WIDTH, 180 * mm), Spacer(1, 4)])]
            waiting = []
            continue
        waiting.append(picture)
        if len(waiting) == 2:
            rows += _pair(waiting)
            waiting = []
    return rows + _pair(waiting)


def _pair(pictures: Sequence[Picture]) -> list[Any]:
    if not pictures:
        return []
    halves = [_picture(picture, style.WIDTH_IN * inch, 118 * mm) for picture in pictures]
    return [_side_by_side(*[*halves, []][:2]), Spacer(1, 3)]


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


def _notices(report: Report) -> list[Any]:
    story: list[Any] = []
    for notice in report.notices:
        warning = notice.kind == "warning"
        table = Grid([[_text(f"{'Warning' if warning else 'Note'}: {notice.text}")]], colWidths=[_WIDTH])
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


def _boxed(text: str) -> Any:
    table = Grid([[_text(text, _STRONG)]], colWidths=[_WIDTH])
    table.setStyle([("BACKGROUND", (0, 0), (-1, -1), HexColor("#f0f0f0"))])
    return table


def _badges(report: Report) -> Any:
    """One coloured box for every side, the first thing that is read."""
    cells = [
        Paragraph(escape(f"{badge.side.capitalize()}  {badge.text}".strip()), _BADGE_STYLE) for badge in report.badges
    ]
    table = Grid([cells], colWidths=[_WIDTH / len(cells)] * len(cells))
    fill = [("BACKGROUND", (i, 0), (i, 0), HexColor(_BADGE[badge.verdict])) for i, badge in enumerate(report.badges)]
    table.setStyle([*fill, ("INNERGRID", (0, 0), (-1, -1), 4, HexColor("#ffffff")), ("TOPPADDING", (0, 0), (-1, -1), 4),
                    ("BOTTOMPADDING", (0, 0), (-1, -1), 6), ("VALIGN", (0, 0), (-1, -1), "MIDDLE")])  # fmt: skip
    return table


def _side_by_side(*halves: Any) -> Any:
    table = Grid([list(halves)], colWidths=[_WIDTH / 2] * 2)
    table.setStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0),
                    ("LEFTPADDING", (1, 0), (1, 0), 4), ("RIGHTPADDING", (0, 0), (-1, -1), 0),
                    ("TOPPADDING", (0, 0), (-1, -1), 0), ("BOTTOMPADDING", (0, 0), (-1, -1), 0)])  # fmt: skip
    return table


def _table(block: Table) -> Any:
    """Rows of label and text, or a head over columns of relative widths."""
    count = len(block.head) or 2
    shares = block.widths or ((0.3, 0.7) if count == 2 else (1 / count,) * count)
    kind = _SMALL if block.code else _BODY
    head = [_text(h, _HEAD if k in block.numeric else _STRONG) for k, h in enumerate(block.head)]
    cells = [head] if block.head else []
    cells += [[_cell(cell, kind, block, k) for k, cell in enumerate(row)] for row in block.rows]
    table = Grid(cells, colWidths=[share * _WIDTH for share in shares], repeatRows=1 if block.head else 0)
    shade = [("BACKGROUND", (0, 0), (-1, 0), HexColor("#f0f0f0"))] if block.head else []
    table.setStyle([*_GRID, *shade])
    return table


def _cell(text: str, kind: ParagraphStyle, block: Table, column: int) -> Paragraph:
    """A margin that is not kept and a broken rule stand out."""
    if column in block.judged and text in ("no", "BROKEN"):
        return _text(text, _ALARM)
    return _text(text, _FIGURE if column in block.numeric else kind)


def _picture(picture: Picture, width: float, height: float) -> list[Any]:
    image = Image(_jpeg(picture.png))
    scale = min(width / image.imageWidth, height / image.imageHeight)
    image.drawWidth, image.drawHeight = scale * image.imageWidth, scale * image.imageHeight
    title = f"<b>{escape(picture.title)}.</b> "
    return [image, Paragraph(title + escape(picture.caption), _SMALL)]


def _jpeg(png: bytes) -> io.BytesIO:
    """Full-colour-resolution JPEG: a PDF takes it as it is, while a PNG would be unpacked and packed again slowly."""
    buffer = io.BytesIO()
    with PIL.Image.open(io.BytesIO(png)) as image:
        image.convert("RGB").save(buffer, format="JPEG", quality=80, subsampling=0)
    buffer.seek(0)
    return buffer
