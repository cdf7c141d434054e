"""Plan data: settings, trajectories and refusals. Plain frozen data that every later room reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from trajplan.geometry import Capsule
from trajplan.geometry.arrays import FloatArray
from trajplan.parts import Side
from trajplan.planning.instruments import CATALOGUE, SHIPPED, Balloon, Instrument

MIN_CONFIDENCE = 0.5
"""Below this mask confidence nothing is called safe."""


class Approach(StrEnum):
    """What is asked of the planner."""

    AUTO = "auto"
    BIPEDICULAR = "bipedicular"
    UNIPEDICULAR_LEFT = "unipedicular-left"
    UNIPEDICULAR_RIGHT = "unipedicular-right"
    EXTRAPEDICULAR_LEFT = "extrapedicular-left"
    EXTRAPEDICULAR_RIGHT = "extrapedicular-right"


class Verdict(StrEnum):
    """Missing knowledge is `UNKNOWN`, never `SAFE`."""

    SAFE = "safe"
    UNSAFE = "unsafe"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class PlanSettings:
    """Margins (mm), angle limits (deg) and the execution-error model; defaults are explained in docs/planning.md."""

    instrument: Instrument = field(default_factory=lambda: CATALOGUE["11G"])
    approach: Approach = Approach.AUTO
    wall_margin_mm: float = 1.0
    canal_margin_mm: float = 1.0
    anterior_margin_mm: float = 3.0
    endplate_margin_mm: float = 3.0
    max_convergence_deg: float = 45.0
    min_craniocaudal_deg: float = -15.0
    max_craniocaudal_deg: float = 25.0
    max_skin_midline_mm: float = 80.0
    entry_sigma_mm: float = 0.75
    angle_sigma_deg: float = 2.0
    breach_samples: int = 10_000
    seed: int = 1
    execution: str = "fluoroscopy-corrected"
    respiration_sigma_mm: float = 0.0
    segmentation_sigma_mm: float = 0.0
    balloons: tuple[Balloon, ...] = tuple(SHIPPED.balloons.values())
    carm_primary_deg: float = 110.0
    carm_secondary_deg: float = 45.0


@dataclass(frozen=True, eq=False)
class Clearance:
    """Distance from the instrument's outer surface to each wall, mm, negative when crossed, never over-estimated.

    None where that wall does not come into play or is not known. `foramen_mm` is that to the front of the articular
    processes and the pars above and below the pedicle, `facet_mm` that to other bone (the level above, a rib) from
    40 mm behind the entry on; the latter is no wall of the target and not part of `min_mm`. `profile` has shape (N, 2):
    depth from the entry (mm) and the smallest clearance there.
    """

    min_mm: float
    medial_mm: float | None
    lateral_mm: float | None
    superior_mm: float | None
    inferior_mm: float | None
    anterior_mm: float | None
    endplate_mm: float | None
    canal_mm: float | None
    profile: FloatArray
    foramen_mm: float | None = None
    facet_mm: float | None = None


@dataclass(frozen=True)
class Breach:
    """Monte-Carlo chance (0..1) that the executed path crosses a wall, by direction.

    `any_low`..`any_high` is the interval of `any`; `worst` names the direction crossed most often, empty when none is.
    """

    any: float
    medial: float
    lateral: float
    superior: float
    inferior: float
    samples: int
    entry_sigma_mm: float
    angle_sigma_deg: float
    anterior: float = 0.0
    endplate: float = 0.0
    foramen: float = 0.0
    any_low: float | None = None
    any_high: float | None = None
    worst: str = ""
    respiration_sigma_mm: float = 0.0
    segmentation_sigma_mm: float = 0.0
    execution: str = ""


@dataclass(frozen=True, eq=False)
class SafeCone:
    """Largest angular error at the entry that stays inside, by direction of the error.

    `azimuth_deg` (N,) is 0 towards the side (lateral tip), 90 up; `angle_deg` (N,) the largest error there, at most
    15. `least_deg` is the smallest of them and `worst` the wall it meets.
    """

    azimuth_deg: FloatArray
    angle_deg: FloatArray
    least_deg: float
    worst: str


@dataclass(frozen=True, eq=False)
class BalloonFit:
    """A balloon on a path. The envelope is an ellipsoid of `diameter_mm` x `length_mm` about the path's axis.

    `diameter_mm` is the largest that keeps `margin_mm` from every cortex, at most that of the fully inflated balloon;
    `limit` names the wall that stops it, empty when it may be filled. `volume_ml` is that of the ellipsoid, not a
    filling volume of a product. `in_anterior_share` is the share of its length in the anterior two thirds of the body.
    """

    balloon: Balloon
    center_lps: FloatArray
    axis_lps: FloatArray
    diameter_mm: float
    length_mm: float
    volume_ml: float
    margin_mm: float
    limit: str
    in_anterior_share: float


@dataclass(frozen=True, eq=False)
class SafetyMap:
    """What margin can be reached from where, and at which angle, on one side.

    `entry_lps` (N, 3) are places on the dorsal surface, `entry_mm` (N,) the best least clearance of any path from
    there; `window_mm` (R, C) the best one at each `craniocaudal_deg` (R,) and `convergence_deg` (C,), NaN where none
    was tried.
    """

    entry_lps: FloatArray
    entry_mm: FloatArray
    convergence_deg: FloatArray
    craniocaudal_deg: FloatArray
    window_mm: FloatArray


@dataclass(frozen=True, eq=False)
class Trajectory:
    """One planned path. Points LPS mm; `target_lps` is the tip's end point; angles as in docs/coordinates.md.

    `cone` is how far it may be turned about its entry, `balloons` what fits at its tip, largest first,
    `safety` what other entries and angles on this side would give, `hu_profile` (N, 2) the depth from the entry (mm)
    and the mean Hounsfield units over its section there.
    """

    side: Side
    approach: str
    verdict: Verdict
    reasons: tuple[str, ...]
    instrument: Instrument
    skin_lps: FloatArray | None
    entry_lps: FloatArray
    target_lps: FloatArray
    length_in_bone_mm: float
    length_from_skin_mm: float | None
    convergence_deg: float
    craniocaudal_deg: float
    clearance: Clearance
    gertzbein_robbins: str
    breach: Breach
    candidates_tried: int
    cone: SafeCone | None = None
    balloons: tuple[BalloonFit, ...] = ()
    safety: SafetyMap | None = None
    hu_profile: FloatArray | None = None

    @property
    def capsule(self) -> Capsule:
        """The part of the instrument inside bone, entry to tip."""
        return Capsule(self.entry_lps, self.target_lps, self.instrument.radius_mm)

    @property
    def direction_lps(self) -> FloatArray:
        """Unit vector from entry to tip."""
        return self.capsule.direction_lps


@dataclass(frozen=True)
class Refusal:
    """No path, and why. `side` is None when the refusal concerns the whole vertebra or scan: then no path on it is
    called safe, and those that are shown are `unknown`."""

    side: Side | None
    approach: str
    code: str
    message: str
    numbers: Mapping[str, float]
