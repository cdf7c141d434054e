"""Refusals: why no path is offered, with the numbers and what would help."""

from __future__ import annotations

import dataclasses

from trajplan.anatomy.vertebra import Pedicle, Vertebra
from trajplan.parts import Side
from trajplan.planning.instruments import CATALOGUE
from trajplan.planning.plan import MIN_CONFIDENCE, PlanSettings, Refusal
from trajplan.planning.walls import Wall

KNOWN_WIDTH_MM = 0.5
"""How much of a measured width is not sure: the lowered distances take a quarter of a millimetre from either side."""


def needed_width_mm(settings: PlanSettings, extra_mm: float) -> float:
    """Least pedicle width for the instrument: its diameter and the wall margin on both sides."""
    return settings.instrument.outer_diameter_mm + 2 * (settings.wall_margin_mm + extra_mm)


def too_narrow(pedicle: Pedicle, approach: str, settings: PlanSettings, extra_mm: float) -> Refusal:
    """``pedicle_too_narrow``: the isthmus cannot take the instrument with its margin."""
    need = needed_width_mm(settings, extra_mm)
    fitting = [
        i.name for i in CATALOGUE.values()
        if i.outer_diameter_mm + 2 * (settings.wall_margin_mm + extra_mm) <= pedicle.width_mm - KNOWN_WIDTH_MM
    ]  # fmt: skip
    remedy = (
        f"a thinner instrument would fit ({', '.join(fitting)})"
        if fitting
        else "no instrument of the catalogue fits with this margin; consider an extrapedicular approach"
    )
    return Refusal(
        pedicle.side,
        approach,
        "pedicle_too_narrow",
        f"The {pedicle.side} pedicle is {pedicle.width_mm:.1f} mm wide at its isthmus, known to {KNOWN_WIDTH_MM:.1f} "
        f"mm; the {settings.instrument.name} instrument ({settings.instrument.outer_diameter_mm:.2f} mm) with "
        f"{settings.wall_margin_mm + extra_mm:.1f} mm margin on each side needs {need:.1f} mm: {remedy}.",
        {
            "width_mm": pedicle.width_mm,
            "diameter_mm": settings.instrument.outer_diameter_mm,
            "margin_mm": settings.wall_margin_mm + extra_mm,
            "needed_mm": need,
        },
    )


_REMEDY = {
    Wall.MEDIAL: "a thinner instrument, or a more lateral entry (extrapedicular)",
    Wall.LATERAL: "a thinner instrument, or a smaller convergence (bipedicular instead of unipedicular)",
    Wall.SUPERIOR: "a thinner instrument",
    Wall.INFERIOR: "a thinner instrument",
    Wall.ANTERIOR: "a smaller anterior stand-off, if the balloon allows",
    Wall.ENDPLATE: "a smaller end-plate margin; the collapse leaves little room",
    Wall.CANAL: "a more lateral entry, or a thinner instrument",
    Wall.FORAMEN: "a thinner instrument, or an entry nearer the height of the pedicle",
}


def no_margin(
    side: Side, approach: str, wall: Wall, clearance_mm: float, margin_mm: float, depth_mm: float, tried: int
) -> Refusal:
    """``no_margin``: the best path found comes closer to a wall than allowed."""
    name = wall.name.lower().replace("endplate", "end-plate")
    return Refusal(
        side,
        approach,
        "no_margin",
        f"No {side} path keeps its margins: the best of {tried} comes to {clearance_mm:.2f} mm from the {name} wall "
        f"{depth_mm:.0f} mm deep, {margin_mm:.2f} mm is required. What would help: {_REMEDY[wall]}.",
        {"clearance_mm": clearance_mm, "margin_mm": margin_mm, "depth_mm": depth_mm, "tried": float(tried)},
    )


def blocked(side: Side, approach: str, tried: int, blocked_count: int, out_of_angle: int) -> Refusal:
    """``blocked_by_bone``: every line is ruled out by bone on the way or by the angle limits."""
    return Refusal(
        side,
        approach,
        "blocked_by_bone",
        f"No {side} path has a free way in: of {tried} lines {blocked_count} meet other bone, miss the pedicle or "
        f"start in the open and {out_of_angle} exceed the angle limits. Another approach may help.",
        {"tried": float(tried), "blocked": float(blocked_count), "out_of_angle": float(out_of_angle)},
    )


