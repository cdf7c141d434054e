"""Instruments along a path: which follow one another, and at what depth each has done its work."""

from __future__ import annotations

import numpy as np

from trajplan.anatomy.vertebra import Vertebra
from trajplan.augmentation.body_block import BodyBlock
from trajplan.augmentation.choose_balloon import choose_balloon
from trajplan.augmentation.published import Published
from trajplan.augmentation.sequence import InstrumentSequence, InstrumentStep
from trajplan.augmentation.settings import AugmentationSettings
from trajplan.errors import InputError
from trajplan.planning.instruments import SHIPPED, Balloon, Instrument
from trajplan.planning.plan import PlanSettings, Trajectory

GUIDES = "Kyphon/Medtronic, DePuy technique guides"
DOCKING = Published(
    "trocar docked on the pedicle, upper outer quadrant on AP", "mitchmedical.us; alpfmedical.info", "read"
)
INTO_BODY = Published("past the posterior wall before the medial border is crossed on AP", "three texts agree", "read")
AT_TARGET = Published("tip in the anterior third", "openradiology.org; AO Surgery Reference", "read")
CANNULA = Published("tip of the working cannula 2-3 mm past the posterior wall", GUIDES, "unverified")
DRILL = Published("drill to 3-5 mm from the anterior cortex at most", GUIDES, "unverified")
MARKERS = Published("both balloon markers beyond the cannula", GUIDES, "unverified")

BEYOND_CANNULA_MM = 1.0
"""Between the tip of the cannula and the near marker (proposed)."""

DRILL_TO_ENDPLATE_MM = 1.0
"""The drill keeps at least this from the end plates (proposed)."""

_STEP_MM = 0.1
_BEYOND_TARGET_MM = 10.0


def instruments_along(
    path: Trajectory, vertebra: Vertebra, block: BodyBlock, plan: PlanSettings, settings: AugmentationSettings
) -> InstrumentSequence:
    """The sequence on one path.

    Raises
    ------
    InputError
        ``unknown_balloon`` when a balloon is asked for that the catalogue has not.
    """
    warnings: list[str] = []
    wall_mm = _wall_depth(path, block)
    cannula_mm = wall_mm + settings.cannula_past_wall_mm
    drill = SHIPPED.needles["drill"]
    drill_mm = _drill_depth(path, block, drill, settings.drill_standoff_mm)
    placed = choose_balloon(
        path,
        block,
        _asked(plan.balloons, settings.balloon),
        cannula_mm + BEYOND_CANNULA_MM,
        drill_mm,
        settings.contact_mm,
    )
    balloon = None if placed is None else placed.balloon
    if placed is None:
        warnings.append(_none_fits(plan.balloons, settings.balloon, drill_mm - cannula_mm - BEYOND_CANNULA_MM))
    elif not placed.balloon.verified:
        warnings.append(f"Sizes and volume of the {placed.balloon.name} balloon are not verified.")
    cannula = _cannula(path.instrument, balloon, plan, warnings)
    clearance = path.clearance.min_mm - (cannula.radius_mm - path.instrument.radius_mm)
    if clearance < plan.wall_margin_mm and cannula.radius_mm > path.instrument.radius_mm:
        warnings.append(
            f"With the {cannula.name} working cannula ({cannula.outer_diameter_mm:.1f} mm) the least clearance of this "
            f"path is {clearance:.1f} mm, below the {plan.wall_margin_mm:.1f} mm asked for: plan with "
            f"--instrument {cannula.name}."
        )
    if drill_mm <= cannula_mm:
        warnings.append(
            f"The drill has to stop at {drill_mm:.0f} mm, before the cannula's tip at {cannula_mm:.0f} mm: no channel."
        )
    places = [
        ("trocar docked", path.instrument, 0.0, DOCKING),
        ("trocar in the body", path.instrument, cannula_mm, INTO_BODY),
        ("trocar at the target", path.instrument, path.capsule.length_mm, AT_TARGET),
        ("working cannula", cannula, cannula_mm, CANNULA),
        ("drill", drill, drill_mm, DRILL),
    ]
    steps = [_step(path, *place) for place in places]
    if placed is not None:
        near_mm = placed.far_mm - placed.balloon.length_mm
        for name, depth in (("balloon, near marker", near_mm), ("balloon, far marker", placed.far_mm)):
            steps.append(_step(path, name, None, depth, MARKERS, placed.balloon.name))
    warnings += [
        f"The {s.name} needs {-s.from_hub_mm:.0f} mm more than its {s.instrument} has."
        for s in steps
        if s.from_hub_mm is not None and s.from_hub_mm < 0
    ]
    return InstrumentSequence(path.side, tuple(steps), cannula, clearance, drill, balloon, tuple(warnings))


