"""The periods to judge again when one figure changes; test_laws.py checks that they are enough."""

import pytest

from cypp_etl.judgement.reach.dependents import Span, dependents
from cypp_etl.periods import LAST_PERIOD, parse_period
from schemas.codes import Measure


def _span(first, last):
    return Span(parse_period(first), parse_period(last))


@pytest.mark.parametrize(
    ("measure", "changed", "reached"),
    [
        (Measure.ACTUAL, "2010-11Q1", _span("2010-11Q1", "2011-12Q1")),
        (Measure.HISTORY, "2010-11Q4", _span("2010-11Q4", "2011-12Q4")),
        (Measure.ACTUAL, "2010-11", _span("2010-11", "2011-12Q4")),
        (Measure.TARGET, "2010-11Q2", _span("2010-11Q2", "2010-11Q2")),
        (Measure.TARGET, "2010-11", _span("2008-09", "2010-11Q4")),
        (Measure.NATIONAL, "2010-11", Span(parse_period("2010-11"), LAST_PERIOD)),
    ],
)
def test_dependents(measure, changed, reached):
    assert dependents(measure, parse_period(changed)) == reached


def test_a_span_holds_its_ends_and_what_lies_between():
    span = _span("2010-11Q3", "2011-12Q1")
    codes = ["2009-10Q4", "2010-11Q2", "2010-11Q3", "2010-11Q4", "2011-12", "2011-12Q1", "2011-12Q2"]
    assert [parse_period(code) in span for code in codes] == [False, False, True, True, True, True, False]
    assert _span("2010-11Q2", "2010-11Q3") | _span("2009-10", "2010-11Q2") == _span("2009-10", "2010-11Q3")


def test_a_span_holds_the_whole_year_that_it_begins_in():
    span = _span("2010-11Q3", "2011-12Q1")
    assert [parse_period(code) in span for code in ("2009-10", "2010-11", "2012-13")] == [False, True, False]


def test_judging_a_span_reads_from_a_year_before_to_its_years_end():
    assert _span("2010-11Q2", "2011-12").compared_with == _span("2009-10Q2", "2011-12Q4")
