"""Draw docs/img/phantom_vs_ct.png: phantoms beside a real CT, in slices and shaded surfaces.

    python docs/make_phantom_figures.py [FOLDER_OF_lidc0001]

The folder holds ``ct.nii.gz`` and ``vertebrae_verse.nii.gz`` (LIDC-IDRI, CC BY 3.0, see docs/phantoms.md); without
it only the phantoms are drawn.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from scipy import ndimage

from trajplan.geometry import Frame
from trajplan.levels import level_id
from trajplan_phantoms import PhantomSpec, Scanner, make_phantom
from trajplan_phantoms.bone_look import NATURAL

OUT = Path(__file__).parent / "img" / "phantom_vs_ct.png"
STEP_MM = 0.7
HALF_MM = np.array([42.0, 66.0, 34.0])
"""Half width, depth and height of what is drawn, in the vertebra's frame; the middle lies 22 mm behind the body."""
BEHIND_MM = 18.0
Pair = tuple[np.ndarray, np.ndarray]


def lattice(frame: Frame) -> np.ndarray:
    """Points (z, y, x, 3) LPS mm of a grid square to a vertebra: up, backwards, to the left."""
    w, v, u = (np.arange(-h, h + 0.01, STEP_MM) for h in HALF_MM[[2, 1, 0]])
    grid = np.stack(np.meshgrid(w, v + BEHIND_MM, u, indexing="ij"), axis=-1)[..., ::-1]
    return frame.to_world(grid)


def phantom_block(level: str, levels: tuple[str, ...] = ()) -> Pair:
    """CT and vertebra mask of an unfractured phantom about its target."""
    spec = PhantomSpec(level, levels, "none", 0.0, trabecular_hu=90.0, bone=NATURAL)
    one = make_phantom(spec, Scanner((STEP_MM,) * 3, noise_hu=25.0))
    points = lattice(one.truth.frame)
    index = np.moveaxis(one.ct.grid.world_to_index(points), -1, 0)
    ct = ndimage.map_coordinates(one.ct.array.astype(np.float32), index, order=1, cval=-1000.0)
    bone = np.isin(one.labels.array, [level_id(level), 26]) if "S1" in levels else one.labels.array == level_id(level)
    mask = ndimage.map_coordinates(ndimage.gaussian_filter(bone.astype(np.float32), 0.5), index, order=1)
    return ct, mask


def real_block(folder: Path, level: str) -> Pair | None:
    """The same of the real scan; the frame from the label's principal directions is square enough to look at."""
    if not (folder / "ct.nii.gz").is_file():
        return None
    ct = sitk.DICOMOrient(sitk.ReadImage(str(folder / "ct.nii.gz")), "LPS")
    labels = sitk.DICOMOrient(sitk.ReadImage(str(folder / "vertebrae_verse.nii.gz")), "LPS")
    ids = sitk.GetArrayFromImage(labels)
    spacing, origin = np.array(labels.GetSpacing())[::-1], np.array(labels.GetOrigin())[::-1]

    def middle(identifier: int) -> np.ndarray:
        where = np.argwhere(ids == identifier)
        front = where[:, 1] < np.percentile(where[:, 1], 45)  # the body: the front of the bone
        return (where[front].mean(axis=0) * spacing + origin)[::-1]

    here = middle(level_id(level))
    up = middle(level_id(level) - 1) - here
    w = up / np.linalg.norm(up)
    u = np.array([1.0, 0.0, 0.0]) - w[0] * w
    u /= np.linalg.norm(u)
    points = lattice(Frame(here, np.stack([u, np.cross(w, u), w])))
    index = np.moveaxis((points[..., ::-1] - origin) / spacing, -1, 0)
    image = ndimage.map_coordinates(sitk.GetArrayFromImage(ct).astype(np.float32), index, order=1, cval=-1000.0)
    soft = ndimage.gaussian_filter((ids == level_id(level)).astype(np.float32), (0.5, 1.0, 1.0))
    return image, ndimage.map_coordinates(soft, index, order=1)


def shaded(mask: np.ndarray, view: str) -> np.ndarray:
    """A surface lit from the eye: first hit along the view, brightness from the surface normal."""
    smooth = ndimage.gaussian_filter(mask, 0.7)
    volume = {
        "lateral": lambda a: a[::-1, :, ::-1].transpose(0, 1, 2),
        "behind": lambda a: a[::-1, ::-1, :].transpose(0, 2, 1),
        "above": lambda a: a[::-1].transpose(1, 2, 0),
    }[view](smooth)
    gradient = np.stack(np.gradient(volume), axis=-1)
    solid = volume > 0.5
    depth = solid.argmax(axis=2)
    hit = solid.any(axis=2)
    rows, cols = np.indices(depth.shape)
    normal = gradient[rows, cols, depth]
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True) + 1e-6
    light = np.array([-0.45, -0.35, 1.0]) / np.linalg.norm([0.45, 0.35, 1.0])
    lit = 0.18 + 0.82 * np.clip(normal @ light, 0.0, 1.0)
    fog = 1.0 - 0.35 * (depth - depth[hit].min()) / max(1.0, float(np.ptp(depth[hit])))
    return np.where(hit, lit * fog, 1.0)


def row_of(block: Pair) -> list[np.ndarray]:
    """Axial through the pedicles, sagittal, coronal slice (bone window) and three surfaces, each 0..1."""
    ct, mask = block
    window = np.clip((ct + 250.0) / 1250.0, 0.0, 1.0)
    k, i = ct.shape[0] // 2, ct.shape[2] // 2
    front = round((HALF_MM[1] - BEHIND_MM) / STEP_MM)
    axial = window[k + round(5.0 / STEP_MM)]
    return [
        axial,
        window[::-1, :, i],
        window[::-1, front],
        shaded(mask, "lateral"),
        shaded(mask, "behind"),
        shaded(mask, "above"),
    ]


def main() -> None:
    """Write the picture."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("shared/data/ct/lidc0001")
    rows: list[tuple[str, Pair]] = []
    for level in sys.argv[2].split(",") if len(sys.argv) > 2 else ("T6", "T12", "L1", "L4", "L5"):
        rows.append(
            (
                f"{level} phantom" if level != "L5" else "L5, S1 phantom",
                phantom_block(level, ("L3", "L4", "L5", "S1") if level == "L5" else ()),
            )
        )
        real = real_block(folder, level) if level in ("T6", "T12", "L1") else None
        if real is not None:
            rows.append((f"{level} LIDC-IDRI-0001", real))
    figure = Figure(figsize=(11.0, 1.62 * len(rows)), dpi=100)
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(rows), 6, squeeze=False)
    for line, (name, block) in zip(axes, rows, strict=True):
        for axis, picture in zip(line, row_of(block), strict=True):
            axis.imshow(picture, cmap="gray", vmin=0.0, vmax=1.0, interpolation="bilinear")
            axis.set_xticks([])
            axis.set_yticks([])
        line[0].set_ylabel(name, fontsize=8)
    figure.subplots_adjust(0.03, 0.005, 0.995, 0.995, 0.03, 0.03)
    target = Path(sys.argv[3]) if len(sys.argv) > 3 else OUT
    figure.savefig(target)
    Image.open(target).convert("L").quantize(40).save(target, optimize=True)


if __name__ == "__main__":
    main()
