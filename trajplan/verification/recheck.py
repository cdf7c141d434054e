"""Re-check of a plan document by a route that shares no code with the search, the C-arm or the stage rules.

Distances come from a triangle mesh instead of surface samples, projections from rotation matrices instead of the C-arm
class, rules from the document's own landmarks. Limits: 0.3 mm, 0.5 px, 0.2 deg.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from trajplan.errors import InputError
from trajplan.geometry import LabelMap
from trajplan.geometry.arrays import FloatArray
from trajplan.verification.check_line import CheckLine
from trajplan.verification.mesh_distance import Mesh, distances, mesh_of, part_inside
from trajplan.verification.mesh_walls import PEDICLE, first_inside, neck_begins, root, towards_foramen
from trajplan.verification.recheck_verdict import verdict_lines

LIMIT_MM = 0.3
LOWER_MM = 1.2
"""A plan may tell less clearance than the mesh of its mask: its walls may lie up to 0.9 mm further in, at the edge of
the cortex in the CT, and its distances are lowered by 0.3 mm so as never to flatter."""

LIMIT_PX = 0.5
LIMIT_DEG = 0.2
_STEP_MM = 0.25
_BODY, _POSTERIOR, _CANAL = 1, 4, 5
_LATE_MM = 8.0


def recheck(plan: dict[str, Any], parts: LabelMap, scan_sha256: str) -> list[CheckLine]:
    """Recompute every safety-relevant figure of a plan.

    Parameters
    ----------
    plan : dict
        A parsed plan.json (``trajplan.plan/1``).
    parts : LabelMap
        The part labels stored beside it.
    scan_sha256 : str
        Hash of the scan as read now.

    Raises
    ------
    InputError
        ``plan_incomplete`` when the document lacks what a path is checked against.
    """
    lines = [
        CheckLine("scan sha256", plan["input"]["sha256"], scan_sha256, 0, ""),
        CheckLine("mask sha256", plan["provenance"]["mask_sha256"], parts.sha256(), 0, ""),
    ]
    origin, spacing = parts.grid.origin_lps, float(parts.grid.spacing_zyx[0])
    bone = mesh_of(np.isin(parts.array, (1, 2, 3, 4)), origin, spacing)
    owner = part_inside(bone, parts.array, origin, spacing)
    canal = mesh_of(parts.array == _CANAL, origin, spacing)
    for path in plan["trajectories"]:
        _require(path, plan)
        walls = bone.subset(np.isin(owner, (_BODY, PEDICLE[path["side"]])) | root(bone, owner, path["side"], plan))
        foramen = bone.subset((owner == _POSTERIOR) & towards_foramen(bone, path["side"], plan))
        lines += _clearance_lines(path, plan, parts, walls, canal, foramen)
        lines += _angle_lines(path, plan["vertebra"]["frame"])
        lines += _stage_lines(path, plan)
    return lines


def _require(path: dict[str, Any], plan: dict[str, Any]) -> None:
    """Refuse a document that lacks what a path is checked against, instead of stumbling over it."""
    side, views, vertebra = path["side"], plan["views"], plan["vertebra"]
    pedicle = next((p for p in plan["pedicles"] if p["side"] == side), None)
    missing = [
        what
        for what, lacks in (
            ("the vertebra", vertebra is None),
            ("three points of the front and of the posterior wall", vertebra is not None and _few_points(vertebra)),
            (f"the {side} pedicle's outline", pedicle is None or len(pedicle["outline_lps"]) < 3),
            ("the AP and lateral view", any(_blank(views[name]) for name in ("ap", "lateral"))),
            ("a path longer than 1 mm", np.ptp([path["entry_lps"], path["target_lps"]], axis=0).max() < 1.0),
            ("the pixels of its stages", any(s["ap_px"] is None or s["lateral_px"] is None for s in path["stages"])),
        )
        if lacks
    ]
    if missing:
        raise InputError(
            f"the plan's {side} path cannot be checked: {', '.join(missing)} missing; plan the case again",
            code="plan_incomplete",
        )


def _few_points(vertebra: dict[str, Any]) -> bool:
    return min(len(vertebra["posterior_wall_lps"]), len(vertebra["anterior_wall_lps"])) < 3


def _blank(view: dict[str, Any] | None) -> bool:
    needed = ("isocenter_lps", "source_detector_mm", "source_isocenter_mm", "detector_px", "pixel_mm")
    return view is None or any(view[name] is None for name in needed)


def _clearance_lines(
    path: dict[str, Any],
    plan: dict[str, Any],
    parts: LabelMap,
    walls: Mesh,
    canal: Mesh,
    foramen: Mesh,
) -> list[CheckLine]:
    entry, tip = np.array(path["entry_lps"]), np.array(path["target_lps"])
    length = float(np.linalg.norm(tip - entry))
    radius = path["instrument"]["outer_diameter_mm"] / 2
    count = int(np.ceil(length / _STEP_MM)) + 1
    points = entry + np.linspace(0, 1, count)[:, None] * (tip - entry)
    index = np.rint((points - parts.grid.origin_lps) / parts.grid.spacing_xyz).astype(int)[:, ::-1]
    label = parts.array[tuple(np.clip(index, 0, np.array(parts.array.shape) - 1).T)]
    to_canal = distances(points, canal) * np.where(label == _CANAL, -1, 1) - radius
    inside = np.isin(label, (1, 2, 3, 4))
    to_wall = distances(points, walls) * np.where(inside, 1, -1) - radius
    beside = path["approach"] == "extrapedicular"
    first = first_inside(points, parts.array == (_BODY if beside else PEDICLE[path["side"]]), parts.grid)
    if not beside:
        first = min(first, neck_begins(points, label, path, plan))
    always = [to_canal.min(), (distances(points, foramen) - radius).min()]
    if beside:
        # it enters through the flank, which counts from where it is well in
        first = min(first + int(np.ceil(_LATE_MM / (length / (count - 1)))), count)
    # where the pedicle begins is a matter of one step; a wall that comes close just there must not decide
    starts = [max(first - 1, 0), first, first + 1] if first < count else [count]
    candidates = [float(min(*always, to_wall[start:].min(initial=np.inf))) for start in starts]
    planned = path["clearance"]["min_mm"]
    least = min(candidates, key=lambda value: abs(value - planned))
    # beside the pedicle the plan watches the other walls from the entry on: it may be more careful, never less
    lower = np.inf if beside else LOWER_MM
    grade = max(path["gertzbein_robbins"], _grade(least)) if least - planned <= lower else _grade(least)
    side = path["side"]
    return [
        CheckLine(f"{side} smallest clearance", planned, round(least, 3), LIMIT_MM, "mm", lower),
        CheckLine(
            f"{side} canal clearance", path["clearance"]["canal_mm"], round(float(to_canal.min()), 3), LIMIT_MM, "mm"
        ),
        CheckLine(f"{side} length in bone", path["length_in_bone_mm"], round(length, 3), LIMIT_MM, "mm"),
        CheckLine(f"{side} Gertzbein-Robbins grade", path["gertzbein_robbins"], grade, 0, ""),
        *verdict_lines(path, plan, least, float(to_canal.min())),
    ]


def _grade(clearance_mm: float) -> str:
    return "ABCDE"[int(np.searchsorted([1e-9, 2, 4, 6], max(0.0, -clearance_mm), side="right"))]


def _angle_lines(path: dict[str, Any], frame: dict[str, Any]) -> list[CheckLine]:
    """Angles from the frame's axes by dot products and a cross product, not by local coordinates."""
    way = np.array(path["target_lps"]) - np.array(path["entry_lps"])
    way /= np.linalg.norm(way)
    v, w = np.array(frame["v"]), np.array(frame["w"])
    axial = way - (way @ w) * w
    axial /= np.linalg.norm(axial)
    turn = np.degrees(np.arctan2(np.cross(-v, axial) @ w, -v @ axial))
    convergence = float(turn * (1 if path["side"] == "right" else -1))
    # looking down w, turning from anterior towards the patient's left is positive
    craniocaudal = float(np.degrees(np.arcsin(np.clip(-way @ w, -1, 1))))
    side = path["side"]
    planned = path["angles"]
    return [
        CheckLine(f"{side} convergence", planned["convergence_deg"], round(convergence, 3), LIMIT_DEG, "deg"),
        CheckLine(f"{side} craniocaudal", planned["craniocaudal_deg"], round(craniocaudal, 3), LIMIT_DEG, "deg"),
    ]