def _step(
    path: Trajectory, name: str, tool: Instrument | None, depth_mm: float, rule: Published, called: str = ""
) -> InstrumentStep:
    tip = path.entry_lps + depth_mm * path.direction_lps
    skin = None if path.skin_lps is None else float((tip - path.skin_lps) @ path.direction_lps)
    hub = None
    if tool is not None and skin is not None:
        longest = tool.reaching(skin) or tool
        hub = longest.length_mm - skin
    return InstrumentStep(name, called or (tool.name if tool else ""), tip, depth_mm, skin, hub, rule)


def _wall_depth(path: Trajectory, block: BodyBlock) -> float:
    """Depth at which the axis passes the posterior wall (its most anterior tenth, as it is hollow)."""
    start = block.frame.to_local(path.entry_lps)
    along = block.frame.direction_to_local(path.direction_lps)
    slope, offset = block.back
    return float((slope * start[2] + offset - start[1]) / (along[1] - slope * along[2]))


def _drill_depth(path: Trajectory, block: BodyBlock, drill: Instrument, standoff_mm: float) -> float:
    """Deepest place at which the drill still keeps its stand-off from the front, and from the end plates."""
    depth = np.arange(0.0, path.capsule.length_mm + _BEYOND_TARGET_MM, _STEP_MM)
    points = path.entry_lps + depth[:, None] * path.direction_lps
    within = block.in_bone(points)
    front = block.wall_distance(0).signed(points, within)
    plates = np.minimum(block.wall_distance(3).signed(points, within), block.wall_distance(4).signed(points, within))
    body = block.frame.to_local(points)
    past = body[:, 1] < block.line_v(block.back, body[:, 2])
    # the tip of a drill is blunt: its stand-off counts from the axis, the end plates' from its side
    bad = past & ((front < standoff_mm) | (plates < drill.radius_mm + DRILL_TO_ENDPLATE_MM) | ~within)
    last = int(np.argmax(bad)) - 1 if bad.any() else len(depth) - 1
    return float(depth[max(last, 0)])


def _asked(balloons: tuple[Balloon, ...], wanted: str | None) -> tuple[Balloon, ...]:
    found = tuple(b for b in balloons if wanted in (None, b.name))
    if not found:
        known = ", ".join(b.name for b in balloons)
        raise InputError(f"unknown balloon {wanted!r}; use one of {known}", code="unknown_balloon")
    return found


def _none_fits(balloons: tuple[Balloon, ...], wanted: str | None, channel_mm: float) -> str:
    least = min(b.length_mm for b in _asked(balloons, wanted))
    return (
        f"No balloon fits: the channel beyond the cannula is {max(channel_mm, 0.0):.1f} mm long, the "
        f"{wanted or 'shortest'} balloon {least:.0f} mm, and it must keep from the cortex."
    )


def _cannula(planned: Instrument, balloon: Balloon | None, plan: PlanSettings, warnings: list[str]) -> Instrument:
    """The planned needle where the folded balloon passes it, else the thinnest cannula that lets it through."""
    profile = 0.0 if balloon is None else balloon.folded_diameter_mm
    if planned.inner_diameter_mm >= profile and planned.kind == "cannula":
        return planned
    wide = [n for n in SHIPPED.needles.values() if n.kind == "cannula" and n.inner_diameter_mm >= profile]
    chosen = min(wide or [planned], key=lambda n: n.outer_diameter_mm)
    if balloon is not None and wide:
        warnings.append(
            f"The folded balloon ({profile:.1f} mm) does not pass the {planned.name} the path was planned with "
            f"({planned.inner_diameter_mm:.1f} mm bore): the working cannula is {chosen.name}. Sources disagree: the "
            "maker of that balloon states access with 10G."
        )
    return chosen
