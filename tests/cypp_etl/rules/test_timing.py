"""A return checked against its period."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from cypp_etl.checked_return import History, KnownContent, KnownFigure
from cypp_etl.figure_keys import FigureKey
from cypp_etl.periods import Period
from cypp_etl.rules.timing import judge_closed_period, judge_content, judge_date, judge_period
from schemas.codes import Marker, Measure

QUARTER = Period(2010, 3)
DUE = date(2011, 1, 20)


@pytest.mark.parametrize(
    ("today", "expected"),
    [(date(2010, 12, 31), [("period-not-open", "B3")]), (date(2011, 1, 1), []), (date(2020, 1, 1), [])],
)
def test_a_return_may_come_from_the_day_on_which_its_period_opens(make_parsed, plan, places, today, expected):
    parsed = make_parsed(period=QUARTER, period_cell=("Return", "B3"))
    assert places(judge_period(parsed, plan, today)) == expected


def test_a_period_that_is_not_known_is_not_judged(make_parsed, plan, places):
    assert places(judge_period(make_parsed(), plan, date(2000, 1, 1))) == []
    assert places(judge_period(make_parsed(period=Period(2031)), plan, date(2000, 1, 1))) == []


@pytest.mark.parametrize(
    ("before", "now", "marker", "expected"),
    [
        (KnownFigure(Decimal("71.0"), None), "71.0", None, []),
        (KnownFigure(Decimal("71.0"), None), "71.1", None, [("closed-period-changed", "I2")]),
        (KnownFigure(Decimal("71.0"), None), None, Marker.NOT_AVAILABLE, [("closed-period-changed", "I2")]),
        (KnownFigure(None, Marker.NOT_AVAILABLE), None, Marker.NOT_AVAILABLE, []),
        (KnownFigure(None, Marker.NOT_AVAILABLE), "71.0", None, [("closed-period-changed", "I2")]),
        (None, "71.0", None, [("closed-period-changed", "I2")]),
        (None, None, Marker.NOT_RETURNED, []),
    ],
)
def test_a_figure_of_a_closed_period_stays_as_it_was(*, make_figure, places, before, now, marker, expected):
    figures = {FigureKey("yos", "NI 45", Measure.ACTUAL, QUARTER.code): before} if before else {}
    figure = make_figure("NI 45", now, marker=marker)
    assert places(judge_closed_period([figure], History(figures, frozenset({QUARTER})))) == expected
    assert places(judge_closed_period([figure], History(figures))) == []


def test_the_message_says_what_the_figure_was(make_figure):
    figures = {FigureKey("yos", "NI 45", Measure.ACTUAL, QUARTER.code): KnownFigure(Decimal("70.96"), None)}
    (finding,) = judge_closed_period([make_figure("NI 45", "71.2")], History(figures, frozenset({QUARTER})))
    assert finding.message == "2010/11 Q3 is closed, and this changes the figure for NI 45, which was: 71.0%."
    assert "must change" in finding.fix


def test_targets_of_a_closed_period_are_no_returns(make_figure, places):
    figure = make_figure("NI 45", "71.0", measure=Measure.TARGET)
    assert places(judge_closed_period([figure], History(closed=frozenset({QUARTER})))) == []


def test_the_same_content_in_another_file_is_said(make_parsed, places):
    history = History(contents={("yos", QUARTER): KnownContent(7, "abc")})
    parsed = make_parsed(partner_code="yos", period=QUARTER, content_sha256="abc")
    (finding,) = judge_content(parsed, history)
    assert (finding.code, "submission 7" in finding.message) == ("same-content", True)
    parsed.content_sha256 = "abd"
    assert places(judge_content(parsed, history)) == []


@pytest.mark.parametrize(
    ("dated", "expected"),
    [(date(2010, 9, 30), [("date-before-period", "B6")]), (date(2010, 10, 1), []), (date(2011, 1, 20), []), (None, [])],
)
def test_a_return_cannot_be_finished_before_its_period_begins(make_parsed, plan, places, dated, expected):
    parsed = make_parsed(period=QUARTER, dated=dated, date_cell=("Return", "B6"))
    assert places(judge_date(parsed, plan, date(2011, 1, 20))) == expected


@pytest.mark.parametrize(
    ("dated", "today", "expected"),
    [
        (date(2099, 1, 1), date(2011, 1, 20), [("date-to-come", "B6")]),
        (date(2011, 2, 20), date(2011, 2, 20), []),
        (date(2011, 2, 21), date(2011, 2, 20), [("date-to-come", "B6")]),
        # The day on which it is due may be still to come.
        (DUE, date(2011, 1, 4), []),
        (DUE + timedelta(days=1), date(2011, 1, 4), [("date-to-come", "B6")]),
        (DUE + timedelta(days=1), DUE + timedelta(days=1), []),
    ],
)
def test_a_return_is_not_finished_on_a_day_to_come(*, make_parsed, plan, places, dated, today, expected):
    parsed = make_parsed(period=QUARTER, dated=dated, date_cell=("Return", "B6"))
    assert places(judge_date(parsed, plan, today)) == expected


def test_without_a_period_a_date_is_not_judged(make_parsed, plan):
    parsed = make_parsed(dated=date(2000, 1, 1), date_cell=("Return", "B6"))
    assert not list(judge_date(parsed, plan, date(2011, 1, 20)))
