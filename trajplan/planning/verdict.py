"""The verdict: safe, unsafe or unknown, with its reasons."""

from __future__ import annotations

import numpy as np

from trajplan.anatomy.vertebra import Vertebra
from trajplan.geometry.arrays import FloatArray
from trajplan.planning.evaluate import PathClearance
from trajplan.planning.plan import MIN_CONFIDENCE, Breach, PlanSettings, Verdict
from trajplan.planning.skin import SkinWay
from trajplan.planning.walls import Wall

CAUTION_BREACH = 0.10
"""Chance of crossing a wall from which the verdict carries a caution: above the 2-9 % published for fluoroscopy."""


MIN_TISSUE_MM = 10.0
"""Skin, fat and muscle behind a transverse process are thicker than this in any adult."""

MAX_GRAZED_MM = 1.0
"""Other bone along the instrument's surface up to this is within the error of the voxels."""

MAX_GAS_MM = 2.0
"""Lung or other gas on the way beyond this: less may be a fold of the skin."""


def judge(
    vertebra: Vertebra,
    settings: PlanSettings,
    way: SkinWay,
    slack_mm: float,
    extra_mm: float,
    breach: Breach,
    why_extra: str = "the mask is automatic (error about 1 mm): confirm the contours",
) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict on a path that keeps its wall margins, with the reasons.

    What is against a limit makes it unsafe; what is missing makes it unknown; never the other way round.

    Parameters
    ----------
    way : SkinWay
        What lies between skin and entry.
    slack_mm : float
        Smallest clearance beyond its required margin, >= 0.
    extra_mm : float
        Further margin asked of a mask nobody has confirmed or of coarse labels, 0 for a confirmed fine one.
    breach : Breach
        A high chance is named beside the verdict; the verdict itself rests on the margins.
    why_extra : str
        Why the further margin is asked.
    """
    unsafe, unknown, caution = [], [], []
    if breach.any >= CAUTION_BREACH:
        caution.append(
            f"caution: an executed path crosses a wall in {100 * breach.any:.0f} % of simulated insertions "
            f"({100 * breach.medial:.0f} % medially)"
        )
    if way.bone_mm > 1.0:
        unsafe.append(f"{way.bone_mm:.0f} mm of other bone on the way from the skin")
    if way.gas_mm > MAX_GAS_MM:
        unsafe.append(f"{way.gas_mm:.0f} mm of lung or other gas on the way from the skin")
    if way.grazed_mm > MAX_GRAZED_MM:
        caution.append(
            f"caution: the instrument's side runs through other bone (a facet joint or rib) for {way.grazed_mm:.0f} mm "
            "before the entry"
        )
    if way.border:
        caution.append(
            "caution: behind the skin point the scan holds one constant value; if that is the border of the field of "
            "view, the way from the skin is longer than said"
        )
    if way.skin_lps is None:
        unknown.append(
            f"the scan ends {way.seen_mm:.0f} mm behind the entry, before the skin: needle length not checked"
        )
    elif way.seen_mm < MIN_TISSUE_MM:
        unknown.append(
            f"only {way.seen_mm:.0f} mm of tissue lie between skin and entry, {MIN_TISSUE_MM:.0f} or more are usual: "
            "check that the mask belongs to this scan"
        )
    else:
        midline_mm = abs(float(vertebra.frame.to_local(way.skin_lps)[0]))
        if midline_mm > settings.max_skin_midline_mm:
            unsafe.append(
                f"the skin point is {midline_mm:.0f} mm from the midline, limit {settings.max_skin_midline_mm:.0f} mm"
            )
    if vertebra.level is None:
        unknown.append("the level of this vertebra is not known: state it with --level")
    if vertebra.touches_edge:
        unknown.append("the vertebra reaches the border of the scan and may be cut")
    if vertebra.confidence.score < MIN_CONFIDENCE:
        unknown.append(
            f"confidence in the mask is {vertebra.confidence.score:.2f}, below {MIN_CONFIDENCE:.2f}: check the contours"
        )
    if extra_mm and slack_mm < extra_mm:
        unknown.append(
            f"the margins are kept by only {slack_mm:.2f} mm more, {extra_mm:.2f} mm are asked because {why_extra}"
        )
    if unsafe:
        return Verdict.UNSAFE, (*unsafe, *unknown, *caution)
    return (Verdict.UNKNOWN if unknown else Verdict.SAFE), (*unknown, *caution)


def broken_margins(clearance: PathClearance, margin_mm: FloatArray) -> tuple[str, ...]:
    """One sentence for each wall that comes nearer than its margin."""
    smallest = clearance.smallest()
    return tuple(
        f"the {wall.name.lower()} wall is not in play: the path never passes the bone it should"
        if np.isneginf(smallest[wall])
        else f"{smallest[wall]:.2f} mm from the {wall.name.lower()} wall, {margin_mm[wall]:.2f} mm are required"
        for wall in Wall
        if smallest[wall] < margin_mm[wall]
    )
