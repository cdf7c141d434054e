"""Label files become VerSe ids in LPS, or are refused with the ids that were found."""

from __future__ import annotations

import numpy as np
import pytest

from trajplan.errors import InputError
from trajplan.geometry import Grid, LabelMap, Volume
from trajplan.levels import LEVEL_IDS
from trajplan.reading import Scheme, check_same_space, read_labels
from trajplan.reading.schemes import TO_VERSE


def spine(ids_from_feet, shape=(24, 20, 22)):
    """Blocks of labels stacked along z, the first id lowest."""
    array = np.zeros(shape, dtype=np.uint8)
    height = shape[0] // len(ids_from_feet)
    for k, i in enumerate(ids_from_feet):
        array[k * height : (k + 1) * height - 1, 5:12, 6:15] = i
    return array


def refused(path, scheme, code, **options):
    with pytest.raises(InputError) as caught:
        read_labels(path, scheme, **options)
    assert caught.value.code == code, str(caught.value)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("scheme", "file_ids"),
    [(Scheme.VERSE, (21, 20, 28, 19)), (Scheme.TOTALSEG_V2, (30, 31, 32)), (Scheme.TOTALSEG_V1, (21, 22, 23))],
)
@pytest.mark.parametrize("name", ["l.nii.gz", "l.nrrd", "l.mha"])
def test_each_scheme_gives_the_same_levels(tmp_path, write_itk, scheme, file_ids, name):
    array = spine(file_ids)
    labels = read_labels(write_itk(tmp_path / name, array), scheme)
    truth = [LEVEL_IDS[n] for n in ("L2", "L1", "T13", "T12") if n != "T13" or len(file_ids) == 4]
    assert labels.ids() == tuple(sorted(truth))
    for i, j in zip(file_ids, truth, strict=True):
        np.testing.assert_array_equal(labels.array == j, array == i)
    assert labels.names[20] == "L1"
    assert labels.grid.is_axis_aligned


@pytest.mark.parametrize("scheme", [Scheme.TOTALSEG_V1, Scheme.TOTALSEG_V2])
def test_totalsegmentator_tables_run_from_l5_up_to_c1(scheme):
    first = {Scheme.TOTALSEG_V1: 18, Scheme.TOTALSEG_V2: 27}[scheme]
    names = {v: k for k, v in LEVEL_IDS.items()}
    table = TO_VERSE[scheme]
    assert [names[table[first + i]] for i in (0, 4, 5, 16, 17, 23)] == ["L5", "L1", "T12", "T1", "C7", "C1"]
    assert len(set(table.values())) == len(table)


def test_other_structures_are_dropped(tmp_path, write_itk):
    array = spine((30, 31))
    array[:, 15:, :] = 52  # aorta in TotalSegmentator 2
    labels = read_labels(write_itk(tmp_path / "l.nrrd", array), Scheme.TOTALSEG_V2)
    assert labels.ids() == (20, 21)


def test_a_file_without_a_vertebra_lists_what_it_holds(tmp_path, write_itk):
    error = refused(write_itk(tmp_path / "l.nrrd", spine((52, 63))), Scheme.TOTALSEG_V2, "no_vertebra")
    assert "52, 63" in str(error)
    assert refused(write_itk(tmp_path / "e.nrrd", spine((0,))), Scheme.VERSE, "no_vertebra").code == "no_vertebra"


def test_the_wrong_scheme_or_an_upside_down_file_is_noticed(tmp_path, write_itk):
    path = write_itk(tmp_path / "l.nrrd", spine((21, 22, 23)))  # v1 numbers upward, VerSe downward
    error = refused(path, Scheme.VERSE, "label_order")
    assert error.numbers["rise_mm"] > 5
    assert "L3 lies" in str(error) or "L2 lies" in str(error)
    assert read_labels(path, Scheme.TOTALSEG_V1).ids() == (19, 20, 21)


def test_floats_that_are_whole_pass_and_fractions_do_not(tmp_path, write_itk):
    array = spine((20, 19)).astype(np.float32)
    assert read_labels(write_itk(tmp_path / "l.nrrd", array), Scheme.VERSE).ids() == (19, 20)
    array[3, 8, 8] = 19.5
    refused(write_itk(tmp_path / "m.nrrd", array), Scheme.VERSE, "labels_not_integer")
    array[3, 8, 8] = np.nan
    refused(write_itk(tmp_path / "n.nrrd", array), Scheme.VERSE, "labels_not_integer")
    refused(write_itk(tmp_path / "o.nrrd", -spine((20,)).astype(np.int16)), Scheme.VERSE, "labels_not_integer")


def test_a_mask_takes_the_level_it_is_told(tmp_path, write_itk):
    path = write_itk(tmp_path / "l.nrrd", spine((1, 7)))
    told = read_labels(path, Scheme.MASK, level_id=20)
    assert told.ids() == (20,)
    assert told.names[20] == "L1"
    assert np.count_nonzero(told.array) == np.count_nonzero(spine((1, 7)))
    assert read_labels(path, Scheme.MASK).ids() == (100,)
    refused(path, Scheme.MASK, "unknown_level", level_id=77)


def test_stored_direction_does_not_matter(tmp_path, write_itk):
    array = spine((20, 19))
    flip = np.diag([-1.0, -1.0, 1.0])
    a = read_labels(write_itk(tmp_path / "a.nrrd", array, origin=np.zeros(3)), Scheme.VERSE)
    corner = np.array([21 * 0.7, 19 * 0.9, 0.0])
    b = read_labels(write_itk(tmp_path / "b.nii.gz", array[:, ::-1, ::-1], origin=corner, direction=flip), Scheme.VERSE)
    np.testing.assert_array_equal(a.array, b.array)
    assert a.grid.same_as(b.grid)


def test_dicom_and_missing_labels_are_refused(tmp_path):
    refused(tmp_path, Scheme.VERSE, "unknown_format")
    refused(tmp_path / "gone.nii.gz", Scheme.VERSE, "not_found")


def _pair(shift_mm):
    grid = Grid((20, 20, 20), (0, 0, 0), (2.0, 1.0, 1.0))
    array = np.zeros((10, 10, 10), dtype=np.uint8)
    array[2:8, 2:8, 2:8] = 20
    return LabelMap(array, Grid((10, 10, 10), (shift_mm, 0, 0), (2.0, 1.0, 1.0))), Volume(
        np.zeros((20, 20, 20), np.int16), grid
    )


def test_labels_in_the_ct_pass_and_another_grid_is_noted():
    labels, volume = _pair(0.0)
    assert [(f.code, f.severity) for f in check_same_space(labels, volume)] == [("labels_other_grid", "info")]
    same = LabelMap(np.ones((20, 20, 20), np.uint8), volume.grid)
    assert check_same_space(same, volume) == ()


@pytest.mark.parametrize(("shift_mm", "overlap"), [(14.0, 4 / 6), (100.0, 0.0), (-7.0, 1 / 6)])
def test_labels_outside_the_ct_are_refused_with_the_share(shift_mm, overlap):
    with pytest.raises(InputError) as caught:
        check_same_space(*_pair(shift_mm))
    assert caught.value.code == "labels_elsewhere"
    assert caught.value.numbers["overlap"] == pytest.approx(overlap)
