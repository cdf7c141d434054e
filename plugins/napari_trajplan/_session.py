"""The session: inputs, products and what each was made from. States follow from that; nothing is set by hand. No Qt."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np

from napari_trajplan._edits import Edits
from napari_trajplan._terms import in_window
from trajplan.anatomy.backends import DEFAULT
from trajplan.case import CaseRequest, CaseResult, settings_parameters
from trajplan.errors import InputError, TrajplanError
from trajplan.geometry import LabelMap
from trajplan.geometry.arrays import FloatArray
from trajplan.planning.plan import PlanSettings
from trajplan.reading.scan import Scan
from trajplan.target import Target


class Step(StrEnum):
    """The steps, in the order of the work."""

    LOAD = "Load"
    VERTEBRA = "Vertebra"
    SEGMENT = "Segment"
    PLAN = "Plan"
    VERIFY = "Verify"
    REPORT = "Report"


class State(StrEnum):
    """What a step's product is worth now."""

    TODO = "to do"
    RUNNING = "running"
    DONE = "done"
    STALE = "stale"
    REFUSED = "refused"


@dataclass(frozen=True, eq=False)
class Inputs:
    """All that a person decides. `labels_sha256` is that of `labels`, taken once."""

    scan: Scan | None = None
    labels: LabelMap | None = None
    labels_source: str | None = None
    labels_sha256: str | None = None
    seed_lps: FloatArray | None = None
    level: str | None = None
    backend: str = DEFAULT
    settings: PlanSettings = field(default_factory=PlanSettings)
    confirmed_mask: str | None = None


@dataclass(frozen=True, eq=False)
class Product:
    """What a step made, from what (`key`), and the message when it was refused."""

    key: Hashable
    value: Any
    refused: str | None = None


