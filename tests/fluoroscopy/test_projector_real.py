"""Promises on a real chest CT: the fast picture is the exact one, and the spine is where the labels say."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from fluoroscopy_truth import correlation, trilinear_reference
from realdata import real_data

from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.overlay import mask_outline_px
from trajplan.fluoroscopy.prepared import prepare
from trajplan.fluoroscopy.projector import project
from trajplan.geometry.itk import labels_from_sitk, volume_from_sitk


@pytest.mark.real
def test_fast_and_exact_views_of_a_real_scan_agree() -> None:
    scan = sitk.ReadImage(str(real_data("ct/lidc0001/ct.nii.gz")), sitk.sitkInt16)
    labels = sitk.ReadImage(str(real_data("ct/lidc0001/vertebrae_verse.nii.gz")))
    prepared = prepare(volume_from_sitk(sitk.DICOMOrient(scan, "LPS")))
    vertebrae = labels_from_sitk(sitk.DICOMOrient(labels, "LPS"))
    mask = vertebrae.mask(17)  # T10
    center = vertebrae.grid.index_to_world(np.argwhere(mask).mean(axis=0))
    for angles in ((0.0, 0.0), (90.0, 0.0), (-30.0, 15.0)):
        carm = CArm(*angles, center, detector_px=(128, 128), pixel_mm=2.328)
        fast, exact = (project(prepared, carm, quality=q).line_integral for q in ("fast", "siddon"))
        assert correlation(fast, exact) > 0.9995  # slices of 2.5 mm: steps in one, interpolated in the other
        outline = mask_outline_px(mask, vertebrae.grid, carm)
        assert np.abs((outline.min(axis=0) + outline.max(axis=0)) / 2 - 63.5).max() < 12
        assert fast[64, 64] > 1.0
    coarse = CArm(-30.0, 15.0, center, detector_px=(40, 40), pixel_mm=7.45)
    truth = trilinear_reference(prepared.volume, coarse)
    assert correlation(project(prepared, coarse).line_integral, truth) > 0.9999
