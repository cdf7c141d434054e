"""Overlay against picture, and a needle found again from two views: pixels of a 1024 x 1024 detector, mm, deg.

Bead: centroid of its shadow against its projected centre. Rod: its chords squared are a parabola across it, whose roots
are its two edges, against the outline. Tip: chords squared at the end of a needle, likewise, along its axis. Bead and
rod are voxels whose attenuation, not CT number, falls evenly at the edge: else the edge itself lies elsewhere.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import map_coordinates

from trajplan.fluoroscopy.attenuation import attenuation_curve
from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.drr import Drr
from trajplan.fluoroscopy.overlay import tool_outline_px
from trajplan.fluoroscopy.prepared import PreparedVolume, prepare
from trajplan.fluoroscopy.projector import project
from trajplan.fluoroscopy.tools import Tool, add_tools
from trajplan.fluoroscopy.triangulation import triangulate
from trajplan.geometry import Capsule, Grid, Volume

ANGLES = [(0, 0), (90, 0), (-35, 20), (47, -33), (170, 12), (5, 63), (45, 0), (-90, 40)]
BEAD = np.array([13.3, 11.6, -7.2])
ROD = Capsule((-14.0, -9.0, 5.0), (9.0, 6.0, -11.0), 5.0)


def carm(angles: tuple[float, float]) -> CArm:
    """A view of a 1024 x 1024 detector."""
    return CArm(*angles, (1.0, 2.0, -3.0), detector_px=(1024, 1024), pixel_mm=0.194)


def voxels(share: np.ndarray, grid: Grid) -> PreparedVolume:
    """Dense bone by shares of its attenuation, clipped to 0..1."""
    curve = attenuation_curve()
    mu = np.clip(share, 0, 1) * curve.at(2500.0)
    return prepare(Volume(np.rint(np.interp(mu, curve.mu_per_mm, curve.hu)).astype(np.int16), grid))


def bead_error_px(quality: str) -> float:
    """Largest over the angles."""
    grid = Grid((60, 56, 64), BEAD - [14.0, 11.0, 12.0], (0.5, 0.4, 0.45))
    away = np.linalg.norm(grid.points_lps() - BEAD, axis=-1)
    ball = voxels((2.0 - away) / 0.5 + 0.5, grid)
    return max(
        float(np.linalg.norm(centroid(project(ball, carm(a), quality=quality).line_integral) - carm(a).project(BEAD)))
        for a in ANGLES
    )


def rod_error_px(quality: str) -> float:
    """Largest over the angles, mean of 25 profiles, of the two edges."""
    grid = Grid((80, 80, 90), (-22.0, -20.0, -20.0), (0.45, 0.5, 0.45))
    rod = voxels(-ROD.distance(grid.points_lps()) / 0.5 + 0.5, grid)
    worst = 0.0
    for angles in ANGLES:
        view = carm(angles)
        image = project(rod, view, quality=quality).line_integral.astype(np.float64)
        ends = view.project(np.stack([ROD.start_lps, ROD.end_lps]))
        along = (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0])
        across, middle = np.array([-along[1], along[0]]), ends.mean(axis=0)
        outline = tool_outline_px(ROD, view)
        off = []
        for away in np.arange(-24, 25, 2):
            at = middle + away * along
            edges = line_meets(outline, at, across)
            t = np.linspace(*edges, 41)[4:-4]
            value = map_coordinates(image**2, (at + t[:, None] * across).T, order=1)
            off.append(np.sort(np.roots(np.polyfit(t, value, 2)).real) - edges)
        worst = max(worst, float(np.abs(np.mean(off, axis=0)).max()))
    return worst


def tip_error_px() -> float:
    """The round end of a needle, along its own axis on the picture, largest over the angles."""
    needle = Capsule((20.0, 30.0, 12.0), (-3.0, 1.0, 4.0), 1.2)
    worst = 0.0
    for angles in ANGLES:
        view = carm(angles)
        image = shadow(view, needle).astype(np.float64)
        start, end = view.project(np.stack([needle.start_lps, needle.end_lps]))
        along = (end - start) / np.linalg.norm(end - start)
        edge = line_meets(tool_outline_px(needle, view), end, along)[1]
        t = np.linspace(edge - 7.0, edge - 1.0, 60)
        value = map_coordinates(image**2, (end + t[:, None] * along).T, order=1)
        roots = np.roots(np.polyfit(t, value, 2)).real
        worst = max(worst, float(np.abs(roots - edge).min()))
    return worst


def needle_error() -> tuple[float, float]:
    """A needle's two ends out of AP and lateral: largest error in mm and deg over 40 draws."""
    rng = np.random.default_rng(4)
    views = carm((0, 4)), carm((90, -3))
    worst = 0.0, 0.0
    for _ in range(40):
        tip = rng.uniform(-8, 8, 3)
        back = tip + np.array([16.0, 30.0, 8.0]) + rng.uniform(-6, 6, 3)
        ends = []
        for point in (tip, back):
            seen = [centroid(shadow(view, Capsule(point, point, 1.0))) for view in views]
            ends.append(triangulate(views[0], seen[0], views[1], seen[1])[0])
        off = max(np.linalg.norm(ends[0] - tip), np.linalg.norm(ends[1] - back))
        found, truth = ends[1] - ends[0], back - tip
        cosine = found @ truth / np.linalg.norm(found) / np.linalg.norm(truth)
        worst = max(worst[0], float(off)), max(worst[1], float(np.degrees(np.arccos(min(cosine, 1.0)))))
    return worst


def shadow(view: CArm, needle: Capsule) -> np.ndarray:
    """Chords of a solid alone."""
    return add_tools(Drr(np.zeros(view.detector_px, np.float32), view, "fast"), [Tool(needle, 1.0)]).line_integral


def centroid(image: np.ndarray) -> np.ndarray:
    """(row, column)."""
    rows, columns = (np.arange(n) for n in image.shape)
    total = image.sum(dtype=np.float64)
    return np.array([image.sum(axis=1, dtype=np.float64) @ rows, image.sum(axis=0, dtype=np.float64) @ columns]) / total


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


def print_geometry() -> None:
    """The figures beside their targets."""
    for quality in ("fast", "joseph", "siddon"):
        print(f"overlay on a bead in the CT, {quality:7} {bead_error_px(quality):6.3f} px (must 0.5, aim 0.1)")
        print(f"overlay on a rod's edge,     {quality:7} {rod_error_px(quality):6.3f} px (must 0.5, aim 0.1)")
    print(f"overlay on a needle's tip            {tip_error_px():6.3f} px (must 0.5, aim 0.1)")
    mm, deg = needle_error()
    print(f"needle from AP and lateral: {mm:.4f} mm, {deg:.4f} deg (must 0.1 mm, 0.1 deg)")
