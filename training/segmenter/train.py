"""Train one network. Ends by step count, so that the same seed gives the same schedule on any machine.

    python -m training.segmenter.train WORK --name all
    python -m training.segmenter.train WORK --name without_lidc0001 --leave-out lidc0001
    python -m training.segmenter.train WORK --name all --start WORK/shorter.pt --rate 1.5e-3

Writes WORK/NAME.pt (weights and their running mean) and WORK/NAME.log; goes on from WORK/NAME.pt with ``--resume``. A
second leg (``--start``) takes over the weights of another run, not its schedule: that run must have left out the same.
"""

from __future__ import annotations

import argparse
import copy
import time
from pathlib import Path
from typing import TextIO

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from training.segmenter.balance import balanced
from training.segmenter.loss import segmentation_loss
from training.segmenter.network import UNet
from training.segmenter.synthesis import Synthesis
from training.segmenter.target import Target, load_targets

RATE, WEIGHT_DECAY, BETAS = 2.5e-3, 1e-4, (0.9, 0.99)
WARM_UP_STEPS = 60
MEAN_DECAY = 0.995
GRADIENT_NORM = 3.0
LOG_EVERY, SAVE_EVERY = 20, 100
DATA_SEED, NETWORK_SEED = 3, 1


class _Crops(Dataset[tuple[np.ndarray, np.ndarray, bool]]):
    """Crops `first` to `last` of a synthesis."""

    def __init__(self, synthesis: Synthesis, first: int, last: int) -> None:
        self.synthesis, self.first, self.last = synthesis, first, last

    def __len__(self) -> int:
        return self.last - self.first

    def __getitem__(self, number: int) -> tuple[np.ndarray, np.ndarray, bool]:
        crop = self.synthesis.crop(self.first + number)
        return crop.image, crop.truth, crop.knows_canal


def has_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16: a step then takes 1.2 s of one core instead of 2.8."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def rate_at(step: int, steps: int, highest: float = RATE) -> float:
    """Learning rate: warm-up, then half a cosine down to 1 %."""
    cosine = 0.5 * (1 + np.cos(np.pi * (step - 1) / steps))
    return float(highest * (min(1.0, step / WARM_UP_STEPS) * cosine * 0.99 + 0.01))


def train(
    targets: list[Target],
    work: Path,
    name: str,
    *,
    steps: int,
    batch: int = 2,
    workers: int = 1,
    resume: bool = False,
    start: Path | None = None,
    rate: float = RATE,
    data_seed: int = DATA_SEED,
) -> None:
    """Train to `steps`, saving as it goes."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    half = device.type == "cuda" or has_bfloat16()
    layout = torch.contiguous_format if half and device.type == "cpu" else torch.channels_last_3d
    torch.manual_seed(NETWORK_SEED)
    net = UNet().to(device, memory_format=layout)
    if start is not None:
        net.load_state_dict(torch.load(start, map_location=device, weights_only=True)["mean"])
    mean = copy.deepcopy(net)
    optimiser = torch.optim.AdamW(net.parameters(), RATE, weight_decay=WEIGHT_DECAY, betas=BETAS)
    done = 0
    path = work / f"{name}.pt"
    if resume and path.exists():
        state = torch.load(path, map_location=device, weights_only=True)
        net.load_state_dict(state["net"])
        mean.load_state_dict(state["mean"])
        optimiser.load_state_dict(state["optimiser"])
        done = int(state["step"])
    crops = _Crops(Synthesis(targets, data_seed), done * batch, steps * batch)
    feed = DataLoader(crops, batch, num_workers=workers, prefetch_factor=3 if workers else None)
    with (work / f"{name}.log").open("a" if done else "w") as log:
        start, rows, last = time.perf_counter(), [], time.perf_counter()
        for step, (image, truth, knows) in enumerate(feed, done + 1):
            for group in optimiser.param_groups:
                group["lr"] = rate_at(step, steps, rate)
            image = image.to(device, memory_format=layout)
            with torch.autocast(device.type, torch.bfloat16, enabled=half):
                logits = net(image)
            loss, dice = segmentation_loss(logits, truth.to(device), knows.tolist())
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), GRADIENT_NORM)
            optimiser.step()
            _update_mean(mean, net, step)
            now = time.perf_counter()
            rows.append((float(loss.detach()), dice, now - last))
            last = now
            if step % LOG_EVERY == 0 or step == steps:
                _tell(log, step, (now - start) / 60, rows)
                rows = []
            if step % SAVE_EVERY == 0 or step == steps:
                _save(path, net, mean, optimiser, step)


def _update_mean(mean: nn.Module, net: nn.Module, step: int) -> None:
    share = 1 - min(MEAN_DECAY, (step + 1) / (step + 10))
    with torch.no_grad():
        for slow, fast in zip(mean.parameters(), net.parameters(), strict=True):
            slow.lerp_(fast, share)


def _tell(log: TextIO, step: int, minutes: float, rows: list[tuple[float, float, float]]) -> None:
    loss, dice, seconds = np.mean(rows, axis=0)
    line = f"{minutes:.1f} min step {step} loss {loss:.4f} target Dice {dice:.4f} {seconds:.2f} s a step"
    print(line, flush=True)
    print(line, file=log, flush=True)


def _save(path: Path, net: nn.Module, mean: nn.Module, optimiser: torch.optim.Optimizer, step: int) -> None:
    state = {"net": net.state_dict(), "mean": mean.state_dict(), "optimiser": optimiser.state_dict(), "step": step}
    fresh = path.with_suffix(".new")
    torch.save(state, fresh)
    fresh.replace(path)


def load_work(work: Path, leave_out: str | None) -> list[Target]:
    """All prepared targets but those of one patient, levels balanced."""
    targets = [one for path in sorted(work.glob("*.npz")) for one in load_targets(path)]
    patients = {one.patient for one in targets}
    if leave_out is not None and leave_out not in patients:
        raise SystemExit(f"no targets of {leave_out!r}; there are {', '.join(sorted(patients))}")
    return balanced([one for one in targets if one.patient != leave_out])


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--name", default="all")
    parser.add_argument("--leave-out", help="a patient's name, for leave-one-patient-out")
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--workers", type=int, default=1, help="processes that make crops")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--start", type=Path, help="weights of an earlier run that left out the same patient")
    parser.add_argument("--rate", type=float, default=RATE, help="highest learning rate")
    parser.add_argument("--data-seed", type=int, default=DATA_SEED, help="another one for a second leg: fresh crops")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    targets = load_work(asked.work, asked.leave_out)
    print(f"{len(targets)} targets of {len({one.patient for one in targets})} patients, phantoms counting as one")
    train(
        targets,
        asked.work,
        asked.name,
        steps=asked.steps,
        batch=asked.batch,
        workers=asked.workers,
        resume=asked.resume,
        start=asked.start,
        rate=asked.rate,
        data_seed=asked.data_seed,
    )


if __name__ == "__main__":
    main()
