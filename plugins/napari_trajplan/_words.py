"""What the planner's panels say: rich text of findings, vertebra, paths and stages. Pure text, no Qt."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from napari_trajplan._terms import in_window
from trajplan.anatomy.vertebra import Vertebra
from trajplan.parts import Side
from trajplan.planning.plan import Refusal, Trajectory, Verdict
from trajplan.reading.scan import Scan
from trajplan.reporting.words import chance, degrees, mm
from trajplan.verification.stages import Stage

# readable on the dark and on the light theme of napari
VERDICT_BACK = {Verdict.SAFE: "#00664B", Verdict.UNSAFE: "#A84700", Verdict.UNKNOWN: "#6A3D7C"}

TIPS = {
    "clearance": "Least distance from the instrument's outer surface to a wall it must not cross, mm. "
    "Negative: crossed. Never over-estimated.",
    "medial": "To the wall towards the canal side of the pedicle, mm.",
    "breach": "Chance that the path as carried out crosses a wall, by simulated errors of entry and angle "
    "(their size is under Preferences and in the report).",
    "angles": "Convergence: towards the midline is +. Craniocaudal: caudal going forward is +. In the "
    "vertebra's frame.",
    "grade": "Gertzbein-Robbins, made for screws: A none, B under 2 mm, C under 4 mm, D under 6 mm, E more, of the "
    "instrument's outer surface outside the bone or in the canal.",
    "length": "Entry to tip in bone, and skin to tip, mm.",
}
"""What every number of a path means."""

KIND_TIPS = {
    "slicer": "3D Slicer: lines, points and planes, and labels as .seg.nrrd",
    "dicom": "DICOM: segmentation, structured report, the X-rays and the report, in the study of the scan",
    "mesh": "STL, PLY and GLB of vertebra, instruments, balloon and cement",
    "csv": "Tables of every measure",
    "figures": "Every figure as a file",
    "script": "A script that makes this plan again",
}
"""What the plan can be written for beside the report (`trajplan.hand_on.KINDS`)."""


def scan_words(scan: Scan | None) -> str:
    """Size, spacing and findings of a scan; nothing of the patient."""
    if scan is None:
        return "No scan."
    size = " × ".join(str(n) for n in scan.volume.grid.shape_zyx[::-1])
    spacing = " × ".join(f"{v:.2f}" for v in scan.volume.grid.spacing_zyx[::-1])
    lines = [f"{escape(scan.kind)}: {size} voxels of {spacing} mm (left, back, up)"]
    lines += [f"<b>{escape(f.severity)}</b>: {_say(f.message)}" for f in scan.findings]
    return "<br>".join(lines)


def vertebra_words(vertebra: Vertebra | None, notes: Iterable[str] = ()) -> str:
    """Level, heights, loss, Genant and confidence, with what to check."""
    if vertebra is None:
        return ""
    level = vertebra.level or "Level not known"
    sure = "stated by a person" if vertebra.level_confirmed else "<b>not confirmed</b>"
    heights = vertebra.heights
    grade = "not known" if vertebra.fracture.genant_grade is None else str(vertebra.fracture.genant_grade)
    loss = "not known" if heights.loss_percent is None else f"{heights.loss_percent:.0f} %"
    lines = [
        f"<b>{escape(level)}</b> ({sure})",
        f"Heights: front {mm(heights.ha_mm)}, middle {mm(heights.hm_mm)}, back {mm(heights.hp_mm)}",
        f"Largest loss {loss}; {escape(vertebra.fracture.type)}, Genant {grade}",
        f"Confidence in the mask {vertebra.confidence.score:.2f} ({escape(vertebra.source)})",
    ]
    lines += [f"<b>Check:</b> {_say(one)}" for one in vertebra.confidence.check]
    lines += [_say(one) for one in notes]
    return "<br>".join(lines)


def path_words(path: Trajectory, moved: bool = False) -> str:
    """Every number of one path as a small table."""
    c = path.clearance
    walls = (
        ("medial", c.medial_mm), ("lateral", c.lateral_mm), ("up", c.superior_mm), ("down", c.inferior_mm),
        ("front", c.anterior_mm), ("end plate", c.endplate_mm), ("canal", c.canal_mm), ("foramen", c.foramen_mm),
    )  # fmt: skip
    back = VERDICT_BACK[path.verdict]
    head = (
        f"<b>{path.side.value.capitalize()}</b> {escape(path.approach)}, {escape(path.instrument.name)}"
        f"{' (moved)' if moved else ''} "
        f"<span style='background:{back};color:white'>&nbsp;{path.verdict.value.upper()}&nbsp;</span>"
    )
    rows = [
        ("Clearance", f"<b>{mm(c.min_mm)}</b>"),
        ("by wall", ", ".join(f"{name} {mm(value)}" for name, value in walls if value is not None)),
        ("Chance of breach", chance(path.breach.any, path.breach.samples)),
        ("Grade", escape(path.gertzbein_robbins)),
        ("Angles", f"{degrees(path.convergence_deg)} convergence, {degrees(path.craniocaudal_deg)} caudal"),
        ("Length", f"{mm(path.length_in_bone_mm)} in bone, {mm(path.length_from_skin_mm)} from the skin"),
    ]
    table = "".join(f"<tr><td>{name}&nbsp;</td><td>{text}</td></tr>" for name, text in rows)
    reasons = "".join(f"<br>• {_say(reason)}" for reason in path.reasons)
    return f"{head}<table>{table}</table>{reasons}"


def refusal_words(refusals: Iterable[Refusal]) -> str:
    """Refusals in words."""
    return "<br>".join(
        f"<b>{'Both sides' if r.side is None else r.side.value.capitalize()} {escape(str(r.approach))} refused:</b> "
        f"{_say(r.message)}"
        for r in refusals
    )


def stage_words(side: Side, stages: Iterable[Stage]) -> str:
    """The staged rule of one path, a line a depth."""
    words = {True: "✔", False: "✘ broken", None: "? not known"}
    rows = "".join(
        f"<tr><td>{words[s.passed]}&nbsp;</td><td>{escape(s.name)}&nbsp;</td>"
        f"<td align='right'>{s.depth_mm:.0f} mm&nbsp;</td><td align='right'>{mm(s.margin_mm)}</td></tr>"
        for s in stages
    )
    return f"<b>{side.value.capitalize()}</b> (depth, margin of the rule)<table>{rows}</table>"


def tips_words() -> str:
    """The tooltip of the numbers."""
    return "<qt>" + "<br>".join(f"<b>{name}</b>: {text}" for name, text in TIPS.items()) + "</qt>"


def _say(text: str) -> str:
    return escape(in_window(text))
