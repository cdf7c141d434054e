"""Criteria: the candidacy sheet of one vertebra: entries, measures, published criteria, disagreement. No advice."""

from __future__ import annotations

from collections.abc import Callable

from trajplan.anatomy.vertebra import Vertebra
from trajplan.augmentation.candidacy import CandidacyEntries, CandidacySheet, Criterion
from trajplan.augmentation.entries_file import CONTRAINDICATIONS
from trajplan.augmentation.published import Published

BLANK = "not entered"
NOT_MEASURED = "not measured"

VAPOUR = "VAPOUR trial, 10.1186/s13063-015-0671-8"
PANEL = "RAND/UCLA panel: fracturescout.com, Medtronic care pathway (industry funding disclosed)"
CIRSE = "medizzy, droracle 299856 (CIRSE-like), Kyphon IFU KX103"

DISAGREEMENTS: tuple[Published, ...] = (
    Published("appropriateness panel, 576 scenarios: 46 % augmentation, 16 % without surgery, 38 % uncertain",
              PANEL, "read"),
    Published("against a sham procedure: no clinically significant benefit in osteoporotic fractures",
              "StatPearls", "secondary"),
    Published("societies support it for pain relief where medical therapy has not given adequate relief",
              "ACR/ASNR/SIR positions", "read"),
    Published("when: after failed conservative care, within 4 months (older rule)", "openradiology.org", "read"),
    Published("when: some payers ask for at least 6 weeks of failed conservative therapy, against early treatment",
              "docslib copy of Blue Cross policy 485", "read"),
    Published("tumour: cement was appropriate in 4.2 % of 432 scenarios", "NASS appropriate-use criteria", "read"),
    Published("disrupted posterior wall: a relative contraindication to some; 157 levels so treated, 9 % silent leaks, "
              "no neurological harm", "openradiology.org; Perez 2021", "read"),
    Published("collapse: above 70 % (elsewhere 65-80 %) a relative contraindication", "droracle 299856", "secondary"),
)  # fmt: skip


def candidacy_sheet(vertebra: Vertebra, entries: CandidacyEntries) -> CandidacySheet:
    """What is known, what is not, and what the literature says of it. Nothing is weighed or added up."""
    return CandidacySheet(entries, _entered(entries), _measured(vertebra), _criteria(vertebra, entries), DISAGREEMENTS)


def _entered(e: CandidacyEntries) -> tuple[tuple[str, str], ...]:
    def said(value: object, unit: str = "") -> str:
        if value is None:
            return BLANK
        if isinstance(value, bool):
            return "yes" if value else "no"
        return f"{value:g}{unit}" if isinstance(value, float) else f"{value}{unit}"

    return (
        ("Cause", said(e.cause)),
        ("Pain (0 to 10)", said(e.pain)),
        ("Age of the fracture", said(e.fracture_age_weeks, " weeks")),
        ("Progression of the collapse", said(e.progression)),
        ("Neurological state", said(e.neurological)),
        ("Oedema on MRI or uptake", said(e.oedema)),
        ("Can be mobilised", said(e.mobilisable)),
        ("Failed conservative care", said(e.conservative_weeks, " weeks")),
        ("Age of the patient", said(e.age_years, " years")),
        ("Levels to be treated", said(e.levels)),
        *((name.capitalize(), said(e.contraindications.get(name))) for name in CONTRAINDICATIONS),
    )


def _measured(v: Vertebra) -> tuple[tuple[str, str], ...]:
    h, m = v.heights, v.measures
    rows = [
        ("Height loss", NOT_MEASURED if h.loss_percent is None else f"{h.loss_percent:.0f} % ({v.fracture.type})"),
        ("Vertebra plana (loss above 70 %)", _yes(None if h.loss_percent is None else h.loss_percent > 70)),
        ("Trabecular density", f"{v.body_hu:.0f} HU"),
    ]
    if m is None:
        return (*rows, ("Posterior wall, cleft, kyphosis", NOT_MEASURED))
    bulge = NOT_MEASURED if m.bulge is None else f"{m.bulge.bulge_mm:.1f} mm into the canal"
    cleft = f"{m.cleft.volume_ml:.2f} ml of gas" if m.cleft.center_lps is not None else "none seen"
    local = "" if m.kyphosis.local_deg is None else f", {m.kyphosis.local_levels} {m.kyphosis.local_deg:.0f} degrees"
    return (
        *rows,
        ("Posterior wall", bulge),
        ("Cleft", cleft),
        ("Kyphosis", f"vertebra {m.kyphosis.wedge_deg:.0f} degrees{local}"),
    )


