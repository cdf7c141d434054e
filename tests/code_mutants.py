"""Faults put into the code by hand, each one that could hurt, and the tests that must then fail.

`benchmarks/mutants.py` applies them one at a time to a copy of the packages and runs the tests.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """`old` occurs exactly once in `file`; with `new` in its place at least one of `tests` must fail."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


_P = "trajplan/planning/"
_G = "trajplan/geometry/"
_FORMS = "tests/planning/test_margins_closed_form.py"
_SEARCH = "tests/planning/test_search.py"
_PLANNER = "tests/planning/test_planner.py"
_NARROW = f"{_PLANNER}::test_narrow_pedicles_are_refused_with_width_diameter_margin_and_a_remedy"
_VERDICT = "tests/planning/test_verdict.py"
_STAGES = "tests/verification/test_stages.py"
_CARM = "tests/fluoroscopy/test_carm.py"
_SURFACE = "tests/geometry/test_surface.py"
_GRID = "tests/geometry/test_grid.py"
_FRAME = "tests/geometry/test_frame_capsule.py"
_STALE = "tests/faults/test_stale.py"

MUTANTS: tuple[Mutant, ...] = (
    # sides
    Mutant("side: sign of left and right swapped", "trajplan/parts.py",
           "return 1 if self is Side.LEFT else -1", "return -1 if self is Side.LEFT else 1", (_SEARCH,)),
    Mutant("side: pedicle of the other side", "trajplan/parts.py",
           "return Part.PEDICLE_LEFT if self is Side.LEFT else Part.PEDICLE_RIGHT",
           "return Part.PEDICLE_RIGHT if self is Side.LEFT else Part.PEDICLE_LEFT", (_SEARCH,)),
    Mutant("side: target on the other side", _P + "target.py",
           "to_world([side.sign * off_mm, v, float(w)])", "to_world([-side.sign * off_mm, v, float(w)])", (_FORMS,)),
    # margins
    Mutant("margin: canal margin dropped", _P + "evaluate.py",
           "margin[Wall.CANAL] = settings.canal_margin_mm", "margin[Wall.CANAL] = 0.0", (_FORMS,)),
    Mutant("margin: anterior margin ignored", _P + "evaluate.py",
           "margin[Wall.ANTERIOR] = settings.anterior_margin_mm", "margin[Wall.ANTERIOR] = 0.0", (_FORMS,)),
    Mutant("margin: end-plate margin that of a wall", _P + "evaluate.py",
           "margin[Wall.ENDPLATE] = settings.endplate_margin_mm",
           "margin[Wall.ENDPLATE] = settings.wall_margin_mm", (_FORMS,)),
    Mutant("margin: extra margin of an automatic mask lost", _P + "evaluate.py",
           "return margin + extra_mm", "return margin", (_FORMS,)),
    Mutant("margin: a path below its margin is offered", _P + "planner.py",
           "if slack.min() < 0:\n        pedicle", "if slack.min() < -5:\n        pedicle", (_NARROW,)),
    Mutant("margin: needed width with one margin instead of two", _P + "refusals.py",
           "return settings.instrument.outer_diameter_mm + 2 * (settings.wall_margin_mm + extra_mm)",
           "return settings.instrument.outer_diameter_mm + 1 * (settings.wall_margin_mm + extra_mm)", (_NARROW,)),
    # radius
    Mutant("radius: dropped from the clearance", _P + "evaluate.py",
           "walls = field.point_clearance(points) - path.radius_mm", "walls = field.point_clearance(points)",
           (_FORMS,)),
    Mutant("radius: dropped in the search", _P + "search.py",
           "(settings.instrument.radius_mm + margin_mm).astype", "(0.0 + margin_mm).astype", (_SEARCH,)),
    Mutant("radius: dropped from the breach chance", _P + "breach.py",
           "taken = radius_mm - lattice.guard_mm", "taken = -lattice.guard_mm", (_FORMS,)),
    Mutant("radius: diameter taken for it", _P + "instruments.py",
           "return self.outer_diameter_mm / 2", "return self.outer_diameter_mm", (_FORMS,)),
    Mutant("radius: dropped from the capsule", _G + "capsule.py",
           "axis=-1) - self.radius_mm)", "axis=-1))", (_FRAME,)),
    # min and max, the canal
    Mutant("min -> max: the grade is that of the widest place", _P + "evaluate.py",
           "breach = max(0.0, -float(path.smallest().min()))",
           "breach = max(0.0, -float(path.smallest().max()))", (_FORMS,)),
    Mutant("min -> max: score of the best wall", _P + "objective.py",
           "(sigma_mm[:, None] * wall_weight())).min())", "(sigma_mm[:, None] * wall_weight())).max())", (_FORMS,)),
    Mutant("grade: B up to 4 mm", _P + "evaluate.py", '"B" if breach < 2', '"B" if breach < 4', (_FORMS,)),
    Mutant("canal: left out of the smallest clearance", _P + "evaluate.py",
           "min_mm=float(smallest.min())", "min_mm=float(smallest[: Wall.CANAL].min())", (_FORMS,)),
    Mutant("canal: not looked at before the pedicle", _P + "evaluate.py",
           "walls[:first, start == ZONE] = np.inf", "walls[:first, :] = np.inf", (_FORMS,)),
    Mutant("canal: inside counts as outside", _P + "walls.py",
           "signed(points, ~canal", "signed(points, True",
           (_SEARCH,)),
    Mutant("canal: left out of the medial breach chance", _P + "breach.py",
           '"medial": (Wall.MEDIAL, Wall.CANAL),', '"medial": (Wall.MEDIAL,),', (_FORMS,)),
    # walls
    Mutant("wall: medial and lateral swapped", _P + "walls.py",
           "np.where(outward_u > 0, Wall.LATERAL, Wall.MEDIAL)", "np.where(outward_u > 0, Wall.MEDIAL, Wall.LATERAL)",
           (_SEARCH,)),
    Mutant("wall: superior and inferior swapped", _P + "walls.py",
           "np.where(w > 0, Wall.SUPERIOR, Wall.INFERIOR)", "np.where(w > 0, Wall.INFERIOR, Wall.SUPERIOR)",
           (_SEARCH,)),
    Mutant("wall: no anterior wall", _P + "walls.py", "in_front & (v < -0.3)", "in_front & (v > 9)", (_FORMS,)),
    Mutant("wall: no end plates", _P + "walls.py", "_STEEP = 0.7", "_STEEP = 1.7", (_FORMS,)),
    Mutant("wall: outside taken for inside", _P + "walls.py",
           "left = ~bone & (nearest == wall)", "left = bone & (nearest == wall)", (_SEARCH,)),
    Mutant("wall: a path beside the pedicle is fine", _P + "evaluate.py",
           "walls[:, start != ENTRY] = -np.inf", "walls[:, start != ENTRY] = np.inf", (_FORMS,)),
    Mutant("wall: guard added instead of taken off", _G + "surface.py",
           "np.where(is_inside, nearer, -distance) - self.guard_mm",
           "np.where(is_inside, nearer, -distance) + self.guard_mm", (_SURFACE,)),
    Mutant("wall: no wall is distance 0 minus nothing", _G + "surface.py",
           "return np.full(points.shape[:-1], np.inf)", "return np.full(points.shape[:-1], 0.0)", (_SURFACE,)),
    # millimetres and voxels, degrees and radians, signs of angles
    Mutant("mm/voxel: smoothing in voxels", _G + "surface.py",
           "sigma_mm / grid.spacing_zyx, mode", "sigma_mm, mode", (_SURFACE,)),
    Mutant("mm/voxel: margin in voxels", _G + "grid.py",
           "margin = margin_mm / self.spacing_zyx", "margin = margin_mm * np.ones(3)", (_GRID,)),
    Mutant("mm/voxel: spacing of the axes in the wrong order", _G + "grid.py",
           "[..., ::-1] * self.spacing_xyz", "[..., ::-1] * self.spacing_zyx", (_GRID,)),
    Mutant("mm/voxel: bone on the way counted in samples", _P + "skin.py",
           "float(bone[:i].sum() * _STEP_MM)", "float(bone[:i].sum())", (_SEARCH,)),
    Mutant("mm/px: patient millimetres of a pixel", "trajplan/verification/landmarks.py",
           "mm_per_px=_mm_per_px(ap, pedicle.isthmus_center_lps)", "mm_per_px=1.0", (_STAGES,)),
    Mutant("degrees/radians: angle error in objective and search", _P + "objective.py",
           "float(np.radians(settings.angle_sigma_deg))", "float(settings.angle_sigma_deg)", (_FORMS, _SEARCH)),
    Mutant("zero: a hand without error", _P + "objective.py",
           "max(settings.entry_sigma_mm, _LEAST_SIGMA_MM)", "settings.entry_sigma_mm",
           ("tests/planning/test_properties.py",)),
    Mutant("degrees/radians: angle error in the breach chance", _P + "breach.py",
           "tilt = np.radians(settings.angle_sigma_deg)", "tilt = settings.angle_sigma_deg", (_FORMS,)),
    Mutant("degrees/radians: craniocaudal angle", _P + "angles.py",
           "craniocaudal = float(np.degrees(np.arctan2(-w,", "craniocaudal = float(np.abs(np.arctan2(-w,", (_SEARCH,)),
    Mutant("degrees/radians: C-arm", "trajplan/fluoroscopy/carm.py",
           "p, s = np.radians(self.primary_deg), np.radians(self.secondary_deg)",
           "p, s = self.primary_deg, self.secondary_deg", (_CARM,)),
    Mutant("sign: convergence", _P + "angles.py", "np.arctan2(-side.sign * u, -v)", "np.arctan2(side.sign * u, -v)",
           (_SEARCH,)),
    Mutant("sign: craniocaudal angle", _P + "angles.py", "np.arctan2(-w, np.hypot(u, v))",
           "np.arctan2(w, np.hypot(u, v))", (_SEARCH,)),
    Mutant("sign: way to the skin walks into the patient", _P + "skin.py",
           "points = entry_lps - steps", "points = entry_lps + steps", (_SEARCH,)),
    # frames
    Mutant("LPS/RAS: C-arm turned the other way", "trajplan/fluoroscopy/carm.py",
           "np.array([np.sin(p) * np.cos(s), -np.cos(p)", "np.array([-np.sin(p) * np.cos(s), -np.cos(p)", (_CARM,)),
    Mutant("LPS/RAS: a mirrored frame is accepted", _G + "frame.py",
           " or np.linalg.det(axes) < 0", "", (_FRAME,)),
    Mutant("LPS/RAS: local coordinates by the transposed frame", _G + "frame.py",
           "- self.origin_lps) @ self.rotation.T)", "- self.origin_lps) @ self.rotation)", (_FRAME,)),
    Mutant("C-arm: magnification upside down", "trajplan/fluoroscopy/carm.py",
           "return self.source_detector_mm / self.source_isocenter_mm",
           "return self.source_isocenter_mm / self.source_detector_mm", (_CARM,)),
    # the search
    Mutant("search: other bone on the way not seen", _P + "search.py",
           "or between(obstacle, px, py, pz) >= 0.5", "or between(obstacle, px, py, pz) >= 9.5", (_FORMS,)),
    Mutant("search: docking anywhere", _P + "search.py",
           "or crossing[0] - out * along[0] < ends[4]", "or crossing[0] - out * along[0] < -1e9", (_FORMS,)),
    Mutant("breach: a miss of the pedicle is no crossing", _P + "breach.py",
           "out[n, :] = -1e3", "out[n, :] = 1e3", (_FORMS,)),
    Mutant("target: two thirds taken for one", _P + "target.py",
           "front + (back - front) / 3", "front + (back - front) * 2 / 3", (_FORMS,)),
    Mutant("instrument: one too short is taken", _P + "instruments.py",
           "if length >= needed_mm]", "if length <= needed_mm]",
           (f"{_PLANNER}::test_a_needle_too_short_for_the_patient_is_refused",)),
    # verdicts and stages
    Mutant("verdict: unsafe becomes unknown", _P + "verdict.py",
           "return Verdict.UNSAFE, (*unsafe", "return Verdict.UNKNOWN, (*unsafe", (_VERDICT,)),
    Mutant("verdict: unknown becomes safe", _P + "verdict.py",
           "(Verdict.UNKNOWN if unknown else Verdict.SAFE)", "(Verdict.SAFE if unknown else Verdict.SAFE)",
           (_VERDICT,)),
    Mutant("verdict: bone on the way not counted", _P + "verdict.py", "if way.bone_mm > 1.0:",
           "if way.bone_mm > 100.0:", (_VERDICT,)),
    Mutant("verdict: a cut vertebra is fine", _P + "verdict.py", "if vertebra.touches_edge:",
           "if not vertebra.touches_edge:", (_VERDICT,)),
    Mutant("stage: a broken rule does not make unsafe", "trajplan/case.py", "if not broken:", "if broken:",
           ("tests/case/test_stage_verdict.py",)),
    Mutant("stage: beyond the medial border counts as before it", "trajplan/verification/stages.py",
           "margin = lateral_of_border", "margin = abs(lateral_of_border)", (_STAGES,)),
    # what a plan was made from
    Mutant("stale: mask not compared", "trajplan/exports/stale.py",
           "noted.mask_sha256, parts.sha256())", "noted.mask_sha256, str(noted.mask_sha256))", (_STALE,)),
    Mutant("stale: scan not compared", "trajplan/exports/stale.py",
           "document.input.sha256, scan_sha256)", "scan_sha256, scan_sha256)", (_STALE,)),
    Mutant("stale: the place of a scan is not part of its hash", _G + "volume.py",
           "for part in (np.array(grid.shape_zyx), grid.origin_lps,", "for part in (np.array(grid.shape_zyx),",
           (_STALE,)),
    Mutant("privacy: names are kept", "trajplan/exports/nameless.py",
           'path_name=f"{scan.kind} scan (name withheld)", findings=findings', "path_name=source.name",
           ("tests/exports/test_nameless.py",)),
    # anatomy and levels
    Mutant("fracture: loss with the wrong sign", "trajplan/anatomy/fracture.py",
           "(1 - own.values_mm / expected.heights_mm)", "(own.values_mm / expected.heights_mm - 1)",
           ("tests/anatomy/test_measure_pieces.py",)),
    Mutant("fracture: Genant limits not included", "trajplan/anatomy/fracture.py",
           "return sum(loss_percent >= limit", "return sum(loss_percent > limit",
           ("tests/anatomy/test_measure_pieces.py",)),
    Mutant("level: TotalSegmentator labels one level off", "trajplan/reading/schemes.py",
           "{27 + i: LEVEL_IDS[name]", "{28 + i: LEVEL_IDS[name]", ("tests/reading/test_label_reading.py",)),
)  # fmt: skip
