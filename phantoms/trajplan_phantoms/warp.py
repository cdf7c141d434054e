"""A compression fracture on a real scan: one body loses a stated height, and what lies above comes down after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from trajplan.errors import InputError
from trajplan.geometry.arrays import FloatArray
from trajplan.geometry.frame import Frame
from trajplan.geometry.volume import LabelMap, Volume
from trajplan.levels import LEVEL_NAMES
from trajplan_phantoms.fracture import ANTERIOR_COLUMN, MIDDLE_COLUMN, POSTERIOR_COLUMN, genant_grade
from trajplan_phantoms.scan_body import BodyColumns, measure_body, measured_ends
from trajplan_phantoms.scan_warp import Neighbour, ScanWarp, build_warp, column_height

MAX_LOSS_PERCENT = 80.0
MIN_JACOBIAN = 0.05
KINDS = ("wedge", "biconcave", "crush")
_ABOVE = 4
ROUNDS = 3
_DISC_SHARE, _BODY_SHARE = 0.25, 0.95
_HEAD_TO_FEET = (*range(1, 20), 28, *range(20, 27))


@dataclass(frozen=True)
class ScanHeights:
    """Midsagittal heights of a body, mm, at 10, 50 and 90 % of its depth from the front."""

    ha_mm: float
    hm_mm: float
    hp_mm: float


@dataclass(frozen=True, eq=False)
class FracturedScan:
    """A real scan with a fracture of known size.

    Attributes
    ----------
    ct : Volume
    labels : LabelMap
        Both on the grids they came on.
    level_id : int
    kind : str
    frame : Frame
        Of the vertebra before its fracture: u patient left, v posterior, w superior.
    heights_before, heights_after : ScanHeights
        The end-plate columns measured on the given labels, and the same columns after the exact map.
    jacobian_min, jacobian_max : float
        Of the map, over all its columns.
    displacement_max_mm, moved_above_mm : float
        Largest shift anywhere, and how far the spine far above came down.
    neighbours_seen : int
        How many vertebrae above were measured on their labels; the rest was taken to be as high as the target.
    warp : ScanWarp
        The map itself, both ways.
    body : BodyColumns
        The body as it was measured.
    """

    ct: Volume
    labels: LabelMap
    level_id: int
    kind: str
    frame: Frame
    heights_before: ScanHeights
    heights_after: ScanHeights
    jacobian_min: float
    jacobian_max: float
    displacement_max_mm: float
    moved_above_mm: float
    neighbours_seen: int
    warp: ScanWarp
    body: BodyColumns

    def measured_heights(self) -> ScanHeights:
        """The same three columns measured on the fractured labels, in the frame of before the fracture."""
        bottom, top = measured_ends(self.labels, self.level_id, self.body)
        return _heights(self.body, top, bottom)

    @property
    def loss_percent(self) -> float:
        """Largest loss of the three columns."""
        pairs = [(getattr(self.heights_before, k), getattr(self.heights_after, k)) for k in ("ha_mm", "hm_mm", "hp_mm")]
        return float(max(100.0 * (1.0 - after / before) for before, after in pairs))

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers for a truth file; vectors are LPS mm."""
        return {
            "schema": "trajplan.scan_fracture/1",
            "level_id": self.level_id,
            "fracture": {"kind": self.kind, "genant_grade": genant_grade(self.loss_percent)},
            "frame": {k: getattr(self.frame, k).tolist() for k in ("origin_lps", "u", "v", "w")},
            "heights_before": vars(self.heights_before),
            "heights_after": vars(self.heights_after),
            "loss_percent": self.loss_percent,
            "jacobian": {"min": self.jacobian_min, "max": self.jacobian_max},
            "displacement": {"max_mm": self.displacement_max_mm, "moved_above_mm": self.moved_above_mm},
            "neighbours_seen": self.neighbours_seen,
        }


