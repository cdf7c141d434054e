"""Is a planned verdict held up by the re-check? Limits of the document against figures that were recomputed."""

from __future__ import annotations

from typing import Any

import numpy as np

from trajplan.verification.check_line import CheckLine

SLACK_MM = 0.3
"""What the two routes may differ by: a limit missed by less is not held against a plan."""

STAGES = ("docking", "mid-pedicle", "posterior wall", "past the wall", "final")
_MIN_CONFIDENCE = 0.5
_WALLS = (
    "medial_mm",
    "lateral_mm",
    "superior_mm",
    "inferior_mm",
    "anterior_mm",
    "endplate_mm",
    "canal_mm",
    "foramen_mm",
)


def verdict_lines(path: dict[str, Any], plan: dict[str, Any], least_mm: float, canal_mm: float) -> list[CheckLine]:
    """The verdict, the walls against the smallest clearance, and the needle's length, of one path.

    Parameters
    ----------
    path : dict
        A trajectory of the document `plan`.
    least_mm, canal_mm : float
        Clearances recomputed on the mesh.
    """
    side, planned = path["side"], path["clearance"]
    walls = [planned[name] for name in _WALLS if planned.get(name) is not None]
    against = hindrances(path, plan, least_mm, canal_mm)
    safe = path["verdict"] == "safe"
    lines = [
        CheckLine(f"{side} least of the walls", planned["min_mm"], min(walls, default=None), 0.02, "mm"),
        CheckLine(f"{side} stages", ", ".join(s["name"] for s in path["stages"]), ", ".join(STAGES), 0, ""),
        CheckLine(
            f"{side} verdict",
            path["verdict"],
            f"not safe: {against[0]}" if safe and against else path["verdict"],
            0,
            "",
        ),
    ]
    if path["skin_lps"] is not None:
        entry, tip, skin = (np.array(path[name]) for name in ("entry_lps", "target_lps", "skin_lps"))
        way = (tip - entry) / np.linalg.norm(tip - entry)
        off = float(np.linalg.norm(np.cross(skin - entry, way)))
        lines += [
            CheckLine(f"{side} skin point off the path", 0.0, round(off, 3), SLACK_MM, "mm"),
            CheckLine(
                f"{side} length from the skin",
                path["length_from_skin_mm"],
                round(float((tip - skin) @ way), 3),
                SLACK_MM,
                "mm",
            ),
        ]
    return lines


def hindrances(path: dict[str, Any], plan: dict[str, Any], least_mm: float, canal_mm: float) -> list[str]:
    """What forbids to call a path safe, in words; empty when nothing does."""
    vertebra, limits = plan["vertebra"], plan["provenance"]["parameters"]
    wall, canal = limits.get("wall_margin_mm", 1.0), limits.get("canal_margin_mm", 1.0)
    against = []
    if not least_mm >= min(wall, canal) - SLACK_MM:
        against.append(f"clearance {least_mm:.2f} mm, margin {min(wall, canal):.1f} mm")
    if not canal_mm >= canal - SLACK_MM:
        against.append(f"canal clearance {canal_mm:.2f} mm, margin {canal:.1f} mm")
    for name, margin in (
        ("medial_mm", wall), ("lateral_mm", wall), ("superior_mm", wall), ("inferior_mm", wall),
        ("anterior_mm", limits.get("anterior_margin_mm", 3.0)), ("endplate_mm", limits.get("endplate_margin_mm", 3.0)),
    ):  # fmt: skip
        value = path["clearance"][name]
        if value is not None and value < margin - 0.01:
            against.append(f"{name[:-3]} clearance {value:.2f} mm, margin {margin:.1f} mm")
    against += [f"stage rule broken at {s['name']}" for s in path["stages"] if s["passed"] is not True]
    if vertebra["level"] is None:
        against.append("the level is not known")
    if vertebra["touches_edge"]:
        against.append("the vertebra reaches the border of the scan")
    if vertebra["confidence"]["score"] < _MIN_CONFIDENCE:
        against.append(f"confidence {vertebra['confidence']['score']:.2f}")
    if path["skin_lps"] is None or path["length_from_skin_mm"] is None:
        against.append("the way from the skin is not known")
    elif path["length_from_skin_mm"] > path["instrument"]["length_mm"] + SLACK_MM:
        against.append(
            f"{path['length_from_skin_mm']:.0f} mm from the skin, needle {path['instrument']['length_mm']:.0f} mm"
        )
    return against
