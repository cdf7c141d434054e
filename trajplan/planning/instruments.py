"""The instrument catalogue: access needles (trocars) with real diameters."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from trajplan.errors import InputError


@dataclass(frozen=True)
class Instrument:
    """A straight round access instrument.

    `outer_diameter_mm` is that of the regular-wall gauge table. `length_mm` is the usable length below the hub, one of
    `lengths_mm`; `length_verified` is False where no source for that length was opened.
    """

    name: str
    outer_diameter_mm: float
    length_mm: float
    lengths_mm: tuple[float, ...]
    length_verified: bool
    source: str

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
        return dataclasses.replace(
            self, length_mm=min(fitting), length_verified=(self.name, min(fitting)) in _SEEN_LENGTHS
        )


_GAUGE_TABLE = "regular-wall hypodermic gauge table"
_LENGTHS_MM = (100.0, 125.0, 150.0)
"""Common catalogue lengths; no source was opened (unverified)."""

_SEEN_LENGTHS = {("11G", 100.0), ("11G", 120.0)}
"""Lengths in use that were read: Cook M1M 11G x 10 cm; 11G x 120 mm, J Korean Orthop 2022;57:178."""

CATALOGUE: dict[str, Instrument] = {
    i.name: i
    for i in (
        Instrument("8G", 4.191, 125.0, _LENGTHS_MM, False, _GAUGE_TABLE),
        Instrument("10G", 3.404, 125.0, _LENGTHS_MM, False, _GAUGE_TABLE),
        Instrument("11G", 3.048, 120.0, (100.0, 120.0, 150.0), True, _GAUGE_TABLE),
        Instrument("13G", 2.413, 125.0, _LENGTHS_MM, False, _GAUGE_TABLE),
    )
}


def instrument(name: str) -> Instrument:
    """The catalogue entry; refuses with the list of names.

    >>> instrument("11g").outer_diameter_mm
    3.048
    """
    found = CATALOGUE.get(name.strip().upper())
    if found is None:
        raise InputError(f"unknown instrument {name!r}; use one of {', '.join(CATALOGUE)}", code="unknown_instrument")
    return found
