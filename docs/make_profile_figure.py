"""Draw docs/img/phantom_profiles.png: phantoms beside real scans, ``python docs/make_profile_figure.py [FOLDER]``.

FOLDER holds ``lidc0001`` and ``ts_lumbar3mm``, each with ``ct.nii.gz`` and ``vertebrae_verse.nii.gz``; without it the
folder ``ct`` of ``TRAJPLAN_DATA`` or of ``../shared/data`` is taken. All scans go through the same measurement: the
frame of every vertebra from its label, then Hounsfield units along lines across the posterior wall, both end plates and
the front, each line centred on its own cortex.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image
from scipy import ndimage

from trajplan.anatomy.measure import measure_vertebra
from trajplan.anatomy.vertebra import Vertebra
from trajplan.geometry import LabelMap, Volume
from trajplan.levels import level_id
from trajplan.parts import Part
from trajplan.reading import read_labels, read_scan
from trajplan_phantoms import PhantomSpec, Scanner, make_phantom
from trajplan_phantoms.bone_look import NATURAL
from trajplan_phantoms.morphometry import COLUMN

OUT = Path(__file__).parent / "img" / "phantom_profiles.png"
REAL, SYNTHETIC = "#0072B2", "#D55E00"
ALONG_MM = np.arange(-12.0, 12.01, 0.25)
PROFILES = ("wall", "upper", "lower", "front")


@dataclass(frozen=True)
class Case:
    """A real scan, and the phantom that stands beside it.

    `trabecular_hu` is that of the middle of the bodies, so that the core with what shines in from the rim has the
    real mean; noise and kernel are those of the real scan's soft tissue.
    """

    folder: str
    name: str
    levels: tuple[str, ...]
    shown: str
    trabecular_hu: float
    aorta_hu: float
    scanner: Scanner


CHEST = Case(
    "lidc0001", "LIDC-IDRI-0001", ("T9", "T10", "T11", "T12", "L1", "L2"), "L1", 80.0, 409.0,
    Scanner(
        (2.5, 0.703, 0.703), noise_hu=16.0, psf_mm=0.45, seed=5, slice_thickness_mm=2.5, texture="ct", fov_mm=360.0,
        table=True,
    ),
)  # fmt: skip
COARSE = Case(
    "ts_lumbar3mm", "3 mm abdomen", ("L1", "L2", "L3", "L4"), "L2", 104.0, 150.0,
    Scanner((3.0, 3.0, 3.0), noise_hu=12.0, psf_mm=1.2, seed=5, slice_thickness_mm=3.0),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Look:
    """What is drawn of one scan: two pictures of one vertebra, and lines and values of all its vertebrae."""

    name: str
    axial: np.ndarray
    sagittal: np.ndarray
    wall: np.ndarray
    upper: np.ndarray
    lower: np.ndarray
    front: np.ndarray
    core_hu: np.ndarray
    arch_hu: np.ndarray


def data_folder() -> Path:
    """Where the real scans lie; exits with the reason when they are nowhere."""
    if len(sys.argv) > 1:
        return Path(sys.argv[1])
    bases = [os.environ.get("TRAJPLAN_DATA"), str(Path(__file__).resolve().parents[2] / "shared" / "data")]
    for base in bases:
        if base and (Path(base) / "ct" / CHEST.folder / "ct.nii.gz").exists():
            return Path(base) / "ct"
    sys.exit("the real scans were not found: give their folder, or set TRAJPLAN_DATA")


def sampled(ct: Volume, points_lps: np.ndarray) -> np.ndarray:
    """HU at points, linear."""
    index = np.moveaxis(ct.grid.world_to_index(points_lps), -1, 0)
    return ndimage.map_coordinates(ct.array.astype(np.float32), index, order=1, mode="nearest")


def lines(ct: Volume, one: Vertebra, starts_uvw: np.ndarray, axis: int) -> np.ndarray:
    """HU (lines, ALONG_MM) along v (axis 1) or w (axis 2), each line centred on its cortex within 4 mm of its start."""
    step = np.zeros(3)
    step[axis] = 1.0
    reach = np.arange(-18.0, 18.01, 0.25)
    hu = sampled(ct, one.frame.to_world(starts_uvw[:, None, :] + reach[:, None] * step))
    near = np.abs(reach) <= 4.0
    smooth = ndimage.uniform_filter1d(hu, 5, axis=1)
    peak = reach[near][np.argmax(smooth[:, near], axis=1)]
    return np.array([np.interp(ALONG_MM + p, reach, row) for p, row in zip(peak, hu, strict=True)])


def look(name: str, ct: Volume, labels: LabelMap, levels: Sequence[str], shown: str) -> Look:
    """Measure the levels of a scan."""
    found: dict[str, list[np.ndarray]] = {}
    pictures: tuple[np.ndarray, np.ndarray] | None = None
    for level in levels:
        one = measure_vertebra(ct, labels, level_id(level), level=level, level_confirmed=True, source="labels")
        for key, values in profiles(ct, one).items():
            found.setdefault(key, []).append(values)
        if level == shown:
            middle = one.frame.origin_lps
            k = round(float(ct.grid.world_to_index(middle)[0]))
            pictures = _picture(ct, middle, (0, 1), k), _picture(ct, middle, (2, 1), None)
    if pictures is None:
        raise ValueError(f"{shown} is not among the levels")
    return Look(name, *pictures, **{key: np.concatenate(values) for key, values in found.items()})


def profiles(ct: Volume, one: Vertebra) -> dict[str, np.ndarray]:
    """Lines across the walls of one body, and the values of its core and of its arch."""
    frame, parts = one.frame, one.parts
    wall = np.median(frame.to_local(one.posterior_wall_lps)[:, 1])
    front = np.median(frame.to_local(one.anterior_wall_lps)[:, 1])
    top = float(frame.to_local(one.superior.center_lps)[2])
    bottom = float(frame.to_local(one.inferior.center_lps)[2])
    height = top - bottom
    u, w = np.meshgrid(np.arange(-8, 8.1, 1.0), np.arange(bottom + 0.25 * height, bottom + 0.45 * height, 1.25))
    across_wall = np.stack([u.ravel(), np.full(u.size, wall), w.ravel()], axis=-1)
    u, w = np.meshgrid(np.arange(-8, 8.1, 1.0), np.arange(bottom + 0.3 * height, top - 0.3 * height, 1.25))
    across_front = np.stack([u.ravel(), np.full(u.size, front), w.ravel()], axis=-1)
    u, v = np.meshgrid(np.arange(-10, 10.1, 1.25), np.arange(0.6 * front, 0.6 * wall, 1.25))
    plates = [np.stack([u.ravel(), v.ravel(), np.full(u.size, at)], axis=-1) for at in (bottom, top)]
    ijk = np.argwhere(parts.array == Part.BODY)
    inner = frame.to_local(parts.grid.index_to_world(ijk))
    core = np.abs(inner - np.array([0.0, 0.5 * (front + wall), 0.5 * (top + bottom)]))
    core = (core < np.array([10.0, 8.0, 5.0])).all(axis=1)
    arch = np.argwhere(parts.array == Part.POSTERIOR)
    return {
        "wall": lines(ct, one, across_wall, 1),
        "upper": lines(ct, one, plates[1], 2),
        "lower": lines(ct, one, plates[0], 2)[:, ::-1],  # from the body to the disc, as the upper one
        "front": lines(ct, one, across_front, 1),
        "core_hu": sampled(ct, parts.grid.index_to_world(ijk[core])),
        "arch_hu": sampled(ct, parts.grid.index_to_world(arch)),
    }


def _picture(ct: Volume, middle: np.ndarray, axes: tuple[int, int], k: int | None) -> np.ndarray:
    """120 x 120 mm about `middle` at 0.5 mm: axial (x across) or sagittal (y across, head up)."""
    r = np.arange(-60.0, 60.1, 0.5)
    if axes == (0, 1):
        z = middle[2] if k is None else float(ct.grid.index_to_world((k, 0, 0))[2])
        x, y = np.meshgrid(middle[0] + r, middle[1] + 15.0 + r)
        return sampled(ct, np.stack([x, y, np.full_like(x, z)], axis=-1))
    y, z = np.meshgrid(middle[1] + 15.0 + r, middle[2] - r)
    return sampled(ct, np.stack([np.full_like(y, middle[0]), y, z], axis=-1))


def profile(axes: Axes, looks: Sequence[Look], field: str, title: str, ends: tuple[str, str]) -> None:
    """Median and the middle 80 % of all lines of all vertebrae, of both scans."""
    for one, color in zip(looks, (REAL, SYNTHETIC), strict=True):
        low, middle, high = np.percentile(getattr(one, field), [10, 50, 90], axis=0)
        axes.fill_between(ALONG_MM, low, high, color=color, alpha=0.2, lw=0)
        axes.plot(ALONG_MM, middle, color=color, lw=1.8, label=one.name)
    axes.set_title(title, fontsize=10)
    axes.set_xlabel(f"mm from the cortex ({ends[0]} | {ends[1]})", fontsize=8)
    _dress(axes)


def densities(axes: Axes, looks: Sequence[Look]) -> None:
    """Cancellous core and arch of both scans."""
    for one, color in zip(looks, (REAL, SYNTHETIC), strict=True):
        text = f"{np.median(one.core_hu):.0f} +- {one.core_hu.std():.0f} HU"
        axes.hist(one.core_hu, np.arange(-150, 400, 12), density=True, color=color, alpha=0.4, label=text)
        axes.hist(one.arch_hu, np.arange(-150, 1500, 40), density=True, color=color, histtype="step", lw=1.5)
    axes.set_title("cancellous core (filled), arch (line)", fontsize=10)
    axes.set_xlabel("HU", fontsize=8)
    axes.set_yticks([])
    _dress(axes)


def _dress(axes: Axes) -> None:
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7, frameon=False)


def draw(chest: Sequence[Look], coarse: Sequence[Look]) -> Figure:
    """Pictures above, then the profiles of the chest CT, then those of the coarse one."""
    figure = Figure((12.0, 10.4), layout="constrained")
    axes = figure.subplots(3, 4)
    for column, (one, part) in enumerate((one, part) for part in ("axial", "sagittal") for one in chest):
        axes[0, column].imshow(getattr(one, part), cmap="gray", vmin=-250, vmax=650, interpolation="nearest")
        axes[0, column].set_title(f"{one.name.split(',')[0]} {CHEST.shown}, {part}", fontsize=10)
        axes[0, column].set_axis_off()
    for row, looks in ((1, chest), (2, coarse)):
        profile(axes[row, 0], looks, "wall", "across the posterior wall", ("body", "canal"))
        profile(axes[row, 1], looks, "upper", "across the upper end plates", ("body", "disc"))
        profile(axes[row, 2], looks, "lower", "across the lower end plates", ("body", "disc"))
        axes[row, 0].set_ylabel("HU", fontsize=8)
    profile(axes[1, 3], chest, "front", "across the anterior wall", ("front", "body"))
    densities(axes[2, 3], chest)
    return figure


def pair(case: Case, folder: Path) -> tuple[Look, Look]:
    """A real scan and its phantom, measured alike; their figures on the terminal."""
    span = f"{case.levels[0]} to {case.levels[-1]}"
    real = look(
        f"{case.name}, {span}",
        read_scan(folder / case.folder / "ct.nii.gz").volume,
        read_labels(folder / case.folder / "vertebrae_verse.nii.gz", "verse"),
        case.levels,
        case.shown,
    )
    # one vertebra more at either end, so that every end plate has its disc
    column = [level for level in COLUMN if level not in ("T13", "L6")]
    built = tuple(column[column.index(case.levels[0]) - 1 : column.index(case.levels[-1]) + 2])
    spec = PhantomSpec(
        case.shown, built, "none", 0.0, trabecular_hu=case.trabecular_hu, bone=NATURAL, aorta_hu=case.aorta_hu
    )
    made = make_phantom(spec, case.scanner)
    synthetic = look(f"phantom, {span}", made.ct, made.labels, case.levels, case.shown)
    near = np.abs(ALONG_MM) < 3.0
    for one in (real, synthetic):
        peaks = [f"{field} {np.median(getattr(one, field)[:, near], axis=0).max():.0f}" for field in PROFILES]
        arch = np.percentile(one.arch_hu, [10, 50, 90]).round().tolist()
        core = f"{np.median(one.core_hu):.0f} +- {one.core_hu.std():.0f} HU"
        print(f"{one.name}: core {core}, {', '.join(peaks)}, arch {arch}")
    return real, synthetic


def main() -> None:
    """Measure all scans and draw them."""
    folder = data_folder()
    picture = BytesIO()
    draw(pair(CHEST, folder), pair(COARSE, folder)).savefig(picture, dpi=80)
    Image.open(picture).convert("RGB").quantize(128).save(OUT, optimize=True)  # a third of the size


if __name__ == "__main__":
    main()
