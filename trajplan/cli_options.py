"""What the commands share: points and folders as options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trajplan.errors import InputError


def parse_point(text: str, option: str) -> Any:
    """Three numbers separated by commas as a float64 array."""
    import numpy as np

    try:
        values = np.array([float(part) for part in text.split(",")])
    except ValueError:
        values = np.array([])
    if values.shape != (3,) or not np.isfinite(values).all():
        raise InputError(f"{option} needs three numbers separated by commas, got {text!r}", code="usage")
    return values


def refuse_a_file(out: Path) -> None:
    """Refuse an output folder that is a file, before anything is computed."""
    if out.exists() and not out.is_dir():
        raise InputError(f"--out {out.name} is a file; name a folder", code="usage")
