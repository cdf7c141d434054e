"""Balloon, cavity and cement against closed forms; undoing phantom fractures against their truth; time.

Run: ``python benchmarks/augmentation.py [--n 12] [--seed 1]``. Cases are those of benchmarks/planning.py
(phantoms T6 to L5, turned and mirrored, 1 mm voxels) that hold a fracture and get a path. Heights: "as planned" is with
every stop rule; "pushed on" ignores contact and the cement bound, to see what the model does at full volume.
"""

from __future__ import annotations

import argparse
import math
import time

import numpy as np
import scipy.ndimage as ndi
from _plan_suite import Made, case

from trajplan.augmentation.augment import augment
from trajplan.augmentation.augmentation import Augmentation
from trajplan.augmentation.balloon_shape import free_shape
from trajplan.augmentation.envelope import Envelope, across_axis
from trajplan.augmentation.settings import AugmentationSettings
from trajplan.planning.instruments import SHIPPED
from trajplan.planning.plan import Approach, PlanSettings, Trajectory
from trajplan.planning.planner import plan_vertebra

ON = AugmentationSettings(past_contact=True, past_bound=True)
PLAN = PlanSettings(approach=Approach.BIPEDICULAR, breach_samples=500)


def mesh_ml(envelope: Envelope) -> float:
    """Volume of the envelope's mesh, by the divergence theorem."""
    points, faces = envelope.mesh()
    a, b, c = (points[faces[:, k]] for k in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum()) / 6000


def closed_forms() -> None:
    """Integrated and meshed volumes of shapes whose volume is known."""
    z = (np.arange(80) + 0.5) * 0.5 - 20.0
    axes = across_axis([0.3, -0.8, 0.2])
    r, half = 8.0, 12.0
    shapes = {
        "cylinder 16 x 24 mm": (np.where(np.abs(z) < half, r, 0.0), math.pi * r**2 * 2 * half / 1000),
        "ellipsoid 16 x 24 mm": (
            r * np.sqrt(np.clip(1 - (z / half) ** 2, 0, None)),
            4 / 3 * math.pi * r**2 * half / 1000,
        ),
        "capsule 16 x 24 mm": (
            np.sqrt(np.clip(r**2 - np.clip(np.abs(z) - (half - r), 0, None) ** 2, 0, None)),
            (math.pi * r**2 * 2 * (half - r) + 4 / 3 * math.pi * r**3) / 1000,
        ),
    }
    for name, balloon in SHIPPED.balloons.items():
        shape = free_shape(balloon, balloon.inflated_diameter_mm / 2)
        size = f"{2 * shape.radius_mm:.0f} x {shape.length_mm:.1f}"
        shapes[f"{name} balloon, {size} mm"] = (shape.radius_at(z), shape.volume_ml)
    print("shape                            closed form   from radii        mesh   (target 2 %)")
    for name, (radius, true) in shapes.items():
        envelope = Envelope(np.zeros(3), axes, z, np.repeat(radius[:, None], 48, axis=1))
        told, meshed = envelope.volume_ml, mesh_ml(envelope)
        print(
            f"{name:32} {true:8.3f} ml {told:8.3f} ml {100 * (told / true - 1):+5.2f} %"
            f" {100 * (meshed / true - 1):+6.2f} %"
        )


def volumes_kept(a: Augmentation) -> float:
    """Largest relative difference of a cavity from the volume filled in."""
    return max((abs(s.cavity_ml / s.volume_ml - 1) for i in a.inflations for s in i.steps), default=0.0)


def paths_of(made: Made) -> tuple[Trajectory, ...]:
    """The paths offered."""
    assert made.vertebra is not None
    return plan_vertebra(made.ct, made.vertebra, PLAN, automatic_mask=False)[0]