def _yes(value: bool | None) -> str:
    return NOT_MEASURED if value is None else "yes" if value else "no"


def _criteria(v: Vertebra, e: CandidacyEntries) -> tuple[Criterion, ...]:
    loss, m = v.heights.loss_percent, v.measures
    kyphosis = None if m is None else m.kyphosis.local_deg if m.kyphosis.local_deg is not None else m.kyphosis.wedge_deg
    bulge = None if m is None or m.bulge is None else m.bulge.canal_percent
    found = [
        _held("Pain", e.pain, lambda x: "for" if x >= 7 else "neither", "pain {:g} of 10",
              Published("pain of 7 of 10 or more (printed as above 7)", VAPOUR, "read")),
        _held("Age of the fracture", e.fracture_age_weeks, lambda x: "for" if x < 6 else "neither", "{:g} weeks old",
              Published("pain for less than 6 weeks", VAPOUR, "read")),
        _held("Age of the patient", e.age_years, lambda x: "for" if x > 60 else "neither", "{:g} years",
              Published("older than 60 years", VAPOUR, "read")),
        _said("Oedema on MRI or uptake", e.oedema, "for", "neither",
              Published("shown on MRI or SPECT-CT", VAPOUR, "read")),
        _said("Progression", e.progression, "for", "neither",
              Published("ongoing: 20 % or more further loss of height", PANEL, "read")),
        _held("Height loss", loss, lambda x: "for" if x >= 20 else "neither", "{:.0f} % measured",
              Published("deformity: 20 % or more loss of height", PANEL, "read")),
        _held("Kyphosis", kyphosis, lambda x: "for" if x >= 15 else "neither", "{:.0f} degrees measured",
              Published("deformity: 15 degrees or more of kyphosis", PANEL, "read")),
        _held("Conservative care", e.conservative_weeks, lambda x: "for" if x >= 6 else "against", "{:g} weeks failed",
              Published("at least 6 weeks of failed conservative therapy (some payers)",
                        "Blue Cross policy 485", "read")),
        _held("Collapse", loss, lambda x: "against" if x > 70 else "neither", "{:.0f} % measured",
              Published("relative contraindication: collapse above 70 % (others 65-80 %)",
                        "droracle 299856", "secondary")),
        _held("Posterior wall", bulge, lambda x: "against" if x > 20 else "neither",
              "{:.0f} % of the canal's depth measured",
              Published("relative contraindication: retropulsion, here above a fifth",
                        "openradiology.org", "secondary")),
        _neurology(e.neurological),
        _held("Levels", None if e.levels is None else float(e.levels),
              lambda x: "against" if x > 3 else "neither", "{:.0f} levels",
              Published("relative contraindication: more than three levels", "openradiology.org", "secondary")),
        *(_said(name.capitalize(), e.contraindications.get(name), "against", "neither",
                Published("relative contraindication" if name == "epidural tumour" else "absolute contraindication",
                          CIRSE, "secondary")) for name in CONTRAINDICATIONS),
    ]  # fmt: skip
    if e.cause == "tumour":
        found.append(Criterion("Tumour", "neither", "cause entered as tumour", Published(
            "no stenosis or neurological change, below 80 % loss, intact posterior wall, pain above 6: appropriate "
            "with a probability of 88 %",
            "NASS appropriate-use criteria", "read")))  # fmt: skip
    return tuple(found)


def _held(name: str, value: float | None, judge: Callable[[float], str], words: str, published: Published) -> Criterion:
    if value is None:
        return Criterion(name, "blank", BLANK if "measured" not in words else NOT_MEASURED, published)
    return Criterion(name, judge(value), words.format(value), published)


def _said(name: str, value: bool | None, yes: str, no: str, published: Published) -> Criterion:
    if value is None:
        return Criterion(name, "blank", BLANK, published)
    return Criterion(name, yes if value else no, "entered: yes" if value else "entered: no", published)


def _neurology(state: str | None) -> Criterion:
    absolute = Published(
        "absolute contraindication: cord or root compression that needs decompression", CIRSE, "secondary"
    )
    relative = Published("relative contraindication: radiculopathy", "openradiology.org", "secondary")
    if state is None:
        return Criterion("Neurological state", "blank", BLANK, absolute)
    if state == "none":
        return Criterion("Neurological state", "neither", "entered: none", absolute)
    return Criterion(
        "Neurological state", "against", f"entered: {state}", relative if state == "radiculopathy" else absolute
    )
