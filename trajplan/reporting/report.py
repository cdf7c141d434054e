"""report.html: one self-contained page that a phone, a printer and a screen reader can read."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from jinja2 import Environment, PackageLoader, StrictUndefined

from trajplan.reporting import style
from trajplan.reporting.content import Report

_ENCODERS = 2


def report_html(report: Report) -> str:
    """The page as text; every value is escaped, pictures are inside, nothing is fetched."""
    environment = Environment(
        loader=PackageLoader("trajplan.reporting", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["kind"] = lambda block: type(block).__name__.lower()
    with ThreadPoolExecutor(_ENCODERS) as pool:  # each picture keeps its code, which the template asks for
        list(pool.map(lambda picture: picture.data_uri, report.pictures))
    color = {"warning": style.WARNING, "note": style.SKY, **style.VERDICT_COLOR}
    return environment.get_template("report.html.j2").render(report=report, color=color)
