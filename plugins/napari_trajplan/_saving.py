"""A session as a saved case, and a saved case as what a session begins with. No Qt."""

from __future__ import annotations

from napari_trajplan._session import Session, State, Step
from trajplan.case import CaseResult
from trajplan.errors import InputError
from trajplan.exports.plan_parts import scan_input
from trajplan.exports.saved_case import SavedCase, require_scan
from trajplan.kept import keep
from trajplan.reading.scan import Scan


def case_of(session: Session) -> SavedCase:
    """What a session holds; its segmentation only where it is that of the inputs as they are now.

    The plan is not in it: making its document takes time (`plan_of`).

    Raises
    ------
    InputError
        ``no_scan``: nothing was opened yet.
    """
    now = session.inputs
    if now.scan is None:
        raise InputError("there is no case to save yet: open a scan first", code="no_scan")
    target = session.target if session.state(Step.SEGMENT) is State.DONE else None
    moved = session.edits.now if session.state(Step.PLAN) is State.DONE else {}
    return SavedCase(
        scan_input(now.scan), now.level, now.seed_lps, now.labels, now.labels_source, now.backend, now.settings,
        now.confirmed_mask, None if target is None else keep(target), dict(moved),
    )  # fmt: skip


def plan_of(session: Session) -> CaseResult | None:
    """The verified plan to go with the case; None where it is stale or there is none: what is stale is not exported."""
    current = session.state(Step.PLAN) is State.DONE and session.state(Step.VERIFY) in (State.DONE, State.REFUSED)
    if not current:
        return None
    found: CaseResult | None = session.product(Step.VERIFY) or session.plan
    return found


def take(session: Session, case: SavedCase, scan: Scan) -> None:
    """Begin a session with what was chosen in a saved case.

    Raises
    ------
    InputError
        ``other_scan``: it was made on another CT.
    """
    require_scan(case, scan)
    session.set_scan(scan)
    session.set_backend(case.backend)
    session.set_settings(case.settings)
    session.set_seed(case.seed_lps)
    session.set_level(case.level)
    session.set_labels(case.labels, case.labels_source)
    session.set_confirmed(case.confirmed_mask)
