"""The taught rule judged as the views show it, and as it is in space; where the two disagree, that is said.

On the lateral the posterior wall is the line of its rims. The wall is hollow near the midline, so a tip that looks
past that line may still stand in the canal: the rule is judged against the line and against the wall where the tip is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trajplan.anatomy.vertebra import Vertebra
from trajplan.fluoroscopy.carm import CArm
from trajplan.geometry.arrays import BoolArray, FloatArray
from trajplan.planning.plan import Trajectory
from trajplan.verification.landmarks import ap_landmarks, lateral_landmarks
from trajplan.verification.place import WallMap

_STEP_MM = 0.1


@dataclass(frozen=True)
class BothWays:
    """Depths at which the tip crosses each line, None where it never does, and what follows from them.

    Parameters
    ----------
    medial_mm : float or None
        Depth at which the tip crosses the medial pedicle border on the AP.
    line_mm : float or None
        Depth at which the lateral shows it past the posterior rims.
    wall_mm : float or None
        Depth at which it is past the posterior wall in space.
    canal_mm : float or None
        Least clearance of the instrument to the canal along the path, as planned.
    """

    medial_mm: float | None
    line_mm: float | None
    wall_mm: float | None
    canal_mm: float | None

    @property
    def passed_as_seen(self) -> bool:
        """The taught rule on the two views."""
        return _after(self.medial_mm, self.line_mm)

    @property
    def passed_in_space(self) -> bool:
        """The same with the wall where the tip is."""
        return _after(self.medial_mm, self.wall_mm)

    @property
    def safe_in_space(self) -> bool | None:
        """Whether the instrument stays out of the canal; None if not known."""
        return None if self.canal_mm is None else self.canal_mm > 0

    def disagreement(self) -> str | None:
        """What to tell the team when views and space disagree; None when they agree."""
        if self.passed_as_seen and not self.passed_in_space:
            wall = "never" if self.wall_mm is None else f"at {self.wall_mm:.1f} mm"
            return (
                "The views show the rule kept, but the posterior wall is hollow here: the lateral shows the tip past "
                f"the wall at {self.line_mm or 0.0:.1f} mm, it is past it {wall}, and crosses the medial border "
                f"on AP at {self.medial_mm or 0.0:.1f} mm."
            )
        if self.safe_in_space and not self.passed_as_seen:
            line = "never" if self.line_mm is None else f"at {self.line_mm:.1f} mm"
            return (
                f"The path stays {self.canal_mm or 0.0:.1f} mm clear of the canal, but the views will look wrong: "
                f"the tip crosses the medial border on AP at {self.medial_mm or 0.0:.1f} mm and the lateral shows it "
                f"past the posterior wall {line}."
            )
        if self.safe_in_space is False and self.passed_as_seen:
            return (
                f"The views show the rule kept, but the instrument reaches {-(self.canal_mm or 0.0):.1f} mm into the "
                "canal: the rule looks at the tip only."
            )
        return None


def judge_both_ways(trajectory: Trajectory, vertebra: Vertebra, ap: CArm, lateral: CArm) -> BothWays:
    """The taught rule of one path as seen and in space."""
    front, profile = ap_landmarks(vertebra, trajectory.side, ap), lateral_landmarks(vertebra, lateral)
    depth, points = trajectory.capsule.points_along(_STEP_MM)
    ap_px, lateral_px = ap.project(points), lateral.project(points)
    medial = np.array([front.lateral_of_medial_border_mm(px) for px in ap_px]) < 0
    line = np.array([profile.past_rims_mm(px) for px in lateral_px]) >= 0
    wall = WallMap(vertebra).past_mm(points) >= 0
    return BothWays(_first(depth, medial), _first(depth, line), _first(depth, wall), trajectory.clearance.canal_mm)


def _first(depth_mm: FloatArray, found: BoolArray) -> float | None:
    return float(depth_mm[int(np.argmax(found))]) if found.any() else None


def _after(event_mm: float | None, needed_mm: float | None) -> bool:
    if event_mm is None:
        return True
    return needed_mm is not None and event_mm >= needed_mm - _STEP_MM / 2
