"""A carried surface pulled onto the image: marker watershed inside a thin shell about the prior."""

from __future__ import annotations

import numpy as np
import scipy.ndimage as ndi
import SimpleITK as sitk

from trajplan.anatomy.bone_edge import settled
from trajplan.geometry import Volume
from trajplan.geometry.arrays import BoolArray, Float32Array
from trajplan.geometry.itk import to_sitk
from trajplan.geometry.pieces import largest

SURE_INSIDE_MM = 2.0
SURE_OUTSIDE_MM = 5.0
EDGE_SIGMA_MM = 0.6
"""These, and how far a mask leans to its prior, were chosen on seven vertebrae of three scans: Dice 0.909 -> 0.917
together."""

_DARK_HU = 40.0


def refine(box: Volume, prior_mm: Float32Array, neighbours: BoolArray) -> BoolArray:
    """The vertebra within ``-5 < prior < 2`` mm by watershed on the gradient, settled on the edge; largest component.

    Parameters
    ----------
    box : Volume
        1 mm CT.
    prior_mm : ndarray
        Signed distance to the prior surface, inside positive.
    neighbours : ndarray of bool
        Voxels that surely belong to other vertebrae.
    """
    hu = np.asarray(box.array, dtype=np.float32)
    gradient = sitk.GradientMagnitudeRecursiveGaussian(to_sitk(np.clip(hu, -100, 500), box.grid), EDGE_SIGMA_MM)
    markers = np.zeros(hu.shape, dtype=np.uint8)
    markers[prior_mm > SURE_INSIDE_MM] = 1
    markers[prior_mm < -SURE_OUTSIDE_MM] = 2
    markers[(prior_mm < 0) & (ndi.gaussian_filter(hu, 0.6) < _DARK_HU)] = 2
    markers[neighbours & (prior_mm < SURE_INSIDE_MM)] = 2
    flooded = sitk.MorphologicalWatershedFromMarkers(
        gradient, to_sitk(markers, box.grid), markWatershedLine=False, fullyConnected=False
    )
    core = prior_mm > SURE_INSIDE_MM
    mask = ndi.binary_opening(sitk.GetArrayFromImage(flooded) == 1) | core
    return largest(settled(mask, prior_mm, hu))