def fracture_scan(
    ct: Volume,
    labels: LabelMap,
    level_id: int,
    kind: str,
    height_loss_percent: float,
    frame_hint: Frame | None = None,
) -> FracturedScan:
    """Break one vertebral body of a scan.

    Between the end plates the body is compressed along w; both plates keep their thickness, pedicles and arch keep
    their shape. The vertebrae above come down as the rim of the superior plate does, each tilted less than the one
    below it, the discs taking up the difference; below the target nothing moves, and neither do flanks and skin.

    Parameters
    ----------
    ct : Volume
    labels : LabelMap
        VerSe ids, in the same space (the grid may differ).
    level_id : int
        VerSe id of the vertebra to break; the vertebrae above are used where they are labelled.
    kind : {"wedge", "biconcave", "crush"}
        As in `trajplan_phantoms.fracture.Fracture`.
    height_loss_percent : float
        Above 0, at most 80: of the anterior height (wedge, crush) or of the middle one (biconcave).
    frame_hint : Frame, optional
        Axes of the vertebra, for instance those of `trajplan.anatomy`; found on the labels otherwise.

    Returns
    -------
    FracturedScan

    Raises
    ------
    InputError
        ``fracture_unknown``, ``height_loss_invalid``, ``level_not_in_labels``, ``truncated`` (the vertebra reaches the
        border of the scan), ``no_canal``, ``no_body``, ``fracture_impossible`` (the map would fold).
    """
    check_request(kind, height_loss_percent)
    body = measure_body(labels, level_id, frame_hint)
    _refuse_cut(ct, labels, level_id, body)
    above, seen = _above(labels, level_id, body)
    below = _below(labels, level_id, body)
    before = _heights(body, body.top_mm, body.bottom_mm)
    wanted = given = height_loss_percent / 100.0
    for _ in range(ROUNDS):
        warp, moved = build_warp(body, kind, given, above, below)
        after = _heights(body, *(_after(body, warp, ends) for ends in (body.top_mm, body.bottom_mm)))
        column = "hm_mm" if kind == "biconcave" else "ha_mm"
        reached = 1.0 - getattr(after, column) / getattr(before, column)
        # end plates are rough: their median column does not lose exactly what the smooth map takes
        given *= wanted / max(reached, 0.5 * wanted)
    slopes = warp.slopes
    if not slopes.min() > MIN_JACOBIAN:
        raise InputError(
            f"a {kind} fracture of {height_loss_percent:g} % would fold tissue onto itself at "
            f"{LEVEL_NAMES.get(level_id, level_id)} (smallest Jacobian {slopes.min():.3f}, at least {MIN_JACOBIAN} is "
            "needed: a disc or a joint space is too narrow); ask for less",
            code="fracture_impossible",
            numbers={"jacobian_min": float(slopes.min())},
        )
    largest_mm = float(np.abs(warp.after_mm - warp.before_mm).max())
    return FracturedScan(
        warp.fractured_volume(ct), warp.fractured_labels(labels), level_id, kind, body.frame, before, after,
        float(slopes.min()), float(slopes.max()), largest_mm, moved, seen, warp, body,
    )  # fmt: skip


def check_request(kind: str, height_loss_percent: float) -> None:
    """Refuse what no scan can be given: ``fracture_unknown``, ``height_loss_invalid``."""
    if kind not in KINDS:
        raise InputError(f"unknown fracture {kind!r}; use {', '.join(KINDS)}", code="fracture_unknown")
    if not 0.0 < height_loss_percent <= MAX_LOSS_PERCENT:
        raise InputError(
            f"a height loss of {height_loss_percent:g} % cannot be made on a scan; use above 0 to "
            f"{MAX_LOSS_PERCENT:g} %",
            code="height_loss_invalid",
            numbers={"value": float(height_loss_percent), "max": MAX_LOSS_PERCENT},
        )


