"""What follows access in a few lines for the command line."""

from __future__ import annotations

from trajplan.augmentation.augmentation import Augmentation


def augmentation_lines(a: Augmentation) -> list[str]:
    """Balloons, predicted heights and cement, one a line, with the reasons where there are none."""
    lines = [
        f"{i.side} {i.balloon.name} balloon: {i.final.volume_ml:.1f} ml, {i.final.diameter_mm:.0f} x "
        f"{i.final.length_mm:.0f} mm, stopped by {i.stop}"
        for i in a.inflations
    ]
    lines += [f"  {text}" for s in a.sequences for text in s.warnings if s.balloon is None]
    r, c = a.restoration, a.cement
    if r is not None:
        before, after = (", ".join(f"{x:.1f}" for x in h) for h in (r.before.heights_mm, r.predicted.heights_mm))
        lines.append(f"heights {before} mm, predicted with balloons inflated (upper bound) {after} mm")
    if c is not None:
        lines.append(f"cement: at most {c.planned_ml:.1f} ml ({100 * c.body_share:.0f} % of the body)")
    return lines
