"""What 3D Slicer reads: markups and a segmentation."""

from __future__ import annotations

from pathlib import Path

from trajplan.exports.handover import Handover
from trajplan.exports.markups import markups_of
from trajplan.exports.seg_nrrd import seg_nrrd_bytes
from trajplan.exports.segments import segments_of


def write_slicer(handover: Handover, folder: Path) -> None:
    """Write ``*.mrk.json`` and ``plan.seg.nrrd``."""
    for name, data in markups_of(handover.document).items():
        (folder / name).write_bytes(data)
    (folder / "plan.seg.nrrd").write_bytes(seg_nrrd_bytes(segments_of(handover), "plan"))
