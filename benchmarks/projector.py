"""Time, accuracy and memory of the projectors beside their peers, on a synthetic lumbar CT, 512 x 512 x 300 voxels.

Run: ``python benchmarks/projector.py [--repeats 3] [--peer-python OTHER/bin/python]``. Peers are no dependencies: RTK
(``itk-rtk``) and plastimatch are looked for in the environment of ``--peer-python`` (default: this one); what is
not there is named. All of a view's projectors run one after the other in every round, so that other load on the
machine meets all of them, and only ratios of one round count: processor time on one thread, wall time on two. The table
states every figure beside its target. References: `_projector_truth`, float64: voxels as boxes (siddon), trilinear.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from _projector_peers import FIELD_MM, NOT_RUN, Plastimatch, Rtk, best_of_flips
from _projector_scan import QUALITIES, lumbar_hu, memory, scan_volume

VIEWS = {"AP": 0.0, "lateral": 90.0, "oblique": 30.0}


def agreement(image: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Correlation, and largest error as a share of the largest value."""
    return float(np.corrcoef(image.ravel(), truth.ravel())[0, 1]), float(np.abs(image - truth).max() / truth.max())


def bandwidth_gb_s() -> float:
    """Reading 400 MB, best of five, on the threads of numba."""
    import numba as nb

    @nb.njit(parallel=True, fastmath=True)
    def total(a):  # type: ignore[no-untyped-def]
        found = 0
        for k in nb.prange(a.size):
            found += a[k]
        return found

    data = np.ones(50_000_000, np.int64)
    total(data)
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        total(data)
        times.append(time.perf_counter() - begin)
    return data.nbytes / min(times) / 1e9


def tool_redraw(prepared) -> tuple[float, float]:
    """Milliseconds to put one trocar into a finished 512 x 512 image, and largest chord error in mm."""
    from trajplan.fluoroscopy.carm import CArm
    from trajplan.fluoroscopy.projector import project
    from trajplan.fluoroscopy.tools import Canvas, chord_mm, steel_tool
    from trajplan.geometry import Capsule

    carm = CArm(10.0, 5.0, np.zeros(3), 1000.0, 600.0, (512, 512), FIELD_MM / 512)
    canvas = Canvas(project(prepared, carm, quality="preview"))
    times = []
    for k in range(60):
        tool = steel_tool(Capsule(np.array([30.0, 60.0, 5.0 + 0.1 * k]), np.array([8.0, -10.0, 0.0]), 2.1))
        begin = time.process_time()
        canvas.draw([tool])
        times.append(1e3 * (time.process_time() - begin))
    rng = np.random.default_rng(3)
    worst = 0.0
    for _ in range(60):
        start, end = rng.normal(0, 20, 3), rng.normal(0, 20, 3)
        capsule = Capsule(start, end, rng.uniform(0.5, 3.0))
        source = rng.normal(0, 1, 3)
        source *= 600 / np.linalg.norm(source)
        aim = start + rng.uniform(0, 1) * (end - start) + rng.normal(0, 1.0, 3) - source
        ray = aim / np.linalg.norm(aim)
        t = np.arange(500.0, 700.0, 0.0005)
        points = source + t[:, None] * ray
        along = np.clip((points - start) @ (end - start) / ((end - start) @ (end - start)), 0, 1)
        inside = np.linalg.norm(points - start - along[:, None] * (end - start), axis=1) < capsule.radius_mm
        worst = max(worst, abs(chord_mm(capsule, source, ray) - 0.0005 * inside.sum()))
    return float(np.median(times)), worst


