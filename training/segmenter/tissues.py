"""What may be recoloured as one thing: labelled organs, bone by layer, and the rest by its HU."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.ndimage as ndi

ORGANS = range(1, 200)
"""Ids of the case's own organ labels (TotalSegmentator v2 where it has them)."""

BY_HU = range(200, 206)
_HU_STEPS = (-700.0, -300.0, -20.0, 90.0, 200.0)
"""Unlabelled tissue: air, lung, fat, soft, contrast-filled, bone."""

CORTEX, TRABECULAR, DENSE, OTHER_BONE = 210, 211, 212, 213
AORTA, RIBS = 52, range(92, 116)
COUNT = 256


def tissue_map(
    hu: npt.NDArray[np.float32], vertebrae: npt.NDArray[np.bool_], organs: npt.NDArray[np.uint8]
) -> npt.NDArray[np.uint8]:
    """Tissue ids on the network's grid.

    Parameters
    ----------
    hu : ndarray
    vertebrae : ndarray of bool
        Any labelled vertebra.
    organs : ndarray of uint8
        Organ ids below 200; 0 where nothing is labelled.
    """
    out = (BY_HU.start + np.digitize(ndi.gaussian_filter(hu, 0.6), _HU_STEPS)).astype(np.uint8)
    out[organs > 0] = organs[organs > 0]
    inside = vertebrae & (ndi.distance_transform_edt(vertebrae) > 1.5)
    out[vertebrae] = CORTEX
    out[inside] = TRABECULAR
    out[inside & (ndi.gaussian_filter(hu, 1.0) > 300.0)] = DENSE
    return out
