"""One vertebra to learn: an image cube at the network's spacing about its body, and how much of each voxel is what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from trajplan.anatomy.network_input import PADDING_HU, SPACING_MM, NetworkClass

Array = npt.NDArray[np.generic]
HALF = 64
"""Voxels kept about the body centre, 96 mm: room for turning, scaling and the offset of the crop."""

SIDE = 2 * HALF
IGNORE = 5
"""Label where nobody knows (vertebrae that the case's labels leave out); above every `NetworkClass`."""

KINDS = (NetworkClass.BODY, NetworkClass.POSTERIOR, NetworkClass.OTHER, NetworkClass.CANAL, IGNORE)
"""What `Target.share` tells of; the rest of a voxel is background."""

FULL = 255


@dataclass(frozen=True, eq=False)
class Target:
    """A vertebra to learn.

    Attributes
    ----------
    name, patient : str
        `patient` is what leave-one-patient-out leaves out.
    hu : ndarray of int16, shape (z, y, x)
        `PADDING_HU` outside the scan.
    share : ndarray of uint8, shape (z, y, x, 5)
        How much of the voxel is each of `KINDS`, 0 to `FULL`. A voxel of 1.5 mm is often half bone: labels of one
        class a voxel would take away thin laminae and the place of every surface between two voxels.
    tissues : ndarray of uint8
        What may be recoloured as one thing (`training.segmenter.tissues`).
    valid : ndarray of bool
        Inside the scan.
    height_vox : float
        Of the body.
    knows_canal : bool
        Whether the canal is labelled.
    weight : float
        How often the target is drawn, against others.
    """

    name: str
    patient: str
    hu: npt.NDArray[np.int16]
    share: npt.NDArray[np.uint8]
    tissues: npt.NDArray[np.uint8]
    valid: npt.NDArray[np.bool_]
    height_vox: float
    knows_canal: bool
    weight: float


def cube(array: Array, lower_zyx: npt.NDArray[np.int_], fill: float) -> Array:
    """The `SIDE` cube of `array` that starts at `lower_zyx`, filled up where it leaves the array."""
    out = np.full((SIDE,) * 3, fill, dtype=array.dtype)
    first, last = np.maximum(lower_zyx, 0), np.minimum(lower_zyx + SIDE, array.shape)
    if (last > first).all():
        into = tuple(slice(a - o, b - o) for a, b, o in zip(first, last, lower_zyx, strict=True))
        out[into] = array[tuple(slice(a, b) for a, b in zip(first, last, strict=True))]
    return out


def save_targets(path: Path, targets: Iterable[Target]) -> None:
    """Write targets to one ``.npz``."""
    content: dict[str, Array] = {}
    for n, one in enumerate(targets):
        about = np.array([one.name, one.patient, str(one.height_vox), str(int(one.knows_canal)), str(one.weight)])
        content |= {f"{n}_about": about, f"{n}_hu": one.hu, f"{n}_share": one.share, f"{n}_tissues": one.tissues}
        content[f"{n}_valid"] = np.packbits(one.valid)
    np.savez_compressed(path, allow_pickle=False, **content)


def load_targets(path: Path) -> list[Target]:
    """Read what `save_targets` wrote."""
    out = []
    with np.load(path, allow_pickle=False) as data:
        for n in range(sum(key.endswith("_about") for key in data.files)):
            name, patient, height, knows, weight = (str(v) for v in data[f"{n}_about"])
            hu = data[f"{n}_hu"]
            valid = np.unpackbits(data[f"{n}_valid"])[: hu.size].reshape(hu.shape).astype(bool)
            out.append(
                Target(
                    name,
                    patient,
                    hu,
                    data[f"{n}_share"],
                    data[f"{n}_tissues"],
                    valid,
                    float(height),
                    knows == "1",
                    float(weight),
                )
            )
    return out


def padding() -> np.int16:
    """What stands outside a scan."""
    return np.int16(PADDING_HU)


def voxels(mm: float) -> float:
    """Millimetres in voxels of the network's grid."""
    return mm / SPACING_MM


def hard_labels(share: npt.NDArray[np.generic], full: float = 1.0) -> npt.NDArray[np.uint8]:
    """One class a voxel of shares (..., 5) of `KINDS`; `IGNORE` where a third is unknown, else what fills half of it.

    Bone counts first as a whole, so that the seam of body and arch takes nothing from the outline.
    """
    body, posterior, other, canal, unknown = np.moveaxis(share.astype(np.float32), -1, 0) / np.float32(full)
    out = np.zeros(body.shape, dtype=np.uint8)
    out[unknown > 0.3] = IGNORE
    out[canal > 0.5] = NetworkClass.CANAL
    out[other > 0.5] = NetworkClass.OTHER
    own = body + posterior > 0.5
    out[own] = np.where(body >= posterior, NetworkClass.BODY, NetworkClass.POSTERIOR)[own]
    return out
