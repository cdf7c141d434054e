"""Every export lies where the CT lies, to 0.01 mm, as other programs read it, for flipped and oblique scans."""

from __future__ import annotations

import json
from pathlib import Path

import highdicom as hd
import numpy as np
import pandas as pd
import pydicom
import SimpleITK as sitk
import slicerio
import trimesh
from stored_case import StoredCase, landmark_in, path_of

from trajplan.parts import Part, Side

MM = 0.01


def test_the_plan_ends_at_the_landmark_that_simpleitk_finds_in_the_file(stored: StoredCase) -> None:
    assert np.linalg.norm(landmark_in(stored.source) - path_of(stored, Side.LEFT)[1]) < MM


def test_markups(stored: StoredCase) -> None:
    for side in Side:
        whole = json.loads((stored.out / "slicer" / f"{side}_path.mrk.json").read_text())
        points = [p["position"] for p in whole["markups"][0]["controlPoints"]]
        np.testing.assert_allclose(points, path_of(stored, side), atol=MM)


def _voxels_lps(mask: np.ndarray, ijk_to_lps: np.ndarray) -> np.ndarray:
    """World places of the voxels of a mask whose axes are i, j, k."""
    return np.asarray(np.argwhere(mask) @ ijk_to_lps[:3, :3].T + ijk_to_lps[:3, 3])


def _same_points(found: np.ndarray, wanted: np.ndarray) -> None:
    assert len(found) == len(wanted)
    order = [points[np.lexsort(np.round(points, 2).T)] for points in (found, wanted)]
    np.testing.assert_allclose(*order, atol=MM)


def test_segmentation_for_slicer(stored: StoredCase) -> None:
    read = slicerio.read_segmentation(str(stored.out / "slicer" / "plan.seg.nrrd"))
    parts = stored.handover.parts
    body = next(s for s in read["segments"] if s["name"] == "Vertebral body")
    layer = read["voxels"][body["layer"]] if read["voxels"].ndim == 4 else read["voxels"]
    _same_points(
        _voxels_lps(layer == body["labelValue"], read["ijkToLPS"]),
        parts.grid.index_to_world(np.argwhere(parts.mask(Part.BODY))),
    )


def test_dicom_segmentation(stored: StoredCase) -> None:
    seg = hd.seg.segread(stored.out / "dicom" / "SEG.dcm")
    parts = stored.handover.parts
    volume = seg.get_volume(segment_numbers=[1])
    assert seg.get_segment_description(1).segment_label == "Vertebral body"
    _same_points(
        _voxels_lps(volume.array[..., 0] > 0, volume.affine),
        parts.grid.index_to_world(np.argwhere(parts.mask(Part.BODY))),
    )


def test_structured_report(stored: StoredCase) -> None:
    report = hd.sr.srread(stored.out / "dicom" / "SR.dcm")
    groups = report.content.get_planar_roi_measurement_groups()
    lines = [g.roi.value for g in groups if g.roi.graphic_type == hd.sr.GraphicTypeValues3D.POLYLINE]
    assert len(lines) == 2
    for line, side in zip(lines, Side, strict=True):
        np.testing.assert_allclose(line, path_of(stored, side), atol=MM)


def test_meshes(stored: StoredCase) -> None:
    left = stored.case.trajectories[0]
    tip = left.target_lps + left.instrument.radius_mm * left.direction_lps
    for suffix in ("stl", "ply"):
        mesh = trimesh.load_mesh(stored.out / "mesh" / f"trocar_left_LPS_mm.{suffix}")
        assert np.linalg.norm(mesh.vertices - tip, axis=1).min() < MM
    scene = trimesh.load(stored.out / "mesh" / "scene.glb", force="scene")
    mesh = scene.geometry["trocar_left"]
    assert np.linalg.norm(mesh.vertices - tip, axis=1).min() < MM
    transform, _ = scene.graph["trocar_left"]
    np.testing.assert_allclose(transform[:3, :3] @ [0, 0, 1000.0], [0, 1, 0], atol=1e-6)  # superior is up, in metres
    body = trimesh.load_mesh(stored.out / "mesh" / "part_body_LPS_mm.ply")
    parts = stored.handover.parts
    voxels = parts.grid.index_to_world(np.argwhere(parts.mask(Part.BODY)))
    np.testing.assert_allclose(body.center_mass, voxels.mean(axis=0), atol=0.05)


def test_table_of_points(stored: StoredCase) -> None:
    table = pd.read_csv(stored.out / "csv" / "points.csv")
    for side in Side:
        rows = table[(table.side == side.value) & table.point.isin(["bone entry", "tip"])]
        np.testing.assert_allclose(rows.filter(like="_lps_mm").to_numpy(), path_of(stored, side), atol=MM)


def test_a_dicom_scan_keeps_its_study_and_place_and_another_gets_a_piece_of_ct(stored: StoredCase) -> None:
    made = [pydicom.dcmread(p, stop_before_pixels=True) for p in sorted((stored.out / "dicom").glob("*.dcm"))]
    pieces = sorted((stored.out / "dicom").glob("CT_*.dcm"))
    placed = [ds for ds in made if "FrameOfReferenceUID" in ds]
    assert len({ds.StudyInstanceUID for ds in made}) == len({ds.FrameOfReferenceUID for ds in placed}) == 1
    if stored.source.is_dir():
        source = pydicom.dcmread(next(stored.source.iterdir()), stop_before_pixels=True)
        assert not pieces
        assert made[0].StudyInstanceUID == source.StudyInstanceUID
        assert placed[0].FrameOfReferenceUID == source.FrameOfReferenceUID
        assert source.SeriesInstanceUID not in {ds.SeriesInstanceUID for ds in made}
        return
    image = sitk.ReadImage(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(stored.out / "dicom"), _series(pieces[0])))
    wanted, found = stored.scan.volume, sitk.GetArrayFromImage(image)
    first = np.rint(wanted.grid.world_to_index(image.GetOrigin())).astype(int)
    part = wanted.cropped(first, first + found.shape)
    np.testing.assert_allclose(image.GetDirection(), np.eye(3).ravel(), atol=1e-9)
    for corner in np.ndindex(2, 2, 2):
        index = np.array(corner) * (np.array(found.shape) - 1)
        place = image.TransformIndexToPhysicalPoint([int(v) for v in index[::-1]])
        np.testing.assert_allclose(place, part.grid.index_to_world(index), atol=MM)
    np.testing.assert_array_equal(found, part.array)


def _series(path: Path) -> str:
    return str(pydicom.dcmread(path, stop_before_pixels=True).SeriesInstanceUID)
