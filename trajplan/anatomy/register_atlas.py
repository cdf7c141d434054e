"""An atlas vertebra onto a CT box: frames on frames, small grid search, affine, B-spline (SimpleITK)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.ndimage as ndi
import SimpleITK as sitk

from trajplan.anatomy.atlas import Atlas
from trajplan.anatomy.atlas_start import find_start
from trajplan.anatomy.seed_frame import SeedFrame
from trajplan.geometry import Volume
from trajplan.geometry.arrays import BoolArray, Float32Array
from trajplan.geometry.itk import to_sitk

_SAMPLING_SEED = 7
# The metric adds partial sums of this many pieces: a fixed number makes the result the same on any machine.
_PIECES = 2
_CLIP_MM = 8.0
_BONE_HU = 180.0


@dataclass(frozen=True, eq=False)
class Registration:
    """The transform target -> atlas (world mm) and the correlations (0..1, larger is better) along the way."""

    transform: sitk.Transform
    start: float
    affine: float
    spline: float


def bone_image(volume: Volume) -> sitk.Image:
    """What is registered: signed distance to bone, -2 (in bone) to 6 mm.

    Against an idealised atlas this did as well as clamped HU on the two vertebrae compared (Dice within 0.005),
    and it does not depend on the marrow's HU.
    """
    smooth = ndi.gaussian_filter(np.asarray(volume.array, dtype=np.float32), 0.7)
    bone = smooth > _BONE_HU
    distance = ndi.distance_transform_edt(~bone) - ndi.distance_transform_edt(bone)
    return to_sitk(np.clip(distance, -2.0, 6.0).astype(np.float32), volume.grid)


def best_start(box: Volume, seed: SeedFrame, atlases: Sequence[Atlas]) -> Atlas:
    """The atlas that fits best before any deformation; the first of equals."""
    if len(atlases) == 1:
        return atlases[0]
    fixed = bone_image(box)
    fits = [_start(fixed, bone_image(one.ct), _near_mask(one), seed, one)[0] for one in atlases]
    return atlases[int(np.argmax(fits))]


def register(box: Volume, seed: SeedFrame, atlas: Atlas, grid_mm: float = 18.0) -> Registration:
    """Carry `atlas` onto the 1 mm `box` (target HU) from the frame found at the seed."""
    fixed, moving = bone_image(box), bone_image(atlas.ct)
    mask = _near_mask(atlas)
    start, affine = _start(fixed, moving, mask, seed, atlas)
    method = _method([4, 2], [2.0, 1.0], [0.5, 0.2])
    method.SetMetricMovingMask(mask)
    method.SetOptimizerAsGradientDescent(1.0, 40, 1e-5, 8, method.EachIteration)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetInitialTransform(affine, inPlace=True)
    method.Execute(fixed, moving)
    after_affine = -float(method.GetMetricValue())

    warped = sitk.Resample(mask, fixed, affine, sitk.sitkNearestNeighbor, 0)
    where = np.argwhere(sitk.GetArrayViewFromImage(warped) > 0)
    lo = np.maximum(where.min(axis=0) - 2, 0)
    hi = np.minimum(where.max(axis=0) + 3, box.array.shape)
    sub = fixed[tuple(slice(int(a), int(b)) for a, b in zip(lo[::-1], hi[::-1], strict=True))]
    mesh = [max(2, round(n / grid_mm)) for n in sub.GetSize()]
    spline = sitk.BSplineTransformInitializer(sub, mesh, 3)
    method = _method([2, 1], [1.5, 0.7], [0.4, 0.12])
    method.SetMetricFixedMask(sitk.Resample(mask, sub, affine, sitk.sitkNearestNeighbor, 0))
    method.SetOptimizerAsLBFGSB(1e-5, 20, 5, 100, 1e7)
    method.SetInitialTransform(spline, inPlace=True)
    method.Execute(sub, sitk.Resample(moving, sub, affine, sitk.sitkLinear, 0.0))
    return Registration(sitk.CompositeTransform([affine, spline]), start, after_affine, -float(method.GetMetricValue()))


def _start(
    fixed: sitk.Image, moving: sitk.Image, mask: sitk.Image, seed: SeedFrame, atlas: Atlas
) -> tuple[float, sitk.AffineTransform]:
    """The best fit before any optimiser runs, and the affine transform that gives it."""
    method = _method([3], [1.5], [0.4])
    method.SetMetricMovingMask(mask)

    def fit(affine: sitk.AffineTransform) -> float:
        method.SetInitialTransform(affine, inPlace=False)
        return -float(method.MetricEvaluate(fixed, moving))

    return find_start(fit, seed, atlas)


def _near_mask(atlas: Atlas) -> sitk.Image:
    """The atlas vertebra and 6 mm about it: where the images are compared."""
    near = ndi.distance_transform_edt(atlas.labels.array != atlas.label_id) <= 6.0
    return to_sitk(near, atlas.ct.grid)


def carry(mask: BoolArray, atlas: Atlas, transform: sitk.Transform, box: Volume) -> Float32Array:
    """Signed distance (mm, inside +, within +-8) of an atlas mask, carried to the box."""
    distance = ndi.distance_transform_edt(mask) - ndi.distance_transform_edt(~mask)
    image = to_sitk(np.clip(distance, -_CLIP_MM, _CLIP_MM).astype(np.float32), atlas.ct.grid)
    reference = to_sitk(np.zeros(box.array.shape, np.uint8), box.grid)
    carried = sitk.Resample(image, reference, transform, sitk.sitkLinear, -_CLIP_MM, sitk.sitkFloat32)
    return np.asarray(sitk.GetArrayFromImage(carried), dtype=np.float32)


def _method(shrink: list[int], sigma_mm: list[float], sampling: list[float]) -> sitk.ImageRegistrationMethod:
    method = sitk.ImageRegistrationMethod()
    method.SetNumberOfThreads(_PIECES)
    method.SetMetricAsCorrelation()
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentagePerLevel(sampling, _SAMPLING_SEED)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetShrinkFactorsPerLevel(shrink)
    method.SetSmoothingSigmasPerLevel(sigma_mm)
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    return method
