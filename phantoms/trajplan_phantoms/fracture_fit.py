"""Whether what was asked of a fracture fits into the body and the canal it is asked of."""

from __future__ import annotations

import numpy as np

from trajplan.errors import InputError
from trajplan_phantoms.body import Body
from trajplan_phantoms.vertebra import Canal

CLEFT_COVER_MM = 0.8
"""Bone that must stay around a cleft."""
MAX_CANAL_SHARE = 0.7
"""What a retropulsed wall and fragment may take of the canal's depth."""
MAX_PUSH_SHARE = 0.4
"""What they may be of the body's depth."""


def check_fits(body: Body, canal: Canal, level: str) -> None:
    """Refuse a cleft, a retropulsion or a fragment that does not fit; raises ``InputError`` with the sizes."""
    _check_cleft(body, level)
    fracture = body.fracture
    shift = fracture.retropulsion_mm + (fracture.fragment.shift_mm if fracture.fragment else 0.0)
    most = min(MAX_CANAL_SHARE * canal.depth_mm, MAX_PUSH_SHARE * body.depth_mm)
    if shift > most:
        raise InputError(
            f"{shift:.1f} mm of retropulsion does not fit the {canal.depth_mm:.1f} mm deep canal of {level}: "
            f"use at most {most:.1f} mm",
            code="retropulsion_invalid",
            numbers={"shift_mm": shift, "max_mm": most, "canal_depth_mm": canal.depth_mm},
        )
    if body.fragment is None:
        return
    piece = body.fragment
    wall = float(np.subtract(*body.wall_edges))
    sizes = (
        ("wide", 2.0 * piece.half_width_mm, 0.8 * canal.width_mm),
        ("deep", piece.wall_mm - piece.front_mm, 0.45 * body.depth_mm),
        ("high", piece.height_mm, 0.75 * wall),
    )
    for name, size, limit in sizes:
        if size > limit:
            raise InputError(
                f"a fragment {size:.1f} mm {name} does not fit the body of {level}: use at most {limit:.1f} mm",
                code="fragment_invalid",
                numbers={"size_mm": size, "max_mm": limit},
            )


def _check_cleft(body: Body, level: str) -> None:
    if body.cleft is None:
        return
    points = body.cleft.surface()
    cover = -float(body.value((points[:, 0], points[:, 1], points[:, 2])).max())
    if cover < CLEFT_COVER_MM:
        a, b, c = (2.0 * x for x in body.cleft.semi_mm)
        raise InputError(
            f"a cleft of {a:.1f} x {b:.1f} x {c:.1f} mm is larger than the fractured body of {level} can hold: "
            f"{cover:.1f} mm of bone would be left around it, {CLEFT_COVER_MM:.1f} mm are needed; ask for less",
            code="cleft_invalid",
            numbers={"cover_mm": cover, "needed_mm": CLEFT_COVER_MM, "width_mm": a, "depth_mm": b, "thickness_mm": c},
        )
