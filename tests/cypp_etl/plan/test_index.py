"""References as people write them: read where one thing in the plan can be meant, left as they are where two can."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cypp_etl.plan.index import PlanIndex
from cypp_etl.plan.reader import read_plan
from cypp_etl.plan.reference_keys import loose_key

PLAN = read_plan()
INDEX = PlanIndex.of(PLAN)


def renamed(*pairs):
    """The index of a plan with a few indicators of these references and parts."""
    leaf = PLAN.indicators["NI 43"]
    leaves = [replace(leaf, indicator=ref + sub, indicator_ref=ref, sub=sub) for ref, sub in pairs]
    return PlanIndex.of(replace(PLAN, indicators={each.indicator: each for each in leaves}, parents={}, milestones={}))


@pytest.mark.parametrize(
    ("ref", "sub", "planned"),
    [
        ("NI-45", "", ("NI 45", "")),
        ("ni 043", "", ("NI 43", "")),
        ("N.I. 45", "", ("NI 45", "")),
        ("NI45\u00a0", "", ("NI45\u00a0", "")),
        ("NI\u200b45", "", ("NI 45", "")),
        ("\uff2e\uff29 \uff14\uff15", "", ("NI 45", "")),
        ("NI 45*", "", ("NI 45", "")),
        ("NI_45:", "", ("NI 45", "")),
        ("NI 111a", "", ("NI 111", "a")),
        ("NI 111 (b)", "", ("NI 111", "b")),
        ("NI 111a", "A", ("NI 111", "a")),
        ("NI-111", "(a)", ("NI 111", "a")),
        ("NI 111", "a.", ("NI 111", "a")),
        ("NI-111", "", ("NI 111", "")),
    ],
)
def test_what_can_mean_one_indicator_is_that_indicator(ref, sub, planned):
    assert INDEX.reference_meant(ref, sub) == planned
    assert INDEX.leaf_named(*planned) or planned == ("NI 111", "")


@pytest.mark.parametrize(
    ("ref", "sub"),
    [("45", ""), ("NI 34", ""), ("NI 4.5", ""), ("NI 111a", "b"), ("NI", "45"), ("Total", ""), ("", "a"), ("*", "")],
)
def test_what_means_none_stays_as_it_is(ref, sub):
    assert INDEX.reference_meant(ref, sub) == (ref, sub)


def test_a_part_that_is_none_stays_one_beside_its_reference():
    assert INDEX.reference_meant("NI-43", "a") == ("NI 43", "a")
    assert INDEX.reference_meant("NI-111", "x") == ("NI 111", "x")


def test_what_could_mean_two_indicators_is_neither():
    index = renamed(("A-1", ""), ("A 01", ""), ("B 2", ""), ("C 1", ""), ("C 1", "a"))
    assert index.reference_meant("A1", "") == ("A1", "")
    assert index.reference_meant("A-1", "") == ("A-1", "")
    assert index.reference_meant("B.2", "") == ("B 2", "")
    assert index.reference_meant("C-1a", "") == ("C 1", "a")


def test_what_parts_two_numbers_is_kept():
    index = renamed(("1.10", ""), ("11", ""), ("1.1.0", ""))
    assert index.reference_meant("1-10", "") == ("1.10", "")
    assert index.reference_meant("110", "") == ("110", "")
    assert index.reference_meant("011", "") == ("11", "")


@pytest.mark.parametrize("typed", ["pc1 a1 m1", "PC1.A1.M01", "PC1\u2013A1\u2013M1", "PC1/A1/M1"])
def test_what_can_mean_one_milestone_is_that_milestone(typed):
    assert INDEX.milestone_meant(typed) == "PC1-A1-M1"


def test_what_is_no_milestone_stays_as_it_is():
    assert INDEX.milestone_meant("PC1-A1-M99") == "PC1-A1-M99"


@given(
    leaf=st.sampled_from(list(PLAN.indicators.values())),
    parting=st.sampled_from(["", " ", "-", ".", "_", " - "]),
    zeros=st.integers(0, 3),
)
def test_every_way_to_write_a_reference_is_that_reference(leaf, parting, zeros):
    letters, digits = leaf.indicator_ref.split()
    typed = f"{letters.lower()}{parting}{'0' * zeros}{digits}"
    assert INDEX.leaf_named(*INDEX.reference_meant(typed, leaf.sub)) is leaf


@given(st.text())
def test_a_key_of_a_key_is_itself(text):
    key = loose_key(text)
    assert loose_key(key) == key or any(character.isdigit() and not character.isascii() for character in text)


def test_the_longest_text_is_no_reference():
    assert loose_key("NI-" * 10_922) == ""
    assert INDEX.reference_meant("N" * 32_767, "") == ("N" * 32_767, "")


@pytest.mark.parametrize(
    ("said", "named", "described"),
    [
        (("ni-043", "", ""), "NI 43", None),
        (("NI 43", "", PLAN.indicators["NI 45"].definition), "NI 43", "NI 45"),
        (("", "", PLAN.indicators["NI 45"].definition), None, "NI 45"),
        (("NI 999", "", "x" * 2_000), None, None),
    ],
)
def test_what_a_row_says_means_the_same_each_time(said, named, described):
    for _ in range(2):
        meaning = INDEX.meaning_of(*said)
        leaves = [leaf and leaf.indicator for leaf in (meaning.named, meaning.described)]
        assert leaves == [named, described]
        assert meaning.is_known == (named is not None)
