"""An explanation says why two figures do not compare, and says it exactly where `judge` did not compare them."""

from dataclasses import replace
from itertools import product
from random import Random

import pytest

from cypp_etl.judgement.explanation import explain_judgements
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.model import Obligation, Partner
from cypp_etl.plan.spans import OPEN, Span
from schemas.codes import Measure

Q1, Q2, Q3, Q4 = (f"2010-11Q{quarter}" for quarter in range(1, 5))
LAST = {quarter: quarter.replace("2010-11", "2009-10") for quarter in (Q1, Q2, Q3, Q4)}


@pytest.fixture(scope="session")
def explain_one(make_leaf, make_plan, make_frame):
    """Explain one period of an indicator's actuals, some of them with a break in series."""

    def explained(actuals, period, breaks=(), plans=None):
        plan = make_plan([make_leaf("NI 1")], plans)
        frame = make_frame([("yos", "NI 1", "actual", code, value, code in breaks) for code, value in actuals.items()])
        return explain_judgements(frame, plan, parse_period(period))["yos"]

    return explained


@pytest.mark.parametrize(
    ("breaks", "between"),
    [
        ([], []),
        ([LAST[Q2]], []),  # both sides are after the break
        ([LAST[Q3]], [LAST[Q3]]),
        ([Q2], [Q2]),
        ([Q3], []),  # both sides are before the break
        ([LAST[Q2], LAST[Q4], Q1, Q3], [LAST[Q4], Q1]),
        (["2010-11"], []),  # a year's break is the year's own
    ],
)
def test_the_breaks_between_two_quarters_are_named(explain_one, breaks, between):
    actuals = dict.fromkeys((*LAST.values(), Q1, Q2, Q3, "2010-11"), "1")
    told = explain_one(actuals, Q2, breaks)
    assert [source.period.code for source in told.travel.breaks] == between
    assert (told.judged["direction"] == "not applicable") == bool(between)
    assert not told.travel.is_apart


def test_the_breaks_of_a_year_are_its_own_and_those_of_its_quarters(explain_one):
    actuals = dict.fromkeys(("2009-10", LAST[Q4], Q1, Q4, "2010-11"), "1")
    told = explain_one(actuals, "2010-11", ["2009-10", LAST[Q4], Q1, Q4, "2010-11"])
    assert [source.period.code for source in told.travel.breaks] == ["2010-11", Q1, Q4]


def test_a_break_since_the_outturn_is_one_of_this_year(explain_one):
    history = {(Measure.HISTORY, "NI 1", "2009-10"): "1"}
    told = explain_one(dict.fromkeys((LAST[Q4], Q1, Q2), "1"), Q2, [LAST[Q4], Q1], history)
    assert [source.period.code for source in told.travel.breaks] == [Q1]


@pytest.fixture(scope="session")
def changing_plan(make_leaf, make_plan):
    """From 2010-11Q3 on, NI 1 is another edition, and `new` takes NI 2 over."""
    first = replace(make_leaf("NI 1"), span=Span(None, Period(2010, 2)))
    second = replace(first, edition=2, is_comparable=False, span=Span(Period(2010, 3), None), definition="Another")
    figures = {
        (measure, name, year): "1"
        for measure in (Measure.TARGET, Measure.NATIONAL)
        for name in ("NI 1", "NI 2")
        for year in ("2009-10", "2010-11")
    }
    plan = make_plan([second, make_leaf("NI 2")], figures)
    partners = {
        "old": Partner("old", "Old", span=Span(None, Period(2010, 2)), successor="new"),
        "new": Partner("new", "New"),
    }
    owed = {"old": ("NI 2",), "new": ("NI 1", "NI 2")}
    obligations = tuple(Obligation(code, name, OPEN) for code, names in owed.items() for name in names)
    editions = {"NI 1": (first, second)}
    return replace(plan, editions=editions, partners=partners, owed_by=owed, obligations=obligations)


@pytest.mark.parametrize("indicator", ["NI 1", "NI 2"])
@pytest.mark.parametrize(("period", "apart"), [(Q2, "target"), (Q3, "travel"), ("2011-12Q2", "travel")])
def test_what_is_from_across_a_change_is_apart(changing_plan, make_frame, indicator, period, apart):
    codes = [LAST[Q2], LAST[Q3], Q2, Q3, "2011-12Q2"]
    figures = {
        (Measure.TARGET, indicator, Period(2011)): changing_plan.figures[Measure.TARGET, indicator, Period(2010)]
    }
    plan = replace(changing_plan, figures=changing_plan.figures | figures)
    frame = make_frame([("new", indicator, "actual", code, "1", False) for code in codes])
    told = explain_judgements(frame, plan, parse_period(period))["new"]
    assert (told.travel.is_apart, told.target.is_apart) == (apart == "travel", apart == "target")
    judged = told.judged["direction"], told.judged["on_target"]
    assert [word == "not applicable" for word in judged] == [apart == "travel", apart == "target"]


def test_reasons_are_given_exactly_where_nothing_was_compared(changing_plan, make_frame):
    """In any series without figures that are not applicable, a judgement is not applicable for a told reason."""
    chance, seen = Random(1), set()
    codes = [period.code for year in (2009, 2010, 2011) for period in (*Period(year).quarters, Period(year))]
    for indicator in ("NI 1", "NI 2") * 4:
        rows = [
            ("new", indicator, "actual", code, str(chance.randrange(9)), chance.random() < 0.1)
            for code in codes
            if chance.random() < 0.9
        ]
        frame = make_frame(rows)
        for code in {row[3] for row in rows}:
            told = explain_judgements(frame, changing_plan, parse_period(code))["new"]
            travel, judged = told.travel, told.judged
            is_told = bool(travel.breaks or travel.is_apart)
            assert (judged["direction"] == "not applicable") == is_told, (rows, code)
            assert (judged["on_target"] == "not applicable") == told.target.is_apart, (rows, code)
            for step in told.comparators.values():
                assert (step.band == "not applicable") == (step.is_apart or step.source is None), (rows, code)
            seen.add((is_told, told.target.is_apart))
    assert seen == set(product((True, False), repeat=2))
