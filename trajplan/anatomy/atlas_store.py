"""Atlases that a user has added: one file a vertebra in the user's own folder. They hold a piece of a patient's CT."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import zipfile
from pathlib import Path

import numpy as np
import platformdirs

from trajplan.anatomy.atlas import Atlas
from trajplan.errors import InputError, TrajplanError
from trajplan.geometry import Frame, Grid, LabelMap, Volume
from trajplan.levels import LEVEL_NAMES

FOLDER_VARIABLE = "TRAJPLAN_ATLASES"
_SCHEMA = "trajplan.atlas/1"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")


def atlas_folder() -> Path:
    """Where user atlases lie: the user's data folder of the system, or what ``TRAJPLAN_ATLASES`` names."""
    told = os.environ.get(FOLDER_VARIABLE)
    return Path(told) if told else platformdirs.user_data_path("trajplan", appauthor=False) / "atlases"


def save_atlas(atlas: Atlas) -> Path:
    """Write one atlas; readable by its owner only."""
    folder = atlas_folder() / _checked(atlas.name)
    facts = {
        "schema": _SCHEMA,
        "name": atlas.name,
        "level": atlas.level,
        "label_id": atlas.label_id,
        "height_mm": atlas.height_mm,
        "depth_mm": atlas.depth_mm,
        "source_sha256": atlas.source_sha256,
    }
    path = folder / f"{atlas.level}.npz"
    temporary = folder / f".{atlas.level}.new"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with temporary.open("wb") as stream:
            os.chmod(temporary, 0o600)
            np.savez_compressed(
                stream,
                facts=np.array(json.dumps(facts)),
                ct=np.asarray(atlas.ct.array).round().astype(np.int16),
                labels=atlas.labels.array.astype(np.uint8),
                origin_lps=atlas.ct.grid.origin_lps,
                frame=np.vstack([atlas.frame.origin_lps, atlas.frame.rotation]),
            )
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"cannot write the atlas: {error.strerror}", code="output_unwritable") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    return path


def load_atlases() -> tuple[Atlas, ...]:
    """All user atlases, by name and level.

    Raises
    ------
    InputError
        ``atlas_damaged``: a file that cannot be read is named, never passed over in silence.
    """
    return tuple(_load(path) for path in sorted(atlas_folder().glob("*/*.npz")))


def remove_atlas(name: str) -> int:
    """Delete the atlases of one name; how many vertebrae they were."""
    folder = atlas_folder() / _checked(name)
    count = len(list(folder.glob("*.npz")))
    if not count:
        raise InputError(f"there is no atlas {name!r}", code="unknown_atlas")
    shutil.rmtree(folder)
    return count


def _load(path: Path) -> Atlas:
    try:
        with np.load(path, allow_pickle=False) as stored:
            facts = json.loads(str(stored["facts"]))
            if facts["schema"] != _SCHEMA:
                raise ValueError("of another version")
            ct, labels = stored["ct"], stored["labels"]
            grid = Grid(ct.shape, stored["origin_lps"], np.ones(3), np.eye(3))
            origin, *axes = stored["frame"]
        found = LabelMap(labels, grid, {int(i): LEVEL_NAMES[int(i)] for i in np.unique(labels) if i})
        return Atlas(
            name=_checked(str(facts["name"])),
            level=LEVEL_NAMES[int(facts["label_id"])],
            ct=Volume(ct, grid),
            labels=found,
            label_id=int(facts["label_id"]),
            frame=Frame(origin, np.array(axes)),
            height_mm=float(facts["height_mm"]),
            depth_mm=float(facts["depth_mm"]),
            source_sha256=str(facts["source_sha256"]),
        )
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile, TrajplanError) as error:
        raise InputError(
            f"the atlas file {path.parent.name}/{path.name} cannot be read ({error}); take it away with trajplan atlas "
            f"remove {path.parent.name} and add it again",
            code="atlas_damaged",
        ) from error


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise InputError(
            f"an atlas name is made of letters, digits, - and _ (40 at most), got {name[:60]!r}", code="usage"
        )
    return name
