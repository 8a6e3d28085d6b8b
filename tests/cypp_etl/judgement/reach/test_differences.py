"""What a change of the plan reaches, and what it does not."""

from dataclasses import replace
from decimal import Decimal

import pytest

from cypp_etl.figure_keys import Series
from cypp_etl.judgement.reach.dependents import Span
from cypp_etl.judgement.reach.differences import EVERYTHING, plan_differences
from cypp_etl.periods import LAST_PERIOD, Period
from cypp_etl.plan.model import BUILT_IN_COMPARATORS, Comparator, Figure, Group, Partner
from schemas.codes import ComparatorMethod, Measure, Polarity

YEAR = Period(2010)
TARGET = {(Measure.TARGET, "NI 1", YEAR): Figure(Decimal(5), None, "made up")}
MEAN = Comparator("mean", "Mean", ComparatorMethod.MEAN, "neighbours")
ALL = [Series(partner, indicator) for partner in ("a", "b") for indicator in ("NI 1", "NI 2")]


@pytest.fixture(scope="module")
def plan(make_leaf, make_plan):
    return replace(
        make_plan([make_leaf("NI 1"), make_leaf("NI 2")]),
        figures=TARGET,
        partners={code: Partner(code, code, "north") for code in "ab"},
        groups={"north": Group("north", "The North", "")},
        comparators={**BUILT_IN_COMPARATORS, "mean": MEAN},
        owed_by={"a": ("NI 1", "NI 2"), "b": ("NI 1",)},
    )


def reached(before, after):
    """The series that are judged again, with their spans, each of which begins with 2005."""
    differences = plan_differences(before, after)
    spans = {series: differences.reach(series, Period(2005)) for series in ALL}
    return {series: span for series, span in spans.items() if span}


def test_the_same_plan_reaches_nothing(plan):
    assert reached(plan, plan) == {}
    assert plan_differences(plan, replace(plan)).group_indicators == set()


def test_a_target_reaches_its_years_and_indicator(plan):
    after = replace(plan, figures={key: replace(each, value=Decimal(6)) for key, each in TARGET.items()})
    span = Span(Period(2008), Period(2010, 4))
    assert reached(plan, after) == {Series("a", "NI 1"): span, Series("b", "NI 1"): span}
    assert plan_differences(plan, after).group_indicators == {"NI 1"}
    assert reached(plan, replace(plan, figures={})) == reached(plan, after)


def test_the_source_of_a_figure_reaches_nothing(plan):
    after = replace(plan, figures={key: replace(each, source="another") for key, each in TARGET.items()})
    assert reached(plan, after) == {}


def test_a_partners_own_target_reaches_that_partner(plan):
    assert set(reached(plan, replace(plan, partner_figures={"b": TARGET}))) == {Series("b", "NI 1")}


def test_a_polarity_reaches_everything_of_its_indicator(plan):
    leaves = {**plan.indicators, "NI 2": replace(plan.indicators["NI 2"], polarity=Polarity.LOW)}
    span = Span(Period(2005), LAST_PERIOD)
    found = reached(plan, replace(plan, indicators=leaves))
    assert found == {Series("a", "NI 2"): span, Series("b", "NI 2"): span}


def test_an_indicator_that_one_plan_does_not_have_is_reached(plan):
    fewer = replace(plan, indicators={"NI 1": plan.indicators["NI 1"]})
    assert {series.indicator for series in reached(plan, fewer)} == {"NI 2"}
    assert {series.indicator for series in reached(fewer, plan)} == {"NI 2"}


def test_neighbours_reach_the_partner_that_has_them(plan):
    found = reached(plan, replace(plan, neighbours={"a": ("b",)}))
    assert {series.partner_code for series in found} == {"a"}


def test_neighbours_that_nothing_is_computed_from_reach_nothing(plan):
    given = replace(plan, comparators=BUILT_IN_COMPARATORS)
    assert reached(given, replace(given, neighbours={"a": ("b",)})) == {}


def test_comparators_reach_everything(plan):
    assert set(reached(plan, replace(plan, comparators=BUILT_IN_COMPARATORS))) == set(ALL)
    assert EVERYTHING.reach(ALL[0], YEAR) == Span(YEAR, LAST_PERIOD)


def test_who_owes_an_indicator_reaches_its_groups_alone(plan):
    after = replace(plan, owed_by={**plan.owed_by, "b": ("NI 1", "NI 2")})
    assert reached(plan, after) == {}
    assert plan_differences(plan, after).group_indicators == {"NI 2"}


def test_other_members_reach_every_group(plan):
    moved = replace(plan, partners={**plan.partners, "b": Partner("b", "b")})
    assert plan_differences(plan, moved).group_indicators is None
