"""A Vertebra straight from phantom truth, so that planning is tested without the measuring step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trajplan.anatomy.vertebra import Confidence, Endplate, Fracture, Heights, Pedicle, Vertebra
from trajplan.geometry import Grid, LabelMap
from trajplan.geometry.resample import resample_labels, resample_mask
from trajplan.levels import LEVEL_IDS
from trajplan.parts import Part
from trajplan_phantoms import Phantom, PhantomSpec, Scanner, make_phantom


@dataclass(frozen=True)
class Case:
    """A phantom and the vertebra record made from its exact truth."""

    phantom: Phantom
    vertebra: Vertebra


def vertebra_of(phantom: Phantom) -> Vertebra:
    """The record a perfect measuring step would give."""
    truth = phantom.truth
    identifier = LEVEL_IDS[truth.level]
    where = phantom.parts.grid.index_to_world(np.argwhere(phantom.parts.array > 0))
    grid = Grid.isotropic(where.min(axis=0) - 12, where.max(axis=0) + 12, 0.6)
    parts = resample_labels(phantom.parts, grid)
    others = (phantom.labels.array > 0) & (phantom.labels.array != identifier)
    pedicles = {}
    for side, p in truth.pedicles.items():
        across = np.cross(truth.frame.w, p.axis_lps)
        across /= np.linalg.norm(across)
        up = np.cross(p.axis_lps, across)
        t = np.linspace(0, 2 * np.pi, 48)[:, None]
        outline = p.isthmus_center_lps + p.width_mm / 2 * np.cos(t) * across + p.height_mm / 2 * np.sin(t) * up
        pedicles[side] = Pedicle(side, p.isthmus_center_lps, p.axis_lps, p.width_mm, p.height_mm, outline)
    body = truth.frame.to_local(grid.index_to_world(np.argwhere(parts.array == Part.BODY)))
    wall_v = np.percentile(body[np.abs(body[:, 0]) < 8][:, 1], 99)
    wall = truth.frame.to_world(np.array([[u, wall_v, w] for u in (-8, 0, 8) for w in np.linspace(-8, 8, 7)]))
    front_v = np.percentile(body[np.abs(body[:, 0]) < 6][:, 1], 1)
    front = truth.frame.to_world(np.array([[0.0, front_v, w] for w in np.linspace(-6, 6, 7)]))
    plate = Endplate(truth.frame.origin_lps, truth.frame.w, 0.3)
    return Vertebra(
        level=truth.level,
        level_id=identifier,
        level_confirmed=True,
        parts=LabelMap(parts.array, grid),
        other_bone=resample_mask(others, phantom.labels.grid, grid) >= 0.5,
        frame=truth.frame,
        pedicles=pedicles,
        superior=plate,
        inferior=plate,
        heights=Heights(20.0, 20.0, 25.0, 25.0, "made up", 20.0),
        fracture=Fracture("wedge", 1),
        posterior_wall_lps=wall,
        anterior_wall_lps=front,
        body_volume_ml=30.0,
        body_hu=120.0,
        confidence=Confidence(1.0, {}, ()),
        source="phantom truth",
        touches_edge=False,
    )


def case_of(spec: PhantomSpec) -> Case:
    phantom = make_phantom(spec, Scanner(spacing_zyx=(1.0, 0.8, 0.8), noise_hu=10, seed=1))
    return Case(phantom, vertebra_of(phantom))
