"""Every threshold that a plan was judged by, with its value and where it comes from."""

from __future__ import annotations

from trajplan.anatomy.density import BODY_LIMITS
from trajplan.planning.balloon import MARGIN_MM
from trajplan.planning.plan import MIN_CONFIDENCE, PlanSettings
from trajplan.planning.verdict import CAUTION_BREACH, MAX_GAS_MM, MAX_GRAZED_MM, MIN_TISSUE_MM
from trajplan.verification.in_space import UNIPEDICULAR_MIDLINE_MM
from trajplan.verification.stages import PAST_WALL_MM

Row = tuple[str, str, str]
_OURS = "proposed here, no source"


def threshold_rows(settings: PlanSettings) -> tuple[Row, ...]:
    """Rows of (threshold, value, source); what no source was read for says so."""
    s = settings
    return (
        ("Margin to the walls of the pedicle and the foramina", f"{s.wall_margin_mm:g} mm",
         "pedicle at least tool + 2 x 1 mm; derived from breach grades and a target accuracy of 1 mm (read)"),
        ("Margin to the spinal canal", f"{s.canal_margin_mm:g} mm", "as for the walls, in 3-D"),
        ("Stand-off of the tip from the anterior cortex", f"{s.anterior_margin_mm:g} mm",
         "hard limit of teaching texts; 5 mm is their usual advice (unverified)"),
        ("Stand-off from the end plates", f"{s.endplate_margin_mm:g} mm", "unverified"),
        ("Convergence, most", f"{s.max_convergence_deg:g}°", "0 to 45 deg by level (read)"),
        ("Craniocaudal angle", f"{s.min_craniocaudal_deg:g} to {s.max_craniocaudal_deg:g}°", "against the end plate; "
         + _OURS),
        ("Skin from the midline, most", f"{s.max_skin_midline_mm:g} mm", _OURS),
        ("Execution error, entry and angle, one sigma", f"{s.entry_sigma_mm:g} mm, {s.angle_sigma_deg:g}°",
         _execution(s.execution)),
        ("Breathing, one sigma", f"{s.respiration_sigma_mm:g} mm",
         "1.96 mm mean 3-D motion, PMC6686387 (read)" if s.respiration_sigma_mm else "held breath"),
        ("Chance of a breach that is a caution", f"{100 * CAUTION_BREACH:g} %", _OURS),
        ("Gertzbein-Robbins", "A none, B < 2, C < 4, D < 6, E 6 mm or more",
         "10.1007/s11701-024-02001-w (read); made for screws"),
        ("Clearance bands of the safety map", "below 0, 0 to 1, 1 to 2, 2 mm and more",
         "robotic planners colour 2 mm amber and 1 mm red (unverified)"),
        ("Confidence in the mask, least", f"{MIN_CONFIDENCE:g} of 1", _OURS),
        ("Tissue behind the bone, least", f"{MIN_TISSUE_MM:g} mm", _OURS),
        ("Other bone, and lung or gas, on the way, most", f"{MAX_GRAZED_MM:g} mm, {MAX_GAS_MM:g} mm", _OURS),
        ("Staged rule: past the posterior wall before the medial border is crossed", f"{PAST_WALL_MM:g} mm deeper",
         "rule: three independent texts (read); the distance: unverified"),
        ("Tip of a unipedicular path from the midline, most", f"{UNIPEDICULAR_MIDLINE_MM:g} mm", "unverified"),
        ("Balloon to every cortex", f"{MARGIN_MM:g} mm", _OURS),
        ("Fracture grade", "20, 25 and 40 % of height lost", "Genant 1993; the reference here are the neighbours"),
        *((f"Density below {limit.hu:g} HU", limit.meaning, f"{limit.source} ({limit.evidence})")
          for limit in BODY_LIMITS),
    )  # fmt: skip


def _execution(name: str) -> str:
    known = {
        "freehand-single-shot": "reproduces 36 % penetration of 370 uncorrected lumbar screws (Xu 2019); derived",
        "fluoroscopy-corrected": "reproduces 2.6 to 9 % breach of fluoroscopic percutaneous screws; derived",
        "navigated": "robot-navigated cadaver screws (PMC11222209); derived",
    }
    return f"{name}: {known.get(name, 'as set by hand')}" if name else "as set by hand"
