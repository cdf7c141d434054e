"""One patient, stored at every angle and in every format: does the plan stay the same plan?

    python benchmarks/orientation.py [--rotations 200] [--every 10]

The phantom never moves in the world. All 48 orders of its axes, and random rotations of the storage grid (half of them
with one axis running backwards), are written as DICOM, NIfTI, NRRD and MetaImage, read back and planned on. The 48 are
the same voxels, so everything must be equal; at other angles the scan is a fresh sampling (new voxels, new noise)
that is resampled on reading, and the plan may move by a part of a voxel, the verdict may not. Of the rotations every
`--every`-th is planned on in all four formats; for the others the four readings are compared voxel by voxel.

Exits with 1 when a verdict, a grade or a list of refusals changed.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from oriented_files import FORMATS, reordered, write_scan  # noqa: E402 the tests folder is no package

from trajplan.anatomy.measure import measure_vertebra  # noqa: E402
from trajplan.geometry import Grid, LabelMap, Volume  # noqa: E402
from trajplan.parts import Side  # noqa: E402
from trajplan.planning.plan import PlanSettings, Trajectory  # noqa: E402
from trajplan.planning.planner import plan_vertebra  # noqa: E402
from trajplan.reading.labels import read_labels  # noqa: E402
from trajplan.reading.read import read_scan  # noqa: E402
from trajplan.reading.schemes import Scheme  # noqa: E402
from trajplan_phantoms import PhantomSpec, Pose, Scanner, make_phantom  # noqa: E402

SPEC = PhantomSpec(target="L1", levels=("L1",), fracture="wedge", height_loss_percent=30.0)
SPACING_ZYX = (1.25, 1.0, 1.0)
SEED = 17


@dataclass(frozen=True)
class Planned:
    """What of a plan is compared."""

    paths: dict[Side, Trajectory]
    refused: tuple[str, ...]

    def said(self) -> list[str]:
        """Verdict and grade by side, and the refusals."""
        told = [f"{side} {t.verdict} {t.gertzbein_robbins}" for side, t in sorted(self.paths.items())]
        return [*told, *self.refused]


@dataclass
class Moved:
    """Largest differences from a reference plan."""

    plans: int = 0
    other_words: int = 0
    entry_mm: list[float] = field(default_factory=list)
    target_mm: list[float] = field(default_factory=list)
    clearance_mm: list[float] = field(default_factory=list)
    angle_deg: list[float] = field(default_factory=list)

    def add(self, one: Planned, other: Planned) -> None:
        self.plans += 1
        self.other_words += one.said() != other.said()
        for side in one.paths.keys() & other.paths.keys():
            a, b = one.paths[side], other.paths[side]
            self.entry_mm.append(float(np.linalg.norm(a.entry_lps - b.entry_lps)))
            self.target_mm.append(float(np.linalg.norm(a.target_lps - b.target_lps)))
            self.clearance_mm.append(abs(a.clearance.min_mm - b.clearance.min_mm))
            self.angle_deg.append(
                max(abs(a.convergence_deg - b.convergence_deg), abs(a.craniocaudal_deg - b.craniocaudal_deg))
            )

    def row(self, what: str) -> str:
        cells = [
            f"{np.median(v):.1e} / {max(v):.1e}" if max(v) < 0.01 else f"{np.median(v):.2f} / {max(v):.2f}"
            for v in (self.entry_mm, self.target_mm, self.clearance_mm, self.angle_deg)
        ]
        return f"| {what} | {self.plans} | {self.plans - self.other_words} | " + " | ".join(cells) + " |"


def plan(ct: Volume, labels: LabelMap) -> Planned:
    vertebra = measure_vertebra(ct, labels, 20, level="L1", level_confirmed=True, source="labels")
    paths, refusals = plan_vertebra(ct, vertebra, PlanSettings(), automatic_mask=False)
    return Planned({t.side: t for t in paths}, tuple(sorted(r.code for r in refusals)))


def read_back(ct: Path, labels: Path) -> tuple[Volume, LabelMap]:
    return read_scan(ct).volume, read_labels(labels, Scheme.VERSE)


def turned_scan(rotation: np.ndarray, noise_seed: int) -> tuple[Volume, LabelMap]:
    """The upright patient scanned on a grid whose axes are the columns of `rotation`."""
    scanner = Scanner(SPACING_ZYX, noise_hu=10.0, seed=noise_seed)
    made = make_phantom(dataclasses.replace(SPEC, pose=Pose(rotation=rotation.T)), scanner)
    grid = made.ct.grid
    turned = Grid(grid.shape_zyx, rotation @ grid.origin_lps, grid.spacing_zyx, rotation @ grid.direction)
    return dataclasses.replace(made.ct, grid=turned), dataclasses.replace(made.labels, grid=turned)


def orders(folder: Path, reference: Planned, upright: tuple[Volume, LabelMap]) -> tuple[Moved, int]:
    """All 48 orders of the axes; the second number counts readings that are not bit for bit the upright scan."""
    moved, other_voxels = Moved(), 0
    for n, axes in enumerate(itertools.permutations(range(3))):
        for m, flips in enumerate(itertools.product((False, True), repeat=3)):
            flipped = tuple(a for a in range(3) if flips[a])
            ct, labels = (reordered(item, axes, flipped) for item in upright)
            for k, kind in enumerate(FORMATS):
                place = folder / f"{n}_{m}_{kind}"
                place.mkdir()
                found = read_back(write_scan(place, ct, kind), write_scan(place, labels, "nrrd"))
                same = np.array_equal(found[0].array, upright[0].array)
                same &= bool(np.abs(found[0].grid.origin_lps - upright[0].grid.origin_lps).max() < 1e-4)
                other_voxels += not same
                if k == (8 * n + m) % len(FORMATS):
                    moved.add(reference, plan(*found))
    return moved, other_voxels


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rotations", type=int, default=200)
    parser.add_argument("--every", type=int, default=10)
    asked = parser.parse_args()
    start = time.perf_counter()
    upright = turned_scan(np.eye(3), 1)
    reference = plan(*upright)
    against_upright, between_formats = Moved(), Moved()
    other_share, origin_apart_mm, compared = 0.0, 0.0, 0
    with tempfile.TemporaryDirectory() as name:
        of_orders, other_voxels = orders(Path(name), reference, upright)
        for n, rotation in enumerate(Rotation.random(asked.rotations, random_state=SEED).as_matrix()):
            folder = Path(name) / f"turned{n}"
            folder.mkdir()
            stored = turned_scan(rotation, 100 + n)
            if n % 2:
                stored = tuple(reordered(item, (0, 1, 2), (n % 3,)) for item in stored)
            labels = write_scan(folder, stored[1], "nrrd")
            found = {kind: read_back(write_scan(folder, stored[0], kind), labels) for kind in FORMATS}
            kinds = FORMATS if n % asked.every == 0 else (FORMATS[n % len(FORMATS)],)
            planned = {kind: plan(*found[kind]) for kind in kinds}
            first = planned[kinds[0]]
            against_upright.add(reference, first)
            for kind in kinds[1:]:
                between_formats.add(first, planned[kind])
            one = found[FORMATS[0]][0]
            for kind in FORMATS[1:]:
                other = found[kind][0]
                compared += 1
                origin_apart_mm = max(origin_apart_mm, np.abs(one.grid.origin_lps - other.grid.origin_lps).max())
                apart = np.abs(one.array.astype(int) - other.array.astype(int))
                other_share = max(other_share, float(np.mean(apart > 1)))
            if n % 10 == 0:
                print(f"  {n + 1} rotations, {(time.perf_counter() - start) / 60:.1f} min", file=sys.stderr, flush=True)
    print(f"reference: {', '.join(reference.said())}; voxels {SPACING_ZYX} mm; differences are median / worst\n")
    print("| stored as | plans | same verdict, grade, refusals | entry mm | target mm | clearance mm | angle deg |")
    print("|---|---|---|---|---|---|---|")
    print(of_orders.row("48 axis orders, formats in turn"))
    print(against_upright.row(f"{asked.rotations} rotations, formats in turn, against upright"))
    print(between_formats.row(f"{between_formats.plans // 3} of them, NIfTI, NRRD, MetaImage against DICOM"))
    print(f"\n48 orders x 4 formats: {192 - other_voxels} of 192 readings bit for bit the upright scan")
    print(
        f"rotations: {compared} pairs of readings, grids at most {origin_apart_mm:.1e} mm apart; voxels that differ by "
        f"more than 1 HU (on the faces of the tilted box): at most {1e6 * other_share:.0f} in a million"
    )
    return int(of_orders.other_words + against_upright.other_words + between_formats.other_words + other_voxels > 0)


if __name__ == "__main__":
    sys.exit(main())
