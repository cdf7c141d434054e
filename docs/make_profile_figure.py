"""Draw docs/img/phantom_profiles.png: a phantom beside a real scan, ``python docs/make_profile_figure.py [FOLDER]``.

FOLDER holds ``ct.nii.gz`` and ``vertebrae_verse.nii.gz`` of LIDC-IDRI-0001; without it the folder ``ct/lidc0001`` of
``TRAJPLAN_DATA`` or of ``../shared/data`` is taken. Both scans go through the same measurement: the frame of L1 from
its label, then Hounsfield units along lines across the posterior wall and the upper end plate.
"""

from __future__ import annotations

import os
import sys
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

OUT = Path(__file__).parent / "img" / "phantom_profiles.png"
REAL, SYNTHETIC = "#0072B2", "#D55E00"
ALONG_MM = np.arange(-12.0, 12.01, 0.25)
TRABECULAR_HU = 70.0
"""In the middle of the body, so that its core with what shines in from the rim has the real one's mean."""
SCANNER = Scanner(
    (2.5, 0.703, 0.703),
    noise_hu=16.0,
    psf_mm=0.45,
    seed=5,
    slice_thickness_mm=2.5,
    texture="ct",
    fov_mm=360.0,
    table=True,
)
"""As the real scan: spacing from its header, noise and kernel from its liver."""


@dataclass(frozen=True, eq=False)
class Look:
    """What is drawn of one scan."""

    name: str
    axial: np.ndarray
    sagittal: np.ndarray
    wall: np.ndarray
    plate: np.ndarray
    core_hu: np.ndarray
    front_hu: np.ndarray
    posterior_hu: np.ndarray


def real_folder() -> Path:
    """Where the real scan lies; exits with the reason when it is nowhere."""
    if len(sys.argv) > 1:
        return Path(sys.argv[1])
    bases = [os.environ.get("TRAJPLAN_DATA"), str(Path(__file__).resolve().parents[2] / "shared" / "data")]
    for base in bases:
        if base and (Path(base) / "ct" / "lidc0001" / "ct.nii.gz").exists():
            return Path(base) / "ct" / "lidc0001"
    sys.exit("the real scan was not found: give its folder, or set TRAJPLAN_DATA")


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


def look(name: str, ct: Volume, labels: LabelMap) -> Look:
    """Measure L1 of a scan."""
    one = measure_vertebra(ct, labels, level_id("L1"), level="L1", level_confirmed=True, source="labels")
    frame, parts = one.frame, one.parts
    wall = np.median(frame.to_local(one.posterior_wall_lps)[:, 1])
    front = np.median(frame.to_local(one.anterior_wall_lps)[:, 1])
    top = float(frame.to_local(one.superior.center_lps)[2])
    bottom = float(frame.to_local(one.inferior.center_lps)[2])
    u, w = np.meshgrid(np.arange(-8, 8.1, 1.0), np.arange(bottom + 6, bottom + 11.1, 1.25))
    across_wall = np.stack([u.ravel(), np.full(u.size, wall), w.ravel()], axis=-1)
    u, v = np.meshgrid(np.arange(-10, 10.1, 1.25), np.arange(0.6 * front, 0.6 * wall, 1.25))
    across_plate = np.stack([u.ravel(), v.ravel(), np.full(u.size, top)], axis=-1)
    ijk = np.argwhere(parts.array == Part.BODY)
    inner = frame.to_local(parts.grid.index_to_world(ijk))
    core = np.abs(inner - np.array([0.0, 0.5 * (front + wall), 0.5 * (top + bottom)]))
    core = (core < np.array([10.0, 8.0, 5.0])).all(axis=1)
    mid = frame.to_world(np.array([0.0, 0.0, 0.5 * (top + bottom)]))
    k, _, _ = ct.grid.world_to_index(mid)
    posterior = np.argwhere(parts.array == Part.POSTERIOR)
    u, w = np.meshgrid(np.arange(-8, 8.1, 1.0), np.arange(bottom + 8, top - 8, 1.25))
    across_front = np.stack([u.ravel(), np.full(u.size, front), w.ravel()], axis=-1)
    return Look(
        name,
        _picture(ct, mid, (0, 1), round(float(k))),
        _picture(ct, mid, (2, 1), None),
        lines(ct, one, across_wall, 1),
        lines(ct, one, across_plate, 2),
        sampled(ct, parts.grid.index_to_world(ijk[core])),
        lines(ct, one, across_front, 1),
        sampled(ct, parts.grid.index_to_world(posterior)),
    )


