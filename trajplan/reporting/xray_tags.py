"""What goes into an X-ray's file beside its pixels: how it was taken, as JSON."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from trajplan import DISCLAIMER
from trajplan.fluoroscopy.blades import open_px
from trajplan.fluoroscopy.coverage import cut_rays
from trajplan.fluoroscopy.drr import Drr
from trajplan.fluoroscopy.reach import out_of_reach_deg

KEY = "trajplan"
_TIFF_DESCRIPTION = 270


def xray_tags(drr: Drr, more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Position, detector, blades, projector and scan end of one X-ray as plain values; `more` is added at the end."""
    carm = drr.carm
    rows, columns = open_px(carm)
    cut = cut_rays(drr.ends_lps, carm)
    return {
        "simulated": True,
        "disclaimer": DISCLAIMER,
        "primary_deg": round(carm.primary_deg, 3),
        "secondary_deg": round(carm.secondary_deg, 3),
        "out_of_reach_deg": round(out_of_reach_deg(carm), 3),
        "isocenter_lps": [round(float(v), 3) for v in carm.isocenter_lps],
        "source_detector_mm": carm.source_detector_mm,
        "source_isocenter_mm": carm.source_isocenter_mm,
        "magnification": round(carm.magnification, 6),
        "detector_px": list(carm.detector_px),
        "pixel_mm": round(carm.pixel_mm, 6),
        "collimation_mm": None if carm.collimation_mm is None else list(carm.collimation_mm),
        "open_rows_px": [rows.start, rows.stop],
        "open_columns_px": [columns.start, columns.stop],
        "projector": drr.quality,
        "energy_kev": drr.energy_kev,
        "scan_ends_in_view": cut is not None,
        "share_beyond_scan": 0.0 if cut is None else round(float(cut.mean()), 4),
        **(more or {}),
    }


def tagged_png(png: bytes, tags: Mapping[str, Any]) -> bytes:
    """The picture with its tags as a text chunk named `KEY`."""
    stream, info = io.BytesIO(), PngInfo()
    info.add_text(KEY, json.dumps(tags))
    with Image.open(io.BytesIO(png)) as picture:
        picture.save(stream, "PNG", pnginfo=info)
    return stream.getvalue()


def tiff(drr: Drr, tags: Mapping[str, Any]) -> bytes:
    """Line integrals as float32, the tags as image description."""
    stream = io.BytesIO()
    image = Image.fromarray(np.ascontiguousarray(drr.line_integral, dtype=np.float32))
    image.save(stream, "TIFF", tiffinfo={_TIFF_DESCRIPTION: json.dumps(tags)})
    return stream.getvalue()
