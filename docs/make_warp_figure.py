"""Draw docs/img/warp.png: one real vertebra before and after fractures of known size.

    python docs/make_warp_figure.py [FOLDER]

The folder holds ``ct.nii.gz`` and a mask, as ``trajplan samples get lidc-idri-0001`` writes them (LIDC-IDRI, CC BY 3.0,
Armato et al. 2011, see docs/phantoms.md); without one the sample in the user's data folder is taken.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from scipy import ndimage

from trajplan.geometry import Frame, LabelMap, Volume
from trajplan.levels import level_id
from trajplan.reading import Scheme, read_labels, read_scan
from trajplan_phantoms import FracturedScan, fracture_scan
from trajplan_phantoms.real_sample import LIDC_IDRI_0001, get_sample

OUT = Path(__file__).parent / "img" / "warp.png"
LEVEL = "L1"
SHOWN = (("wedge", 30.0), ("wedge", 50.0), ("biconcave", 50.0), ("crush", 50.0))
V_MM, W_MM, STEP_MM = (-45.0, 68.0), (-48.0, 82.0), 0.4
CREDIT = "CT: LIDC-IDRI-0001, CC BY 3.0, Armato et al., Med Phys 38:915 (2011); fractures computed by trajplan"


def midsagittal(item: Volume | LabelMap, frame: Frame) -> np.ndarray:
    """The slice u = 0 of a scan in a vertebra's frame: rows upwards, columns backwards."""
    w, v = np.arange(*W_MM, STEP_MM), np.arange(*V_MM, STEP_MM)
    points = np.zeros((len(w), len(v), 3))
    points[..., 1], points[..., 2] = v[None, :], w[:, None]
    index = np.moveaxis(item.grid.world_to_index(frame.to_world(points)), -1, 0)
    return ndimage.map_coordinates(item.array.astype(np.float32), index, order=1, cval=-1000.0)


def draw(ct: Volume, labels: LabelMap, made: list[FracturedScan]) -> Figure:
    """Before and after, side by side, the vertebra outlined."""
    identifier, frame = level_id(LEVEL), made[0].frame
    figure = Figure(figsize=(11.0, 3.15))
    panels = [("before", ct, labels, made[0].heights_before)]
    panels += [(f"{one.kind} {one.loss_percent:.0f} %", one.ct, one.labels, one.heights_after) for one in made]
    for place, (title, scan, map_, heights) in enumerate(panels):
        axes = figure.add_subplot(1, len(panels), place + 1)
        axes.set_axis_off()
        extent = (*V_MM, *W_MM)
        axes.imshow(midsagittal(scan, frame), cmap="gray", vmin=-160, vmax=520, origin="lower", extent=extent)
        target = LabelMap((map_.array == identifier).astype(np.int16) * 100, map_.grid)
        axes.contour(midsagittal(target, frame), [50.0], colors="#E69F00", linewidths=0.9, extent=extent)
        axes.set_title(f"{title}\n{heights.ha_mm:.1f} / {heights.hm_mm:.1f} / {heights.hp_mm:.1f} mm", fontsize=9)
    figure.text(0.5, 0.012, CREDIT, fontsize=6.5, ha="center")
    figure.subplots_adjust(left=0.005, right=0.995, top=0.86, bottom=0.045, wspace=0.03)
    return figure


def main() -> None:
    """Break the vertebra and save the picture in 64 greys and colours."""
    files = get_sample(LIDC_IDRI_0001.name) if len(sys.argv) < 2 else {
        "ct.nii.gz": Path(sys.argv[1]) / "ct.nii.gz", "mask.nii.gz": Path(sys.argv[1]) / "mask.nii.gz"
    }  # fmt: skip
    ct = read_scan(files["ct.nii.gz"]).volume
    labels = read_labels(files["mask.nii.gz"], Scheme.TOTALSEG_V2)
    figure = draw(ct, labels, [fracture_scan(ct, labels, level_id(LEVEL), *shown) for shown in SHOWN])
    FigureCanvasAgg(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    OUT.parent.mkdir(exist_ok=True)
    Image.open(buffer).convert("RGB").quantize(64).save(OUT, optimize=True)
    print(f"wrote {OUT.name}: {OUT.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
