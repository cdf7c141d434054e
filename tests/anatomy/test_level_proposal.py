"""Names are agreed only when sacrum and last rib say the same; everything else is unconfirmed and says why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trajplan.anatomy.level_proposal import Anchor, LevelEvidence, LevelProposal, LevelStatus, propose_levels


def sacrum(index: int) -> LevelEvidence:
    return LevelEvidence(Anchor.SACRUM, index, "L5")


def rib(index: int) -> LevelEvidence:
    return LevelEvidence(Anchor.LAST_RIB, index, "T12")


def named(index: int, level: str) -> LevelEvidence:
    return LevelEvidence(Anchor.NAMED, index, level)


SHORT = ("a short rib",)


def test_both_anchors_agree() -> None:
    found = propose_levels(7, sacrum=sacrum(6), last_rib=rib(1))
    assert found.names == ("T11", "T12", "L1", "L2", "L3", "L4", "L5")
    assert found.status is LevelStatus.AGREED
    assert found.reasons == ()


def test_a_short_rib_below_the_last_is_doubt_even_where_the_count_fits() -> None:
    found = propose_levels(7, sacrum=sacrum(6), last_rib=rib(1), short_ribs=SHORT)
    assert found.status is LevelStatus.UNCONFIRMED
    assert found.names[1] == "T12"


@pytest.mark.parametrize(
    ("more", "names"),
    [
        ({"sacrum": sacrum(2)}, ("L3", "L4", "L5")),
        ({"last_rib": rib(0)}, ("T12", "L1", "L2")),
        ({}, (None, None, None)),
    ],
)
def test_one_anchor_names_but_does_not_confirm_and_none_names_nothing(more: dict, names: tuple) -> None:
    found = propose_levels(3, **more)
    assert found.names == names
    assert found.status is LevelStatus.UNCONFIRMED
    assert found.reasons


def test_a_sixth_lumbar_vertebra_is_l6_without_and_t13_with_a_short_rib() -> None:
    plain = propose_levels(8, sacrum=sacrum(7), last_rib=rib(1))
    assert plain.names == ("T11", "T12", "L1", "L2", "L3", "L4", "L5", "L6")
    short = propose_levels(8, sacrum=sacrum(7), last_rib=rib(1), short_ribs=SHORT)
    assert short.names == ("T11", "T12", "T13", "L1", "L2", "L3", "L4", "L5")
    for found in (plain, short):
        assert found.status is LevelStatus.UNCONFIRMED
        assert any("6 vertebrae" in reason for reason in found.reasons)


def test_tall_processes_are_doubt_and_no_thirteenth_rib() -> None:
    found = propose_levels(7, sacrum=sacrum(6), last_rib=rib(1), tall_processes=("a tall process",))
    assert found.names == ("T11", "T12", "L1", "L2", "L3", "L4", "L5")
    assert found.status is LevelStatus.UNCONFIRMED
    assert found.reasons == ("a tall process",)
    six = propose_levels(8, sacrum=sacrum(7), last_rib=rib(1), tall_processes=("a tall process",))
    assert six.names[-1] == "L6"


def test_four_are_named_from_the_ribs_and_anything_else_not_at_all() -> None:
    four = propose_levels(6, sacrum=sacrum(5), last_rib=rib(1))
    assert four.names == ("T11", "T12", "L1", "L2", "L3", "L4")
    assert four.status is LevelStatus.UNCONFIRMED
    for count in (5, 9):
        odd = propose_levels(count, sacrum=sacrum(count - 1), last_rib=rib(1))
        assert odd.names == (None,) * count
        assert odd.status is LevelStatus.UNCONFIRMED


@given(st.integers(0, 6), st.sampled_from(["T9", "T12", "L1", "L2"]))
def test_naming_any_one_names_all(index: int, level: str) -> None:
    found = propose_levels(7, named=named(index, level))
    chain = [*(f"T{n}" for n in range(1, 13)), *(f"L{n}" for n in range(1, 6))]
    first = chain.index(level) - index
    assert found.names == tuple(chain[k] if k < len(chain) else None for k in range(first, first + 7))
    assert found.status is LevelStatus.NAMED
    assert found.reasons == ()


def test_t13_and_l6_can_be_named() -> None:
    assert propose_levels(3, named=named(1, "T13")).names == ("T12", "T13", "L1")
    assert propose_levels(3, named=named(1, "L6")).names == ("L5", "L6", None)


def test_a_name_that_contradicts_the_evidence_stands_and_is_told() -> None:
    found = propose_levels(7, sacrum=sacrum(6), last_rib=rib(1), named=named(2, "L2"))
    assert found.names == ("T12", "L1", "L2", "L3", "L4", "L5", None)
    assert found.status is LevelStatus.NAMED
    assert found.reasons == (
        "the vertebra named L2 is L1 when counted from the sacrum",
        "the vertebra named L2 is L1 when counted from the last rib",
    )


def test_a_name_that_fits_the_evidence_keeps_the_thirteenth_rib() -> None:
    found = propose_levels(8, sacrum=sacrum(7), last_rib=rib(1), short_ribs=SHORT, named=named(3, "L1"))
    assert found.names == ("T11", "T12", "T13", "L1", "L2", "L3", "L4", "L5")
    assert found.status is LevelStatus.NAMED


def test_nothing_is_counted_across_a_gap() -> None:
    found = propose_levels(6, sacrum=sacrum(5), gaps=[2])
    assert found.names == (None, None, None, "L3", "L4", "L5")
    assert found.status is LevelStatus.UNCONFIRMED
    apart = propose_levels(7, sacrum=sacrum(6), last_rib=rib(1), gaps=[3])
    assert apart.names == (None,) * 7
    assert propose_levels(5, named=named(0, "T8"), gaps=[2]).names == ("T8", "T9", "T10", None, None)


@given(
    st.integers(1, 18),
    st.one_of(st.none(), st.integers(0, 17)),
    st.one_of(st.none(), st.integers(0, 17)),
    st.booleans(),
)
def test_agreed_means_five_lumbar_vertebrae_between_both_anchors(
    count: int, low: int | None, last: int | None, short: bool
) -> None:
    found: LevelProposal = propose_levels(
        count,
        sacrum=None if low is None or low >= count else sacrum(low),
        last_rib=None if last is None or last >= count else rib(last),
        short_ribs=SHORT if short else (),
    )
    assert len(found.names) == count
    given_names = [name for name in found.names if name is not None]
    assert len(set(given_names)) == len(given_names), "no name twice"
    if found.status is LevelStatus.AGREED:
        assert low is not None
        assert last is not None
        assert low - last == 5
        assert not short
    else:
        assert found.reasons
