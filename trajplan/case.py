"""Case: from a scan to a verified plan. The flow of one case, its progress, provenance and timings."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from trajplan.anatomy.backend import Progress
from trajplan.anatomy.backends import DEFAULT
from trajplan.anatomy.vertebra import Vertebra
from trajplan.augmentation.augment import augment
from trajplan.augmentation.augmentation import Augmentation
from trajplan.augmentation.settings import AugmentationSettings
from trajplan.confirm import confirm_mask
from trajplan.errors import AnatomyError, GeometryError
from trajplan.fluoroscopy.drr import Drr
from trajplan.fluoroscopy.oblique import scotty_dog
from trajplan.fluoroscopy.projector import prepare, project
from trajplan.fluoroscopy.views import SolvedView, en_face, standard_views
from trajplan.geometry import LabelMap
from trajplan.geometry.arrays import FloatArray
from trajplan.parts import Side
from trajplan.planning.advice import Option
from trajplan.planning.instruments import Balloon, Instrument
from trajplan.planning.plan import Approach, PlanSettings, Refusal, Trajectory, Verdict
from trajplan.planning.planner import PlanSet, plan_approaches
from trajplan.reading.scan import Scan
from trajplan.target import Segmented, Target, find_target
from trajplan.verification.both_ways import BothWays, judge_both_ways
from trajplan.verification.stages import Stage, check_stages

_DRAWN = ("ap", "lateral", "en_face_left", "en_face_right")


@dataclass(frozen=True, eq=False)
class CaseRequest:
    """What was asked: which vertebra, how to find it, and the plan settings.

    Parameters
    ----------
    level : str or None
        Level of the target as stated by a person (``"L1"``).
    seed_lps : ndarray, shape (3,), or None
        A point in the target's body, LPS mm.
    labels : LabelMap or None
        Vertebra labels, VerSe ids, canonical LPS; `labels_source` names where they came from.
    backend : str
        Segmentation back-end (`trajplan.anatomy.backends`) when there are no labels.
    segmented : Segmented or None
        What is known of `labels` that are a segmentation of this program, unchanged since.
    confirmed_mask : str or None
        Hash of the mask that a person has looked at and found right (`trajplan.confirm`).
    augmentation : AugmentationSettings
        What is asked of balloon and cement, and the entries of the candidacy sheet.
    reading : mapping
        How scan and labels were read (answers, numbering of the labels), for the record only.
    """

    level: str | None = None
    seed_lps: FloatArray | None = None
    labels: LabelMap | None = None
    labels_source: str | None = None
    settings: PlanSettings = field(default_factory=PlanSettings)
    backend: str = DEFAULT
    segmented: Segmented | None = None
    confirmed_mask: str | None = None
    augmentation: AugmentationSettings = field(default_factory=AugmentationSettings)
    reading: Mapping[str, str | bool | None] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class CaseResult:
    """Everything that was computed for one case; reports and exports only read it.

    `views` has ``ap``, ``lateral``, and for the side of a path ``en_face_left`` / ``en_face_right`` and
    ``oblique_left`` / ``oblique_right``; `drrs` has the same keys without the obliques and shows anatomy only
    (instruments are added when drawn). `both_ways` is the taught rule of every path as seen and in space. `notes` are
    sentences a reader must see first (how the target was chosen, level not confirmed, low confidence). `options`
    are all sides and approaches that were planned, with their numbers, whether offered or not. `augmentation` is
    what follows access on the paths offered.
    """

    request: CaseRequest
    scan: Scan
    vertebra: Vertebra | None
    trajectories: tuple[Trajectory, ...]
    refusals: tuple[Refusal, ...]
    stages: Mapping[Side, tuple[Stage, ...]]
    views: Mapping[str, SolvedView]
    drrs: Mapping[str, Drr]
    notes: tuple[str, ...]
    provenance: Mapping[str, object]
    timings_s: Mapping[str, float]
    created: str
    options: tuple[Option, ...] = ()
    augmentation: Augmentation | None = None
    both_ways: Mapping[Side, BothWays] = field(default_factory=dict)

    @property
    def has_path(self) -> bool:
        """Whether at least one path is offered (safe, or unknown with its reasons)."""
        return any(t.verdict is not Verdict.UNSAFE for t in self.trajectories)


class _Clock:
    """Collects how long each step took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = round(time.perf_counter() - start, 3)


