"""Command on one scan: what it holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import typer

from trajplan.cli_answers import answering
from trajplan.cli_options import (
    InputArgument,
    JsonOption,
    KeepNameOption,
    named,
)
from trajplan.errors import InputError

if TYPE_CHECKING:
    from trajplan.reading.answers import Answers


@answering
def inspect(
    source: InputArgument,
    answers: Answers,
    keep_name: KeepNameOption = False,
    as_json: JsonOption = False,
) -> None:
    """Say what a scan holds and what was found while reading it; writes nothing."""
    from dataclasses import asdict

    from trajplan.reading import read_scan
    from trajplan.reading.answers import Question
    from trajplan.reading.findings import severity_of, to_do

    try:
        read = read_scan(source, answers)
    except InputError as refused:
        if as_json:  # the reason in the same form as the findings of a scan that is read; then the status says no
            finding: dict[str, Any] = {"code": refused.code, "severity": severity_of(refused), "message": str(refused)}
            finding |= {"numbers": refused.numbers, "to_do": to_do(refused.code)}
            if isinstance(refused, Question):
                finding |= {"flag": refused.flag.split()[0], "choices": refused.choices}
            typer.echo(json.dumps({"path_name": source.name, "findings": [finding]}, indent=1, allow_nan=False))
        raise
    scan = named(read, source, keep_name)
    lower, upper = scan.volume.grid.corners_lps().min(axis=0), scan.volume.grid.corners_lps().max(axis=0)
    facts: dict[str, Any] = {
        "path_name": scan.path_name,
        "kind": scan.kind,
        "sha256": scan.sha256,
        "size_zyx": list(scan.size_zyx),
        "spacing_zyx_mm": [round(float(s), 4) for s in scan.spacing_zyx_mm],
        "extent_lps_mm": [[round(float(v), 1) for v in lower], [round(float(v), 1) for v in upper]],
        "hu_min_max": [int(scan.volume.array.min()), int(scan.volume.array.max())],
    }
    content = asdict(scan.content) if scan.content else {}
    if as_json:
        findings = [
            {"code": f.code, "severity": f.severity, "message": f.message, "to_do": to_do(f.code)}
            for f in scan.findings
        ]
        typer.echo(json.dumps({**facts, "content": content, "findings": findings}, indent=1, allow_nan=False))
        return
    for name, value in (facts | content).items():
        typer.echo(f"{name:22} {'not found' if value is None else value}")
    for found in scan.findings:
        advice = "" if to_do(found.code).startswith("Nothing") else f" {to_do(found.code)}"
        typer.echo(f"{found.severity:22} {found.code}: {found.message.rstrip('.')}.{advice}")
