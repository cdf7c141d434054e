"""report.html: one self-contained page that a phone, a printer and a screen reader can read."""

from __future__ import annotations

from collections.abc import Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined

from trajplan.parts import Side
from trajplan.reporting import style
from trajplan.reporting.facts import ReportFacts
from trajplan.reporting.picture import Picture


def report_html(facts: ReportFacts, pictures: Sequence[Picture]) -> str:
    """The page as text; every value is escaped, pictures are inside, nothing is fetched."""
    environment = Environment(
        loader=PackageLoader("trajplan.reporting", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    planned = {path.side for path in facts.paths}
    grouped: dict[str, object] = {
        group: [p for p in pictures if p.group == group]
        for group in ("overview", "xray", "augmentation", *(s.value for s in Side))
    }
    grouped["unplanned"] = {s.value: grouped[s.value] for s in Side if s.value not in planned}
    color = {"warning": style.WARNING, "note": style.SKY, **style.VERDICT_COLOR}
    return environment.get_template("report.html.j2").render(facts=facts, pictures=grouped, color=color)
