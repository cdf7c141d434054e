"""A small body-like CT, a hand-made vertebra, and slow, plain projectors to judge the fast ones by."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from trajplan.anatomy.vertebra import Confidence, Endplate, Fracture, Heights, Pedicle, Vertebra
from trajplan.fluoroscopy.attenuation import hu_to_mu
from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.rays import box_interval, detector_rays
from trajplan.geometry import Frame, Grid, LabelMap, Volume
from trajplan.parts import Part, Side

CENTER_LPS = np.array([12.0, -40.0, 310.0])


def body_volume(shape: int = 96) -> Volume:
    """Soft tissue, bone and gas as smooth-edged solids inside air, int16 HU."""
    spacing = np.array([1.6, 1.4, 1.5])
    grid = Grid((shape,) * 3, CENTER_LPS - (shape - 1) / 2 * spacing[::-1], spacing)
    x, y, z = np.moveaxis(grid.points_lps() - CENTER_LPS, -1, 0)
    hu = np.full(grid.shape_zyx, -1000.0)
    for center, radii, value in (
        ((0, 0, 0), (62, 52, 66), -90.0),
        ((0, 0, 0), (56, 46, 62), 45.0),
        ((-22, -20, 15), (14, 14, 18), -950.0),
        ((0, 14, 0), (17, 13, 52), 350.0),
        ((14, 26, 8), (5, 9, 6), 700.0),
        ((-25, 30, -20), (4, 4, 20), 1100.0),
    ):
        inside = 1 - np.sqrt(sum(((a - c) / r) ** 2 for a, c, r in zip((x, y, z), center, radii, strict=True)))
        share = np.clip(0.5 + inside * min(radii) / 2.0, 0, 1)
        hu += share * (value - hu)
    return Volume(np.rint(hu).astype(np.int16), grid)


def trilinear_reference(volume: Volume, carm: CArm, step_mm: float = 0.3) -> np.ndarray:
    """Midpoint rule through trilinear interpolation, voxels at the border reaching to their outer faces."""
    mu = hu_to_mu(volume.array)
    rays = detector_rays(carm)
    rows, columns = carm.detector_px
    image = np.zeros(carm.detector_px)
    for r in range(rows):
        vectors = rays.of(np.full(columns, float(r)), np.arange(columns, dtype=float))
        enter, leave = box_interval(volume.grid, rays.source, vectors)
        length = np.linalg.norm(vectors, axis=1) * np.maximum(leave - enter, 0)
        count = int(np.ceil(length.max() / step_mm))
        if count == 0:
            continue
        t = enter[:, None] + (np.arange(count) + 0.5) / count * (leave - enter)[:, None]
        hit = length > 0
        points = rays.source + t[hit][..., None] * vectors[hit][:, None, :]
        index = np.moveaxis(volume.grid.world_to_index(points), -1, 0)
        value = ndimage.map_coordinates(mu, index, order=1, mode="nearest")
        image[r, hit] = value.mean(axis=1) * length[hit]
    return image


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Normalised cross-correlation of two images."""
    return float(np.corrcoef(np.ravel(a), np.ravel(b))[0, 1])


def box_vertebra(rotation: np.ndarray, wedge_deg: float = 0.0, spacing_mm: float = 2.0) -> Vertebra:
    """A symmetric vertebra whose frame is `rotation` (rows u, v, w), made by hand."""
    frame = Frame(CENTER_LPS, rotation)
    grid = Grid.isotropic(CENTER_LPS - 70, CENTER_LPS + 70, spacing_mm)
    u, v, w = np.moveaxis(frame.to_local(grid.points_lps()), -1, 0)
    array = np.zeros(grid.shape_zyx, np.uint8)
    array[(np.abs(u) < 4) & (v > 28) & (v < 62) & (np.abs(w) < 10)] = Part.POSTERIOR
    array[(np.hypot(u / 22, v / 16) < 1) & (np.abs(w) < 13)] = Part.BODY

    def pedicle(side: Side) -> Pedicle:
        center = np.array([15.0 * side.sign, 20.0, 4.0])
        angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        ring = np.stack([4 * np.cos(angle), 0 * angle, 7 * np.sin(angle)], axis=1)
        axis = frame.direction_to_world([-0.2 * side.sign, -1.0, 0.0])
        return Pedicle(
            side, frame.to_world(center), axis / np.linalg.norm(axis), 8.0, 14.0, frame.to_world(center + ring)
        )

    half = np.radians(wedge_deg / 2)
    up = frame.direction_to_world([0.0, -np.sin(half), np.cos(half)])
    down = frame.direction_to_world([0.0, np.sin(half), np.cos(half)])
    rim = np.array([[s, 14.0, h] for s in (-16.0, -8.0, 0.0, 8.0, 16.0) for h in (-10.0, 0.0, 10.0)])
    return Vertebra(
        level="L1",
        level_id=20,
        level_confirmed=True,
        parts=LabelMap(array, grid),
        other_bone=np.zeros(grid.shape_zyx, bool),
        frame=frame,
        pedicles={side: pedicle(side) for side in Side},
        superior=Endplate(frame.to_world([0, 0, 13.0]), up, 0.0),
        inferior=Endplate(frame.to_world([0, 0, -13.0]), down, 0.0),
        heights=Heights(26.0, 26.0, 26.0, 26.0, "made up", 0.0),
        fracture=Fracture("none", 0),
        posterior_wall_lps=frame.to_world(rim),
        anterior_wall_lps=frame.to_world(rim * [1, -1, 1]),
        body_volume_ml=28.0,
        body_hu=150.0,
        confidence=Confidence(1.0, {}, ()),
        source="by hand",
        touches_edge=False,
    )