def pinhole(view: dict[str, Any], point_lps: FloatArray) -> FloatArray:
    """(row, column) of points (..., 3) by rotating the patient into the C-arm, instead of the C-arm about the patient.

    At (0, 0) the beam runs towards anterior (-y); LAO turns the detector to the left about z, CRA tilts it up.
    """
    turn = Rotation.from_euler("ZX", [view["primary_deg"], -view["secondary_deg"]], degrees=True)
    local = turn.inv().apply(np.atleast_2d(point_lps) - np.array(view["isocenter_lps"]))
    depth = view["source_isocenter_mm"] - local[:, 1]
    scale = view["source_detector_mm"] / depth / view["pixel_mm"]
    rows, columns = view["detector_px"]
    return np.stack([-local[:, 2] * scale + (rows - 1) / 2, -local[:, 0] * scale + (columns - 1) / 2], axis=1)


def _stage_lines(path: dict[str, Any], plan: dict[str, Any]) -> list[CheckLine]:
    ap, lateral = plan["views"]["ap"], plan["views"]["lateral"]
    entry, tip = np.array(path["entry_lps"]), np.array(path["target_lps"])
    way = (tip - entry) / np.linalg.norm(tip - entry)
    side = path["side"]
    judge = _Judge(plan, path)
    lines = _depth_lines(path, judge)
    for stage in path["stages"]:
        at = entry + stage["depth_mm"] * way
        for name, view, planned in (("AP", ap, stage["ap_px"]), ("lateral", lateral, stage["lateral_px"])):
            miss = float(np.linalg.norm(pinhole(view, at)[0] - np.array(planned)))
            lines.append(CheckLine(f"{side} {stage['name']} {name} pixel", 0.0, round(miss, 3), LIMIT_PX, "px off"))
        margin = judge.margin_mm(stage["name"], at)
        lines.append(
            CheckLine(f"{side} {stage['name']} rule margin", stage["margin_mm"], round(margin, 3), LIMIT_MM, "mm")
        )
        if abs(margin) > LIMIT_MM:
            lines.append(CheckLine(f"{side} {stage['name']} rule", str(stage["passed"]), str(margin >= 0), 0, ""))
    return lines


