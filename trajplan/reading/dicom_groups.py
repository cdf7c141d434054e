"""Volumes inside one series: told apart by geometry, acquisition, type, kernel or phase, and offered as a table."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np

from trajplan.geometry.arrays import FloatArray, unit
from trajplan.reading.answers import Question
from trajplan.reading.checks import MIN_VOXELS
from trajplan.reading.dicom_geometry import SAME_PLACE_MM, slice_normal, slice_spacing_mm
from trajplan.reading.dicom_header import Header

_SAME_DEG, _SAME_COSINE, _SAME_MM = 1.0, 0.01, 1e-3
_KINDS: tuple[Callable[[Header], Hashable], ...] = (
    lambda h: h.acquisition,
    lambda h: h.image_type,
    lambda h: h.kernel,
    lambda h: h.phase,
    lambda h: (h.acquisition, h.image_type, h.kernel, h.phase),
)


def split_by_geometry(group: list[Header]) -> list[list[Header]]:
    """Groups that are volumes of their own: other orientation, or other size or spacing over the same place.

    A size or spacing that changes half way up one stack is no second volume: that comes back as one group, and the
    geometry check refuses it.
    """
    placed = [h for h in group if h.position_lps is not None and h.orientation is not None and h.spacing_mm is not None]
    if len(placed) < len(group):
        return [group]
    groups = _geometry_groups(group)
    if len(groups) < 2 or min(len(g) for g in groups) < MIN_VOXELS:
        return [group]
    spans = [_span(g) for g in groups]
    for i, (normal, low, high) in enumerate(spans):
        for other, other_low, other_high in spans[:i]:
            parallel = abs(float(normal @ other)) > np.cos(np.radians(_SAME_DEG))
            shared = min(high, other_high) - max(low, other_low)
            if parallel and shared < 0.5 * min(high - low, other_high - other_low):
                return [group]
    return groups


def split_by_kind(group: list[Header]) -> list[list[Header]]:
    """The coarsest split by acquisition, image type, kernel or phase after which no position occurs twice."""
    if not _has_duplicates(group):
        return [group]
    for key in _KINDS:
        groups = _grouped(group, key)
        if len(groups) > 1 and min(len(g) for g in groups) >= MIN_VOXELS and not any(map(_has_duplicates, groups)):
            return groups
    return [group]


def ask(message: str, code: str, choices: Sequence[tuple[str, Sequence[Header]]], *, numbered: bool) -> Question:
    """The question which of these volumes is meant: what to type, and what each one holds."""
    return Question(
        message,
        code=code,
        field="series",
        flag="--series UID#N" if numbered else "--series UID",
        choices={name or "(no UID)": _holds(group, kinds=numbered) for name, group in choices},
        numbers={"series": float(len(choices)), "groups": float(len(choices))},
    )


def _holds(group: Sequence[Header], *, kinds: bool) -> str:
    apart, first = slice_spacing_mm(group), group[0]
    shown = f"{first.spacing_mm[0]:.2f} mm" if first.spacing_mm else "?"
    spacing = f"{apart:.2f} mm apart, pixels {shown}" if apart else f"spacing unknown, pixels {shown}"
    facts = [first.description or "no description", f"{len(group)} slices", spacing]
    if kinds:
        facts += [
            f"{what} {value[:40]}"
            for what, value in (
                ("acquisition", first.acquisition),
                ("type", "/".join(first.image_type)),
                ("kernel", first.kernel),
                ("phase", first.phase),
            )
            if value
        ]
    return ", ".join(facts)


def _grouped(group: list[Header], key: Callable[[Header], Hashable]) -> list[list[Header]]:
    found: dict[Hashable, list[Header]] = {}
    for h in group:
        found.setdefault(key(h), []).append(h)
    # By key, not by file name: `#N` means the same group after files were renamed.
    return [found[k] for k in sorted(found, key=str)]


def _geometry_groups(group: list[Header]) -> list[list[Header]]:
    groups: list[list[Header]] = []
    for h in group:
        home = next((g for g in groups if _same_geometry(g[0], h)), None)
        if home is None:
            groups.append([h])
        else:
            home.append(h)
    return sorted(groups, key=lambda g: (g[0].shape, _rounded(g[0].spacing_mm), _rounded(g[0].orientation)))


def _same_geometry(a: Header, b: Header) -> bool:
    if a.shape != b.shape or a.orientation is None or b.orientation is None:
        return False
    return bool(
        np.abs(a.orientation - b.orientation).max() < _SAME_COSINE
        and np.abs(np.subtract(a.spacing_mm or 0.0, b.spacing_mm or 0.0)).max() < _SAME_MM
    )


def _rounded(values: FloatArray | tuple[float, float] | None) -> tuple[float, ...]:
    return () if values is None else tuple(float(v) for v in np.round(values, 2) + 0.0)


def _span(group: list[Header]) -> tuple[FloatArray, float, float]:
    normal = _normal(group[0])
    along = [float(h.position_lps @ normal) for h in group if h.position_lps is not None]
    return normal, min(along), max(along)


def _normal(h: Header) -> FloatArray:
    normal = np.zeros(3) if h.orientation is None else slice_normal(h.orientation)
    return unit(normal) if float(np.linalg.norm(normal)) > 0 else normal


def _has_duplicates(group: list[Header]) -> bool:
    normal = _normal(group[0])
    along = np.sort([float(h.position_lps @ normal) for h in group if h.position_lps is not None])
    return bool((np.diff(along) < SAME_PLACE_MM).any())
