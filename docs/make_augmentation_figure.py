"""Draw docs/img/augmentation.png: a wedge, a biconcave and a crush phantom carried through to cement.

Run it from the repository root after a change to balloons, cement or their pictures::

    python docs/make_augmentation_figure.py
"""

from __future__ import annotations

import io
from pathlib import Path

import PIL.Image

from trajplan.case import CaseRequest, CaseResult, run_case
from trajplan.reading.scan import Scan
from trajplan.reporting.augmentation_pictures import augmentation_pictures
from trajplan_phantoms import Scanner, make_phantom, named

OUT = Path(__file__).parent / "img" / "augmentation.png"
CASES = ("wedge-L1", "biconcave-L2", "crush-T12")
SHOWN = (
    "balloon_coronal.png",
    "balloon_sagittal_left.png",
    "cement_sagittal.png",
    "xray_lateral_cement.png",
    "augmentation_heights.png",
)
WIDTH_PX = 330


def planned(name: str) -> CaseResult:
    """A named phantom, planned from its own labels."""
    phantom = make_phantom(named(name), Scanner(spacing_zyx=(0.9, 0.9, 0.9), seed=1))
    scan = Scan.of_volume(phantom.ct, path_name=name, kind="phantom")
    return run_case(scan, CaseRequest(phantom.truth.level, None, phantom.labels, "phantom truth labels"))


def sheet(results: list[CaseResult]) -> PIL.Image.Image:
    """One row a case."""
    rows = []
    for result in results:
        found = {p.name: PIL.Image.open(io.BytesIO(p.png)).convert("RGB") for p in augmentation_pictures(result)}
        rows.append(
            [found[name].resize((WIDTH_PX, WIDTH_PX * found[name].height // found[name].width)) for name in SHOWN]
        )
    heights = [max(image.height for image in row) for row in rows]
    page = PIL.Image.new("RGB", (WIDTH_PX * len(SHOWN), sum(heights)), "white")
    top = 0
    for row, height in zip(rows, heights, strict=True):
        for k, image in enumerate(row):
            page.paste(image, (k * WIDTH_PX, top))
        top += height
    return page


if __name__ == "__main__":
    sheet([planned(name) for name in CASES]).quantize(256, method=PIL.Image.Quantize.FASTOCTREE).save(
        OUT, optimize=True
    )