def measure(folder: Path, options: argparse.Namespace, threads: int) -> dict[str, dict[str, list[float]]]:
    """Times of every projector and view, all interleaved: name -> view -> one figure a round."""
    import numba

    from trajplan.fluoroscopy.carm import CArm
    from trajplan.fluoroscopy.prepared import prepare
    from trajplan.fluoroscopy.projector import project, warm_up

    numba.set_num_threads(threads)
    warm_up()
    volume = scan_volume(folder)
    prepared = prepare(volume)
    peers = {"rtk": Rtk, "plastimatch": Plastimatch}
    ready = {name: make(options.peer_python, folder / "mu.npy", threads) for name, make in peers.items()}
    absent = [name for name, peer in ready.items() if not peer.runs]
    found: dict[str, dict[str, list[float]]] = {}

    def note(name: str, view: str, cpu_wall: tuple[float, float]) -> None:
        found.setdefault(name, {}).setdefault(view, []).append(cpu_wall[0 if threads == 1 else 1])

    for turn in range(options.repeats + 1):
        for pixels in (512, 1024):
            for view, angle in VIEWS.items():
                label = view if pixels == 512 else f"{view} 1024"
                carm = CArm(angle, 0.0, np.zeros(3), 1000.0, 600.0, (pixels, pixels), FIELD_MM / pixels)
                for quality in QUALITIES if pixels == 512 else ("fast",):
                    for again in range(3):  # the peers start with cold caches as well: the middle of three is taken
                        cpu, wall = time.process_time(), time.perf_counter()
                        project(prepared, carm, quality=quality)
                        spent = 1e3 * (time.process_time() - cpu), 1e3 * (time.perf_counter() - wall)
                        if turn and again:
                            note(quality, label, spent)
                for name, peer in ready.items():
                    if peer.runs and (pixels == 512 or name == "rtk"):
                        spent = peer(angle, pixels)
                        if turn:
                            note(name, label, spent)
    for peer in ready.values():
        peer.close()
    print(f"not run: {', '.join(absent)} (not found beside {options.peer_python})" if absent else "peers: all run")
    return found


def accuracy(folder: Path, options: argparse.Namespace) -> None:
    """Every quality, and RTK, against the float64 references, on every pixel of every `--step`-th row and column."""
    from _projector_truth import reference

    from trajplan.fluoroscopy.carm import CArm
    from trajplan.fluoroscopy.prepared import prepare
    from trajplan.fluoroscopy.projector import project

    volume = scan_volume(folder)
    prepared = prepare(volume)
    mu = prepared.curve.at(volume.array)
    rtk = Rtk(options.peer_python, folder / "mu.npy", 2)
    step = options.step
    coarse = FIELD_MM / 512 * step
    count = 512 // step
    print(f"\n{'view':9}{'projector':10}{'reference':11}{'NCC':>10}{'max error':>11}")
    for view, angle in VIEWS.items():
        sparse = CArm(angle, 0.0, np.zeros(3), 1000.0, 600.0, (count, count), coarse)
        full = CArm(angle, 0.0, np.zeros(3), 1000.0, 600.0, ((count - 1) * step + 1,) * 2, FIELD_MM / 512)
        truths = {"trilinear": reference(mu, volume.grid, sparse, 0.15), "boxes": reference(mu, volume.grid, sparse)}
        for quality in QUALITIES:
            image = project(prepared, full, quality=quality).line_integral[::step, ::step].astype(np.float64)
            name = "boxes" if quality == "siddon" else "trilinear"
            ncc, worst = agreement(image, truths[name])
            print(f"{view:9}{quality:10}{name:11}{ncc:10.6f}{worst:11.2e}")
            if quality == "siddon":
                relative = np.abs(image - truths[name]) / np.maximum(truths[name], 0.01)
                print(f"{'':9}{'':10}largest relative error {relative.max():.1e} (must be <= 1e-5)")
        if rtk.runs:
            rtk(angle, full.detector_px[0])
            image = best_of_flips(np.load(rtk.image), project(prepared, full, quality="joseph").line_integral)
            scale = FIELD_MM / full.detector_px[0] / (FIELD_MM / 512)
            if abs(scale - 1) < 0.01:
                ncc, worst = agreement(image[::step, ::step].astype(np.float64), truths["trilinear"])
                print(f"{view:9}{'rtk':10}{'trilinear':11}{ncc:10.6f}{worst:11.2e}  (pixels {scale:.4f} as large)")
    rtk.close()


