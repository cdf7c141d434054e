"""Fill volumes: what is published of cement volumes by region, the disagreement, and the proposed cap."""

from __future__ import annotations

from trajplan.augmentation.published import Published
from trajplan.levels import LEVEL_IDS, is_thoracic

CAP_SHARE = 0.25
CAP_ML = {"thoracic": 4.0, "lumbar": 6.0}
"""Proposed upper bound: a quarter of the body, at most 4 ml thoracic, 6 ml lumbar."""

RULES_OF_THUMB = {
    "thoracic": Published("2-4 ml in a thoracic body", "textbooks", "unverified"),
    "thoracolumbar": Published("4-6 ml in a thoracolumbar body", "textbooks", "unverified"),
    "lumbar": Published("4-8 ml in a lumbar body", "textbooks", "unverified"),
}

SHARE_OF_BODY_ML: dict[str, tuple[float, float]] = {
    "T6": (1.3, 2.2), "T8": (1.7, 2.8), "T10": (2.2, 3.7), "T12": (3.2, 5.3), "L1": (3.6, 6.0), "L3": (4.0, 6.6),
    "L4": (4.2, 6.9),
}  # fmt: skip
"""15-25 % of a body of Panjabi's sizes (derived; modern CT bodies are about 1.3 times as large)."""

EVERYWHERE: tuple[Published, ...] = (
    Published("strength is regained at 15-16 % of the body, stiffness up to 30 %; 24 % suggested",
              "Molloy 2003; Liebschner 2001; Nieuwenhuijse 2012", "unverified"),
    Published("kyphoplasty with less than 4.5 ml: about 40 % chance of the average pain relief (n = 276, p = 0.007)",
              "SWISSspine, PMC3804705", "read"),
    Published("vertebroplasty: no link between volume and pain relief (158 patients; 357 patients with 660 bodies)",
              "Kaufmann, AJNR 2006; Al-Ali, AJNR", "read"),
    Published("recompression in 5.2 % where cement touched both end plates, 16.5 % where not", "PMC7427078", "read"),
)  # fmt: skip


def region(level_id: int | None) -> str | None:
    """``thoracic``, ``thoracolumbar`` (T11 to L2), ``lumbar``, or None for a level that is not known."""
    if level_id is None:
        return None
    if level_id in {LEVEL_IDS[n] for n in ("T11", "T12", "T13", "L1", "L2")}:
        return "thoracolumbar"
    return "thoracic" if is_thoracic(level_id) else "lumbar"


def cap_ml(level_id: int | None, body_ml: float) -> float:
    """Proposed upper bound of the fill, ml; the thoracic one for a level that is not known."""
    lumbar = level_id is not None and not is_thoracic(level_id)
    return min(CAP_SHARE * body_ml, CAP_ML["lumbar" if lumbar else "thoracic"])


def fill_volumes(level_id: int | None) -> tuple[Published, ...]:
    """What is published for this level, with its disagreement."""
    where = region(level_id)
    names = {LEVEL_IDS[n]: (n, ml) for n, ml in SHARE_OF_BODY_ML.items()}
    found = [] if where is None else [RULES_OF_THUMB[where]]
    if level_id in names:
        name, (low, high) = names[level_id]
        found.append(Published(f"{low}-{high} ml are 15-25 % of an average {name} body", "Panjabi's sizes", "derived"))
    return (*found, *EVERYWHERE)
