"""Enhanced multi-frame CT goes by the same rules as one file a slice: nothing is guessed, nothing closed up."""

from __future__ import annotations

import numpy as np
import pytest
from dicom_files import ORIGIN, enhanced_ct, save, write_series

from trajplan.errors import InputError
from trajplan.reading import Answers, read_scan

N, STEP = 18, 2.0


def places(step=(0.0, 0.0, STEP), count=N):
    return ORIGIN + np.arange(count)[:, None] * np.array(step)


def refused(path, **options):
    with pytest.raises(InputError) as caught:
        read_scan(path, Answers(**options))
    return caught.value


def without_place(k, item):
    if k == 5:
        del item.PlanePositionSequence


def second_acquisition(k, item):
    item.FrameContentSequence[0].FrameAcquisitionNumber = 1 + k // 9


@pytest.mark.parametrize(
    ("keep", "z_of_k", "code"),
    [
        ([k for k in range(N) if k != 7], lambda k: 2.0 * k, "geometry_not_affine"),
        (range(N), lambda k: k + max(k - 9, 0), "geometry_not_affine"),
        (range(N), lambda k: 2.0 * (k if k != 9 else 8), "duplicate_positions"),
        (range(5), lambda k: 2.0 * k, "too_few_slices"),
    ],
)
def test_missing_irregular_and_repeated_frames_are_refused(tmp_path, body, keep, z_of_k, code):
    where = ORIGIN + np.array([[0, 0, z_of_k(k)] for k in keep])
    assert refused(save(enhanced_ct(body[list(keep)], where), tmp_path / "e")).code == code


def test_a_frame_without_place_is_refused(tmp_path, body):
    path = save(enhanced_ct(body, places(), edit_frame=without_place), tmp_path / "e")
    assert refused(path).code == "missing_position"


def test_frames_that_are_not_described_are_refused(tmp_path, body):
    ds = enhanced_ct(body, places())
    ds.PerFrameFunctionalGroupsSequence = ds.PerFrameFunctionalGroupsSequence[:-1]
    error = refused(save(ds, tmp_path / "e"))
    assert error.code == "unreadable_file"
    assert error.numbers == {"stated": 18.0, "described": 17.0}


def test_a_cut_file_is_refused(tmp_path, body):
    path = save(enhanced_ct(body, places()), tmp_path / "e")
    data = path.read_bytes()
    for keep in np.linspace(200, len(data) - 1, 12).astype(int):
        path.write_bytes(data[:keep])
        assert refused(path).code in {"unreadable_file", "no_dicom"}


def test_two_phases_in_one_file_ask_and_take_the_answer(tmp_path, body):
    where = np.tile(places((0, 0, 4.0), 9), (2, 1))
    path = save(enhanced_ct(body, where, edit_frame=second_acquisition), tmp_path / "e")
    error = refused(path)
    assert error.code == "duplicate_positions"
    assert "1.2.3.4#2 [synthetic, 9 slices, 4.00 mm apart, pixels 0.90 mm, acquisition 2" in str(error)
    np.testing.assert_array_equal(read_scan(path, Answers(series="1.2.3.4#2")).volume.array, body[9:])


def test_a_tilted_gantry_gives_what_one_file_a_slice_gives(tmp_path, body):
    t = np.radians(15.0)
    orientation = (1.0, 0.0, 0.0, 0.0, float(np.cos(t)), float(np.sin(t)))
    path = save(enhanced_ct(body, places(), orientation=orientation), tmp_path / "e")
    scan = read_scan(path)
    plain = read_scan(write_series(tmp_path / "s", body, orientation=orientation, step=(0, 0, STEP)))
    assert "gantry_tilt" in {f.code for f in scan.findings}
    assert scan.sha256 == plain.sha256


def test_irregular_frames_are_interpolated_on_request(tmp_path, body):
    where = np.delete(places(), 7, axis=0)
    scan = read_scan(
        save(enhanced_ct(np.delete(body, 7, axis=0), where), tmp_path / "e"), Answers(resample_irregular=True)
    )
    assert scan.volume.array.shape == body.shape
    np.testing.assert_array_equal(np.delete(scan.volume.array, 7, axis=0), np.delete(body, 7, axis=0))


def test_signed_frames_keep_their_sign_and_stray_high_bits_are_no_part_of_the_image(tmp_path, body):
    ds = enhanced_ct(body, places(), rescale=lambda _k: (1.0, 0.0))
    ds.PixelRepresentation, ds.BitsStored, ds.HighBit = 1, 13, 12
    stray = np.random.default_rng(0).integers(0, 8, body.shape) << 13
    ds.PixelData = ((body.astype(np.int32) & 0x1FFF) | stray).astype("<u2").tobytes()
    np.testing.assert_array_equal(read_scan(save(ds, tmp_path / "e")).volume.array, body)


def test_two_copies_of_the_file_are_one_scan(tmp_path, body):
    folder = tmp_path / "s"
    folder.mkdir()
    ds = enhanced_ct(body, places())
    for name in ("a", "b"):
        save(ds, folder / name)
    scan = read_scan(folder)
    assert [f.message for f in scan.findings if f.code == "duplicate_file_dropped"] == ["1 duplicate files ignored"]
    np.testing.assert_array_equal(scan.volume.array, body)