def judge(made: Made, a: Augmentation) -> tuple[str, dict[str, float]]:
    """A line, and the figures behind it: how far heights leave their limits, fall with volume, plates cross."""
    r, h = a.restoration, made.truth.heights
    assert r is not None
    assert made.vertebra is not None
    true = np.array([h.ha_before_mm, h.hm_before_mm, h.hp_before_mm])
    heights = np.array([s.heights_mm for s in r.steps])
    figures = {
        "below": float((r.before.heights_mm - r.predicted.heights_mm).max()),
        "above": float((r.predicted.heights_mm - np.maximum(true, r.before.heights_mm)).max()),
        "falls": float(np.maximum(heights[:-1] - heights[1:], 0).max()) if len(heights) > 1 else 0.0,
        "gap": gap_mm(made, a),
        "volume": r.steps[-1].lifted_ml - sum(i.final.volume_ml for i in a.inflations),
    }
    worst = int(np.argmax(true - r.before.heights_mm))
    lost = true[worst] - r.before.heights_mm[worst]
    text = (
        f"{sum(i.final.volume_ml for i in a.inflations):4.1f} ml {','.join(sorted({i.stop for i in a.inflations})):16} "
        f"{r.before.heights_mm[worst]:5.1f} -> {r.predicted.heights_mm[worst]:5.1f} of {true[worst]:5.1f} mm "
        f"({100 * r.gain_mm[worst] / max(lost, 1e-6):3.0f} % of the loss), wedge {r.before.wedge_deg:5.1f} -> "
        f"{r.predicted.wedge_deg:5.1f}, gap {figures['gap']:4.1f} mm"
    )
    return text, figures


def gap_mm(made: Made, a: Augmentation) -> float:
    """Least distance between the lifted body and other bone, mm, by voxel centres; that before where nothing moved."""
    from trajplan.geometry.resample import resample_mask

    r, v = a.restoration, made.vertebra
    assert r is not None
    assert v is not None
    other = resample_mask(v.other_bone, v.parts.grid, r.grid) > 0.5
    spacing = float(r.grid.spacing_zyx[0])
    if not other.any():
        return float("inf")
    moved = r.body & ((r.lift_top_mm > 0.05) | (r.lift_bottom_mm > 0.05))[None]
    far = ndi.distance_transform_edt(~other) * spacing
    return float(far[moved].min()) if moved.any() else float(far[r.body].min())


def undo(count: int, seed: int) -> None:
    """The table of undone fractures."""
    print("\ncase              loss  balloons                 height at the worst place")
    seen: list[dict[str, float]] = []
    times, volumes, index = [], [], -1
    while len(times) < count and index < 6 * count:
        index += 1
        made = case(seed, index)
        if made.kind == "none" or made.vertebra is None:
            continue
        paths = paths_of(made)
        for name, settings in (("as planned", AugmentationSettings()), ("pushed on", ON)):
            start = time.perf_counter()
            a = augment(made.ct, made.vertebra, paths, PLAN, settings)
            seconds = time.perf_counter() - start
            if a.restoration is None:
                why = "; ".join(a.notes)[:90] if paths else "no path"
                print(f"{index:3} {made.level:4}{made.kind[:12]:13} {why}", flush=True)
                break
            text, figures = judge(made, a)
            seen.append(figures)
            volumes.append(volumes_kept(a))
            loss = made.truth.heights.loss_percent
            print(f"{index:3} {made.level:4}{made.kind[:12]:13}{loss:4.0f} % {name:10} {text}", flush=True)
            if name == "as planned":
                times.append(seconds)
    if not seen:
        return
    print(f"\nmeasured on {len(times)} fractures, {len(seen)} runs                     target")
    print(f"a height below the fractured one, at most        {max(f['below'] for f in seen):5.2f} mm   0")
    print(f"a height above the true original, at most        {max(f['above'] for f in seen):5.2f} mm   0")
    print(f"a height that falls with volume, at most         {max(f['falls'] for f in seen):5.2f} mm   0")
    print(f"lifted body to a neighbour's bone, least         {min(f['gap'] for f in seen):5.2f} mm   above 0")
    print(f"body grown by more than the balloons hold, at most {max(f['volume'] for f in seen):4.2f} ml   0")
    print(f"cavity against the volume filled in, at most     {100 * max(volumes):5.2f} %    2 %")
    print(f"time of one augmentation, median and most        {np.median(times):5.2f} s, {max(times):.2f} s")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=12, help="fractures to undo")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    closed_forms()
    undo(given.n, given.seed)


if __name__ == "__main__":
    main()
