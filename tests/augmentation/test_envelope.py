"""Volumes from radii agree with closed forms; the mesh encloses the same."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from trajplan.augmentation.balloon_shape import FreeShape, free_shape
from trajplan.augmentation.envelope import Envelope, across_axis
from trajplan.planning.instruments import SHIPPED

Z_MM = (np.arange(80) + 0.5) * 0.5 - 20.0
R_MM, HALF_MM = 8.0, 12.0
SHAPES = {
    "cylinder": (np.where(np.abs(Z_MM) < HALF_MM, R_MM, 0.0), math.pi * R_MM**2 * 2 * HALF_MM),
    "ellipsoid": (
        R_MM * np.sqrt(np.clip(1 - (Z_MM / HALF_MM) ** 2, 0, None)),
        4 / 3 * math.pi * R_MM**2 * HALF_MM,
    ),
    "capsule": (
        np.sqrt(np.clip(R_MM**2 - np.clip(np.abs(Z_MM) - (HALF_MM - R_MM), 0, None) ** 2, 0, None)),
        math.pi * R_MM**2 * 2 * (HALF_MM - R_MM) + 4 / 3 * math.pi * R_MM**3,
    ),
}


def _envelope(radius_mm: np.ndarray, axis: tuple[float, float, float] = (0.2, -0.9, 0.3)) -> Envelope:
    return Envelope(np.array([3.0, -4.0, 50.0]), across_axis(axis), Z_MM, np.repeat(radius_mm[:, None], 48, axis=1))


def _mesh_ml(envelope: Envelope) -> float:
    points, faces = envelope.mesh()
    a, b, c = (points[faces[:, k]] - envelope.center_lps for k in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum()) / 6000


@pytest.mark.parametrize("name", SHAPES)
def test_the_volume_agrees_with_the_closed_form_to_two_percent(name: str) -> None:
    radius, true_mm3 = SHAPES[name]
    assert _envelope(radius).volume_ml == pytest.approx(true_mm3 / 1000, rel=0.02)
    assert _mesh_ml(_envelope(radius)) == pytest.approx(true_mm3 / 1000, rel=0.02)


@pytest.mark.parametrize("balloon", SHIPPED.balloons.values(), ids=lambda b: b.name)
def test_the_free_balloon_has_its_closed_form_volume_and_lies_within_the_sizes_of_the_catalogue(balloon) -> None:
    shape = free_shape(balloon, balloon.inflated_diameter_mm / 2)
    assert shape.length_mm == pytest.approx(balloon.inflated_length_mm)
    assert _envelope(shape.radius_at(Z_MM)).volume_ml == pytest.approx(shape.volume_ml, rel=0.01)


def test_brochure_sizes_and_volumes_go_together_in_this_shape() -> None:
    for name, ml in (("15 mm", 4.0), ("20 mm", 6.0)):
        balloon = SHIPPED.balloons[name]
        full = next(s for r in np.arange(6, 12, 0.01) if (s := free_shape(balloon, float(r))).volume_ml >= ml)
        assert 2 * full.radius_mm == pytest.approx(balloon.inflated_diameter_mm, rel=0.06)
        assert full.length_mm == pytest.approx(balloon.inflated_length_mm, rel=0.06)


def test_a_longer_or_thicker_balloon_holds_more() -> None:
    assert FreeShape(8.0, 21.0).volume_ml < FreeShape(8.0, 22.0).volume_ml < FreeShape(8.2, 22.0).volume_ml


def test_the_mesh_is_watertight_and_its_normals_point_outwards() -> None:
    envelope = _envelope(SHAPES["ellipsoid"][0])
    points, faces = envelope.mesh()
    edges = Counter((int(a), int(b)) for f in faces for a, b in zip(f, np.roll(f, -1), strict=True))
    assert all(edges[b, a] == 1 for a, b in edges)
    assert set(edges.values()) == {1}
    normal = np.cross(points[faces[:, 1]] - points[faces[:, 0]], points[faces[:, 2]] - points[faces[:, 0]])
    outward = points[faces].mean(axis=1) - envelope.center_lps
    assert (np.einsum("ij,ij->i", normal, outward) > 0).all()


def test_points_are_inside_or_outside_as_the_closed_form_says() -> None:
    envelope = _envelope(SHAPES["ellipsoid"][0], (0.0, -1.0, 0.0))
    rng = np.random.default_rng(1)
    offset = rng.uniform(-14, 14, (4000, 3))
    far = np.sqrt((offset[:, [0, 2]] ** 2).sum(axis=1) / R_MM**2 + offset[:, 1] ** 2 / HALF_MM**2)
    clear = np.abs(far - 1) > 0.06
    assert (envelope.contains(envelope.center_lps + offset)[clear] == (far < 1)[clear]).all()
