"""Phantom fractures carried through to cement, made once a session."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from trajplan.augmentation.augment import augment
from trajplan.augmentation.augmentation import Augmentation
from trajplan.augmentation.settings import AugmentationSettings
from trajplan.case import CaseRequest, CaseResult, run_case
from trajplan.planning.plan import Approach, PlanSettings
from trajplan.reading.scan import Scan
from trajplan_phantoms import Phantom, PhantomSpec, Scanner, make_phantom

ON = AugmentationSettings(past_contact=True, past_bound=True)
"""On and on until there is no room: what the model does at full volume."""


@dataclass(frozen=True)
class Broken:
    """A phantom, its case as planned, and the same with the balloons pushed on."""

    phantom: Phantom
    result: CaseResult
    pushed: Augmentation

    @property
    def planned(self) -> Augmentation:
        assert self.result.augmentation is not None
        return self.result.augmentation


@functools.cache
def broken(kind: str, loss: float, target: str = "L1", levels: tuple[str, ...] = ("T12", "L1", "L2")) -> Broken:
    spec = PhantomSpec(target, levels, fracture=kind, height_loss_percent=loss)  # type: ignore[arg-type]  # a kind
    return planned(spec)


def planned(spec: PhantomSpec) -> Broken:
    target = spec.target
    phantom = make_phantom(spec, Scanner(spacing_zyx=(1.2, 1.0, 1.0), noise_hu=10, seed=2))
    scan = Scan.of_volume(phantom.ct, path_name="phantom", kind="phantom")
    settings = PlanSettings(approach=Approach.BIPEDICULAR, breach_samples=500)
    result = run_case(scan, CaseRequest(target, None, phantom.labels, "phantom", settings))
    assert result.vertebra is not None
    paths = result.trajectories
    return Broken(phantom, result, augment(phantom.ct, result.vertebra, paths, settings, ON))