def _depth_lines(path: dict[str, Any], judge: _Judge) -> list[CheckLine]:
    """The depths at which the stages are judged: a rule judged elsewhere on the path says nothing."""
    entry, tip = np.array(path["entry_lps"]), np.array(path["target_lps"])
    length = float(np.linalg.norm(tip - entry))
    depth = np.linspace(0.0, length, int(np.ceil(length / 0.1)) + 1)
    past = np.array([judge.margin_mm("past the wall", entry + d / length * (tip - entry)) for d in depth])
    wall = float(depth[int(np.argmax(past >= 0))]) if (past >= 0).any() else length
    isthmus = float(np.clip((judge.center - entry) @ (tip - entry) / length, 0.0, length))
    expected = {
        "docking": 0.0, "mid-pedicle": isthmus, "posterior wall": wall, "past the wall": min(wall + 2.0, length),
        "final": length,
    }  # fmt: skip
    return [
        CheckLine(f"{path['side']} {s['name']} depth", s["depth_mm"], round(expected[s["name"]], 3), 2 * LIMIT_MM, "mm")
        for s in path["stages"]
        if s["name"] in expected
    ]


class _Judge:
    """The stage rules on projected landmarks of the document, in its own words."""

    def __init__(self, plan: dict[str, Any], path: dict[str, Any]) -> None:
        self._ap, self._lateral = plan["views"]["ap"], plan["views"]["lateral"]
        self._approach = path["approach"]
        frame = plan["vertebra"]["frame"]
        self._origin = np.array(frame["origin_lps"])
        pedicle = next(p for p in plan["pedicles"] if p["side"] == path["side"])
        self.center = np.array(pedicle["isthmus_center_lps"])
        outwards = np.array(frame["u"]) * (1 if path["side"] == "left" else -1)
        # the spine may lean on the AP: pixels as complex numbers, turned until its midline stands upright
        spine = pinhole(self._ap, self._origin + np.array([[-1.0], [1.0]]) * np.array(frame["w"])) @ [1j, 1.0]
        self._upright = np.conj(spine[1] - spine[0]) / abs(spine[1] - spine[0])
        pair = pinhole(self._ap, np.stack([self.center - outwards / 2, self.center + outwards / 2])) @ [1j, 1.0]
        self._ap_unit = float(np.sign(((pair[1] - pair[0]) * self._upright).imag) * abs(pair[1] - pair[0]))
        self._outline = self._across(np.array(pedicle["outline_lps"]))
        forward = -np.array(frame["v"])
        self._lateral_unit = self._columns(self._lateral, [self._origin - forward / 2, self._origin + forward / 2])
        self._back = self._wall(np.array(plan["vertebra"]["posterior_wall_lps"]), 90)
        self._front = self._wall(np.array(plan["vertebra"]["anterior_wall_lps"]), 10)

    @staticmethod
    def _columns(view: dict[str, Any], pair: list[FloatArray]) -> float:
        """Pixels that one millimetre moves the column, signed."""
        pixels = pinhole(view, np.array(pair))
        return float(np.sign(pixels[1, 1] - pixels[0, 1]) * np.linalg.norm(pixels[1] - pixels[0]))

    def _across(self, points: FloatArray) -> FloatArray:
        """Millimetres at right angles to the midline on the AP, outwards +, from anywhere."""
        return np.asarray((pinhole(self._ap, points) @ [1j, 1.0] * self._upright).imag / self._ap_unit)

    def _wall(self, points: FloatArray, percentile: float) -> tuple[float, float]:
        pixels = pinhole(self._lateral, points)
        along = pixels[:, 1] / self._lateral_unit
        design = np.stack([pixels[:, 0], np.ones(len(pixels))], axis=1)
        slope, _ = np.linalg.lstsq(design, along, rcond=None)[0]
        return float(slope), float(np.percentile(along - slope * pixels[:, 0], percentile))

    def _lean(self, line: tuple[float, float]) -> float:
        """How much longer a distance along a row is than one at right angles to a wall's line."""
        return float(np.sqrt(1.0 + (line[0] * self._lateral_unit) ** 2))

    def margin_mm(self, stage: str, at: FloatArray) -> float:
        """How far the tip is on the right side of the stage's rule, mm."""
        across = float(self._across(at)[0])
        if stage == "docking":
            return across - (float(self._outline.min()) + float(self._outline.max())) / 2
        if stage in ("mid-pedicle", "posterior wall"):
            return across - float(self._outline.min())
        row, column = pinhole(self._lateral, at)[0]
        along = column / self._lateral_unit
        past = (along - self._back[0] * row - self._back[1]) / self._lean(self._back)
        if stage == "past the wall":
            return float(past)
        short = (self._front[0] * row + self._front[1] - along) / self._lean(self._front)
        from_midline = across - float(self._across(self._origin)[0])
        midline = 5.0 - abs(from_midline) if self._approach == "unipedicular" else from_midline
        return float(min((short + past) / 3 - short, short, midline))