RATIOS = (
    ("fast", "rtk", "", 14, 30),
    ("fast", "plastimatch", "", 18, 40),
    ("fast", "rtk", " 1024", 25, 50),
    ("joseph", "rtk", "", 5, 10),
    ("siddon", "plastimatch", "", 3, 6),
    ("preview", "rtk", "", 40, 40),
)


def table(found: dict[str, dict[str, list[float]]], threads: int) -> None:
    """Times and ratios beside their targets."""
    clock = "processor ms" if threads == 1 else "wall ms"
    print(f"\n{threads} thread{'s' * (threads > 1)}, {clock}, median of the rounds (least in brackets)")
    for name, views in found.items():
        times = (f"{view} {np.median(ms):.1f} ({min(ms):.1f})" for view, ms in views.items())
        print(f"  {name:12}" + ", ".join(times))
    for ours, peer, size, must, aim in RATIOS:
        if peer not in found:
            continue
        for view in VIEWS:
            label = view + size
            times = np.median(found[peer][label]) / np.median(found[ours][label])
            state = "aim reached" if times >= aim else "must reached" if times >= must else "MISSED"
            print(f"  {ours} against {peer} {label:13} {times:6.1f} x  (must {must}, aim {aim}): {state}")


def bandwidth(found: dict[str, dict[str, list[float]]]) -> None:
    """How far `fast` on two threads is from only reading its voxels."""
    speed = bandwidth_gb_s()
    print(f"\nbandwidth limit: what reading the voxels within the cone takes on two threads, {speed:.0f} GB/s now")
    voxels_mb = {"AP": 52.0, "lateral": 52.0, "oblique": 66.0}
    for view, size in voxels_mb.items():
        limit, took = size / speed, min(found["fast"][view])
        far = f"fast takes {took / limit:.1f} x (must 14, aim 6)"
        print(f"  {view:8} {limit:.2f} ms: {far}", flush=True)


def main() -> None:
    """One thread, then two, then accuracy, memory and geometry."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--step", type=int, default=4, help="accuracy on every so many rows and columns")
    parser.add_argument("--peer-python", default=sys.executable, help="interpreter that has itk-rtk and plastimatch")
    parser.add_argument("--only", type=int, choices=(1, 2), help="times on so many threads only")
    parser.add_argument("--threads", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.threads:
        print(json.dumps(measure(options.folder, options, options.threads)))
        return
    from _projector_geometry import print_geometry

    from trajplan.fluoroscopy.attenuation import attenuation_curve
    from trajplan.fluoroscopy.prepared import prepare

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "scan.npy", lumbar_hu((300, 512, 512)))
        np.save(folder / "mu.npy", attenuation_curve().at(np.load(folder / "scan.npy")).astype(np.float32))
        print(
            f"512 x 512 x 300 int16 voxels, detector 512 x 512 and 1024 x 1024, field {FIELD_MM:g} mm at the detector"
        )
        for threads in (options.only,) if options.only else (1, 2):
            command = [sys.executable, __file__, "--threads", str(threads), "--folder", name]
            command += ["--repeats", str(options.repeats), "--peer-python", options.peer_python]
            answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
            print("\n".join(answer[:-1]), flush=True)
            found = json.loads(answer[-1])
            table(found, threads)
        if options.only != 1:
            bandwidth(found)
        spent, worst = tool_redraw(prepare(scan_volume(folder)))
        print(f"\none trocar redrawn in {spent:.2f} ms (must <= 0.6), chord error {worst:.5f} mm (must <= 0.001)")
        sys.stdout.flush()
        accuracy(folder, options)
        print()
        memory(folder)
        print()
        print_geometry()
        print(NOT_RUN)


if __name__ == "__main__":
    main()
