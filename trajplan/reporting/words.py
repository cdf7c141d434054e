"""Numbers as a reader wants them: units, signs, and honest words for what is not known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from trajplan.planning.plan import Trajectory, Verdict

NOT_KNOWN = "not known"
_UNITS = {
    "_mm2": "mm²",
    "_mm": "mm",
    "_deg": "°",
    "_hu": "HU",
    "_ml": "ml",
    "_s": "s",
    "_percent": "%",
    "_px": "px",
}


def mm(value: float | None) -> str:
    """One decimal, with a true minus sign.

    >>> mm(-0.64), mm(None)
    ('−0.6 mm', 'not known')
    """
    return NOT_KNOWN if value is None or value != value else f"{_decimal(value, 1)} mm"


def degrees(value: float) -> str:
    """One decimal and the degree sign."""
    return f"{_decimal(value, 1)}°"


def point(values: ArrayLike | None) -> str:
    """An LPS point, mm with one decimal, ready to be typed elsewhere."""
    if values is None:
        return NOT_KNOWN
    return ", ".join(f"{float(v):.1f}" for v in np.asarray(values, dtype=np.float64).reshape(3))


def chance(probability: float, samples: int) -> str:
    """A Monte-Carlo chance; none of n draws is an upper bound (rule of three), not zero.

    >>> chance(0.0, 4000), chance(0.031, 4000)
    ('below 0.075 %', '3.1 %')
    """
    if probability > 0:
        return f"{100 * probability:.1f} %" if probability >= 0.001 else f"{100 * probability:.2f} %"
    return f"below {300 / samples:.2g} %" if samples > 0 else NOT_KNOWN


def readable(name: str, value: float | None) -> tuple[str, str]:
    """A name with its unit at the end and a number, as label and text.

    >>> readable("pedicle_width_mm", 4.123)
    ('pedicle width', '4.12 mm')
    >>> readable("pedicle_area_ratio", 0.780955)
    ('pedicle area ratio', '0.781')
    """
    for suffix, unit in _UNITS.items():
        if name.endswith(suffix):
            label, text_unit = name.removesuffix(suffix), "" if unit == "°" else " "
            text = NOT_KNOWN if value is None or value != value else f"{_decimal(value, 2)}{text_unit}{unit}"
            return label.replace("_", " "), text
    return name.replace("_", " "), NOT_KNOWN if value is None or value != value else (
        f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
    )


def worst_verdict(paths: Sequence[Trajectory]) -> Verdict | None:
    """The verdict that a picture of these paths must carry; None without a path."""
    found = {p.verdict for p in paths}
    return next((v for v in (Verdict.UNSAFE, Verdict.UNKNOWN, Verdict.SAFE) if v in found), None)


def verdict_words(paths: Sequence[Trajectory]) -> str:
    """``left SAFE, right UNSAFE``; one word for one path or when all agree."""
    if len({p.verdict for p in paths}) == 1:
        return paths[0].verdict.value.upper()
    return ", ".join(f"{p.side.value} {p.verdict.value.upper()}" for p in paths)


def _decimal(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    return text.replace("-", "−") if float(text) != 0 else text.lstrip("-")
