"""Keep file and folder names out of what is written: they often are the patient's."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

from trajplan.reading.scan import Scan

_SHORTEST = 3
"""Shorter names are parts of ordinary words and tell nobody anything."""


def nameless(scan: Scan, source: Path) -> Scan:
    """The scan under a neutral name; findings that name one of its files say "a file" instead.

    Parameters
    ----------
    scan : Scan
    source : Path
        What it was read from; with a folder, the names of everything below it are left out too.
    """
    names = {source.name, *source.absolute().parent.parts}
    if source.is_dir():
        for _, folders, files in os.walk(source):
            names.update(folders, files)
    known = sorted((n for n in names if len(n) >= _SHORTEST), key=len, reverse=True)
    findings = tuple(dataclasses.replace(f, message=_without(f.message, known)) for f in scan.findings)
    return dataclasses.replace(scan, path_name=f"{scan.kind} scan (name withheld)", findings=findings)


def _without(text: str, names: list[str]) -> str:
    for name in names:
        if name in text:
            text = text.replace(name, "a file")
    return text
