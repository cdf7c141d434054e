"""Standard views of one vertebra: true AP, true lateral and en-face, solved from its anatomy, with their residuals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from trajplan.anatomy.vertebra import Vertebra
from trajplan.errors import AnatomyError, GeometryError
from trajplan.fluoroscopy.carm import CArm, angles_of_beam
from trajplan.fluoroscopy.reach import Reach, out_of_reach_deg
from trajplan.geometry.arrays import FloatArray, frozen, unit
from trajplan.parts import Part, Side


@dataclass(frozen=True, eq=False)
class SolvedView:
    """A named C-arm position and how good it is (`residuals`: names with units -> value)."""

    name: str
    carm: CArm
    residuals: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class StandardViews:
    """The two views every step is checked in."""

    ap: SolvedView
    lateral: SolvedView


def default_carm(isocenter_lps: ArrayLike) -> CArm:
    """A C-arm at (0, 0) with the default detector, about 155 mm of field at the isocentre."""
    return CArm(0.0, 0.0, frozen(isocenter_lps, (3,)))


def field_of_view_mm(carm: CArm) -> tuple[float, float]:
    """Height and width of the field at the depth of the isocentre, mm."""
    rows, columns = carm.detector_px
    scale = carm.pixel_mm / carm.magnification
    return rows * scale, columns * scale


def standard_views(vertebra: Vertebra, template: CArm | None = None, reach: Reach | None = None) -> StandardViews:
    """True AP and true lateral of a vertebra, aimed at its body centre.

    The AP beam is the vertebra's v axis and the lateral beam its u axis, both turned the least amount that makes them
    lie in the mean end-plate plane, so that the end plates become lines. The AP detector is anterior, the lateral
    one on the patient's left.

    Parameters
    ----------
    vertebra : Vertebra
    template : CArm, optional
        Distances, detector size and pixel of the C-arm; its angles and isocentre are not used.
    reach : Reach, optional

    Returns
    -------
    StandardViews
        Residuals, all 0 for a perfect view of a symmetric vertebra with parallel end plates: of both views
        ``superior_endplate_tilt_deg`` and ``inferior_endplate_tilt_deg`` (beam against end plate) and
        ``out_of_reach_deg``; of the AP ``pedicle_symmetry_mm`` (difference of the two pedicles' distances from the
        midline as projected, at isocentre scale) and ``spinous_offset_mm`` (back of the posterior elements off the
        middle between the pedicles); of the lateral ``pedicle_overlap_mm`` and ``posterior_rim_overlap_mm`` (left
        against right across the beam, in parallel projection, because a cone never superimposes what lies at two
        depths). A residual whose anatomy is missing is left out.

    Raises
    ------
    AnatomyError
        The end plates are so steep that the beam would run along the spine.
    """
    frame = vertebra.frame
    base = default_carm(frame.origin_lps) if template is None else template
    normal = unit(vertebra.superior.normal_lps + vertebra.inferior.normal_lps)
    ap = _aimed("ap", _in_plane(-frame.v, normal), frame.origin_lps, base)
    lateral = _aimed("lateral", _in_plane(frame.u, normal), frame.origin_lps, base)
    return StandardViews(
        SolvedView("ap", ap, {**_tilts(vertebra, ap), **_ap_residuals(vertebra, ap), **_reach(ap, reach)}),
        SolvedView(
            "lateral",
            lateral,
            {**_tilts(vertebra, lateral), **_lateral_residuals(vertebra, lateral, normal), **_reach(lateral, reach)},
        ),
    )


def en_face(
    direction_lps: ArrayLike, isocenter_lps: ArrayLike, template: CArm | None = None, reach: Reach | None = None
) -> SolvedView:
    """The view down a trajectory: the beam runs along `direction_lps`, the detector on the anterior side.

    Parameters
    ----------
    direction_lps : array_like, shape (3,)
        Direction of the trajectory, either way.
    isocenter_lps : array_like, shape (3,)
        A point of the trajectory, so that the needle is seen end-on and not only parallel to the central ray.
    """
    direction = unit(direction_lps)
    beam = -direction if direction[1] > 0 else direction
    view = _aimed("en_face", beam, frozen(isocenter_lps, (3,)), template or default_carm(isocenter_lps))
    off = float(np.degrees(np.arccos(np.clip(abs(view.beam_lps @ direction), 0.0, 1.0))))
    return SolvedView("en_face", view, {"beam_error_deg": off, **_reach(view, reach)})


def _aimed(name: str, beam_lps: FloatArray, isocenter_lps: FloatArray, template: CArm) -> CArm:
    """`template` turned so that its beam runs along `beam_lps`, sign included."""
    primary, secondary = angles_of_beam(beam_lps)
    view = _turned(name, template, primary, secondary, isocenter_lps)
    if float(view.beam_lps @ beam_lps) < 0:  # the detector belongs on the other side
        view = _turned(name, template, primary + (180.0 if primary < 0 else -180.0), -secondary, isocenter_lps)
    return view


def _turned(name: str, template: CArm, primary: float, secondary: float, isocenter_lps: FloatArray) -> CArm:
    if abs(secondary) > 80.0:
        raise AnatomyError(
            f"the {name} view would need {secondary:.0f} deg of craniocaudal tilt; check the end plates and the frame",
            code="view_too_steep",
            numbers={"secondary_deg": secondary},
        )
    return replace(template, primary_deg=primary, secondary_deg=secondary, isocenter_lps=isocenter_lps)


def _in_plane(direction: FloatArray, normal: FloatArray) -> FloatArray:
    across = direction - float(direction @ normal) * normal
    if float(np.linalg.norm(across)) < 0.1:
        raise GeometryError("the end plates face along the frame's own axes; check the frame", code="frame_invalid")
    return unit(across)


def _reach(carm: CArm, reach: Reach | None) -> dict[str, float]:
    return {"out_of_reach_deg": out_of_reach_deg(carm, reach)}


def _tilts(vertebra: Vertebra, carm: CArm) -> dict[str, float]:
    plates = {"superior": vertebra.superior, "inferior": vertebra.inferior}
    return {
        f"{name}_endplate_tilt_deg": float(
            np.degrees(np.arcsin(np.clip(abs(unit(plate.normal_lps) @ carm.beam_lps), 0.0, 1.0)))
        )
        for name, plate in plates.items()
    }


def _ap_residuals(vertebra: Vertebra, carm: CArm) -> dict[str, float]:
    left, right = vertebra.pedicles.get(Side.LEFT), vertebra.pedicles.get(Side.RIGHT)
    if left is None or right is None:
        return {}
    scale = carm.pixel_mm / carm.magnification
    frame = vertebra.frame
    foot, head = carm.project(frame.to_world([[0.0, 0.0, -1.0], [0.0, 0.0, 1.0]]))
    across = unit([foot[1] - head[1], head[0] - foot[0]])  # the midline leans on the picture when the spine does

    def off_midline(point_lps: FloatArray) -> float:
        return float((carm.project(point_lps) - foot) @ across) * scale

    sides = [off_midline(p.isthmus_center_lps) for p in (left, right)]
    found = {"pedicle_symmetry_mm": abs(abs(sides[0]) - abs(sides[1]))}
    spinous = _spinous_lps(vertebra)
    if spinous is not None:
        found["spinous_offset_mm"] = abs(off_midline(spinous) - sum(sides) / 2)
    return found


def _spinous_lps(vertebra: Vertebra) -> FloatArray | None:
    """Centre of the most posterior quarter of the posterior elements."""
    index = np.argwhere(vertebra.parts.mask(Part.POSTERIOR))
    if not len(index):
        return None
    points = vertebra.parts.grid.index_to_world(index)
    back = vertebra.frame.to_local(points)[:, 1]
    return np.asarray(points[back >= back.max() - 0.25 * (back.max() - back.min())].mean(axis=0))


def _lateral_residuals(vertebra: Vertebra, carm: CArm, normal: FloatArray) -> dict[str, float]:
    along = unit(np.cross(carm.beam_lps, normal))
    found: dict[str, float] = {}
    left, right = vertebra.pedicles.get(Side.LEFT), vertebra.pedicles.get(Side.RIGHT)
    if left is not None and right is not None:
        apart = left.isthmus_center_lps - right.isthmus_center_lps
        found["pedicle_overlap_mm"] = float(np.linalg.norm(apart - (apart @ carm.beam_lps) * carm.beam_lps))
    wall = vertebra.posterior_wall_lps
    lateral = vertebra.frame.to_local(wall)[:, 0] if len(wall) else np.zeros(0)
    if (lateral > 3.0).any() and (lateral < -3.0).any():
        rims = [float((wall[side] @ along).mean()) for side in (lateral > 3.0, lateral < -3.0)]
        found["posterior_rim_overlap_mm"] = abs(rims[0] - rims[1])
    return found
