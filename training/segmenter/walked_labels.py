"""Labels of T4 to T11 of the scan ts_chest_stent, which came with one of T12 only: made, looked at and corrected.

    python -m training.segmenter.walked_labels DATA WORK

The network of the package finds and segments the column; levels are counted up from the mask of T12 that was given.
Then `walked_corrections.toml` is applied: a list of what was seen on every axial slice and on sagittal and coronal
slices, and what was done about it. It holds for the labels of the weights it names, and for no others; where the
package ships other weights by now, they are taken from the repository's history.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.ndimage as ndi

from trajplan.anatomy.clean_labels import clean_labels
from trajplan.anatomy.network_column import find_column_by_network
from trajplan.anatomy.network_labels import mean_share
from trajplan.anatomy.network_model import WEIGHTS, load_model
from trajplan.anatomy.network_pass import look
from trajplan.exports.labels_file import write_labels
from trajplan.geometry import LabelMap, Volume
from trajplan.geometry.arrays import AnyArray, BoolArray
from trajplan.geometry.pieces import largest, thickest
from trajplan.levels import LEVEL_IDS
from trajplan.reading.labels import read_labels
from trajplan.reading.read import read_scan
from trajplan.reading.schemes import Scheme

ROOT = Path(__file__).resolve().parents[2]
FOLDER = "ts_chest_stent"
OUTPUT = f"walked_{FOLDER}.nii.gz"
LEVELS = tuple(f"T{n}" for n in range(4, 12))
GIVEN = "T12"
CORRECTIONS = Path(__file__).with_name("walked_corrections.toml")
_IN_PLANE = ndi.generate_binary_structure(2, 1)[None]


@dataclass(frozen=True)
class Correction:
    """One entry of the reviewed list.

    Attributes
    ----------
    level : str
    seen : str
        What was wrong, and in which planes.
    do : str
        A key of `OPERATIONS`.
    box : tuple of slice
        Where: z, y, x on the CT's grid, axis-aligned LPS.
    hu : float
        What has at least so much is dense.
    steps : int
        How far, voxels.
    """

    level: str
    seen: str
    do: str
    box: tuple[slice, ...]
    hu: float
    steps: int


def grow(own: BoolArray, others: BoolArray, dense: BoolArray, steps: int) -> BoolArray:
    """Dense voxels added face by face, where no other level is labelled or nearer."""
    nearer = np.ones_like(own)
    if others.any():
        nearer = ndi.distance_transform_edt(~own) <= ndi.distance_transform_edt(~others)
    return np.asarray(ndi.binary_dilation(own, iterations=steps, mask=own | (dense & nearer & ~others)))


def close(own: BoolArray, others: BoolArray, dense: BoolArray, steps: int) -> BoolArray:
    """Gaps of up to twice `steps` voxels closed in axial planes."""
    room = ((0, 0), (steps, steps), (steps, steps))
    closed = ndi.binary_closing(np.pad(own, room), _IN_PLANE, steps)[:, steps:-steps, steps:-steps]
    return np.asarray(own | (closed & dense & ~others))


def border(own: BoolArray, others: BoolArray, dense: BoolArray, steps: int) -> BoolArray:
    """The last `steps` rows in y (the posterior border of the scan) labelled as the row before them."""
    out = own.copy()
    out[:, -steps:] |= own[:, -steps - 1, None] & dense[:, -steps:] & ~others[:, -steps:]
    return out


def peel(own: BoolArray, others: BoolArray, dense: BoolArray, steps: int) -> BoolArray:
    """What is not dense taken away in axial planes, from the outside in."""
    outside = ndi.binary_dilation(~own, _IN_PLANE, steps, mask=~own | ~dense)
    return np.asarray(own & ~outside)


OPERATIONS = {"grow": grow, "close": close, "border": border, "peel": peel}


def read_corrections(path: Path = CORRECTIONS) -> tuple[str, tuple[Correction, ...]]:
    """The hash of the weights whose labels were looked at, and the list; boxes there are first and last index."""
    stored = tomllib.loads(path.read_text())
    boxes = [tuple(slice(first, last + 1) for first, last in entry["box"]) for entry in stored["correction"]]
    found = (Correction(**entry | {"box": box}) for entry, box in zip(stored["correction"], boxes, strict=True))
    return stored["weights_sha256"], tuple(found)


def walked(ct: Volume, given: LabelMap, weights: Path = WEIGHTS) -> LabelMap:
    """Every vertebra that the network finds, on the CT's grid; `given` (T12 on the same grid) keeps its voxels.

    Two looks a vertebra; where two vertebrae meet, a voxel belongs to the one the network is surer of.
    """
    mask = given.array == LEVEL_IDS[GIVEN]
    column = find_column_by_network(ct, lambda share, what: None, weights)
    here, _ = column.nearest(given.grid.index_to_world(thickest(mask)))
    array = np.zeros(ct.grid.shape_zyx, dtype=np.uint8)
    best = np.full(ct.grid.shape_zyx, 0.5, dtype=np.float32)
    for one, name in zip(column.vertebrae, column.levels((here, GIVEN)).names, strict=True):
        if name in LEVEL_IDS and name != GIVEN:
            share = mean_share(ct.grid, (one.seen, look(load_model(weights), ct, one.center_lps)))
            mine = largest(share > 0.5) & (share > best)
            array[mine], best[mine] = LEVEL_IDS[name], share[mine]
    array[mask] = LEVEL_IDS[GIVEN]
    return LabelMap(array, ct.grid)


def corrected(labels: LabelMap, ct: Volume, corrections: tuple[Correction, ...]) -> LabelMap:
    """The list applied in its order; then loose voxels go (`clean_labels`), and what is neither of `LEVELS` nor given.

    The mask that was given stays as it is.
    """
    array: AnyArray = labels.array.copy()
    for one in corrections:
        level, view = LEVEL_IDS[one.level], array[one.box]
        own = view == level
        new = OPERATIONS[one.do](own, (view > 0) & ~own, np.asarray(ct.array[one.box] >= one.hu), one.steps)
        view[own & ~new] = 0
        view[new] = level
    clean = clean_labels(LabelMap(array, labels.grid))[0].array
    out = np.where(np.isin(clean, [LEVEL_IDS[name] for name in LEVELS]), clean, 0).astype(np.uint8)
    out[labels.array == LEVEL_IDS[GIVEN]] = LEVEL_IDS[GIVEN]
    return LabelMap(out, labels.grid, {LEVEL_IDS[name]: name for name in (*LEVELS, GIVEN)})


def reviewed_weights(sha256: str, work: Path) -> Path:
    """The ONNX file of that hash: the one of the package, or of an earlier commit, written to `work`.

    Raises
    ------
    SystemExit
        When the history does not hold it (a shallow clone, no git).
    """
    if load_model(WEIGHTS).sha256 == sha256:
        return WEIGHTS
    inside = WEIGHTS.relative_to(ROOT).as_posix()
    sheet = inside.replace(".onnx", ".json")
    try:
        for commit in _git("log", "--format=%H", "--", sheet).decode().split():
            text = _git("show", f"{commit}:{sheet}")
            if json.loads(text)["sha256"] == sha256:
                found = work / "walked_weights.onnx"
                work.mkdir(parents=True, exist_ok=True)
                found.write_bytes(_git("show", f"{commit}:{inside}"))
                found.with_suffix(".json").write_bytes(text)
                return found
    except (OSError, subprocess.CalledProcessError) as error:
        why = f" ({error})"
    else:
        why = ""
    raise SystemExit(
        f"{CORRECTIONS.name} holds for the weights {sha256[:16]}... only, which neither the package nor the history of "
        f"this repository holds{why}: give them by python -m training.segmenter.walked_labels DATA WORK --weights FILE"
    )


def _git(*words: str) -> bytes:
    return subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, check=True).stdout  # noqa: S603, S607


def make(data: Path, work: Path, weights: Path | None = None) -> None:
    """Write the corrected labels, and print what the corrections changed."""
    sha256, corrections = read_corrections()
    weights = weights or reviewed_weights(sha256, work)
    if load_model(weights).sha256 != sha256:
        raise SystemExit(f"{CORRECTIONS.name} holds for the weights {sha256[:16]}... only, not for {weights.name}")
    base = data / "ct" / FOLDER
    ct = read_scan(base / "ct.nii.gz").volume
    given = read_labels(base / f"vertebrae_{GIVEN}.nii.gz", Scheme.MASK, level_id=LEVEL_IDS[GIVEN])
    before = walked(ct, given, weights)
    after = corrected(before, ct, corrections)
    for name in LEVELS:
        old, new = before.array == LEVEL_IDS[name], after.array == LEVEL_IDS[name]
        print(f"{name:3} {old.sum():6} -> {new.sum():6} voxels (+{(new & ~old).sum()}, -{(old & ~new).sum()})")
    work.mkdir(parents=True, exist_ok=True)
    write_labels(after, work / OUTPUT)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help=f"folder that holds ct/{FOLDER}")
    parser.add_argument("work", type=Path, help=f"where walked_{FOLDER}.nii.gz is written")
    parser.add_argument("--weights", type=Path, help="an ONNX file with its sheet beside it")
    asked = parser.parse_args()
    make(asked.data, asked.work, asked.weights)


if __name__ == "__main__":
    main()
