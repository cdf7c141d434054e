"""The staged AP/lateral rule: where the tip must be seen on both views at five depths.

The taught rule, given alike by three independent texts (docs/planning.md): on AP the tip must not cross the medial
border of the pedicle until the lateral view shows it past the posterior wall of the body.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trajplan.anatomy.vertebra import Vertebra
from trajplan.fluoroscopy.carm import CArm
from trajplan.geometry.arrays import FloatArray
from trajplan.planning.plan import Trajectory
from trajplan.verification.in_space import UNIPEDICULAR_MIDLINE_MM, InSpace
from trajplan.verification.landmarks import ApLandmarks, LateralLandmarks, ap_landmarks, lateral_landmarks
from trajplan.verification.place import Place, WallMap, place_of

PAST_WALL_MM = 2.0
"""The working cannula stops 2-3 mm past the posterior wall (clinical rule 13, marked unverified in the reference)."""

_ROUNDING_MM = -1e-6


@dataclass(frozen=True, eq=False)
class Stage:
    """One depth of the insertion and its rule.

    `passed` is None when the rule cannot be judged. `margin_mm` is how far the tip is on the right side of the rule,
    in mm in the patient (magnification removed), negative when broken; `margin_px` is the same on the picture of the
    view that decides. `space_margin_mm` judges the same depth without any view (`in_space`). `ap_px` and `lateral_px`
    are the tip's (row, column) in the two views, `place` where it stands on them.
    """

    name: str
    depth_mm: float
    passed: bool | None
    margin_mm: float | None
    rule: str
    tip_lps: FloatArray
    ap_px: FloatArray
    lateral_px: FloatArray
    place: Place | None = None
    margin_px: float | None = None
    space_margin_mm: float | None = None

    @property
    def passed_in_space(self) -> bool | None:
        """Whether the rule is kept in space; None when it was not judged."""
        return None if self.space_margin_mm is None else self.space_margin_mm >= _ROUNDING_MM

    @property
    def disagrees(self) -> bool:
        """Whether views and space judge this depth differently."""
        return None not in (self.passed, self.passed_in_space) and self.passed != self.passed_in_space

    def disagreement(self) -> str | None:
        """What to tell the team when views and space judge this depth differently; None when they agree."""
        if not self.disagrees:
            return None
        seen, true = ("kept", "broken") if self.passed else ("broken", "kept")
        return (
            f"at {self.name} ({self.depth_mm:.0f} mm) the views show the rule {seen} (margin {self.margin_mm or 0:.1f} "
            f"mm), in space it is {true} ({self.space_margin_mm or 0:.1f} mm)."
        )


def check_stages(
    trajectory: Trajectory, vertebra: Vertebra, ap: CArm, lateral: CArm, wall_map: WallMap | None = None
) -> tuple[Stage, ...]:
    """Judge the five stages of one path on its true AP and true lateral view.

    Who judges many paths of one vertebra, as a viewer does while a path is dragged, makes its `WallMap` once.

    Returns
    -------
    tuple of Stage
        docking, mid-pedicle, posterior wall, past the wall, final.
    """
    front = ap_landmarks(vertebra, trajectory.side, ap)
    profile = lateral_landmarks(vertebra, lateral)
    face = WallMap(vertebra) if wall_map is None else wall_map
    space = InSpace(vertebra, trajectory.side, face)
    depth, points = trajectory.capsule.points_along(0.1)
    lateral_px = lateral.project(points)
    past = np.array([profile.past_posterior_wall_mm(px) for px in lateral_px])
    isthmus = float(
        (vertebra.pedicles[trajectory.side].isthmus_center_lps - trajectory.entry_lps) @ trajectory.direction_lps
    )
    beyond = past >= 0
    wall = int(np.argmax(beyond)) if beyond.any() else len(depth) - 1
    past_wall = min(float(depth[wall]) + PAST_WALL_MM, float(depth[-1]))
    named = (
        ("docking", 0.0),
        ("mid-pedicle", float(np.clip(isthmus, 0.0, depth[-1]))),
        ("posterior wall", float(depth[wall])),
        ("past the wall", past_wall),
        ("final", float(depth[-1])),
    )
    return tuple(_stage(name, d, trajectory, vertebra, face, space, ap, lateral, front, profile) for name, d in named)


def _stage(
    name: str,
    depth_mm: float,
    trajectory: Trajectory,
    vertebra: Vertebra,
    wall: WallMap,
    space: InSpace,
    ap: CArm,
    lateral: CArm,
    front: ApLandmarks,
    profile: LateralLandmarks,
) -> Stage:
    tip = trajectory.entry_lps + depth_mm * trajectory.direction_lps
    ap_px, lateral_px = ap.project(tip), lateral.project(tip)
    lateral_of_border = front.lateral_of_medial_border_mm(ap_px)
    past = profile.past_posterior_wall_mm(lateral_px)
    mm_per_px = front.mm_per_px
    if name == "docking":
        margin = front.lateral_of_middle_mm(ap_px)
        rule = "AP: the tip docks on the lateral half of the pedicle"
    elif name in ("mid-pedicle", "posterior wall"):
        margin = lateral_of_border
        rule = "AP: the tip is lateral of the medial pedicle border (lateral view: not yet past the posterior wall)"
    elif name == "past the wall":
        margin, mm_per_px = past, profile.mm_per_px
        rule = "Lateral: the tip is past the posterior wall; from here it may cross the medial border on AP"
    else:
        margin, rule, mm_per_px = _final_rule(trajectory, front, profile, ap_px, lateral_px)
    place = place_of(tip, vertebra, trajectory.side, ap, front, lateral, profile, wall)
    return Stage(
        name, depth_mm, bool(margin >= _ROUNDING_MM), margin, rule, tip, ap_px, lateral_px, place, margin / mm_per_px,
        space.margin_mm(name, tip, trajectory.approach),
    )  # fmt: skip


def _final_rule(
    trajectory: Trajectory,
    front: ApLandmarks,
    profile: LateralLandmarks,
    ap_px: FloatArray,
    lateral_px: FloatArray,
) -> tuple[float, str, float]:
    """Final tip: anterior third on the lateral view, behind the front wall; on AP on the right side of the midline.

    Margin, rule, and the millimetres of a pixel in the view that decides.
    """
    short = profile.short_of_anterior_wall_mm(lateral_px)
    depth = short + profile.past_posterior_wall_mm(lateral_px)
    in_third = depth / 3 - short
    from_midline = front.from_midline_mm(ap_px)
    if trajectory.approach == "unipedicular":
        midline = UNIPEDICULAR_MIDLINE_MM - abs(from_midline)
        rule = f"Lateral: tip in the anterior third; AP: within {UNIPEDICULAR_MIDLINE_MM:.0f} mm of the midline"
    else:
        midline = from_midline
        rule = "Lateral: tip in the anterior third; AP: not across the midline"
    if midline < min(in_third, short):
        return midline, rule, front.mm_per_px
    return min(in_third, short), rule, profile.mm_per_px
