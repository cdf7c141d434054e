"""The staged AP/lateral rule: where the tip must be seen on both views at five depths."""

from __future__ import annotations

from dataclasses import dataclass

from trajplan.geometry.arrays import FloatArray


@dataclass(frozen=True, eq=False)
class Stage:
    """One depth of the insertion and its rule.

    `passed` is None when the rule cannot be judged. `margin_mm` is how far the tip is on the right side of the rule,
    in mm in the patient (magnification removed), negative when broken. `ap_px` and `lateral_px` are the tip's
    (row, column) in the two views.
    """

    name: str
    depth_mm: float
    passed: bool | None
    margin_mm: float | None
    rule: str
    tip_lps: FloatArray
    ap_px: FloatArray
    lateral_px: FloatArray
