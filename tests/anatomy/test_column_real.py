"""The column on a real lumbar CT of 3 mm voxels."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from realdata import real_data

from trajplan.anatomy.column import find_column
from trajplan.geometry.itk import labels_from_sitk, volume_from_sitk
from trajplan.geometry.resample import canonical


@pytest.mark.real
def test_lumbar_seeds_lie_inside_the_labelled_bodies_in_order() -> None:
    ct_path = real_data("ct/ts_lumbar3mm/ct.nii.gz")
    label_path = real_data("ct/ts_lumbar3mm/vertebrae_verse.nii.gz")
    ct = canonical(volume_from_sitk(sitk.ReadImage(str(ct_path), sitk.sitkFloat32)))
    labels = canonical(labels_from_sitk(sitk.ReadImage(str(label_path), sitk.sitkUInt8)))
    column = find_column(ct)
    index = np.round(labels.grid.world_to_index([v.center_lps for v in column.vertebrae])).astype(int)
    assert [int(labels.array[tuple(i)]) for i in index] == [24, 23, 22, 21, 20]
