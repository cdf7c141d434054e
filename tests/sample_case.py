"""A made-up case for reports and exports: a box-like vertebra with known numbers, no planner and no projector."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from trajplan.anatomy.vertebra import Confidence, Endplate, Fracture, Heights, Pedicle, Vertebra
from trajplan.case import CaseRequest, CaseResult
from trajplan.fluoroscopy.carm import CArm, angles_of_beam
from trajplan.fluoroscopy.drr import Drr
from trajplan.fluoroscopy.views import SolvedView
from trajplan.geometry import Frame, Grid, LabelMap, Volume
from trajplan.parts import PART_NAMES, Part, Side
from trajplan.planning.instruments import CATALOGUE
from trajplan.planning.plan import Breach, Clearance, Refusal, Trajectory, Verdict
from trajplan.reading.scan import Finding, Scan
from trajplan.verification.stages import Stage

CENTER_LPS = np.array([5.0, -160.0, 900.0])


def _at(x: float, y: float, z: float) -> np.ndarray:
    return CENTER_LPS + np.array([x, y, z])


def _shapes(points_lps: np.ndarray) -> dict[Part, np.ndarray]:
    x, y, z = np.moveaxis(points_lps - CENTER_LPS, -1, 0)
    body = ((x / 22) ** 2 + (y / 16) ** 2 < 1) & (np.abs(z) < 13 - 4 * np.clip(-y / 16, 0, 1))
    canal = ((x / 10) ** 2 + ((y - 23) / 7.5) ** 2 < 1) & (np.abs(z) < 16)
    posterior = (((x / 19) ** 2 + ((y - 27) / 14) ** 2 < 1) & (np.abs(z) < 9) & (y > 22)) | (
        (np.abs(x) < 3) & (y > 38) & (y < 60) & (z > -14) & (z < 4)
    )
    pedicles = {
        side.pedicle: (((x - side.sign * 14.5) / 4.2) ** 2 + ((z - 5) / 6.5) ** 2 < 1) & (y > 8) & (y < 32)
        for side in Side
    }
    shapes = {Part.POSTERIOR: posterior} | pedicles | {Part.BODY: body, Part.CANAL: canal & ~body}
    return shapes


def sample_parts(spacing_mm: float = 1.0) -> LabelMap:
    """The parts of the box-like vertebra."""
    grid = Grid.isotropic(_at(-32, -26, -26), _at(32, 66, 26), spacing_mm)
    array = np.zeros(grid.shape_zyx, np.uint8)
    for part, inside in _shapes(grid.points_lps()).items():
        array[inside] = part
    return LabelMap(array, grid, {int(k): v for k, v in PART_NAMES.items()})


def sample_volume() -> Volume:
    """Soft tissue in air with the vertebra and its upper and lower neighbours, HU."""
    grid = Grid((70, 110, 110), _at(-82, -70, -52), (1.5, 1.5, 1.5))
    points = grid.points_lps()
    x, y, _ = np.moveaxis(points - CENTER_LPS, -1, 0)
    rng = np.random.default_rng(3)
    hu = np.where((x / 78) ** 2 + ((y - 10) / 72) ** 2 < 1, 40.0, -1000.0)
    for shift in (-32.0, 0.0, 32.0):
        shapes = _shapes(points - [0, 0, shift])
        for part, inside in shapes.items():
            hu[inside] = 20.0 if part == Part.CANAL else 190.0 if part == Part.BODY else 420.0
    hu = hu + rng.normal(0, 15, hu.shape)
    return Volume(hu.astype(np.int16), grid)


def sample_vertebra() -> Vertebra:
    """L1 with a 25 % wedge, level not confirmed."""
    parts = sample_parts()
    turn = np.linspace(0, 2 * np.pi, 33)
    pedicles = {
        side: Pedicle(
            side,
            _at(side.sign * 14.5, 20, 5),
            np.array([0.0, -1.0, 0.0]),
            8.4,
            13.0,
            CENTER_LPS
            + np.stack([side.sign * 14.5 + 4.2 * np.cos(turn), np.full(33, 20.0), 5 + 6.5 * np.sin(turn)], axis=-1),
        )
        for side in Side
    }
    wall = np.array([[u, 15.5, w] for w in np.linspace(-12, 12, 13) for u in (-8.0, 0.0, 8.0)])
    return Vertebra(
        level="L1",
        level_id=20,
        level_confirmed=False,
        parts=parts,
        other_bone=np.zeros(parts.grid.shape_zyx, bool),
        frame=Frame(CENTER_LPS, np.eye(3)),
        pedicles=pedicles,
        superior=Endplate(_at(0, 0, 13), np.array([0.0, 0.0, 1.0]), 0.4),
        inferior=Endplate(_at(0, 0, -13), np.array([0.0, 0.0, 1.0]), 0.3),
        heights=Heights(18.2, 21.0, 25.6, 25.2, "mean of the two neighbours", 27.8),
        fracture=Fracture("wedge", 2),
        posterior_wall_lps=CENTER_LPS + wall,
        anterior_wall_lps=CENTER_LPS + wall * [1.0, -1.0, 0.7],
        body_volume_ml=27.4,
        body_hu=188.0,
        confidence=Confidence(
            0.71, {"overlap": 0.93, "canal_area_mm2": float("nan")}, ("left pedicle outline is faint: check it",)
        ),
        source="simpleitk",
        touches_edge=False,
    )


def sample_trajectory(side: Side) -> Trajectory:
    """One bipedicular path; the right one is a little less safe."""
    entry = _at(side.sign * 17.5, 33, 9)
    target = _at(side.sign * 8.0, -8, -1)
    length = float(np.linalg.norm(target - entry))
    direction = (target - entry) / length
    depth = np.linspace(0, length, 40)
    least = 1.9 if side is Side.LEFT else 0.6
    profile = np.stack([depth, least + 6 * ((depth - 14) / length) ** 2], axis=-1)
    return Trajectory(
        side=side,
        approach="transpedicular",
        verdict=Verdict.SAFE if side is Side.LEFT else Verdict.UNSAFE,
        reasons=() if side is Side.LEFT else ("lateral clearance 0.6 mm is below the 1.0 mm margin",),
        instrument=CATALOGUE["11G"],
        skin_lps=entry - 48 * direction,
        entry_lps=entry,
        target_lps=target,
        length_in_bone_mm=length,
        length_from_skin_mm=length + 48,
        convergence_deg=12.9,
        craniocaudal_deg=13.3,
        clearance=Clearance(least, 2.4, least, 3.1, 4.0, 7.9, 5.2, 3.3, profile),
        gertzbein_robbins="A",
        breach=Breach(0.031, 0.004, 0.024, 0.002, 0.001, 4000, 0.75, 2.0),
        candidates_tried=12345,
    )


def _view(name: str, primary_deg: float, secondary_deg: float) -> SolvedView:
    carm = CArm(primary_deg, secondary_deg, CENTER_LPS, detector_px=(256, 256), pixel_mm=1.164)
    return SolvedView(name, carm, {"endplate_tilt_deg": 0.4, "not_known_mm": float("nan")})


def _drr(view: SolvedView, volume: Volume) -> Drr:
    """A crude ray sum, enough to see something."""
    rows, columns = view.carm.detector_px
    step = np.stack(np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij"), axis=-1)
    source, rays = view.carm.back_project(step)
    total = np.zeros((rows, columns))
    for distance in np.arange(440.0, 620.0, 3.0):
        index = np.rint(volume.grid.world_to_index(source + distance * rays)).astype(int)
        inside = ((index >= 0) & (index < volume.array.shape)).all(axis=-1)
        z, y, x = np.moveaxis(np.where(inside[..., None], index, 0), -1, 0)
        total += np.where(inside, np.clip(volume.array[z, y, x] / 1000.0 + 1, 0, None), 0) * 0.02 * 3
    return Drr(total.astype(np.float32), view.carm, "fast")


def _stages(trajectory: Trajectory, views: dict[str, SolvedView]) -> tuple[Stage, ...]:
    rule = "on AP the tip stays lateral of the medial pedicle border until lateral shows it past the posterior wall"
    names = ("docking", "mid pedicle", "posterior wall", "past the wall", "final")
    stages = []
    for i, name in enumerate(names):
        depth = trajectory.length_in_bone_mm * i / 4
        tip = trajectory.entry_lps + depth * trajectory.direction_lps
        passed = None if i == 0 else not (i == 2 and trajectory.side is Side.RIGHT)
        ap, lateral = views["ap"].carm.project(tip), views["lateral"].carm.project(tip)
        stages.append(Stage(name, depth, passed, None if i == 0 else 2.0 if passed else -0.7, rule, tip, ap, lateral))
    return tuple(stages)


@functools.cache
def sample_case() -> CaseResult:
    """Both sides planned, the right one unsafe; level not confirmed."""
    volume, vertebra = sample_volume(), sample_vertebra()
    trajectories = tuple(sample_trajectory(side) for side in Side)
    views = {"ap": _view("ap", 0, 4), "lateral": _view("lateral", 90, 0)}
    for t in trajectories:
        views[f"en_face_{t.side.value}"] = _view(f"en_face_{t.side.value}", *angles_of_beam(t.direction_lps))
    scan = Scan(
        volume=volume,
        path_name='scan<img src=x onerror="alert(1)">.nii.gz',
        kind="nifti",
        sha256=volume.sha256(),
        size_zyx=(70, 110, 110),
        spacing_zyx_mm=(1.5, 1.5, 1.5),
        findings=(Finding("slice_gap", "warning", "one slice is missing and was interpolated (3.0 mm gap)"),),
    )
    return CaseResult(
        request=CaseRequest(level="L1"),
        scan=scan,
        vertebra=vertebra,
        trajectories=trajectories,
        refusals=(
            Refusal(
                None,
                "unipedicular",
                "midline_not_reached",
                "one needle stays 7.9 mm from the midline, 5.0 mm is needed",
                {"midline_mm": 7.9, "limit_mm": 5.0},
            ),
        ),
        stages={t.side: _stages(t, views) for t in trajectories},
        views=views,
        drrs={name: _drr(view, volume) for name, view in views.items()},
        notes=("the target is the worst fracture found; no level was asked for",),
        provenance={"parameters": {"wall_margin_mm": 1.0}, "backend": {"name": "simpleitk"}},
        timings_s={"anatomy": 3.21, "planning": 1.5},
        created="2026-01-02T03:04:05Z",
    )


def refused_case() -> CaseResult:
    """A vertebra, but no path on either side."""
    case = sample_case()
    refusals = tuple(
        Refusal(
            side,
            "transpedicular",
            "pedicle_too_narrow",
            f"the {side} pedicle is 4.1 mm wide; 11G (3.05 mm) with 1.0 mm on each side needs 5.0 mm",
            {"width_mm": 4.1, "needed_mm": 5.05},
        )
        for side in Side
    )
    views = {name: case.views[name] for name in ("ap", "lateral")}
    drrs = {name: case.drrs[name] for name in ("ap", "lateral")}
    return dataclasses.replace(case, trajectories=(), refusals=refusals, stages={}, views=views, drrs=drrs)


def blind_case() -> CaseResult:
    """Nothing found: a scan and a refusal."""
    refusal = Refusal(None, "auto", "no_vertebra", "no vertebra was found in 105 mm of scan", {"scan_mm": 105.0})
    case = sample_case()
    return dataclasses.replace(
        case, vertebra=None, trajectories=(), refusals=(refusal,), stages={}, views={}, drrs={}, notes=()
    )
