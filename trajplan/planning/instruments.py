"""The instrument catalogue: access needles (trocars) with real diameters."""

from __future__ import annotations

from dataclasses import dataclass

from trajplan.errors import InputError


@dataclass(frozen=True)
class Instrument:
    """A straight round access instrument.

    `outer_diameter_mm` is that of the regular-wall gauge table; `length_mm` is the usable length below the hub.
    `length_verified` is False where the length is a catalogue figure nobody has checked.
    """

    name: str
    outer_diameter_mm: float
    length_mm: float
    length_verified: bool
    source: str

    @property
    def radius_mm(self) -> float:
        """Half the outer diameter."""
        return self.outer_diameter_mm / 2


_GAUGE_TABLE = "regular-wall hypodermic gauge table"
CATALOGUE: dict[str, Instrument] = {
    i.name: i
    for i in (
        Instrument("8G", 4.191, 125.0, False, _GAUGE_TABLE),
        Instrument("10G", 3.404, 125.0, False, _GAUGE_TABLE),
        Instrument("11G", 3.048, 120.0, True, f"{_GAUGE_TABLE}; 120 mm in J Korean Orthop 2022;57:178"),
        Instrument("13G", 2.413, 120.0, False, _GAUGE_TABLE),
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
