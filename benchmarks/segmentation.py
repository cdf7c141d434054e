"""How good are masks? Every labelled vertebra given, each back-end side by side: prints a table, draws a sheet.

    python benchmarks/segmentation.py --data ../shared/data --phantoms 20 --backends network
    python benchmarks/segmentation.py --data ../shared/data --only ts_chest_stent --sheet sheet.png
    python benchmarks/segmentation.py --data ../shared/data --only lidc0001 --weights WORK/without_lidc0001.onnx
    python benchmarks/segmentation.py --phantoms 0 --expert          # after: trajplan samples get tptbox-l3

Scored on the 1 mm grid of the result itself, to which the reference labels are carried; measured with the neighbours
that the back-end found, as a plan does. Seeds are the reference's body centre plus 3 mm in a fixed random direction.
"pedicle" is the region within 3 mm of the reference's pedicles; "isthmus" compares the isthmus centres that
`measure_vertebra` finds on result and reference ("across": the worse side, without what lies along the pedicle, where
its width hardly changes), "height" and "loss" its heights (mm) and height loss (percentage points); the heights of a
made fracture are those of the exact map that made it, for labels on thick slices hold them to 2 mm only. A network is
only tested on patients it was not trained on when --weights names one that left them out.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.ndimage as ndi
from anatomy import LIMITS_PERCENT, NEAR_LIMIT
from matplotlib.figure import Figure

from trajplan.anatomy.backend import Backend
from trajplan.anatomy.measure import measure_vertebra
from trajplan.anatomy.network_backend import NetworkBackend
from trajplan.anatomy.network_model import WEIGHTS
from trajplan.anatomy.simpleitk_backend import SimpleItkBackend
from trajplan.anatomy.vertebra import Vertebra
from trajplan.errors import AnatomyError, TrajplanError
from trajplan.geometry import Grid, LabelMap, Volume
from trajplan.geometry.pieces import thickest
from trajplan.geometry.resample import resample_mask, resample_volume
from trajplan.levels import LEVEL_NAMES, level_id
from trajplan.parts import Part, Side
from trajplan.reading.labels import read_labels
from trajplan.reading.read import read_scan
from trajplan.reading.schemes import Scheme
from trajplan_phantoms import Scanner, make_phantom
from trajplan_phantoms.population import draw
from trajplan_phantoms.real_sample import TPTBOX_L3, get_sample
from trajplan_phantoms.warp import fracture_scan

SEED_ERROR_MM = 3.0
EXPERT_SEEDS = 6
FIRST_TEST_SEED = 100_000
PHANTOM_LEVELS = ("T6", "T8", "T10", "T11", "T12", "L1", "L2", "L3", "L4", "L5")
KINDS = ("none", "wedge", "biconcave", "crush")
REAL = {
    "lidc0001": ("vertebrae_verse.nii.gz", None, (*(f"T{n}" for n in range(4, 13)), "L1", "L2")),
    "ts_lumbar3mm": ("vertebrae_verse.nii.gz", None, ("L1", "L2", "L3", "L4", "L5")),
    "ts_chest_stent": ("vertebrae_T12.nii.gz", "T12", ("T12",)),
}
MADE = {
    "lidc0001": ("T9", "T10", "T11", "T12", "L1"),
    "ts_lumbar3mm": ("L1", "L2", "L3", "L4"),
    "ts_chest_stent": ("T12", "T12", "T12"),
}


@dataclass(frozen=True, eq=False)
class Case:
    """One vertebra to segment; heights (anterior, middle, posterior, mm) where a made fracture's map gives them."""

    name: str
    ct: Volume
    labels: LabelMap
    one: int
    heights_mm: tuple[float, float, float] | None = None


