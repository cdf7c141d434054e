"""Draw docs/img/worst.png: masks furthest from their references, each by a network that never saw the patient.

    python docs/make_worst_figure.py DATA WITHOUT_LIDC0001.onnx WITHOUT_TS_LUMBAR3MM.onnx

DATA holds ``ct/lidc0001`` and ``ct/ts_lumbar3mm`` as the benchmarks use them; the weights are folds of
``training/README.md``. LIDC-IDRI: CC BY 3.0, Armato et al. 2011; ts_lumbar3mm: TotalSegmentator repository, Apache-2.0.
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

from trajplan.anatomy.measure import measure_vertebra
from trajplan.anatomy.network_backend import NetworkBackend
from trajplan.anatomy.vertebra import Vertebra
from trajplan.geometry import LabelMap, Volume
from trajplan.geometry.pieces import thickest
from trajplan.levels import LEVEL_NAMES, level_id
from trajplan.parts import Side
from trajplan.reading import Scheme, read_labels, read_scan
from trajplan_phantoms import fracture_scan

OUT = Path(__file__).parent / "img" / "worst.png"
HALF_MM, STEP_MM = 36.0, 0.4
REFERENCE, OURS = "#56B4E9", "#E69F00"
LEGEND = "blue: reference (automatic labels), orange: the network; crosses: what is measured on each"
CREDIT = (
    "CT: LIDC-IDRI-0001, CC BY 3.0, Armato et al., Med Phys 38:915 (2011); ts_lumbar3mm: TotalSegmentator repository, "
    "Apache-2.0; fracture computed by trajplan"
)


def planes(centre: np.ndarray, across: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Points (row, column, 3), LPS mm, of the square about `centre`: columns along `across`, rows along `up`."""
    ticks = np.arange(-HALF_MM, HALF_MM, STEP_MM)
    return centre + ticks[None, :, None] * across + ticks[:, None, None] * up


def sampled(item: Volume | LabelMap, points: np.ndarray, one: int | None = None) -> np.ndarray:
    """A scan, or the share of one label, at `points`."""
    array = item.array.astype(np.float32) if one is None else (item.array == one).astype(np.float32)
    index = np.moveaxis(item.grid.world_to_index(points), -1, 0)
    return ndimage.map_coordinates(array, index, order=1, cval=-1000.0 if one is None else 0.0)


def segmented(ct: Volume, labels: LabelMap, one: int, weights: Path) -> tuple[LabelMap, Vertebra, Vertebra]:
    """The network's labels, and what is measured on them and on the reference."""
    seed = labels.grid.index_to_world(thickest(labels.array == one))
    ours = NetworkBackend(weights).segment(ct, seed, one, lambda share, what: None).labels
    reference, own = (
        measure_vertebra(ct, each, one, level=LEVEL_NAMES[one], level_confirmed=True, source="figure")
        for each in (labels, ours)
    )
    return ours, reference, own


def main() -> None:
    """Segment, cut the planes and save the picture in 64 greys and colours."""
    data, without_lidc, without_lumbar = (Path(one) for one in sys.argv[1:4])
    figure = Figure(figsize=(10.2, 3.9))
    for place, (folder, level, broken, weights, title) in enumerate(
        (
            ("lidc0001", "T4", False, without_lidc, "lidc0001 T4: lowest Dice"),
            ("lidc0001", "T10", True, without_lidc, "lidc0001 T10, biconcave made: heights"),
            ("ts_lumbar3mm", "L5", False, without_lumbar, "ts_lumbar3mm L5: isthmus, seen from above"),
        )
    ):
        base, one = data / "ct" / folder, level_id(level)
        ct, labels = read_scan(base / "ct.nii.gz").volume, read_labels(base / "vertebrae_verse.nii.gz", Scheme.VERSE)
        if broken:
            made = fracture_scan(ct, labels, one, "biconcave", 40.0)
            ct, labels = made.ct, made.labels
        ours, reference, own = segmented(ct, labels, one, weights)
        frame, left = reference.frame, reference.pedicles[Side.LEFT]
        if level == "L5":
            centre = frame.to_world([0.0, 12.0, frame.to_local(left.isthmus_center_lps)[2]])
            points = planes(centre, frame.u, -frame.v)
        else:
            points = planes(frame.to_world([0.0, 12.0, 0.0]), frame.v, frame.w)
        axes = figure.add_subplot(1, 3, place + 1)
        axes.set_axis_off()
        extent = (-HALF_MM, HALF_MM, -HALF_MM, HALF_MM)
        axes.imshow(sampled(ct, points), cmap="gray", vmin=-120, vmax=520, origin="lower", extent=extent)
        for item, measured, colour in ((labels, reference, REFERENCE), (ours, own, OURS)):
            axes.contour(sampled(item, points, one), [0.5], colors=colour, linewidths=0.9, extent=extent)
            shown = (
                [measured.pedicles[side].isthmus_center_lps for side in Side]
                if level == "L5"
                else list(measured.measures.six_points_lps)  # type: ignore[union-attr]  # measured on a mask: there
            )
            local = np.array(shown) - points.mean(axis=(0, 1))
            right, up = (points[0, 1] - points[0, 0]) / STEP_MM, (points[1, 0] - points[0, 0]) / STEP_MM
            axes.plot(local @ right, local @ up, "+", color=colour, markersize=9)
        axes.set_title(title, fontsize=9)
    figure.text(0.5, 0.065, LEGEND, fontsize=8, ha="center")
    figure.text(0.5, 0.015, CREDIT, fontsize=6.0, ha="center")
    figure.subplots_adjust(left=0.005, right=0.995, top=0.92, bottom=0.11, wspace=0.03)
    FigureCanvasAgg(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    Image.open(buffer).convert("RGB").quantize(64).save(OUT, optimize=True)
    print(f"wrote {OUT.name}: {OUT.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
