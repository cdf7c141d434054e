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
from trajplan.verification.landmarks import ApLandmarks, LateralLandmarks, ap_landmarks, lateral_landmarks
from trajplan.verification.place import Place, WallMap, place_of

PAST_WALL_MM = 2.0
"""The working cannula stops 2-3 mm past the posterior wall (clinical rule 13, marked unverified in the reference)."""

UNIPEDICULAR_MIDLINE_MM = 5.0
"""A unipedicular tip ends within this of the midline (clinical rule 14, marked unverified in the reference)."""


@dataclass(frozen=True, eq=False)
class Stage:
    """One depth of the insertion and its rule.

    `passed` is None when the rule cannot be judged. `margin_mm` is how far the tip is on the right side of the rule,
    in mm in the patient (magnification removed), negative when broken. `ap_px` and `lateral_px` are the tip's
    (row, column) in the two views, `place` where it stands on them.
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
    return tuple(_stage(name, d, trajectory, vertebra, face, ap, lateral, front, profile) for name, d in named)


def _stage(
    name: str,
    depth_mm: float,
    trajectory: Trajectory,
    vertebra: Vertebra,
    wall: WallMap,
    ap: CArm,
    lateral: CArm,
    front: ApLandmarks,
    profile: LateralLandmarks,
) -> Stage:
    tip = trajectory.entry_lps + depth_mm * trajectory.direction_lps
    ap_px, lateral_px = ap.project(tip), lateral.project(tip)
    lateral_of_border = front.lateral_of_medial_border_mm(ap_px)
    past = profile.past_posterior_wall_mm(lateral_px)
    if name == "docking":
        middle = (front.medial_column + front.lateral_column) / 2
        margin = float((ap_px[1] - middle) * front.lateral_sign * front.mm_per_px)
        rule = "AP: the tip docks on the lateral half of the pedicle"
    elif name in ("mid-pedicle", "posterior wall"):
        margin = lateral_of_border
        rule = "AP: the tip is lateral of the medial pedicle border (lateral view: not yet past the posterior wall)"
    elif name == "past the wall":
        margin = past
        rule = "Lateral: the tip is past the posterior wall; from here it may cross the medial border on AP"
    else:
        margin, rule = _final_rule(trajectory, front, profile, ap_px, lateral_px)
    place = place_of(tip, vertebra, trajectory.side, ap, front, lateral, profile, wall)
    return Stage(name, depth_mm, bool(margin >= -1e-6), margin, rule, tip, ap_px, lateral_px, place)


def _final_rule(
    trajectory: Trajectory,
    front: ApLandmarks,
    profile: LateralLandmarks,
    ap_px: FloatArray,
    lateral_px: FloatArray,
) -> tuple[float, str]:
    """Final tip: anterior third on the lateral view, behind the front wall; on AP on the right side of the midline."""
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
    return min(in_third, short, midline), rule