def real_cases(data: Path, only: str | None, made: bool) -> Iterator[Case]:
    """Labelled vertebrae of the real scans; with `made`, fractures made on them instead."""
    for folder, (file, mask_level, levels) in REAL.items():
        if only not in (None, folder):
            continue
        base = data / "ct" / folder
        ct = read_scan(base / "ct.nii.gz").volume
        scheme = Scheme.VERSE if mask_level is None else Scheme.MASK
        labels = read_labels(base / file, scheme, level_id=level_id(mask_level) if mask_level else None)
        if not made:
            yield from (Case(f"{folder} {level}", ct, labels, level_id(level)) for level in levels)
            continue
        for n, level in enumerate(MADE[folder]):
            kind, loss = KINDS[1 + n % 3], (20.0, 40.0, 60.0)[(n + n // 3) % 3]
            broken = fracture_scan(ct, labels, level_id(level), kind, loss)
            after = broken.heights_after
            heights = after.ha_mm, after.hm_mm, after.hp_mm
            yield Case(f"{folder} {level} {kind} {loss:.0f} %", broken.ct, broken.labels, level_id(level), heights)


def expert_cases() -> Iterator[Case]:
    """The L3 that experts labelled, which no network has learnt; six seeds, for it is one vertebra only."""
    files = get_sample(TPTBOX_L3.name)
    ct = read_scan(files["ct.nii.gz"]).volume
    labels = read_labels(files["mask.nii.gz"], Scheme(TPTBOX_L3.scheme))
    for seed in range(EXPERT_SEEDS):
        yield Case(f"{TPTBOX_L3.name} seed {seed}", ct, labels, level_id(TPTBOX_L3.level))


def phantom_cases(count: int) -> Iterator[Case]:
    """Phantoms of seeds that no network has seen."""
    for n in range(count):
        level, kind = PHANTOM_LEVELS[n % len(PHANTOM_LEVELS)], KINDS[(n + n // len(PHANTOM_LEVELS)) % len(KINDS)]
        rng = np.random.default_rng([FIRST_TEST_SEED, n])
        for attempt in range(20):
            loss = 0.0 if kind == "none" else float(rng.uniform(20, 60))
            try:
                spec = draw(
                    level,
                    age_years=float(rng.uniform(45, 90)),
                    seed=FIRST_TEST_SEED + 100 * n + attempt,
                    fracture=kind,
                    height_loss_percent=loss,
                    surroundings="full",
                )
                phantom = make_phantom(spec, Scanner((1.0, 0.8, 0.8), noise_hu=20.0, seed=n))
            except TrajplanError:
                continue
            yield Case(f"phantom {level} {kind} {loss:.0f} %", phantom.ct, phantom.labels, level_id(level))
            break


def grade(case: Case, backend: Backend, number: int) -> tuple[str, dict[str, Any], LabelMap | None]:
    """One line of the table, its figures, and the mask."""
    truth, about = reference(case)
    centre = about.index_to_world(thickest(truth))
    direction = np.random.default_rng(number).normal(size=3)
    seed = centre + SEED_ERROR_MM * direction / np.linalg.norm(direction)
    start = time.perf_counter()
    try:
        result = backend.segment(case.ct, seed, case.one, lambda share, what: None)
    except AnatomyError as refused:
        return f"refused: {refused}", {"refused": 1.0}, None
    seconds = time.perf_counter() - start
    truth, grid = reference(case, result.labels.grid)
    mask = resample_mask(result.labels.array == result.target_id, result.labels.grid, grid) >= 0.5
    found = LabelMap(mask.astype(np.uint8) * case.one, grid)
    figures = overlap(mask, truth) | {"score": result.confidence.score, "seconds": seconds}
    figures["flagged"] = float(bool(result.confidence.check))
    figures |= {f"value {key}": float(value) for key, value in result.confidence.values.items()}
    figures["said"] = "; ".join(result.confidence.check)
    try:
        own = measured(case, result.labels, result.confidence)
        figures["score"] = own.confidence.score
        figures["flagged"] = float(bool(own.confidence.check))
        figures |= {f"value {key}": float(value) for key, value in own.confidence.values.items()}
        figures["said"] = "; ".join(own.confidence.check)
        true = measured(case, case.labels)
        figures |= pedicles(own, true, mask, truth, grid) | genant(own, true)
        figures["height_error"] = height_error(own, case.heights_mm or _heights_mm(true))
    except TrajplanError as refused:
        figures["flagged"] = 1.0
        return f"not measured: {refused}", figures, found
    return "", figures, found


def reference(case: Case, like: Grid | None = None) -> tuple[npt.NDArray[np.bool_], Grid]:
    """The reference on a 1 mm grid with room about it, whose voxels are those of `like` where one is given.

    A mask that is resampled from one grid to another of the same spacing loses about .01 of Dice by that alone; so
    the result stays on the voxels it was made on, and the reference, which has other spacings anyhow, is carried there.
    """
    points = case.labels.grid.index_to_world(np.argwhere(case.labels.array == case.one))
    lower, upper = points.min(axis=0) - 14.0, points.max(axis=0) + 14.0
    grid = Grid.isotropic(lower, upper, 1.0)
    if like is not None:
        corners = like.world_to_index(grid.corners_lps())
        grid = like.cropped(np.floor(corners.min(axis=0)).astype(int), np.ceil(corners.max(axis=0)).astype(int) + 1)
    return resample_mask(case.labels.array == case.one, case.labels.grid, grid) >= 0.5, grid


def measured(case: Case, labels: LabelMap, confidence: object = None) -> Vertebra:
    """The anatomy room's measures of a mask."""
    return measure_vertebra(
        case.ct,
        labels,
        case.one,
        level=LEVEL_NAMES[case.one],
        level_confirmed=True,
        source="benchmark",
        confidence=confidence,  # type: ignore[arg-type] # None or a Confidence
    )


def overlap(a: npt.NDArray[np.bool_], b: npt.NDArray[np.bool_]) -> dict[str, float]:
    """Dice, mean symmetric surface distance and its 95th percentile, in voxels (= mm at 1 mm)."""
    d = surface_distances(a, b)
    total = int(a.sum()) + int(b.sum())
    return {"dice": 2 * int((a & b).sum()) / total, "asd": float(d.mean()), "hd95": float(np.percentile(d, 95))}


def surface_distances(a: npt.NDArray[np.bool_], b: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Both ways between the border voxels of two masks."""
    edge_a, edge_b = a & ~ndi.binary_erosion(a), b & ~ndi.binary_erosion(b)
    if not edge_a.any() or not edge_b.any():
        return np.array([99.0])
    return np.r_[ndi.distance_transform_edt(~edge_b)[edge_a], ndi.distance_transform_edt(~edge_a)[edge_b]]


def pedicles(
    own: Vertebra, true: Vertebra, mask: npt.NDArray[np.bool_], truth: npt.NDArray[np.bool_], grid: Grid
) -> dict[str, float]:
    """Dice and 95th percentile in the pedicle region, isthmus errors."""
    ids = (Part.PEDICLE_LEFT, Part.PEDICLE_RIGHT)
    where = resample_mask(np.isin(true.parts.array, ids), true.parts.grid, grid) > 0.5
    region = ndi.distance_transform_edt(~where) <= 3.0
    a, b = mask & region, truth & region
    edge_a, edge_b = (m & ~ndi.binary_erosion(m) & ndi.binary_erosion(region) for m in (mask, truth))
    near = np.r_[
        ndi.distance_transform_edt(~(truth & ~ndi.binary_erosion(truth)))[edge_a],
        ndi.distance_transform_edt(~(mask & ~ndi.binary_erosion(mask)))[edge_b],
    ]
    off = [own.pedicles[side].isthmus_center_lps - true.pedicles[side].isthmus_center_lps for side in Side]
    isthmus = [float(np.linalg.norm(one)) for one in off]
    across = [np.linalg.norm(np.cross(one, true.pedicles[side].axis_lps)) for one, side in zip(off, Side, strict=True)]
    return {
        "pedicle_dice": 2 * int((a & b).sum()) / max(1, int(a.sum()) + int(b.sum())),
        "pedicle_p95": float(np.percentile(near, 95)) if near.size else 99.0,
        "isthmus_left": isthmus[0],
        "isthmus_right": isthmus[1],
        "isthmus_across": float(max(across)),
    }


def height_error(own: Vertebra, true_mm: Sequence[float]) -> float:
    """The largest error of the three heights, mm."""
    return max(abs(a - b) for a, b in zip(_heights_mm(own), true_mm, strict=True))


def _heights_mm(one: Vertebra) -> tuple[float, float, float]:
    return one.heights.ha_mm, one.heights.hm_mm, one.heights.hp_mm


def genant(own: Vertebra, true: Vertebra) -> dict[str, float]:
    """Error of the height loss, percentage points; whether the grade is right, where the loss is clear of a limit."""
    mine, loss = own.heights.loss_percent, true.heights.loss_percent
    if mine is None or loss is None:
        return {}
    clear = min(abs(loss - limit) for limit in LIMITS_PERCENT) > NEAR_LIMIT
    right = {"genant_right": float(own.fracture.genant_grade == true.fracture.genant_grade)} if clear else {}
    return {"loss_error": abs(mine - loss)} | right


HEAD = (
    "dice",
    "asd",
    "hd95",
    "pedicle_dice",
    "pedicle_p95",
    "isthmus_left",
    "isthmus_right",
    "isthmus_across",
    "height_error",
    "loss_error",
    "score",
)


def main() -> None:
    """Grade and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--only")
    parser.add_argument("--expert", action="store_true", help="the sample that experts labelled, with six seeds")
    parser.add_argument("--made", action="store_true", help="fractures made on the real scans instead")
    parser.add_argument("--hard", action="store_true", help="every case through a worse scanner as well")
    parser.add_argument("--values", type=Path, help="also write every figure of every mask to this CSV file")
    parser.add_argument("--phantoms", type=int, default=10)
    parser.add_argument("--backends", nargs="+", default=["network"], choices=["network", "simpleitk"])
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--sheet", type=Path)
    asked = parser.parse_args()
    backends = {"network": NetworkBackend(asked.weights), "simpleitk": SimpleItkBackend()}
    cases: list[Iterator[Case]] = [phantom_cases(asked.phantoms)]
    if asked.data is not None:
        cases.append(real_cases(asked.data, asked.only, asked.made))
    if asked.expert:
        cases.append(expert_cases())
    print(f"{'case':38} {'back-end':9} " + " ".join(f"{h[:12]:>12}" for h in HEAD) + "   seconds")
    pictures, all_figures = [], []
    for number, case in enumerate(_all(cases, hard=asked.hard)):
        for name in asked.backends:
            line, figures, mask = grade(case, backends[name], number)
            text = " ".join(f"{figures[h]:12.3f}" if h in figures else f"{'-':>12}" for h in HEAD)
            print(f"{case.name:38} {name:9} {text} {figures.get('seconds', 0.0):9.1f}  {line}", flush=True)
            all_figures.append((name, {"case": case.name, **figures}))
            if asked.sheet is not None and mask is not None:
                pictures.append((f"{case.name} {name} {figures['dice']:.3f}", case, mask))
    for name in asked.backends:
        summary(name, [f for n, f in all_figures if n == name])
    if asked.sheet is not None and pictures:
        draw_sheet(pictures, asked.sheet)
    if asked.values is not None:
        write_values(all_figures, asked.values)


def _all(groups: list[Iterator[Case]], *, hard: bool) -> Iterator[Case]:
    from _segmentation_hard import harden

    for number, case in enumerate(case for group in groups for case in group):
        yield case
        if hard:
            yield harden(case, number)


def write_values(rows: list[tuple[str, dict[str, Any]]], path: Path) -> None:
    """One line a mask: what a threshold of confidence is found on."""
    names = sorted({key for _, row in rows for key in row} - {"case"})
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["back-end", "case", *names])
        writer.writeheader()
        writer.writerows({"back-end": name, **row} for name, row in rows)


def summary(name: str, rows: list[dict[str, Any]]) -> None:
    """Medians, worst values, and what was flagged against Dice 0.85."""
    graded = [r for r in rows if "dice" in r]
    if not graded:
        return
    for key in HEAD:
        values = [r[key] for r in graded if key in r]
        if values:
            worst = min(values) if "dice" in key or key == "score" else max(values)
            print(f"{name:9} {key:14} median {np.median(values):.3f}  worst {worst:.3f}")
    grades = [r["genant_right"] for r in graded if "genant_right" in r]
    clear = f"further than {NEAR_LIMIT:.0f} points from a limit"
    print(f"{name}: Genant grade right {sum(grades):.0f} of {len(grades)} {clear}")
    bad = [r for r in graded if r["dice"] < 0.85]
    good = [r for r in graded if r["dice"] >= 0.85]
    print(
        f"{name}: {len(rows) - len(graded)} refused; Dice < 0.85: {len(bad)}, of them flagged "
        f"{sum(int(r['flagged']) for r in bad)}; Dice >= 0.85: {len(good)}, of them flagged "
        f"{sum(int(r['flagged']) for r in good)}"
    )


def draw_sheet(pictures: list[tuple[str, Case, LabelMap]], path: Path) -> None:
    """Three planes a case: result red, reference green."""
    figure = Figure((9, 3 * len(pictures)))
    for row, (name, case, found) in enumerate(pictures):
        mask, (truth, grid) = found.array > 0, reference(case, found.grid)
        hu = resample_volume(case.ct, grid).array
        at = np.round(np.argwhere(truth).mean(axis=0)).astype(int)
        for column, axis in enumerate((0, 1, 2)):
            ax = figure.add_subplot(len(pictures), 3, 3 * row + column + 1)
            origin = "upper" if axis == 0 else "lower"
            ax.imshow(hu.take(at[axis], axis), cmap="gray", vmin=-200, vmax=900, origin=origin)
            for m, colour in ((truth, "lime"), (mask, "red")):
                if m.take(at[axis], axis).any():
                    ax.contour(m.take(at[axis], axis), [0.5], colors=colour, linewidths=0.8)
            ax.axis("off")
        figure.axes[3 * row].set_title(name, fontsize=8, loc="left")
    figure.tight_layout()
    figure.savefig(path, dpi=60)


if __name__ == "__main__":
    main()
