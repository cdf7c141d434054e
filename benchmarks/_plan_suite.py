"""The cases of benchmarks/planning.py: phantoms T6 to L5 on 1 mm voxels, measured from their own labels.

Levels, sexes and fracture kinds are dealt in turn; people, ages, losses, poses and noise come from the seed and the
number of the case alone, so that case k is the same however many are made.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from trajplan.anatomy.measure import measure_vertebra
from trajplan.anatomy.vertebra import Vertebra
from trajplan.errors import TrajplanError
from trajplan.geometry import Grid, Volume
from trajplan.geometry.arrays import FloatArray
from trajplan.geometry.resample import canonical
from trajplan.levels import level_id
from trajplan.reading.scan import Scan
from trajplan.target import find_target
from trajplan_phantoms import PhantomSpec, Pose, Scanner, Truth, make_phantom
from trajplan_phantoms.fracture import Cleft, Fracture
from trajplan_phantoms.population import draw
from trajplan_phantoms.surface import ZeroSurface

LEVELS = ("T6", "T7", "T8", "T9", "T10", "T11", "T12", "L1", "L2", "L3", "L4", "L5")
KINDS = ("wedge", "none", "biconcave", "crush", "crush with retropulsion", "wedge with cleft")
LABELS = "labels"
VOXELS = {"spacing_zyx": (1.0, 1.0, 1.0), "noise_hu": 15.0}
_TRUTH_ONLY = Scanner((5.0, 5.0, 5.0), noise_hu=0.0)


@dataclass(frozen=True)
class Made:
    """One case ready to be planned; `vertebra` is None where it could not be measured (`error` says why)."""

    seed: int
    index: int
    level: str
    kind: str
    sex: str
    ct: Volume
    vertebra: Vertebra | None
    error: str

    @cached_property
    def truth(self) -> Truth:
        """The exact truth, rebuilt from the spec."""
        return make_phantom(spec_of(self.seed, self.index)[0], _TRUTH_ONLY).truth

    @cached_property
    def _canal(self) -> ZeroSurface:
        canal = self.truth.vertebra.canal
        grid = Grid.isotropic(*canal.bounds(), 0.7)
        grid = Grid.isotropic(grid.corners_lps().min(axis=0) - 3, grid.corners_lps().max(axis=0) + 3, 0.7)
        points = grid.points_lps()
        samples = canal.value((points[..., 0], points[..., 1], points[..., 2]))
        return ZeroSurface.build(lambda q: canal.value((q[:, 0], q[:, 1], q[:, 2])), samples, grid)

    def canal_mm(self, points_lps: FloatArray) -> FloatArray:
        """True distance (N,) of LPS points (N, 3) to the wall of the canal, mm, negative inside it."""
        return self._canal.distance(self.truth.place.to_own(points_lps))


def spec_of(seed: int, index: int) -> tuple[PhantomSpec, str, str]:
    """(spec, fracture kind, sex) of a case."""
    own = np.random.default_rng([seed, 31, index])
    level = LEVELS[index % len(LEVELS)]
    kind = KINDS[(index + index // len(LEVELS)) % len(KINDS)]
    sex = ("female", "male")[(index // len(LEVELS) + index // 3) % 2]
    loss, age, person = float(own.uniform(15.0, 60.0)), float(own.uniform(50.0, 90.0)), int(own.integers(2**31))
    axis = own.normal(size=3)
    turn = Rotation.from_rotvec(np.radians(own.uniform(0.0, 15.0)) * axis / np.linalg.norm(axis))
    more: dict[str, Any] = {"pose": Pose(turn.as_matrix(), own.uniform(-0.5, 0.5, 3), bool(own.random() < 0.5))}
    if kind != "none":
        extra: dict[str, Any] = {}
        if "cleft" in kind:
            extra = {"cleft": Cleft("gas"), "band_hu": 80.0}
        if "retropulsion" in kind:
            extra = {"retropulsion_mm": float(own.uniform(2.0, 5.0))}
        more["fracture"] = Fracture(kind.split()[0], loss, **extra)  # type: ignore[arg-type]  # one of the kinds
    return draw(level, sex, age, person, target=level, **more), kind, sex  # type: ignore[arg-type]  # one of the sexes


@lru_cache(maxsize=4)
def case(seed: int, index: int, masks: str = LABELS) -> Made:
    """Build the phantom on 1 mm voxels and measure its target.

    Parameters
    ----------
    masks : str
        ``labels``: from the phantom's own labels; otherwise the name of a segmentation back-end, which is given the
        scan, the level and a seed in the middle of the body.
    """
    spec, kind, sex = spec_of(seed, index)
    phantom = make_phantom(spec, Scanner(**VOXELS, seed=index))  # type: ignore[arg-type]  # see VOXELS
    vertebra, error = None, ""
    try:
        if masks == LABELS:
            vertebra = measure_vertebra(
                phantom.ct, canonical(phantom.labels), level_id(spec.target), level=spec.target, level_confirmed=True,
                source="phantom labels",
            )  # fmt: skip
        else:
            scan = Scan.of_volume(phantom.ct, path_name="phantom", kind="phantom")
            seed_lps = phantom.truth.frame.origin_lps
            vertebra = find_target(scan, spec.target, seed_lps, None, None, lambda _f, _w: None, masks).vertebra
    except TrajplanError as reason:
        error = f"{reason.code}: {reason}"
    return Made(seed, index, spec.target, kind, sex, phantom.ct, vertebra, error)
