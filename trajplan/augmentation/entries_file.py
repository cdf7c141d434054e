"""Entries of the candidacy sheet from a TOML or JSON file. What is not in it stays blank."""

from __future__ import annotations

import dataclasses
import json
import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trajplan.augmentation.candidacy import CandidacyEntries
from trajplan.errors import InputError

CAUSES = ("osteoporotic", "trauma", "tumour")
NEUROLOGICAL = ("none", "radiculopathy", "cord or root compression")
CONTRAINDICATIONS: tuple[str, ...] = (
    "uncorrected coagulopathy",
    "local or systemic infection",
    "cement allergy",
    "asymptomatic fracture",
    "epidural tumour",
)
"""What a person has to state; CT does not show it."""

_RANGES = {
    "pain": (0.0, 10.0),
    "fracture_age_weeks": (0.0, 1000.0),
    "conservative_weeks": (0.0, 1000.0),
    "age_years": (0.0, 120.0),
    "levels": (1.0, 24.0),
}
_CHOICES = {"cause": CAUSES, "neurological": NEUROLOGICAL}
_YES_NO = ("progression", "oedema", "mobilisable")


def read_entries(path: Path) -> CandidacyEntries:
    """The entries in a file, ``.json`` or TOML.

    Raises
    ------
    InputError
        ``candidacy_invalid``: not readable, an entry that is not known or out of range; the message names it.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        data = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise InputError(
            f"cannot read the candidacy entries {path.name}: {reason}", code="candidacy_invalid"
        ) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path.name} is neither valid TOML nor JSON: {error}", code="candidacy_invalid") from error
    if not isinstance(data, dict):
        raise InputError(f"{path.name}: a table of entries is needed", code="candidacy_invalid")
    return entries_of(data)


def entries_of(data: Mapping[str, Any]) -> CandidacyEntries:
    """Entries from plain values, each checked.

    >>> entries_of({"cause": "osteoporotic", "pain": 8}).pain
    8.0
    """
    known = {f.name for f in dataclasses.fields(CandidacyEntries)}
    unknown = sorted(set(data) - known)
    if unknown:
        raise _invalid(f"{', '.join(unknown)} is not known; use {', '.join(sorted(known))}")
    values = {name: _entry(name, value) for name, value in data.items() if value is not None}
    return CandidacyEntries(**values)


def _entry(name: str, value: Any) -> Any:
    if name in _CHOICES:
        if value not in _CHOICES[name]:
            raise _invalid(f"{name} is {value!r}; use {', '.join(_CHOICES[name])}")
        return value
    if name in _YES_NO:
        if not isinstance(value, bool):
            raise _invalid(f"{name} is {value!r}; use true or false")
        return value
    if name in _RANGES:
        low, high = _RANGES[name]
        number = not isinstance(value, bool) and isinstance(value, int | float) and math.isfinite(value)
        if not number or not low <= value <= high or (name == "levels" and value != int(value)):
            raise _invalid(f"{name} is {value!r}; use {low:g} to {high:g}")
        return int(value) if name == "levels" else float(value)
    if not isinstance(value, Mapping) or not all(isinstance(v, bool) for v in value.values()):
        raise _invalid(f"{name} needs true or false for each of {', '.join(CONTRAINDICATIONS)}")
    wrong = sorted(set(value) - set(CONTRAINDICATIONS))
    if wrong:
        raise _invalid(
            f"{', '.join(wrong)} is no contraindication that is asked for; use {', '.join(CONTRAINDICATIONS)}"
        )
    return dict(value)


def _invalid(what: str) -> InputError:
    return InputError(f"candidacy entries: {what}", code="candidacy_invalid")