def _picture(ct: Volume, middle: np.ndarray, axes: tuple[int, int], k: int | None) -> np.ndarray:
    """120 x 120 mm about `middle` at 0.5 mm: axial (x across) or sagittal (y across, head up)."""
    r = np.arange(-60.0, 60.1, 0.5)
    if axes == (0, 1):
        z = middle[2] if k is None else float(ct.grid.index_to_world((k, 0, 0))[2])
        x, y = np.meshgrid(middle[0] + r, middle[1] + 15.0 + r)
        return sampled(ct, np.stack([x, y, np.full_like(x, z)], axis=-1))
    y, z = np.meshgrid(middle[1] + 15.0 + r, middle[2] - r)
    return sampled(ct, np.stack([np.full_like(y, middle[0]), y, z], axis=-1))


def profile(axes: Axes, looks: list[Look], field: str, title: str, ends: tuple[str, str]) -> None:
    """Mean, and the middle 68 % of lines, of both scans."""
    for one, color in zip(looks, (REAL, SYNTHETIC), strict=True):
        rows = getattr(one, field)
        low, high = np.percentile(rows, [16, 84], axis=0)
        axes.fill_between(ALONG_MM, low, high, color=color, alpha=0.18, lw=0)
        axes.plot(ALONG_MM, rows.mean(axis=0), color=color, lw=2, label=one.name)
        axes.plot(ALONG_MM, rows[len(rows) // 2], color=color, lw=0.8, ls="--")
    axes.set_title(title, fontsize=10)
    axes.set_xlabel(f"mm from the cortex ({ends[0]} | {ends[1]})", fontsize=8)
    axes.set_ylabel("HU", fontsize=8)
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, frameon=False)


def draw(looks: list[Look]) -> Figure:
    """Pictures above, profiles and histogram below."""
    figure = Figure((12.0, 7.4), layout="constrained")
    axes = figure.subplots(2, 4)
    for column, (one, part) in enumerate((one, part) for part in ("axial", "sagittal") for one in looks):
        axes[0, column].imshow(getattr(one, part), cmap="gray", vmin=-250, vmax=650, interpolation="nearest")
        axes[0, column].set_title(f"{one.name}, {part}", fontsize=10)
        axes[0, column].set_axis_off()
    profile(axes[1, 0], looks, "wall", "across the posterior wall", ("body", "canal"))
    profile(axes[1, 1], looks, "plate", "across the upper end plate", ("body", "disc"))
    profile(axes[1, 2], looks, "front_hu", "across the anterior wall", ("front", "body"))
    for one, color in zip(looks, (REAL, SYNTHETIC), strict=True):
        text = f"{one.core_hu.mean():.0f} +- {one.core_hu.std():.0f} HU"
        axes[1, 3].hist(one.core_hu, np.arange(-150, 400, 12), density=True, color=color, alpha=0.45, label=text)
        axes[1, 3].hist(one.posterior_hu, np.arange(-150, 1500, 40), density=True, color=color, histtype="step", lw=1.5)
    axes[1, 3].set_title("cancellous core (filled), arch (line)", fontsize=10)
    axes[1, 3].set_xlabel("HU", fontsize=8)
    axes[1, 3].set_yticks([])
    axes[1, 3].tick_params(labelsize=8)
    axes[1, 3].legend(fontsize=8, frameon=False)
    return figure


def main() -> None:
    """Measure both scans and draw them."""
    folder = real_folder()
    real = look(
        "LIDC-IDRI-0001 L1",
        read_scan(folder / "ct.nii.gz").volume,
        read_labels(folder / "vertebrae_verse.nii.gz", "verse"),
    )
    spec = PhantomSpec(
        fracture="none", height_loss_percent=0.0, trabecular_hu=TRABECULAR_HU, bone=NATURAL, aorta_hu=409.0
    )
    made = make_phantom(spec, SCANNER)
    synthetic = look("phantom L1", made.ct, made.labels)
    for one in (real, synthetic):
        heights = [f"{getattr(one, f).mean(axis=0).max():.0f}" for f in ("wall", "plate", "front_hu")]
        sys.stdout.write(
            f"{one.name}: core {one.core_hu.mean():.0f} +- {one.core_hu.std():.0f} HU; peak of the mean profile at "
            f"posterior wall, end plate, anterior wall {', '.join(heights)} HU; posterior elements "
            f"{np.percentile(one.posterior_hu, [10, 50, 90]).round().tolist()} HU\n"
        )
    picture = BytesIO()
    draw([real, synthetic]).savefig(picture, dpi=80)
    Image.open(picture).convert("RGB").quantize(128).save(OUT, optimize=True)  # a third of the size


if __name__ == "__main__":
    main()
