"""From a label map to one measured vertebra: the step that every segmentation back-end ends in."""

from __future__ import annotations

import numpy as np
import scipy.ndimage as ndi

from trajplan.anatomy.backend import Progress
from trajplan.anatomy.body_frame import coarse_frame
from trajplan.anatomy.confidence import rate_vertebra
from trajplan.anatomy.density import find_cleft, trabecular_hu
from trajplan.anatomy.fracture import expected_heights, grade_fracture
from trajplan.anatomy.heights import measure_heights
from trajplan.anatomy.kyphosis import measure_kyphosis
from trajplan.anatomy.local_vertebra import LocalVertebra
from trajplan.anatomy.neighbour_ratios import neighbour_ratios
from trajplan.anatomy.neighbours import axis_hints, look_at_neighbours
from trajplan.anatomy.other_bone import other_bone, other_vertebrae
from trajplan.anatomy.scan_edge import cut_area, cut_sides
from trajplan.anatomy.vertebra import Confidence, FrameSource, Measures, Vertebra
from trajplan.anatomy.working_grid import (
    WORKING_SPACING_MM,
    label_volume_ml,
    occupancy,
    target_labels,
    working_grid,
)
from trajplan.errors import AnatomyError, GeometryError
from trajplan.geometry import Grid, LabelMap, Volume
from trajplan.geometry.arrays import AnyArray, BoolArray, Float32Array
from trajplan.geometry.resample import resample_mask, resample_volume
from trajplan.levels import LEVEL_IDS, LEVEL_NAMES
from trajplan.parts import PART_NAMES, Part

MAX_CUT_MM2 = 25.0


def measure_vertebra(
    ct: Volume,
    labels: LabelMap,
    target_id: int,
    *,
    level: str | None,
    level_confirmed: bool,
    source: str,
    confidence: Confidence | None = None,
    progress: Progress | None = None,
) -> Vertebra:
    """Frame, canal, parts, pedicles, heights and fracture of one labelled vertebra.

    Parameters
    ----------
    ct : Volume
        Canonical (axis-aligned LPS) CT, HU.
    labels : LabelMap
        VerSe ids on any axis-aligned LPS grid; neighbours, where present, give the expected heights.
    target_id : int
        The label to measure.
    level : str or None
        Name of the target; None takes the name of `target_id`, if it has one.
    confidence : Confidence, optional
        Of the segmentation; its score multiplies in and its reasons are kept.

    Returns
    -------
    Vertebra
        Parts at 0.65 mm isotropic, with at least 12 mm of room about the vertebra.

    Raises
    ------
    AnatomyError
        ``level_not_in_labels``, ``mask_too_small``, ``no_canal``, ``no_endplates``, ``no_pedicle``, ``no_heights``,
        ``frame_unreliable``, ``truncated``.
    GeometryError
        ``not_canonical`` when a grid is not axis-aligned LPS.
    """
    tell = progress or _silent
    for item, what in ((ct, "CT"), (labels, "labels")):
        if not item.grid.is_axis_aligned:
            raise GeometryError(
                f"the {what} must be axis-aligned LPS; pass it through canonical()", code="not_canonical"
            )
    box = target_labels(labels, target_id)
    cut = cut_sides(labels, target_id, ct.grid)
    try:
        tell(0.05, "looking at the neighbours")
        neighbours = look_at_neighbours(labels, target_id, ct)
        tell(0.15, "finding the frame")
        found = coarse_frame(box, target_id, hints=axis_hints(target_id, neighbours))
        tell(0.3, "measuring the pedicles")
        grid = working_grid(box, target_id, WORKING_SPACING_MM)
        share = occupancy(box, target_id, grid)
        local = LocalVertebra(share, grid, found)
    except AnatomyError as error:
        if cut:
            raise _truncated(cut, str(error)) from error
        raise
    tell(0.6, "splitting the parts")
    vertebrae = other_vertebrae(box, target_id, grid)
    parts = _world_parts(share, grid, local, vertebrae)
    support = (parts > 0) & (parts <= Part.PEDICLE_RIGHT)
    reached = {side: cut_area(support, grid, labels.grid, ct.grid, side) for side in cut}
    if max(reached.values(), default=0.0) > MAX_CUT_MM2:
        raise _truncated(reached, "body or pedicles reach the border")
    tell(0.75, "measuring the heights")
    own = measure_heights(local.parts == Part.BODY, local.share, local.axes_mm)
    expected = expected_heights(own, target_id, neighbours)
    heights, fracture = grade_fracture(own, expected)
    tell(0.9, "reading the CT")
    near = _ct_on(ct, grid)
    body = parts == Part.BODY
    cleft, gas = find_cleft(near, body)
    trabecular = trabecular_hu(near, body, gas)
    measures = Measures(
        own.points_lps(found.frame),
        measure_kyphosis(found.frame, found.superior, found.inferior, neighbours),
        local.bulge(),
        cleft,
        trabecular.sd_hu,
        trabecular.volume_ml,
    )
    volume_ml = float(np.count_nonzero(body)) * WORKING_SPACING_MM**3 / 1000
    rating = rate_vertebra(
        plane_rms_mm=(found.superior.rms_mm, found.inferior.rms_mm),
        symmetry_mm=found.symmetry_mm,
        ring_closing_mm=local.ring.closing_mm,
        pedicles={side: isthmus.pedicle() for side, isthmus in local.isthmuses.items()},
        pedicle_areas_mm2={side: isthmus.section.area_mm2 for side, isthmus in local.isthmuses.items()},
        heights=heights,
        body_width_mm=local.body_width_mm(),
        body_volume_ml=volume_ml,
        cut_sides=tuple(cut),
        axis_caution=found.axis_caution,
        to_neighbours=neighbour_ratios(label_volume_ml(box, target_id), own, expected, neighbours),
        backend=confidence,
    )
    name: str | None = level if level is not None else LEVEL_NAMES.get(target_id)
    tell(1.0, "measured")
    return Vertebra(
        level=name,
        level_id=LEVEL_IDS.get(name) if name is not None else None,
        level_confirmed=level_confirmed,
        parts=LabelMap(parts, grid, PART_NAMES),
        other_bone=other_bone(near, share > 0.5, vertebrae, found.frame),
        frame=found.frame,
        pedicles={side: isthmus.pedicle() for side, isthmus in local.isthmuses.items()},
        superior=found.superior,
        inferior=found.inferior,
        heights=heights,
        fracture=fracture,
        posterior_wall_lps=local.posterior_wall_lps(),
        anterior_wall_lps=local.anterior_wall_lps(),
        body_volume_ml=volume_ml,
        body_hu=trabecular.median_hu,
        confidence=rating,
        source=source,
        touches_edge=bool(cut),
        frame_source=FrameSource(found.axis_source, found.axis_caution),
        measures=measures,
    )


