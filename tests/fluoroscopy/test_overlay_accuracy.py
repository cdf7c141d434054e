"""Promise: what is drawn over an X-ray lies on what the X-ray shows, within half a pixel of 1024, at any angle."""

from __future__ import annotations

import numpy as np
import pytest

from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.drr import Drr
from trajplan.fluoroscopy.overlay import tool_outline_px
from trajplan.fluoroscopy.prepared import PreparedVolume, prepare
from trajplan.fluoroscopy.projector import project
from trajplan.fluoroscopy.tools import Tool, add_tools
from trajplan.fluoroscopy.triangulation import triangulate
from trajplan.geometry import Capsule, Grid, Volume

BEAD = np.array([13.3, 11.6, -7.2])
CYLINDER = Capsule((-14.0, -9.0, 5.0), (9.0, 6.0, -11.0), 5.0)
ANGLES = [(0, 0), (90, 0), (-35, 20), (47, -33), (170, 12), (5, 63)]
LIMIT_PX = 0.5


def carm(angles: tuple[float, float]) -> CArm:
    return CArm(*angles, (1.0, 2.0, -3.0), detector_px=(1024, 1024), pixel_mm=0.194)


@pytest.fixture(scope="module")
def bead() -> PreparedVolume:
    grid = Grid((60, 56, 64), BEAD - [14.0, 11.0, 12.0], (0.5, 0.4, 0.45))
    away = np.linalg.norm(grid.points_lps() - BEAD, axis=-1)
    return prepare(Volume(np.rint(-1000 + 3500 * np.clip((2.0 - away) / 0.5 + 0.5, 0, 1)).astype(np.int16), grid))


@pytest.fixture(scope="module")
def rod() -> PreparedVolume:
    grid = Grid((80, 80, 90), (-22.0, -20.0, -20.0), (0.45, 0.5, 0.45))
    inside = -CYLINDER.distance(grid.points_lps())
    return prepare(Volume(np.rint(-1000 + 3000 * np.clip(inside / 0.5 + 0.5, 0, 1)).astype(np.int16), grid))


@pytest.mark.parametrize("quality", ["fast", "siddon"])
@pytest.mark.parametrize("angles", ANGLES)
def test_a_metal_bead_is_where_its_point_is_projected(bead, quality, angles) -> None:
    view = carm(angles)
    image = project(bead, view, quality=quality).line_integral
    row, column = np.indices(image.shape)
    seen = np.array([(image * row).sum(), (image * column).sum()]) / image.sum(dtype=np.float64)
    assert np.linalg.norm(seen - view.project(BEAD)) < LIMIT_PX


@pytest.mark.parametrize("quality", ["fast", "siddon"])
@pytest.mark.parametrize("angles", ANGLES)
def test_the_edge_of_a_rod_in_the_scan_is_where_its_outline_is_drawn(rod, quality, angles) -> None:
    """Across the middle of the rod: the chord law squared is a parabola, whose roots are the two edges."""
    view = carm(angles)
    image = project(rod, view, quality=quality).line_integral
    ends = view.project(np.stack([CYLINDER.start_lps, CYLINDER.end_lps]))
    along = (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0])
    across, middle = np.array([-along[1], along[0]]), ends.mean(axis=0)
    outline = tool_outline_px(CYLINDER, view)
    edges = line_meets(outline, middle, across)
    t = np.linspace(*edges, 41)[4:-4]
    beside = np.arange(-24, 25, 4)[:, None, None] * along  # over several voxels, which are 5 px wide
    value = bilinear(image, middle + beside + t[:, None] * across)
    roots = [np.sort(np.roots(np.polyfit(t, line**2, 2)).real) for line in value]
    wanted = [line_meets(outline, middle + away[0], across) for away in beside]
    np.testing.assert_allclose(np.mean(roots, axis=0), np.mean(wanted, axis=0), atol=LIMIT_PX)


@pytest.mark.parametrize("angles", ANGLES)
def test_the_tip_of_a_needle_is_where_it_is_projected(angles) -> None:
    view = carm(angles)
    needle = Capsule((20.0, 30.0, 12.0), (-3.0, 1.0, 4.0), 1.2)
    image = add_tools(Drr(np.zeros(view.detector_px, np.float32), view, "fast"), [Tool(needle, 1.0)]).line_integral
    outline = tool_outline_px(needle, view)
    found = np.argwhere(image > 0)
    for direction in np.stack([np.cos(np.arange(0, 6.2, 0.4)), np.sin(np.arange(0, 6.2, 0.4))], axis=1):
        assert -0.05 <= (outline @ direction).max() - (found @ direction).max() < 1.0  # its last pixel is within
    rim = np.array([view.project(needle.end_lps)])
    assert image[tuple(np.rint(rim[0]).astype(int))] > 1.0


@pytest.mark.parametrize("seed", range(6))
def test_a_needle_seen_in_two_views_is_found_again_in_space(seed) -> None:
    """Its axis on each view is read off the picture's own pixels, to a thousandth of the silhouette."""
    rng = np.random.default_rng(seed)
    tip = rng.uniform(-8, 8, 3)
    back = tip + np.array([20.0, 45.0, 8.0]) + rng.uniform(-6, 6, 3)
    ap, lateral = carm((0, 4)), carm((90, -3))
    found = [
        triangulate(ap, middle_of_bead(ap, point), lateral, middle_of_bead(lateral, point))[0] for point in (tip, back)
    ]
    assert max(np.linalg.norm(found[0] - tip), np.linalg.norm(found[1] - back)) < 0.1
    direction, truth = found[1] - found[0], back - tip
    cosine = direction @ truth / np.linalg.norm(direction) / np.linalg.norm(truth)
    assert np.degrees(np.arccos(min(cosine, 1.0))) < 0.1


def middle_of_bead(view: CArm, point: np.ndarray) -> np.ndarray:
    """Centroid of the shadow of a 1 mm ball."""
    blank = Drr(np.zeros(view.detector_px, np.float32), view, "fast")
    image = add_tools(blank, [Tool(Capsule(point, point, 1.0), 1.0)]).line_integral
    row, column = np.indices(image.shape)
    return np.array([(image * row).sum(), (image * column).sum()]) / image.sum(dtype=np.float64)


def line_meets(outline: np.ndarray, middle: np.ndarray, across: np.ndarray) -> tuple[float, float]:
    """Where the line ``middle + t across`` leaves a convex polygon, t least and greatest."""
    normal = np.array([-across[1], across[0]])
    side = (outline - middle) @ normal
    following = np.roll(side, -1)
    hits = []
    for k in np.flatnonzero(side * following <= 0):
        share = side[k] / (side[k] - following[k])
        point = outline[k] + share * (outline[(k + 1) % len(outline)] - outline[k])
        hits.append(float((point - middle) @ across))
    return min(hits), max(hits)


def bilinear(image: np.ndarray, at: np.ndarray) -> np.ndarray:
    from scipy.ndimage import map_coordinates

    return map_coordinates(image.astype(np.float64), np.moveaxis(at, -1, 0), order=1)