def only_half_way(unipedicular: Refusal) -> Refusal:
    """The refusal of a one-sided plan on a side where a half-way (bipedicular) tip does keep its margins, saying so."""
    return dataclasses.replace(
        unipedicular,
        message=f"{unipedicular.message} This is about a tip near the midline: half-way to it a {unipedicular.side} "
        "path was found, which alone fills one half of the body only; ask for the bipedicular approach to see it.",
    )


def no_free_line(side: Side, approach: str, tried: int) -> Refusal:
    """``no_free_line``: what the lattice let through does not hold on exact distances."""
    return Refusal(
        side,
        approach,
        "no_free_line",
        f"No {side} path of {tried} tried passes the pedicle within the angle limits, docks on its lateral half and "
        "ends in the anterior third on its own side. Another approach may help.",
        {"tried": float(tried)},
    )


def too_long(side: Side, approach: str, needed_mm: float, settings: PlanSettings) -> Refusal:
    """``too_long``: no length of the instrument reaches the target from the skin."""
    longest = max(settings.instrument.lengths_mm)
    return Refusal(
        side,
        approach,
        "too_long",
        f"From the skin to the target are {needed_mm:.0f} mm; the longest {settings.instrument.name} reaches "
        f"{longest:.0f} mm. A longer instrument is needed.",
        {"needed_mm": needed_mm, "length_mm": longest},
    )


def not_thoracic(vertebra: Vertebra, side: Side) -> Refusal:
    """``not_thoracic``: beside a lumbar pedicle there is no rib head to slide along, and the nerve root lies there."""
    level = vertebra.level or "a vertebra whose level is not known"
    return Refusal(
        side,
        "extrapedicular",
        "not_thoracic",
        f"An extrapedicular path is planned for T4 to T12 only, between rib and transverse process; this is {level}. "
        "Use a path through the pedicle.",
        {},
    )


def withheld(vertebra: Vertebra, approach: str, automatic_mask: bool, border_mm: float) -> tuple[Refusal, ...]:
    """Why no path on this vertebra is called safe whatever its margins: each with its number and what to do.

    ``level_unconfirmed``, ``low_confidence_mask``, ``truncated``. What is planned all the same is shown as ``unknown``.

    Parameters
    ----------
    border_mm : float
        Distance of the vertebra's bone from the border of the scan.
    """
    found = []
    if vertebra.level is None:
        found.append(
            Refusal(
                None,
                approach,
                "level_unconfirmed",
                "No path is called safe: the level of this vertebra is not known, and a path in the wrong vertebra is "
                "wrong however wide its margins are. Count on the scan and state the level with --level.",
                {"levels_known": 0.0},
            )
        )
    score = vertebra.confidence.score
    if score < MIN_CONFIDENCE:
        doubts = "; ".join(vertebra.confidence.check) or "its figures lie outside the usual range"
        what = (
            "look at its contours and confirm them with --confirm-mask" if automatic_mask else "correct the label file"
        )
        found.append(
            Refusal(
                None,
                approach,
                "low_confidence_mask",
                f"No path is called safe: confidence in the mask is {score:.2f}, {MIN_CONFIDENCE:.2f} is asked "
                f"({doubts}). What would help: {what}.",
                {"confidence": score, "needed": MIN_CONFIDENCE},
            )
        )
    if vertebra.touches_edge:
        found.append(
            Refusal(
                None,
                approach,
                "truncated",
                f"No path is called safe: the vertebra comes to {border_mm:.1f} mm from the border of the scan and may "
                "be cut. Take a scan that holds the whole vertebra.",
                {"border_mm": border_mm},
            )
        )
    return tuple(found)


def no_pedicle(vertebra: Vertebra, side: Side, approach: str) -> Refusal:
    """``no_pedicle``: the mask shows no pedicle on this side."""
    return Refusal(
        side,
        approach,
        "no_pedicle",
        f"The {side} pedicle was not found in the mask ({vertebra.source}). Check the mask, or plan the other side.",
        {"pedicles_found": float(len(vertebra.pedicles))},
    )
