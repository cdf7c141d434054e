"""Real scans with automatic labels: every figure in the window that the anatomy allows."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from realdata import real_data

from trajplan.anatomy.measure import measure_vertebra
from trajplan.anatomy.vertebra import Vertebra
from trajplan.errors import AnatomyError
from trajplan.geometry import LabelMap
from trajplan.geometry.itk import labels_from_sitk, volume_from_sitk
from trajplan.geometry.resample import canonical
from trajplan.parts import Part, Side

pytestmark = pytest.mark.real


def measured(case: str, target_id: int, file: str = "vertebrae_verse.nii.gz") -> Vertebra:
    ct = canonical(volume_from_sitk(sitk.ReadImage(str(real_data(f"ct/{case}/ct.nii.gz")))))
    image = sitk.Cast(sitk.ReadImage(str(real_data(f"ct/{case}/{file}"))), sitk.sitkUInt8)
    labels = canonical(labels_from_sitk(image))
    if file.startswith("vertebrae_T12"):
        labels = LabelMap((labels.array > 0).astype(np.uint8) * np.uint8(19), labels.grid)
    return measure_vertebra(ct, labels, target_id, level=None, level_confirmed=False, source=file)


def assert_plausible(found: Vertebra, width: tuple[float, float], height: tuple[float, float]) -> None:
    assert np.linalg.det(found.frame.rotation) == pytest.approx(1.0)
    assert found.frame.u[0] > 0.9
    assert found.frame.v[1] > 0.7
    for side in Side:
        pedicle = found.pedicles[side]
        u, v, _ = found.frame.to_local(pedicle.isthmus_center_lps)
        assert 8.0 < u * side.sign < 30.0
        assert 10.0 < v < 28.0
        assert width[0] <= pedicle.width_mm <= width[1]
        assert height[0] <= pedicle.height_mm <= height[1]
        assert pedicle.axis_lps @ found.frame.v < -0.7
        at = tuple(np.round(found.parts.grid.world_to_index(pedicle.isthmus_center_lps)).astype(int))
        assert found.parts.array[at] == side.pedicle
    canal = np.argwhere(found.parts.array == Part.CANAL)
    local = found.frame.to_local(found.parts.grid.index_to_world(canal))
    assert np.ptp(local[:, 2]) > found.heights.hp_mm
    assert 0.1e3 < len(canal) * 0.65**3 / np.ptp(local[:, 2]) < 0.6e3  # mean section, mm2


# The heights are those that trajplan_phantoms.scan_body.measure_body, which shares no code with this room, finds on the
# same labels. Slices are 2.5 mm thick.
@pytest.mark.parametrize(("target_id", "heights"), [(19, (25.0, 23.9, 25.7)), (20, (25.6, 24.4, 26.2))])
def test_a_degenerative_spine_with_25_mm_slices(target_id: int, heights: tuple[float, float, float]) -> None:
    found = measured("lidc0001", target_id)
    assert_plausible(found, (6.5, 12.0), (13.0, 21.0))
    assert [found.heights.ha_mm, found.heights.hm_mm, found.heights.hp_mm] == pytest.approx(heights, abs=1.5)
    assert found.fracture.genant_grade == 0
    assert not found.touches_edge


@pytest.mark.parametrize("target_id", [21, 24])
def test_an_ordinary_lumbar_spine_at_3_mm(target_id: int) -> None:
    found = measured("ts_lumbar3mm", target_id)
    assert_plausible(found, (6.0, 20.5), (11.0, 23.0))
    assert 22.0 < found.heights.hp_mm < 32.0


def test_a_t12_with_a_stent_beside_it() -> None:
    found = measured("ts_chest_stent", 19, "vertebrae_T12.nii.gz")
    assert_plausible(found, (6.0, 11.0), (12.0, 19.0))
    assert [found.heights.ha_mm, found.heights.hm_mm, found.heights.hp_mm] == pytest.approx((24, 22, 25), abs=1.5)


def test_a_wrong_label_is_refused_and_not_measured() -> None:
    with pytest.raises(AnatomyError) as refusal:
        measured("ts_T12slab_2mm", 19)
    assert refusal.value.code in {"truncated", "frame_unreliable"}
