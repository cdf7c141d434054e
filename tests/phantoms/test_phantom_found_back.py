"""What was asked of drawn people is found back by measuring bone, on the functions and on voxels of 0.7 mm.

The measurements (`phantom_measure`) know walls only. Sizes that a rounded rim hides (end plates) are defined on the
body's outline and so measured there on the functions, and drawn out from the sections below the rim on voxels. Labels
of 0.7 mm resolve the angles of a thoracic pedicle to about 3 degrees and an end plate to 0.5 mm only, because a wall
may lie along one plane of voxels; both are therefore measured on the share of bone in every voxel, as in the CT.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from phantom_measure import (
    Plates,
    Solid,
    body_voxels,
    canal_size,
    end_plates,
    neck,
    outline_size,
    plate_sizes,
    smooth,
    voxels,
)
from scipy.spatial.transform import Rotation

from trajplan.parts import Side
from trajplan_phantoms import PhantomSpec
from trajplan_phantoms.body import Body
from trajplan_phantoms.fracture import Fracture
from trajplan_phantoms.morphometry import LEVELS
from trajplan_phantoms.population import draw
from trajplan_phantoms.spine import Placement, build_spine
from trajplan_phantoms.vertebra import Vertebra

VOXEL_MM = 0.7
QUICK = [("T4", 0), ("T7", 3), ("T9", 3), ("L3", 7)]
"""A steep pedicle (T7), end plates of very unlike depth (T9), a wide pedicle and small canal (L3)."""
SEEDS = range(5)
LOSES_AT = {"wedge": -0.4, "biconcave": 0.0, "crush": -0.4}

Errors = dict[str, float]


def person(level: str, seed: int, fracture: Fracture | str = "none") -> tuple[PhantomSpec, Vertebra]:
    """A drawn person, women and men in turn, without the osteophytes that raise rims."""
    more = {"fracture": fracture, "height_loss_percent": 0.0} if isinstance(fracture, str) else {"fracture": fracture}
    spec = draw(level, "female" if seed % 2 else "male", None, seed, osteophyte_mm=0.0, **more)
    spine = build_spine(spec)
    return spec, spine.vertebrae[spine.target]


def askew(seed: int) -> Placement:
    """A patient who lies neither straight nor on the grid."""
    random = np.random.default_rng(seed)
    angles = random.uniform(4.0, 9.0, 3) * random.choice([-1.0, 1.0], 3)
    return Placement(Rotation.from_euler("zyx", angles, degrees=True).as_matrix(), random.uniform(-30.0, 30.0, 3))


def pedicle_errors(
    spec: PhantomSpec, one: Vertebra, side: Side, solid: Solid, half_mm: float, spread: float, many: int
) -> Errors:
    """Found less asked, mm and degrees; the search starts 0.4 mm and 2 degrees off."""
    asked, tube = spec.sizes_of(spec.target), one.pedicles[side]
    guess = np.tan(np.deg2rad([asked.convergence_deg + 1.5, asked.caudal_deg - 1.5]))
    axis = np.array([-side.sign * guess[0], -1.0, -guess[1]])
    start = tube.start + tube.waist_mm * tube.axis + np.array([0.3, 0.0, 0.3])
    found = neck(solid, start, axis / np.linalg.norm(axis), half_mm, spread, many)
    forward = found.axis * np.array([-side.sign, -1.0, -1.0])
    return {
        "pedicle width": found.width_mm - spec.pedicle_width_mm(side),
        "pedicle height": found.height_mm - asked.pedicle_height_mm,
        "convergence deg": float(np.rad2deg(np.arctan2(forward[0], forward[1]))) - asked.convergence_deg,
        "caudal deg": float(np.rad2deg(np.arctan2(forward[2], forward[1]))) - asked.caudal_deg,
        # the canal's width is that between the pedicles' inner sides
        "half canal": side.sign * float(found.center[0]) - 0.5 * found.width_mm - 0.5 * asked.canal_width_mm,
    }


def body_errors(
    spec: PhantomSpec, body: Body, solid: Solid, across: int, plates: Callable[[Plates], np.ndarray]
) -> Errors:
    """Found less asked; `plates` measures the end plates between their planes."""
    m = spec.sizes_of(spec.target)
    planes = end_plates(solid, body.width_mm, body.depth_mm, across)
    plate = plates(planes)
    names = ("plate_width_upper_mm", "plate_depth_upper_mm", "plate_width_lower_mm", "plate_depth_lower_mm")
    front = m.height_posterior_mm - 2.0 * body.depth_mm * np.tan(np.deg2rad(0.5 * m.wedge_deg))
    return {
        **{name: float(size) - getattr(m, name) for name, size in zip(names, plate, strict=True)},
        "posterior height": planes.height_mm(0.5 * body.depth_mm) - m.height_posterior_mm,
        "anterior height": planes.height_mm(-0.5 * body.depth_mm) - float(front),
        "wedge deg": planes.wedge_deg - m.wedge_deg,
    }


def canal_errors(spec: PhantomSpec, one: Vertebra, solid: Solid, half_mm: float) -> Errors:
    """Found less asked: the free canal is 1 mm narrower than the distance of the pedicles, and as deep as asked."""
    m, canal = spec.sizes_of(spec.target), one.canal
    center = np.array(
        [0.0, canal.front_mm + 0.45 * canal.depth_mm, 0.5 * (m.height_posterior_mm - m.pedicle_height_mm) - 2.0]
    )
    width, depth = canal_size(solid, center, canal.width_mm, canal.depth_mm, half_mm)
    return {"free canal": width - (m.canal_width_mm - 1.0), "canal depth": depth - m.canal_depth_mm}


def loss_errors(level: str, seed: int, on_voxels: bool) -> Errors:
    """Found less asked height, mm, of the column that loses what was asked, for the three kinds of fracture."""
    random, errors = np.random.default_rng(900 + seed), {}
    for kind, share in LOSES_AT.items():
        loss = float(random.uniform(0.0, 80.0))
        heights = []
        for fracture in ("none", Fracture(kind, loss)):  # type: ignore[arg-type]
            body = person(level, seed, fracture)[1].body
            if on_voxels:
                u, v = np.meshgrid(
                    np.linspace(-0.02, 0.02, 3) * body.width_mm, (share + np.array([-0.02, 0, 0.02])) * body.depth_mm
                )
                solid = body_voxels(body, askew(seed), VOXEL_MM)
            else:
                u, v, solid = np.zeros(1), np.array([share * body.depth_mm]), smooth(body.value)
            middle = np.column_stack([u.ravel(), v.ravel(), np.zeros(u.size)])
            heights.append(float(solid.outline(middle, np.array([0.0, 0.0, 1.0]), 22.0).mean()))
        errors[f"height after {kind}"] = heights[1] - heights[0] * (1.0 - loss / 100.0)
    return errors


def errors_on_functions(level: str, seed: int) -> Errors:
    spec, one = person(level, seed)
    bone, body = smooth(one.value), one.body
    free = smooth(lambda p: np.maximum(one.canal.value(p), -one.value(p)))
    plate = np.ravel(
        [outline_size(smooth(lambda p, at=at: body.side(p[0], p[1], at)), body.depth_mm) for at in (1.0, -1.0)]
    )
    errors = body_errors(spec, body, smooth(body.value), 1, lambda planes: plate) | canal_errors(spec, one, free, 0.02)
    for side in Side:
        errors |= {f"{side} {k}": x for k, x in pedicle_errors(spec, one, side, bone, 0.05, 0.1, 3).items()}
    return errors | loss_errors(level, seed, False)


def errors_on_voxels(level: str, seed: int) -> Errors:
    spec, one = person(level, seed)
    seen, body, behind_mm = voxels(one, askew(seed), VOXEL_MM), one.body, 0.5 * one.canal.depth_mm
    errors = body_errors(
        spec,
        body,
        seen.body,
        9,
        lambda planes: plate_sizes(seen.partial, body.width_mm, body.depth_mm, planes, behind_mm),
    )
    errors |= canal_errors(spec, one, seen.canal, 3.0)
    for side in Side:
        errors |= {f"{side} {k}": x for k, x in pedicle_errors(spec, one, side, seen.partial, 1.25, 0.5, 11).items()}
    return errors | loss_errors(level, seed, True)


def check(errors: Errors, mm: float, deg: float) -> None:
    for name, error in errors.items():
        assert abs(error) < (deg if name.endswith("deg") else mm), f"{name}: {error:+.3f}"


@pytest.mark.parametrize(("level", "seed"), QUICK)
def test_all_sizes_are_found_back_on_the_functions(level: str, seed: int) -> None:
    check(errors_on_functions(level, seed), 0.05, 0.1)


@pytest.mark.parametrize(("level", "seed"), QUICK)
def test_all_sizes_are_found_back_on_voxels(level: str, seed: int) -> None:
    check(errors_on_voxels(level, seed), 0.5, 2.0)


@pytest.mark.long
@pytest.mark.parametrize("level", LEVELS)
def test_all_sizes_of_five_people_are_found_back_on_the_functions(level: str) -> None:
    for seed in SEEDS:
        check(errors_on_functions(level, seed), 0.05, 0.1)


@pytest.mark.long
@pytest.mark.parametrize("level", LEVELS)
def test_all_sizes_of_five_people_are_found_back_on_voxels(level: str) -> None:
    for seed in SEEDS:
        check(errors_on_voxels(level, seed), 0.5, 2.0)
