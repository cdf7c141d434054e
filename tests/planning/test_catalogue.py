"""The instrument catalogue: shipped entries, entries of a user's own, and what a broken file is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from trajplan.errors import InputError
from trajplan.planning.instruments import SHIPPED, parse_catalogue, read_catalogue

OWN = """
[[needle]]
name = "11G"
outer_diameter_mm = 3.1
diameter_source = "caliper"
diameter_evidence = "unverified"
lengths_mm = [{ mm = 90.0, evidence = "read" }, { mm = 140.0, evidence = "unverified" }]
"""


def test_the_shipped_catalogue_holds_needles_drill_and_balloons_with_their_sources() -> None:
    assert {"8G", "10G", "11G", "13G", "drill"} <= set(SHIPPED.needles)
    assert {b.length_mm for b in SHIPPED.balloons.values()} == {10.0, 15.0, 20.0}
    assert all(n.source and n.tips and n.length_mm in n.lengths_mm for n in SHIPPED.needles.values())
    assert SHIPPED.needle("11g").outer_diameter_mm == 3.048


def test_what_no_source_was_opened_for_is_marked() -> None:
    eleven = SHIPPED.needle("11G")
    assert eleven.diameter_verified
    assert [eleven.reaching(mm).length_verified for mm in (95.0, 115.0, 140.0)] == [True, True, False]  # type: ignore[union-attr]
    assert not SHIPPED.needle("drill").diameter_verified
    assert not any(b.verified for b in SHIPPED.balloons.values())


def test_an_entry_of_ones_own_replaces_the_shipped_one_of_that_name(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(OWN, encoding="utf-8")
    found = read_catalogue(path)
    assert found.needle("11G").outer_diameter_mm == 3.1
    assert found.needle("11G").lengths_mm == (90.0, 140.0)
    assert found.needle("8G") == SHIPPED.needle("8G")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[needle]\n", "not valid TOML"),
        ("[[screw]]\nname = 'x'\n", "screw"),
        (OWN.replace("3.1", "-3.1"), "outer_diameter_mm is -3.1"),
        (OWN.replace("3.1", "nan"), "outer_diameter_mm"),
        (OWN.replace("3.1", "true"), "outer_diameter_mm"),
        (OWN.replace('diameter_source = "caliper"', ""), "diameter_source"),
        (OWN.replace("lengths_mm", "length"), "lengths_mm"),
        (OWN + "preferred_mm = 1.0\n", "preferred_mm 1 is none"),
    ],
)
def test_a_broken_catalogue_is_refused_by_name(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said.replace(".", r"\.")) as refused:
        parse_catalogue(text, "own.toml", SHIPPED)
    assert refused.value.code == "catalogue_invalid"


def test_an_unknown_instrument_is_refused_with_the_names() -> None:
    with pytest.raises(InputError, match="13G") as refused:
        SHIPPED.needle("16G")
    assert refused.value.code == "unknown_instrument"
