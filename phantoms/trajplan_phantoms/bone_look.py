"""How dense bone is where: cortex, the denser marrow under it, and the unevenness of cancellous bone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from trajplan.errors import InputError
from trajplan.geometry.arrays import AnyArray, Float32Array
from trajplan_phantoms.shapes import Coordinates

if TYPE_CHECKING:
    from trajplan_phantoms.vertebra import Vertebra

_CELLS = 64
_GRADE_MM = 0.9
_WALL_REACH_MM = 4.0
"""Medial and lateral walls of a pedicle differ this far from its isthmus, and fade as far again."""


@dataclass(frozen=True)
class BoneLook:
    """Density of bone.

    Parameters
    ----------
    body_cortex_hu, posterior_cortex_hu : float
        Of the shell of the body, and of pedicles and arch.
    body_cortex_mm, posterior_cortex_mm : float
        Its thickness, before the last 0.9 mm in which it passes into the marrow.
    thin_wall, thin_plate : float
        Share 0..1 of the body's cortical density that is missing at the posterior wall, and at the end plates: both
        are thinner than the front.
    rim_hu, rim_mm : float
        Cancellous bone under the cortex of the body is denser by this much, fading over this depth; twice as much
        at the back, where the pedicles spring, and little at the front.
    medial_to_lateral : float
        How many times as much cortex the medial wall of a pedicle has as the lateral one, about its isthmus. Their mean
        stays that of the posterior cortex, and the outline does not move. 1.42 is 0.85 to 0.60 mm: histology of L3,
        mean of both sexes, read; that it holds at every level is an assumption.
    posterior_marrow_hu : float
        Marrow of pedicles and arch above that of the body.
    uneven_hu : float
        Standard deviation of cancellous density (in the body, before the scanner's blur); three times that in the arch.
    uneven_mm : float
        Size of its grain across the vertebra; along it twice as much.
    seed : int
        Of the unevenness.
    canal_front_hu : float
        What lies between the posterior wall and the dura: -60 is fat, 45 a full venous plexus.
    """

    body_cortex_hu: float = 600.0
    posterior_cortex_hu: float = 720.0
    body_cortex_mm: float = 0.7
    posterior_cortex_mm: float = 1.1
    thin_wall: float = 0.0
    thin_plate: float = 0.0
    rim_hu: float = 0.0
    rim_mm: float = 4.0
    medial_to_lateral: float = 1.42
    posterior_marrow_hu: float = 0.0
    uneven_hu: float = 0.0
    uneven_mm: float = 1.2
    seed: int = 1
    canal_front_hu: float = -60.0

    def __post_init__(self) -> None:
        limits = {
            "body_cortex_hu": (0.0, 2500.0), "posterior_cortex_hu": (0.0, 2500.0), "body_cortex_mm": (0.0, 4.0),
            "posterior_cortex_mm": (0.0, 4.0), "thin_wall": (0.0, 1.0), "thin_plate": (0.0, 1.0),
            "rim_hu": (-100.0, 600.0), "rim_mm": (0.5, 15.0), "medial_to_lateral": (0.5, 3.0),
            "posterior_marrow_hu": (-200.0, 800.0), "uneven_hu": (0.0, 300.0), "uneven_mm": (0.5, 6.0),
            "seed": (0, 2**31), "canal_front_hu": (-120.0, 300.0),
        }  # fmt: skip
        for name, (low, high) in limits.items():
            if not low <= getattr(self, name) <= high:
                raise InputError(
                    f"bone look: {name} {getattr(self, name):g} cannot be built; use {low:g} to {high:g}",
                    code="bone_look_invalid",
                    numbers={"value": float(getattr(self, name)), "min": float(low), "max": float(high)},
                )


PLAIN = BoneLook()
"""Even cancellous bone; a shell that is even but for the pedicles."""
NATURAL = BoneLook(
    body_cortex_hu=520.0, posterior_cortex_hu=1500.0, posterior_cortex_mm=0.2, thin_wall=0.42, thin_plate=0.04,
    rim_hu=75.0, rim_mm=4.0, posterior_marrow_hu=90.0, uneven_hu=53.0, uneven_mm=1.3, canal_front_hu=45.0,
)  # fmt: skip
"""Tuned so that profiles and histograms of T9 to L2 look like those of LIDC-IDRI-0001 (docs/make_profile_figure.py)."""


def bone_hu(
    look: BoneLook,
    one: Vertebra,
    p: Coordinates,
    bone: AnyArray,
    depth: AnyArray,
    cancellous_hu: AnyArray | np.float32 | float,
) -> Float32Array:
    """HU of the bone of a vertebra at points of its own frame (what lies outside the bone does not matter).

    Parameters
    ----------
    look : BoneLook
    one : Vertebra
    p : three ndarrays
        Own coordinates (u, v, w), mm.
    bone : ndarray
        Implicit value of the bone at the points, mm.
    depth : ndarray
        Value of the cortex's outer surface: `bone`, but for fresh fracture faces.
    cancellous_hu : ndarray or float
        Density of cancellous bone in the body.
    """
    body = one.body.value(p)
    in_body = body < 0.3
    cortex_hu = np.where(in_body, np.float32(look.body_cortex_hu), np.float32(look.posterior_cortex_hu))
    thick = np.where(in_body, np.float32(look.body_cortex_mm), np.float32(look.posterior_cortex_mm))
    much = np.where(in_body, np.float32(1.0), _medial_share(look, one, p))
    shell = np.clip(thick / _GRADE_MM + 1.0 + depth / (_GRADE_MM * much), 0.0, 1.0)
    inner = cancellous_hu
    if look != PLAIN:
        near = bone < 1.0
        inner = np.broadcast_to(np.asarray(inner, dtype=np.float32), bone.shape).copy()
        behind = np.clip(1.0 + p[1] * (2.0 / one.body.depth_mm), 0.3, 2.0)
        rim = look.rim_hu * behind * np.exp(np.minimum(depth, 0.0) / look.rim_mm)
        inner += np.where(in_body, rim, look.posterior_marrow_hu)
        if look.uneven_hu > 0:
            inner[near] += (_uneven(look, p, near) * np.where(in_body[near], 1.0, 3.0)).astype(np.float32)
        cortex_hu = np.where(in_body, cortex_hu * (1.0 - _missing(look, one, p)), cortex_hu)
    return np.asarray(inner + shell * (cortex_hu - inner), dtype=np.float32)


def _medial_share(look: BoneLook, one: Vertebra, p: Coordinates) -> AnyArray:
    """Cortex of the pedicles as a share of its mean: more on the side of the canal, less on the other, else 1."""
    share = np.ones_like(p[0])
    uneven = (look.medial_to_lateral - 1.0) / (look.medial_to_lateral + 1.0)
    for side, tube in one.pedicles.items():
        near = (p[0] * side.sign > 0) & (tube.from_waist(p) < 2.0 * _WALL_REACH_MM)
        q = (p[0][near], p[1][near], p[2][near])
        t = (q[1] - float(tube.start[1])) * float(1.0 / tube.axis[1])  # pedicles run backwards
        outwards = (q[0] - float(tube.start[0]) - t * float(tube.axis[0])) * side.sign
        fade = np.clip(2.0 - tube.from_waist(q) / _WALL_REACH_MM, 0.0, 1.0) * (tube.value(q) < 1.0)
        share[near] -= uneven * fade * np.clip(outwards / (0.6 * tube.semi_start[0]), -1.0, 1.0)
    return share


def _missing(look: BoneLook, one: Vertebra, p: Coordinates) -> AnyArray:
    """Share of the body's cortical density that is missing: near the canal and near the end plates."""
    top, bottom = one.body.plates(p[0], p[1])[:2]
    plate = np.clip(1.5 - np.minimum(top - p[2], p[2] - bottom) / 2.0, 0.0, 1.0)
    wall = np.clip(1.5 - (one.canal.front_mm - p[1]) / 3.0, 0.0, 1.0)
    return np.asarray(np.maximum(look.thin_plate * plate, look.thin_wall * wall))


def _uneven(look: BoneLook, p: Coordinates, where: AnyArray) -> Float32Array:
    """Smooth noise fixed to the bone, HU; the same for the same seed however the bone is sampled."""
    cell = 0.5 * look.uneven_mm
    at = [p[0][where] / cell, p[1][where] / cell, p[2][where] / (2.0 * cell)]
    field = ndimage.map_coordinates(_field(look.seed), at, order=1, mode="grid-wrap")
    return np.asarray(field * np.float32(look.uneven_hu), dtype=np.float32)


@lru_cache(maxsize=4)
def _field(seed: int) -> Float32Array:
    """A periodic cube of smooth noise with deviation 1, 2 cells of correlation."""
    white = np.random.default_rng([seed, 11]).standard_normal((_CELLS,) * 3)
    smooth = ndimage.gaussian_filter(white, 1.0, mode="wrap")
    field: Float32Array = (smooth / smooth.std()).astype(np.float32)
    field.setflags(write=False)
    return field
