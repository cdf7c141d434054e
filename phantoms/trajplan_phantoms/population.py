"""Draw a person: the sizes, bone, curve and wear of a spine by sex and age, from one seed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from trajplan.errors import InputError
from trajplan_phantoms.build import plan_of
from trajplan_phantoms.curve import SpineCurve
from trajplan_phantoms.morphometry import COLUMN, Morphometry, default_levels, morphometry
from trajplan_phantoms.population_tables import (
    CLIP_SD,
    ELDERLY_FEMALE,
    ELDERLY_YEARS,
    FIELD_SHARE,
    LEVEL_SHARE,
    LOWEST_DISC_MM,
    PERSON_SHARE,
    SEX_SHIFT,
    SEXES,
    VARIATIONS,
    WIDEST_PEDICLE_SHARE,
    Sex,
    bone_hu,
    sex_offset,
    variation,
)
from trajplan_phantoms.spec import MIN_PEDICLE_WIDTH_MM, PhantomSpec
from trajplan_phantoms.stack import stack

Bone = Literal["age", "osteoporotic", "dense"]
Transition = Literal["none", "T13", "L6", "sacralised L5"]

ASYMMETRY_CV = 0.03
"""Left and right pedicle width differ by twice this share (*assumed*)."""
_DISC_RIM_MM = 1.8


def draw(
    levels: str | Sequence[str],
    sex: Sex = "any",
    age_years: float | None = None,
    seed: int = 0,
    *,
    target: str | None = None,
    bone: Bone = "age",
    pedicle_shift_sd: float = 0.0,
    transition: Transition = "none",
    curve: SpineCurve | None = None,
    **more: Any,
) -> PhantomSpec:
    """A person of the population as a phantom's spec.

    Every person is drawn whole, T4 to S1, in a fixed order: the same seed gives the same person whichever levels are
    asked for, on any machine and any number of threads.

    Parameters
    ----------
    levels : str or sequence of str
        A target level, which then comes with its neighbours, or all levels from top to bottom.
    sex : {"any", "female", "male"}
        "any" tosses a coin.
    age_years : float, optional
        18 to 100; 45 to 90 when not given. Rules bone density and osteophytes, and, from 65 years, women's size.
    seed : int
    target : str, optional
        The level to plan on; the middle one of `levels` when not given.
    bone : {"age", "osteoporotic", "dense"}
        Cancellous HU: by age; 73 +- 30 as in people with fractures; or 1.5 SD above the age's mean.
    pedicle_shift_sd : float
        Shifts all pedicle widths by this many SDs: -2 for narrow pedicles.
    transition : {"none", "T13", "L6", "sacralised L5"}
    curve : SpineCurve, optional
        Drawn when not given: mild scoliosis, kyphosis that grows with age. A drawn curve that would close a disc is
        made gentler.
    **more
        Other fields of `PhantomSpec` (fracture, height_loss_percent, ...); no fracture unless asked.

    Raises
    ------
    InputError
        What cannot be built.
    """
    _check(sex, age_years, seed, bone, transition, pedicle_shift_sd)
    random = np.random.default_rng(np.random.SeedSequence([seed, 4801]))
    names = (levels,) if isinstance(levels, str) else tuple(levels)
    aim = target or names[len(names) // 2]
    chosen = _with_transition(names if len(names) > 1 else default_levels(aim), transition)
    sign = {"male": 1, "female": -1, "any": 1 if random.random() < 0.5 else -1}[sex]
    drawn_age = float(random.uniform(45.0, 90.0))
    age = drawn_age if age_years is None else float(age_years)
    sizes = _column(random, sign, age, pedicle_shift_sd)
    if transition == "sacralised L5":
        sizes["L5"] = _sacralised(sizes["L5"])
    hu = _bone(random, bone, age)
    skew = float(np.clip(random.standard_normal(), -2.0, 2.0)) * ASYMMETRY_CV
    spur = _osteophyte_mm(random, age)
    own_curve = _curve(random, age)
    middle = sizes[aim]
    limit = WIDEST_PEDICLE_SHARE * min(middle.plate_width_upper_mm, middle.plate_width_lower_mm)
    left, right = (
        float(np.clip(middle.pedicle_width_mm * (1.0 + s), MIN_PEDICLE_WIDTH_MM, limit)) for s in (skew, -skew)
    )
    fields: dict[str, Any] = {
        "target": aim, "levels": chosen, "fracture": "none", "height_loss_percent": 0.0, "trabecular_hu": hu,
        "pedicle_width_mm_left": left, "pedicle_width_mm_right": right, "osteophyte_mm": spur, "sizes": sizes,
        "curve": curve or own_curve,
    } | more  # fmt: skip
    return PhantomSpec(**fields) if curve is not None else _gentle(fields)


def _check(sex: str, age_years: float | None, seed: int, bone: str, transition: str, pedicle_shift_sd: float) -> None:
    if sex not in SEXES:
        raise InputError(f"unknown sex {sex!r}; use {', '.join(SEXES)}", code="population_invalid")
    if age_years is not None and not 18.0 <= age_years <= 100.0:
        raise InputError(f"age {age_years:g} years is not within 18 to 100", code="population_invalid")
    if seed < 0:
        raise InputError(f"population seed {seed} must not be negative", code="population_invalid")
    if bone not in ("age", "osteoporotic", "dense"):
        raise InputError(f"unknown bone {bone!r}; use age, osteoporotic or dense", code="population_invalid")
    if transition not in ("none", "T13", "L6", "sacralised L5"):
        raise InputError(
            f"unknown transition {transition!r}; use none, T13, L6 or sacralised L5", code="population_invalid"
        )
    if not -2.5 <= pedicle_shift_sd <= 2.5:
        raise InputError(f"pedicle shift {pedicle_shift_sd:g} SD is not within -2.5 to 2.5", code="population_invalid")


def _with_transition(levels: tuple[str, ...], transition: str) -> tuple[str, ...]:
    for level in levels:
        morphometry(level)
    before = {"T13": "T12", "L6": "L5"}.get(transition)
    if before in levels and transition not in levels:
        at = levels.index(str(before)) + 1
        levels = (*levels[:at], transition, *levels[at:])
    if transition == "sacralised L5" and levels[-1] == "L5":
        levels = (*levels, "S1")
    return levels


def _column(random: np.random.Generator, sign: int, age: float, pedicle_shift_sd: float) -> dict[str, Morphometry]:
    elderly = sign < 0 and age >= ELDERLY_YEARS
    mean, sd = ELDERLY_FEMALE if elderly else (sign * SEX_SHIFT, float(np.sqrt(1.0 - SEX_SHIFT**2)))
    size = mean + sd * float(random.standard_normal())
    groups = sorted({row.group for row in VARIATIONS.values()})
    person = dict(zip(groups, random.standard_normal(len(groups)).tolist(), strict=True))
    out: dict[str, Morphometry] = {}
    for level in COLUMN:
        local = dict(zip(groups, random.standard_normal(len(groups)).tolist(), strict=True))
        single: list[float] = random.standard_normal(len(VARIATIONS)).tolist()
        table, values = morphometry(level), {}
        for name, alone in zip(VARIATIONS, single, strict=True):
            row = variation(level, name)
            own = math.sqrt(PERSON_SHARE) * person[row.group] + math.sqrt(LEVEL_SHARE) * local[row.group]
            own += math.sqrt(FIELD_SHARE) * alone
            deviate = _within(row.load * size + math.sqrt(1.0 - row.load**2) * own, CLIP_SD)
            if row.group == "pedicle width":
                deviate = _within(deviate + pedicle_shift_sd, 3.0)
            middle = float(getattr(table, name)) * row.factor
            values[name] = middle + (row.cv * abs(middle) + row.sd) * deviate + sex_offset(level, name, sign)
        out[level] = _feasible(replace(table, **values))
    return out


def _within(deviate: float, limit: float) -> float:
    return min(max(deviate, -limit), limit)


def _feasible(m: Morphometry) -> Morphometry:
    """Pedicles narrower than the body, discs open at their rims."""
    widest = WIDEST_PEDICLE_SHARE * min(m.plate_width_upper_mm, m.plate_width_lower_mm)
    half = 0.25 * (m.plate_depth_upper_mm + m.plate_depth_lower_mm)
    disc = max(m.disc_below_mm, LOWEST_DISC_MM)
    most = float(np.rad2deg(np.arctan((disc - _DISC_RIM_MM) / half)))
    return replace(
        m,
        pedicle_width_mm=float(np.clip(m.pedicle_width_mm, MIN_PEDICLE_WIDTH_MM * 1.05, widest)),
        disc_below_mm=disc,
        disc_below_deg=float(np.clip(m.disc_below_deg, -most, most)),
    )


def _sacralised(m: Morphometry) -> Morphometry:
    """Tall transverse processes that reach down to the wings, over a low disc."""
    return replace(
        m, transverse_height_mm=25.0, transverse_span_mm=max(m.transverse_span_mm, 92.0), disc_below_mm=5.0,
        disc_below_deg=4.0,
    )  # fmt: skip


def _bone(random: np.random.Generator, bone: str, age: float) -> float:
    z = float(np.clip(random.standard_normal(), -CLIP_SD, CLIP_SD))
    mean, sd = bone_hu(age)
    if bone == "osteoporotic":
        mean, sd = 72.8, 29.8  # thoracolumbar fractures at 70 years
    if bone == "dense":
        mean, sd = mean + 1.5 * sd, 0.3 * sd
    return float(np.clip(mean + sd * z, 15.0, 400.0))


def _osteophyte_mm(random: np.random.Generator, age: float) -> float:
    """Nobody below 40, nine in ten at 85 years; 1 to 5 mm (*assumed*)."""
    chance, length = random.random(), random.uniform(1.0, 5.0)
    return float(length) if chance < np.clip((age - 40.0) / 50.0, 0.0, 0.9) else 0.0


def _curve(random: np.random.Generator, age: float) -> SpineCurve:
    """Mild scoliosis (Cobb SD 5 degrees), kyphosis +0.3 degrees a year from 60 (*assumed*), lordosis SD 5 degrees."""
    z = np.clip(random.standard_normal(3), -2.0, 2.0)
    apex = ("T8", "T11", "L1", "L2", "L3")[int(random.integers(5))]
    cobb = 5.0 * float(z[0])
    kyphosis = float(np.clip(5.0 * z[1] + 0.3 * max(age - 60.0, 0.0), -15.0, 30.0))
    return SpineCurve(cobb, apex, 3.0, 0.4 * cobb, kyphosis, 5.0 * float(z[2]))


def _gentle(fields: dict[str, Any]) -> PhantomSpec:
    drawn: SpineCurve = fields["curve"]
    for share in (1.0, 0.75, 0.5, 0.25):
        bent = SpineCurve(
            share * drawn.scoliosis_cobb_deg, drawn.apex, drawn.half_span, share * drawn.rotation_deg,
            share * drawn.kyphosis_deg, share * drawn.lordosis_deg,
        )  # fmt: skip
        spec = PhantomSpec(**(fields | {"curve": bent}))
        chain = [plan_of(level, spec.scale, sizes=spec.sizes_of(level)) for level in spec.levels]
        try:
            stack(chain, spec.levels.index(spec.target), bent)
        except InputError as error:
            if error.code != "disc_closed":
                raise
            continue
        return spec
    return PhantomSpec(**(fields | {"curve": SpineCurve()}))
