"""Whether a plan still belongs to the scan, the mask and the parameters beside it."""

from __future__ import annotations

from trajplan.errors import InputError
from trajplan.exports.plan_json import parameters_sha256
from trajplan.exports.plan_model import PlanDocument
from trajplan.geometry import LabelMap

_SHOWN = 12


def require_current(document: PlanDocument, scan_sha256: str, parts: LabelMap) -> None:
    """Refuse a plan whose input, mask or parameters are no longer those it was made from.

    Parameters
    ----------
    document : PlanDocument
    scan_sha256 : str
        Hash of the scan as read now.
    parts : LabelMap
        The part labels stored beside the plan.

    Raises
    ------
    InputError
        ``stale_scan``, ``stale_mask`` or ``stale_parameters``: nothing of such a plan may be used.
    """
    noted = document.provenance
    for code, what, then, now in (
        ("stale_scan", "the scan is not the one it was made on", document.input.sha256, scan_sha256),
        ("stale_mask", "the vertebra mask was changed since", noted.mask_sha256, parts.sha256()),
        (
            "stale_parameters",
            "its parameters were changed since",
            noted.parameter_sha256,
            parameters_sha256(noted.parameters),
        ),
    ):
        if then != now:
            raise InputError(
                f"the plan is stale: {what} (SHA-256 {str(then)[:_SHOWN]} then, {now[:_SHOWN]} now); plan the case "
                "again",
                code=code,
            )