class Session:
    """One case in work. `changed` is called, without arguments, after every change.

    A product is current as long as the inputs it was made from are those of now; else it is stale. A stale product can
    be looked at; it cannot be exported.
    """

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        self.changed = changed
        self.inputs = Inputs()
        self.edits = Edits()
        self.running: Step | None = None
        self._products: dict[Step, Product] = {}

    # what a person decides ------------------------------------------------------------------------------------------

    def set_scan(self, scan: Scan | None, labels: LabelMap | None = None, source: str | None = None) -> None:
        """Begin a case: another scan leaves nothing of the one before but backend and settings."""
        self._products.clear()
        self.edits = Edits()
        kept = Inputs(backend=self.inputs.backend, settings=self.inputs.settings)
        self.inputs = dataclasses.replace(kept, scan=scan)
        if labels is not None:
            self.set_labels(labels, source)
        else:
            self.changed()

    def set_labels(self, labels: LabelMap | None, source: str | None) -> None:
        """Labels of the vertebrae (VerSe ids), given or edited; None for a segmentation by the back-end."""
        digest = None if labels is None else labels.sha256()
        self._set(labels=labels, labels_source=source, labels_sha256=digest, confirmed_mask=None)

    def set_seed(self, seed_lps: FloatArray | None) -> None:
        """A point in the vertebra that is meant, LPS mm."""
        self._set(seed_lps=None if seed_lps is None else np.array(seed_lps, dtype=float), confirmed_mask=None)

    def set_level(self, level: str | None) -> None:
        """The level as a person has counted it; None for not counted."""
        self._set(level=level or None)

    def set_backend(self, backend: str) -> None:
        """The segmentation back-end."""
        self._set(backend=backend)

    def set_settings(self, settings: PlanSettings) -> None:
        """Approach, instrument and margins."""
        self._set(settings=settings)

    def confirm_mask(self) -> None:
        """A person's word that the contours are right; it holds for this very mask."""
        self._set(confirmed_mask=self.require(Step.SEGMENT).vertebra.parts.sha256())

    def set_confirmed(self, mask_sha256: str | None) -> None:
        """That word again, of a saved case; it counts for the mask with this hash only (`trajplan.confirm`)."""
        self._set(confirmed_mask=mask_sha256)

    def _set(self, **changes: Any) -> None:
        self.inputs = dataclasses.replace(self.inputs, **changes)
        self.changed()

    # products -------------------------------------------------------------------------------------------------------

    def key(self, step: Step) -> Hashable:
        """What the product of a step depends on, of the inputs as they are now."""
        now = self.inputs
        seed = None if now.seed_lps is None else tuple(float(v) for v in np.round(now.seed_lps, 2))
        load = (now.scan.sha256 if now.scan else None,)
        vertebra = (*load, now.labels_sha256, seed, now.level)
        segment = (*vertebra, None if now.labels is not None else now.backend)
        plan = (*segment, json.dumps(settings_parameters(now.settings), sort_keys=True), now.confirmed_mask)
        verify = (*plan, self.edits.key)
        keys: dict[Step, Hashable] = {
            Step.LOAD: load,
            Step.VERTEBRA: vertebra,
            Step.SEGMENT: segment,
            Step.PLAN: plan,
            Step.VERIFY: verify,
            Step.REPORT: verify,
        }
        return keys[step]

    def made(self, step: Step, value: Any, key: Hashable | None = None) -> None:
        """Keep a product, made from the inputs as they were when `key` was taken."""
        if step is Step.PLAN:
            self.edits = Edits()
        self._products[step] = Product(self.key(step) if key is None else key, value)
        self.changed()

    def refused(self, step: Step, message: str, key: Hashable | None = None) -> None:
        """A step ended in a refusal; what later steps had made stays to be looked at, stale."""
        self._products[step] = Product(self.key(step) if key is None else key, None, message)
        self.changed()

    def product(self, step: Step) -> Any:
        """The value of a step, current or stale; None without one."""
        found = self._products.get(step)
        return None if found is None else found.value

    def message(self, step: Step) -> str:
        """Why a step was refused; empty when it was not."""
        found = self._products.get(step)
        return (found.refused or "") if found else ""

    def state(self, step: Step) -> State:
        """The state of a step."""
        if self.running is step:
            return State.RUNNING
        if step is Step.LOAD:
            return State.DONE if self.inputs.scan is not None else State.TODO
        if step is Step.VERTEBRA:
            chosen = any(v is not None for v in (self.inputs.labels, self.inputs.seed_lps, self.inputs.level))
            return State.DONE if chosen and self.inputs.scan is not None else State.TODO
        found = self._products.get(step)
        if found is None:
            return State.TODO
        if found.key != self.key(step):
            return State.STALE
        return State.REFUSED if found.refused is not None else State.DONE

    def require(self, step: Step) -> Any:
        """The current product of a step.

        Raises
        ------
        InputError
            ``not_made``, ``stale`` or ``refused``: what to press is said.
        """
        state = self.state(step)
        if state is State.DONE:
            return self.product(step)
        why = {
            State.TODO: f"there is nothing from {step.value} yet: press {step.value} first",
            State.RUNNING: f"{step.value} is still running: wait for it, or press Cancel",
            State.STALE: f"{step.value} is stale, something it was made from has changed since: press it again",
            State.REFUSED: f"{step.value} was refused: {self.message(step)}",
        }
        code = {State.STALE: "stale", State.REFUSED: "refused"}.get(state, "not_made")
        raise InputError(why[state], code=code)

    @property
    def target(self) -> Target | None:
        """The segmented and measured vertebra, current or stale."""
        found: Target | None = self.product(Step.SEGMENT)
        return found

    @property
    def plan(self) -> CaseResult | None:
        """The planner's own plan, current or stale."""
        found: CaseResult | None = self.product(Step.PLAN)
        return found

    def exportable(self) -> CaseResult:
        """The plan with its edits as verified; refused unless all of it is current.

        Raises
        ------
        InputError
        """
        self.require(Step.PLAN)
        result: CaseResult = self.require(Step.VERIFY)
        return result

    def request(self) -> CaseRequest:
        """What is asked of `trajplan.case.run_case`."""
        now = self.inputs
        return CaseRequest(
            level=now.level,
            seed_lps=now.seed_lps,
            labels=now.labels,
            labels_source=now.labels_source,
            settings=now.settings,
            backend=now.backend,
            confirmed_mask=now.confirmed_mask,
        )


def short_message(error: BaseException) -> str:
    """A foreseeable error as one line for a person, anything else with its kind."""
    text = in_window(" ".join(str(error).split()))
    return text if isinstance(error, TrajplanError) else f"{type(error).__name__}: {text or 'no message'}"
