"""Break one vertebra of a real labelled CT by a known amount, and say what is true of it."""

from __future__ import annotations

import sys
from pathlib import Path

from trajplan.exports.fracture_files import write_fracture
from trajplan.fractured import MeasuredFracture, fracture_level
from trajplan.reading import Scheme, read_labels, read_scan


def fracture_a_scan(
    ct: Path, labels: Path, scheme: str, level: str, out: Path, kind: str = "wedge", loss_percent: float = 40.0
) -> MeasuredFracture:
    """Write the fractured CT, its labels and truth.json to `out` and print the heights."""
    done = fracture_level(
        read_scan(ct).volume, read_labels(labels, Scheme(scheme)), level, kind, height_loss_percent=loss_percent
    )
    write_fracture(done.made.ct, done.made.labels, done.to_dict(), out)
    before, after = done.made.heights_before, done.made.heights_after
    print(f"{level} {kind}: anterior {before.ha_mm:.1f} -> {after.ha_mm:.1f} mm (exact)")
    print(f"anterior height on the new labels {done.heights_on_labels.ha_mm:.1f} mm")
    print(f"smallest Jacobian {done.made.jacobian_min:.2f}: nothing folds")
    return done


if __name__ == "__main__":
    if len(sys.argv) != 6:
        raise SystemExit("usage: fracture_a_scan.py CT LABELS verse|totalseg-v2|totalseg-v1|mask LEVEL OUT")
    fracture_a_scan(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4], Path(sys.argv[5]))
