"""One simulated X-ray of a CT at any C-arm angle."""

from __future__ import annotations

import sys
from pathlib import Path

from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.drr import Drr
from trajplan.fluoroscopy.projector import project
from trajplan.reading import read_scan
from trajplan.reporting.xray import drr_png


def project_ct(ct: Path, out: Path, primary_deg: float = 0.0, secondary_deg: float = 0.0) -> Drr:
    """Project the scan about its centre (LAO +, CRA +) and write a PNG."""
    scan = read_scan(ct)
    drr = project(scan.volume, CArm(primary_deg, secondary_deg, scan.volume.grid.center_lps))
    out.write_bytes(drr_png(drr))
    print(f"wrote {out.name}, magnification {drr.carm.magnification:.2f} at the isocentre")
    return drr


if __name__ == "__main__":
    if len(sys.argv) not in (3, 5):
        raise SystemExit("usage: project_ct.py CT OUT.png [PRIMARY_DEG SECONDARY_DEG]")
    project_ct(Path(sys.argv[1]), Path(sys.argv[2]), *(float(a) for a in sys.argv[3:]))