def _refuse_cut(ct: Volume, labels: LabelMap, level_id: int, body: BodyColumns) -> None:
    """Refuse a body that reaches the border; a spinous or transverse process may."""
    ends = [float(np.nanmin(body.bottom_mm)), float(np.nanmax(body.top_mm))]
    box = np.array(
        [
            [u, v, w]
            for u in (-body.half_width_mm, body.half_width_mm)
            for v in (body.front_mm, body.back_mm)
            for w in ends
        ]
    )
    corners = body.frame.to_world(box)
    slack_mm = 0.5 * float(max(labels.grid.spacing_zyx.max(), ct.grid.spacing_zyx.max()))
    if all(grid.contains(corners, slack_mm).all() for grid in (ct.grid, labels.grid)):
        return
    raise InputError(
        f"the body of {LEVEL_NAMES.get(level_id, level_id)} reaches the border of the scan and may be cut; take a scan "
        "that holds the whole vertebra",
        code="truncated",
    )


def _above(labels: LabelMap, level_id: int, body: BodyColumns) -> tuple[list[Neighbour], int]:
    """Planes of the vertebrae above, in the target's frame: measured where labelled, else stacked on."""
    present = set(labels.ids())
    ladder = [i for i in _HEAD_TO_FEET if i != 28 or i in present]
    place = ladder.index(level_id) if level_id in ladder else 0
    found: list[Neighbour] = []
    for identifier in ladder[:place][::-1][:_ABOVE]:
        one = _measured(labels, identifier, body) if identifier in present else None
        if one is None:
            break
        found.append(one)
    seen = len(found)
    height = float(np.nanmedian(body.top_mm - body.bottom_mm))
    while len(found) < _ABOVE:
        last = found[-1].top if found else body.top_plane
        bottom = last + np.array([0.0, 0.0, _DISC_SHARE * height])
        found.append(Neighbour(bottom, bottom + np.array([0.0, 0.0, _BODY_SHARE * height])))
    return found, seen


def _below(labels: LabelMap, level_id: int, body: BodyColumns) -> Neighbour:
    present = set(labels.ids())
    ladder = [i for i in _HEAD_TO_FEET if i != 28 or i in present]
    place = ladder.index(level_id) if level_id in ladder else len(ladder)
    following = ladder[place + 1] if place + 1 < len(ladder) else None
    # the sacrum's label has no body of its own: its place is taken to be a disc below
    one = _measured(labels, following, body) if following in present and following not in (None, 26) else None
    if one is not None:
        return one
    height = float(np.nanmedian(body.top_mm - body.bottom_mm))
    top = body.bottom_plane - np.array([0.0, 0.0, _DISC_SHARE * height])
    return Neighbour(top - np.array([0.0, 0.0, height]), top)


def _measured(labels: LabelMap, identifier: int | None, body: BodyColumns) -> Neighbour | None:
    """Planes of a neighbour in the target's frame; None where its label cannot be measured (cut, only in part)."""
    if identifier is None:
        return None
    try:
        other = measure_body(labels, identifier)
    except InputError:
        return None
    corners = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    planes: list[FloatArray] = []
    for fit in (other.bottom_plane, other.top_plane):
        height = corners @ fit[:2] + fit[2]
        local = body.frame.to_local(other.frame.to_world(np.column_stack([corners, height])))
        planes.append(np.asarray(np.linalg.solve(np.column_stack([local[:, :2], np.ones(3)]), local[:, 2]), np.float64))
    return Neighbour(planes[0], planes[1])


def _after(body: BodyColumns, warp: ScanWarp, ends: FloatArray) -> FloatArray:
    """Ends of the columns after the map."""
    at, across = np.meshgrid(body.v_mm, body.u_mm, indexing="ij")
    known = np.isfinite(ends)
    local = np.stack([across[known], at[known], ends[known]], axis=-1)
    moved = np.full(ends.shape, np.nan)
    moved[known] = body.frame.to_local(warp.to_fractured(body.frame.to_world(local)))[:, 2]
    return moved


def _heights(body: BodyColumns, top: FloatArray, bottom: FloatArray) -> ScanHeights:
    return ScanHeights(*(
        column_height(body, top - bottom, place * body.depth_mm)
        for place in (ANTERIOR_COLUMN, MIDDLE_COLUMN, POSTERIOR_COLUMN)
    ))  # fmt: skip