def run_case(
    scan: Scan,
    request: CaseRequest,
    progress: Progress = lambda _fraction, _what: None,
    *,
    target: Target | None = None,
    planned: PlanSet | None = None,
) -> CaseResult:
    """Find the vertebra, measure it, plan, solve the views, project and check.

    An anatomy that cannot be found or trusted ends as a refusal with its numbers inside the result, never as a guess.

    Parameters
    ----------
    scan : Scan
    request : CaseRequest
    progress : callable
        May raise to stop the run.
    target : Target, optional
        `find_target` of this scan and request where it was made already (a viewer shows it before planning).
    planned : PlanSet, optional
        Paths on that target in place of the planner's (`trajplan.edited`); views and stages are judged anew.

    Raises
    ------
    InputError
        The request does not fit the scan (seed outside, unknown level).
    """
    clock = _Clock()
    try:
        with clock.step("anatomy"):
            target = target or find_target(
                scan, request.level, request.seed_lps, request.labels, request.labels_source,
                _part(progress, 0.0, 0.55), request.backend, request.segmented,
            )  # fmt: skip
            target = confirm_mask(target, request.confirmed_mask)
    except AnatomyError as reason:
        refusal = Refusal(None, request.settings.approach, reason.code, f"{reason}", reason.numbers)
        return _result(scan, request, None, (), (refusal,), {}, {}, {}, (), clock)
    vertebra = target.vertebra
    with clock.step("planning"):
        found = planned or plan_approaches(
            scan.volume,
            vertebra,
            request.settings,
            automatic_mask=target.automatic,
            mask_spacing_mm=target.spacing_mm,
            progress=_part(progress, 0.55, 0.85),
        )
        paths, refused = found.trajectories, found.refusals
    with clock.step("views"):
        try:
            views = _views(vertebra, paths)
        except (AnatomyError, GeometryError) as reason:
            # without the two views the staged rules cannot be judged, so no path may be offered
            refusal = Refusal(None, request.settings.approach, reason.code, f"{reason}", reason.numbers)
            refused = (*refused, refusal)
            return _result(scan, request, target, (), refused, {}, {}, {}, target.notes, clock, found.options)
    with clock.step("projection"):
        progress(0.86, "simulated X-rays")
        prepared = prepare(scan.volume)
        drrs = {name: project(prepared, view.carm) for name, view in views.items() if name in _DRAWN}
    with clock.step("verification"):
        stages = {t.side: check_stages(t, vertebra, views["ap"].carm, views["lateral"].carm) for t in paths}
        both = {t.side: judge_both_ways(t, vertebra, views["ap"].carm, views["lateral"].carm) for t in paths}
        paths = tuple(_with_stages(t, stages[t.side]) for t in paths)
    told = tuple(f"{side.value} path: {text}" for side, one in both.items() if (text := one.disagreement()))
    told += tuple(f"{side.value} path: {text}" for side in both for s in stages[side] if (text := s.disagreement()))
    with clock.step("augmentation"):
        progress(0.95, "balloon and cement")
        augmentation, why = _augmentation(scan, request, vertebra, paths)
    return _result(
        scan, request, target, paths, refused, stages, views, drrs, (*target.notes, *told, *why), clock,
        found.options, augmentation, both,
    )  # fmt: skip


def _augmentation(
    scan: Scan, request: CaseRequest, vertebra: Vertebra, planned: tuple[Trajectory, ...]
) -> tuple[Augmentation | None, tuple[str, ...]]:
    """What follows access on the paths that are offered; a body that it cannot be worked out on is said to be so."""
    offered = tuple(t for t in planned if t.verdict is not Verdict.UNSAFE)
    try:
        return augment(scan.volume, vertebra, offered, request.settings, request.augmentation), ()
    except AnatomyError as reason:
        return None, (f"balloon and cement were not worked out: {reason}",)


