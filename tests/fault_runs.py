"""How the fault tests start programs of this very checkout."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WRITER = Path(__file__).with_name("quick_writer.py")
PHANTOM = ("phantom", "wedge-L1", "--spacing", "3,2,2")


def environment(**more: str) -> dict[str, str]:
    """This environment, with the packages of this checkout first."""
    paths = [str(ROOT), str(ROOT / "phantoms"), str(ROOT / "plugins")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"} | more