def _world_parts(share: Float32Array, grid: Grid, local: LocalVertebra, vertebrae: BoolArray) -> AnyArray:
    """Parts on the world grid: the surface is that of `share`, the split that of the frame grid."""
    target = share > 0.5
    nearest = ndi.distance_transform_edt(local.parts == 0, return_distances=False, return_indices=True)
    spread = local.parts[tuple(nearest)]
    out = np.zeros(grid.shape_zyx, dtype=np.uint8)
    index = local.grid.world_to_index(grid.index_to_world(np.argwhere(target)))
    whole = np.clip(np.round(index).astype(int), 0, np.array(local.grid.shape_zyx) - 1)
    out[target] = spread[tuple(whole.T)]
    canal = resample_mask(ndi.gaussian_filter(local.canal.astype(np.float32), 0.7), local.grid, grid) > 0.5
    out[canal & ~target & ~vertebrae] = Part.CANAL
    return out


def _ct_on(ct: Volume, grid: Grid) -> Volume:
    corners = ct.grid.world_to_index(grid.corners_lps())
    low, high = np.floor(corners.min(axis=0)) - 3, np.ceil(corners.max(axis=0)) + 4
    return resample_volume(ct.cropped(low, high), grid)


def _truncated(cut: dict[str, float], why: str) -> AnatomyError:
    sides = ", ".join(f"{name} {area:.0f} mm2" for name, area in cut.items())
    return AnatomyError(
        f"the vertebra is cut by the border of the scan ({sides}) and cannot be measured: {why}. "
        "Take a scan that holds the whole vertebra",
        code="truncated",
        numbers={f"cut_{name}_mm2": area for name, area in cut.items()},
    )


def _silent(fraction: float, message: str) -> None:
    """No progress wanted."""
