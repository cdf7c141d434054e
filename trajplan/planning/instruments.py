"""Access instruments and balloons: the shipped catalogue (`catalogue.toml`) and catalogues of a user's own."""

from __future__ import annotations

import dataclasses
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from trajplan.errors import InputError


@dataclass(frozen=True)
class Instrument:
    """A straight round access instrument.

    `length_mm` is the usable length below the hub, one of `lengths_mm`; `length_verified` is False where no source for
    that length was opened (those of `verified_mm` have one), `diameter_verified` likewise. `kind` is ``needle``,
    ``cannula`` or ``drill``; `tips` are the tips it comes with.
    """

    name: str
    outer_diameter_mm: float
    length_mm: float
    lengths_mm: tuple[float, ...]
    length_verified: bool
    source: str
    kind: str = "needle"
    inner_diameter_mm: float = 0.0
    tips: tuple[str, ...] = ()
    verified_mm: tuple[float, ...] = ()
    diameter_verified: bool = True

    @property
    def radius_mm(self) -> float:
        """Half the outer diameter."""
        return self.outer_diameter_mm / 2

    def reaching(self, needed_mm: float) -> Instrument | None:
        """The same instrument in the shortest length that reaches; None when none does.

        >>> reached = instrument("11G").reaching(104.0)
        >>> reached.length_mm if reached else None
        120.0
        """
        fitting = [length for length in self.lengths_mm if length >= needed_mm]
        if not fitting:
            return None
        return dataclasses.replace(self, length_mm=min(fitting), length_verified=min(fitting) in self.verified_mm)


@dataclass(frozen=True)
class Balloon:
    """An inflatable bone tamp: its length on the label, folded profile, and largest inflated size; mm and mL."""

    name: str
    length_mm: float
    folded_diameter_mm: float
    inflated_diameter_mm: float
    inflated_length_mm: float
    volume_ml: float
    source: str
    verified: bool


@dataclass(frozen=True)
class Catalogue:
    """Needles and balloons by name."""

    needles: Mapping[str, Instrument]
    balloons: Mapping[str, Balloon]

    def needle(self, name: str) -> Instrument:
        """A needle by name, whatever its case; refuses with the list of names (``unknown_instrument``)."""
        wanted = name.strip().upper()
        for known, found in self.needles.items():
            if known.upper() == wanted:
                return found
        raise InputError(
            f"unknown instrument {name!r}; use one of {', '.join(self.needles)}", code="unknown_instrument"
        )


def parse_catalogue(text: str, where: str, base: Catalogue | None = None) -> Catalogue:
    """A catalogue from TOML; its entries come before those of `base` with the same name.

    Raises
    ------
    InputError
        ``catalogue_invalid``: not TOML, a field missing, unknown or not a positive number; the message names it.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{where} is not valid TOML: {error}", code="catalogue_invalid") from error
    unknown = sorted(set(data) - {"needle", "balloon"})
    if unknown or not all(isinstance(rows, list) for rows in data.values()):
        raise _invalid(where, f"holds {', '.join(unknown) or 'no list'}; use [[needle]] and [[balloon]]")
    needles = dict(base.needles) if base else {}
    balloons = dict(base.balloons) if base else {}
    needles |= {n.name: n for n in (_needle(row, where) for row in data.get("needle", []))}
    balloons |= {b.name: b for b in (_balloon(row, where) for row in data.get("balloon", []))}
    return Catalogue(needles, balloons)


def read_catalogue(path: Path, base: Catalogue | None = None) -> Catalogue:
    """A catalogue from a TOML file, on top of `base` (the shipped one when not given)."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read the catalogue {path.name}: {error}", code="catalogue_invalid") from error
    return parse_catalogue(text, path.name, base or SHIPPED)


def _invalid(where: str, what: str) -> InputError:
    return InputError(f"instrument catalogue {where}: {what}", code="catalogue_invalid")


def _number(row: Mapping[str, Any], name: str, where: str, least: float = 0.0) -> float:
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not least < value < math.inf:
        raise _invalid(where, f"{row.get('name', 'an entry')}: {name} is {value!r}, a number above {least:g} is needed")
    return float(value)


def _text(row: Mapping[str, Any], name: str, where: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        raise _invalid(where, f"{row.get('name', 'an entry')}: {name} is {value!r}, a text is needed")
    return value.strip()


def _needle(row: Mapping[str, Any], where: str) -> Instrument:
    name = _text(row, "name", where)
    lengths = row.get("lengths_mm")
    if not isinstance(lengths, list) or not lengths or not all(isinstance(one, dict) for one in lengths):
        raise _invalid(where, f"{name}: lengths_mm needs at least one {{ mm = ..., evidence = ... }}")
    mm = tuple(sorted(_number(one, "mm", where) for one in lengths))
    verified = tuple(float(one["mm"]) for one in lengths if one.get("evidence") == "read")
    preferred = float(row.get("preferred_mm", mm[-1]))
    if preferred not in mm:
        raise _invalid(where, f"{name}: preferred_mm {preferred:g} is none of its lengths")
    return Instrument(
        name=name,
        outer_diameter_mm=_number(row, "outer_diameter_mm", where),
        length_mm=preferred,
        lengths_mm=mm,
        length_verified=preferred in verified,
        source=_text(row, "diameter_source", where),
        kind=str(row.get("kind", "needle")),
        inner_diameter_mm=_number(row, "inner_diameter_mm", where, -1e-9) if "inner_diameter_mm" in row else 0.0,
        tips=tuple(str(t) for t in row.get("tips", [])),
        verified_mm=verified,
        diameter_verified=row.get("diameter_evidence") == "read",
    )


def _balloon(row: Mapping[str, Any], where: str) -> Balloon:
    sizes = {
        name: _number(row, name, where)
        for name in ("length_mm", "folded_diameter_mm", "inflated_diameter_mm", "inflated_length_mm", "volume_ml")
    }
    return Balloon(
        name=_text(row, "name", where),
        **sizes,
        source=_text(row, "source", where),
        verified=row.get("evidence") == "read",
    )


SHIPPED = parse_catalogue(
    files("trajplan.planning").joinpath("catalogue.toml").read_text(encoding="utf-8"), "catalogue.toml"
)
CATALOGUE: Mapping[str, Instrument] = SHIPPED.needles


def instrument(name: str) -> Instrument:
    """The shipped catalogue's entry; refuses with the list of names.

    >>> instrument("11g").outer_diameter_mm
    3.048
    """
    return SHIPPED.needle(name)
