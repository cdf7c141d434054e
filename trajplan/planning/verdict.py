"""The verdict: safe, unsafe or unknown, with its reasons."""

from __future__ import annotations

from trajplan.anatomy.vertebra import Vertebra
from trajplan.planning.plan import Breach, PlanSettings, Verdict
from trajplan.planning.skin import SkinWay

MIN_CONFIDENCE = 0.5
"""Below this mask confidence nothing is called safe."""

CAUTION_BREACH = 0.10
"""Chance of crossing a wall from which the verdict carries a caution: above the 2-9 % published for fluoroscopy."""


def judge(
    vertebra: Vertebra, settings: PlanSettings, way: SkinWay, slack_mm: float, extra_mm: float, breach: Breach
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
        Further margin asked of a mask nobody has confirmed, 0 for a confirmed one.
    breach : Breach
        A high chance is named beside the verdict; the verdict itself rests on the margins.
    """
    unsafe, unknown, caution = [], [], []
    if breach.any >= CAUTION_BREACH:
        caution.append(
            f"caution: an executed path crosses a wall in {100 * breach.any:.0f} % of simulated insertions "
            f"({100 * breach.medial:.0f} % medially)"
        )
    if way.bone_mm > 1.0:
        unsafe.append(f"{way.bone_mm:.0f} mm of other bone on the way from the skin")
    if way.skin_lps is None:
        unknown.append(
            f"the scan ends {way.seen_mm:.0f} mm behind the entry, before the skin: needle length not checked"
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
            f"the margins are kept by only {slack_mm:.1f} mm and the mask is automatic (error about 1 mm): "
            "confirm the contours"
        )
    if unsafe:
        return Verdict.UNSAFE, (*unsafe, *unknown, *caution)
    return (Verdict.UNKNOWN if unknown else Verdict.SAFE), (*unknown, *caution)