def _views(vertebra: Vertebra, planned: tuple[Trajectory, ...]) -> dict[str, SolvedView]:
    standard = standard_views(vertebra)
    views = {"ap": standard.ap, "lateral": standard.lateral}
    for t in planned:
        views[f"en_face_{t.side}"] = en_face(t.direction_lps, t.target_lps)
        views[f"oblique_{t.side}"] = scotty_dog(vertebra, t.side)
    return views


def _with_stages(trajectory: Trajectory, stages: tuple[Stage, ...]) -> Trajectory:
    """A path that breaks a staged rule is unsafe, and says which."""
    broken = tuple(
        f"stage rule broken at {s.name} ({s.depth_mm:.0f} mm deep) by {-(s.margin_mm or 0):.1f} mm: {s.rule}"
        for s in stages
        if s.passed is False
    )
    if not broken:
        return trajectory
    return dataclasses.replace(trajectory, verdict=Verdict.UNSAFE, reasons=(*broken, *trajectory.reasons))


def _part(progress: Progress, start: float, stop: float) -> Progress:
    """The share start..stop of a progress bar."""
    return lambda fraction, what: progress(start + (stop - start) * fraction, what)


def _result(
    scan: Scan,
    request: CaseRequest,
    target: Target | None,
    planned: tuple[Trajectory, ...],
    refused: tuple[Refusal, ...],
    stages: Mapping[Side, tuple[Stage, ...]],
    views: Mapping[str, SolvedView],
    drrs: Mapping[str, Drr],
    notes: tuple[str, ...],
    clock: _Clock,
    options: tuple[Option, ...] = (),
    augmentation: Augmentation | None = None,
    both_ways: Mapping[Side, BothWays] | None = None,
) -> CaseResult:
    parameters = settings_parameters(request.settings)
    canonical = json.dumps(parameters, sort_keys=True, allow_nan=False)
    provenance: dict[str, object] = {
        "parameters": parameters,
        "parameter_sha256": hashlib.sha256(canonical.encode()).hexdigest(),
        "mask_sha256": target.vertebra.parts.sha256() if target else None,
        "segmentation": dict(target.provenance) if target else {},
        "request": _request_facts(request),
    }
    return CaseResult(
        request=request,
        scan=scan,
        vertebra=target.vertebra if target else None,
        trajectories=planned,
        refusals=refused,
        stages=stages,
        views=views,
        drrs=drrs,
        notes=notes,
        provenance=provenance,
        timings_s=clock.seconds,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        options=options,
        augmentation=augmentation,
        both_ways=both_ways or {},
    )


def _request_facts(request: CaseRequest) -> dict[str, object]:
    """What was asked for, as plain JSON values: with the scan and the labels it is all that a case depends on."""
    return {
        "level": request.level,
        "seed_lps": None if request.seed_lps is None else [float(v) for v in request.seed_lps],
        "labels_sha256": None if request.labels is None else request.labels.sha256(),
        "labels_source": request.labels_source,
        "backend": request.backend,
        "confirmed_mask": request.confirmed_mask,
        "augmentation": dataclasses.asdict(request.augmentation),
        "reading": dict(request.reading),
    }


def settings_of(parameters: Mapping[str, Any]) -> PlanSettings:
    """The plan settings again from `settings_parameters` or from the parameters of a plan.json.

    >>> settings_of(settings_parameters(PlanSettings())) == PlanSettings()
    True
    """
    tool: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in parameters["instrument"].items()}
    rebuilt: dict[str, Any] = {
        "instrument": Instrument(**tool),
        "balloons": tuple(Balloon(**balloon) for balloon in parameters["balloons"]),
        "approach": Approach(parameters["approach"]),
    }
    return PlanSettings(**dict(parameters) | rebuilt)


def settings_parameters(settings: PlanSettings) -> dict[str, object]:
    """The plan settings as plain JSON values, the instrument by its name and sizes."""
    values = dataclasses.asdict(settings)
    values["approach"] = str(settings.approach)
    return values
