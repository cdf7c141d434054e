"""The sheet starts blank, sets facts and sources beside each other, and recommends nothing."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from sample_case import sample_vertebra

from trajplan.augmentation.candidacy import CandidacyEntries
from trajplan.augmentation.criteria import BLANK, candidacy_sheet
from trajplan.augmentation.entries_file import CONTRAINDICATIONS, entries_of, read_entries
from trajplan.errors import InputError


def test_it_starts_blank() -> None:
    sheet = candidacy_sheet(sample_vertebra(), CandidacyEntries())
    assert {text for _, text in sheet.entered} == {BLANK}
    measured = {"Height loss", "Kyphosis", "Collapse", "Posterior wall"}
    assert all(c.speaks == "blank" for c in sheet.criteria if c.name not in measured)


def test_entries_and_measures_are_held_against_published_criteria() -> None:
    entries = entries_of(
        {"cause": "osteoporotic", "pain": 8, "fracture_age_weeks": 4, "conservative_weeks": 2, "neurological": "none",
         "contraindications": {"cement allergy": True, "epidural tumour": False}}
    )  # fmt: skip
    speaks = {c.name: c.speaks for c in candidacy_sheet(sample_vertebra(), entries).criteria}
    assert speaks["Pain"] == "for"
    assert speaks["Age of the fracture"] == "for"
    assert speaks["Conservative care"] == "against"  # for one payer; the disagreement is listed
    assert speaks["Height loss"] == "for"
    assert speaks["Cement allergy"] == "against"
    assert speaks["Epidural tumour"] == "neither"
    assert speaks["Uncorrected coagulopathy"] == "blank"


def test_a_collapse_beyond_seventy_percent_is_told_as_plana_and_speaks_against() -> None:
    v = sample_vertebra()
    flat = dataclasses.replace(v, heights=dataclasses.replace(v.heights, loss_percent=74.0))
    sheet = candidacy_sheet(flat, CandidacyEntries())
    assert ("Vertebra plana (loss above 70 %)", "yes") in sheet.measured
    assert {c.name: c.speaks for c in sheet.criteria}["Collapse"] == "against"


def test_every_criterion_has_a_source_and_the_disagreement_is_there() -> None:
    sheet = candidacy_sheet(sample_vertebra(), CandidacyEntries())
    cited = [c.published for c in sheet.criteria] + list(sheet.disagreements)
    assert all(p.source and p.evidence in {"read", "secondary", "unverified"} for p in cited)
    words = " ".join(p.text for p in sheet.disagreements)
    for view in ("sham", "panel", "payers", "4 months"):
        assert view in words
    assert any("secondary" in p.cited for p in cited)


def test_nothing_is_recommended_or_added_up() -> None:
    sheet = candidacy_sheet(sample_vertebra(), entries_of({"pain": 9, "cause": "trauma"}))
    text = " ".join(
        [*(c.because + c.name for c in sheet.criteria), *(a + b for a, b in sheet.entered + sheet.measured)]
    )
    assert not any(word in text.lower() for word in ("recommend", "suitable", "should", "score", "indicated"))


@pytest.mark.parametrize(
    ("name", "text"),
    [("case.toml", 'pain = 8\nprogression = true\n[contraindications]\n"cement allergy" = false\n'),
     ("case.json", '{"pain": 8, "progression": true, "contraindications": {"cement allergy": false}}')],
)  # fmt: skip
def test_entries_are_read_from_toml_and_json(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    found = read_entries(path)
    assert (found.pain, found.progression, found.cause) == (8.0, True, None)
    assert dict(found.contraindications) == {"cement allergy": False}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("pain = 11", "pain is 11"),
        ("pain = nan", "pain is nan"),
        ('pain = "much"', "pain is 'much'"),
        ('cause = "<script>"', "use osteoporotic"),
        ("payn = 3", "payn is not known"),
        ("levels = 1.5", "levels is 1.5"),
        ("progression = 1", "use true or false"),
        ('[contraindications]\n"bad luck" = true', "bad luck"),
        ("pain = ", "neither valid TOML nor JSON"),
    ],
)
def test_entries_that_cannot_be_meant_are_refused_by_name(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "case.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=says) as refused:
        read_entries(path)
    assert refused.value.code == "candidacy_invalid"


def test_a_missing_file_is_refused_without_its_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read the candidacy entries") as refused:
        read_entries(tmp_path / "DOE_JANE" / "none.toml")
    assert "DOE_JANE" not in str(refused.value)


def test_every_contraindication_that_is_asked_for_is_on_the_sheet() -> None:
    names = {c.name for c in candidacy_sheet(sample_vertebra(), CandidacyEntries()).criteria}
    assert {name.capitalize() for name in CONTRAINDICATIONS} <= names
