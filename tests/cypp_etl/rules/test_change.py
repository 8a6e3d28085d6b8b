"""Figures compared with earlier ones."""

from dataclasses import replace
from decimal import Decimal

import pytest

from cypp_etl.checked_return import History, KnownFigure
from cypp_etl.figure_keys import FigureKey
from cypp_etl.periods import Period
from cypp_etl.rules.change import judge_change, judge_year
from schemas.codes import Accumulation, Marker, Measure

QUARTER = Period(2010, 3)
LATER = Period(2013, 3)
"""An indicator without history in the plan."""


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ("40.0", "50.0", []),
        ("40.0", "50.1", [("large-change", "I2")]),
        ("40.0", "30.0", []),
        ("40.0", "29.9", [("large-change", "I2")]),
        ("40.0", "40.0", [("unchanged", "I2")]),
        ("40.0", "40.04", []),
        ("0.1", "0.2", []),
        ("0.1", "0.3", [("large-change", "I2")]),
        ("0", "0.1", []),
        ("0", "0.2", [("large-change", "I2")]),
        ("0", "0", [("unchanged", "I2")]),
        ("-10.0", "-12.5", []),
        ("-10.0", "-12.6", [("large-change", "I2")]),
    ],
)
def test_a_change_is_large_beyond_the_plans_share_and_one_step(
    *, make_figure, make_history, places, plan, before, now, expected
):
    history = make_history({("NI 112", QUARTER.previous): before})
    assert places(judge_change([make_figure("NI 112", now)], history, plan)) == expected


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ("4", "14", []),
        ("4", "15", [("large-change", "I2")]),
        ("14", "4", []),
        ("0", "11", [("large-change", "I2")]),
        ("100", "120", []),
        ("100", "126", [("large-change", "I2")]),
    ],
)
def test_a_change_is_large_beyond_the_plans_margin_too(
    *, make_figure, make_history, places, plan, before, now, expected
):
    """Of small numbers any change is a large share; here it must be of more than ten."""
    banding = replace(plan.indicators["NI 111a"].banding, large_change_margin=Decimal(10))
    figure = make_figure("NI 111a", now, leaf={"banding": banding})
    history = make_history({("NI 111a", QUARTER.previous): before})
    assert places(judge_change([figure], history, plan)) == expected


def test_a_comment_explains_a_large_change(make_figure, make_history, places, plan):
    history = make_history({("NI 45", QUARTER.previous): "35.2"})
    figure = make_figure("NI 45", "71.0", comment="New provider from July")
    (finding,) = judge_change([figure], history, plan)
    assert finding.code == "large-change-explained"
    assert finding.message == "NI 45 changed from 35.2% in 2010/11 Q2 to 71.0%. The comment explains it."


def test_nothing_to_compare_is_nothing_to_say(make_figure, make_history, places, plan):
    figure = make_figure("NI 45", "71.0")
    assert places(judge_change([figure], History(), plan)) == []
    key = FigureKey("yos", "NI 45", Measure.ACTUAL, QUARTER.previous.code)
    assert places(judge_change([figure], History({key: KnownFigure(None, Marker.NOT_AVAILABLE)}), plan)) == []
    known = make_history({("NI 45", QUARTER.previous): "35.2"})
    assert places(judge_change([make_figure("NI 45", None), make_figure("NI 45", 1, period=None)], known, plan)) == []
    assert places(judge_change([make_figure("NI 45", 1, measure=Measure.TARGET)], known, plan)) == []


def test_the_first_quarter_follows_the_fourth_of_last_year(make_figure, make_history, places, plan):
    history = make_history({("NI 45", Period(2009, 4)): "35.2"})
    assert places(judge_change([make_figure("NI 45", "71.0", period=Period(2010, 1))], history, plan)) == [
        ("large-change", "I2")
    ]


def test_a_year_is_compared_with_the_year_before(make_figure, make_history, places, plan):
    history = make_history({("NI 45", Period(2009)): "35.2", ("NI 45", Period(2009, 4)): "71.0"})
    assert places(judge_change([make_figure("NI 45", "71.0", period=Period(2010))], history, plan)) == [
        ("large-change", "I2")
    ]


def test_what_grows_through_the_year_is_compared_with_a_year_ago(make_figure, make_history, places, plan):
    figure = make_figure("NI 111a", 150, leaf={"accumulation": Accumulation.CUMULATIVE})
    assert places(judge_change([figure], make_history({("NI 111a", QUARTER.previous): 100}), plan)) == []
    assert places(judge_change([figure], make_history({("NI 111a", Period(2009, 3)): 100}), plan)) == [
        ("large-change", "I2")
    ]


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({}, []),
        ({LATER.years_later(-1): "71.0"}, [("large-change", "I2")]),
        ({LATER.years_later(-1): "0.9"}, []),
        ({LATER.years_later(-1): "0.71"}, []),
        ({LATER.year.previous: "71.0"}, [("large-change", "I2")]),
        ({LATER.years_later(-1): "0.9", LATER.year.previous: "71.0"}, []),
        ({LATER.previous: "0.9", LATER.years_later(-1): "71.0"}, []),
    ],
)
def test_where_a_quarter_is_missing_an_earlier_figure_is_asked_about(
    *, make_figure, make_history, places, plan, known, expected
):
    history = make_history({("NI 45", period): value for period, value in known.items()})
    assert places(judge_change([make_figure("NI 45", "0.71", period=LATER)], history, plan)) == expected


def test_a_marker_in_the_quarter_before_hides_no_large_change(make_figure, make_history, places, plan):
    known = dict(make_history({("NI 45", Period(2009, 3)): "71.0"}).figures)
    known[FigureKey("yos", "NI 45", Measure.ACTUAL, QUARTER.previous.code)] = KnownFigure(None, Marker.NOT_AVAILABLE)
    assert places(judge_change([make_figure("NI 45", "0.71")], History(known), plan)) == [("large-change", "I2")]


def test_a_first_return_is_held_against_the_plans_history(make_figure, plan):
    (finding,) = judge_change([make_figure("NI 45", "0.7", period=Period(2009, 1))], History(), plan)
    assert finding.message == "NI 45 changed from 72.6% in 2008/09 to 0.7%, which is a large change."
    assert not list(judge_change([make_figure("NI 45", "72.6", period=Period(2009, 1))], History(), plan))


def test_a_figure_of_what_the_plan_does_not_have_is_not_looked_at(make_figure, make_history, places, plan):
    """Adopting a plan leaves none of them; the rule does not rely on it."""
    figure, known = make_figure("NI 112", "50.1"), {("NI 112", QUARTER.previous): "40.0"}
    gone = FigureKey(figure.partner_code, "NI 999", Measure.ACTUAL, QUARTER.previous.code)
    figures = {**make_history(known).figures, gone: KnownFigure(Decimal(7), None)}
    assert places(judge_change([figure], History(figures), plan)) == [("large-change", "I2")]


@pytest.mark.parametrize("accumulation", [Accumulation.SUM, Accumulation.CUMULATIVE])
def test_a_quarter_of_what_adds_up_is_not_held_against_a_year(make_figure, make_history, places, plan, accumulation):
    history = make_history({("NI 111a", Period(2009)): 400})
    figure = make_figure("NI 111a", 100, leaf={"accumulation": accumulation})
    assert places(judge_change([figure], history, plan)) == []
    year = make_figure("NI 111a", 100, leaf={"accumulation": accumulation}, period=Period(2010))
    assert places(judge_change([year], history, plan)) == [("large-change", "I2")]


YEAR = Period(2010)
QUARTERS = dict(zip(YEAR.quarters, (50, 51, 52, 53), strict=True))


@pytest.mark.parametrize(
    ("accumulation", "known", "now", "expected"),
    [
        (Accumulation.SUM, QUARTERS, 206, []),
        (Accumulation.SUM, QUARTERS, 53, [("year-differs", "I2")]),
        (Accumulation.SUM, dict.fromkeys(YEAR.quarters[1:], 50), 53, []),
        (Accumulation.LATEST, QUARTERS, 53, []),
        (Accumulation.LATEST, QUARTERS, 54, [("year-differs", "I2")]),
        (Accumulation.CUMULATIVE, {YEAR.quarters[3]: 53}, 206, [("year-differs", "I2")]),
        (Accumulation.CUMULATIVE, {YEAR.quarters[2]: 52}, 206, []),
    ],
)
def test_a_year_is_what_its_quarters_came_to(
    *, make_figure, make_history, places, plan, accumulation, known, now, expected
):
    history = make_history({("NI 111a", quarter): value for quarter, value in known.items()})
    figure = make_figure("NI 111a", now, leaf={"accumulation": accumulation}, period=YEAR)
    assert places(judge_year([figure], history, plan)) == expected


def test_a_comment_explains_a_year_and_a_quarter_is_none(make_figure, make_history, places, plan):
    history = make_history({("NI 111a", quarter): 50 for quarter in YEAR.quarters})
    assert places(judge_year([make_figure("NI 111a", 53, period=YEAR, comment="Recounted")], history, plan)) == []
    assert places(judge_year([make_figure("NI 111a", 53, period=YEAR.quarters[3])], history, plan)) == []
    assert places(judge_year([make_figure("NI 111a", None, period=YEAR)], history, plan)) == []


@pytest.mark.parametrize(
    ("quarters", "now", "expected"),
    [
        # 30, 10 and 20 of 40, 40 and 80: the quarters' own 75, 25 and 25 percent make no average.
        ([(30, 40), (10, 40), None, (20, 80)], "37.5", []),
        ([(30, 40), (10, 40), None, (20, 80)], "37.54", []),
        ([(30, 40), (10, 40), None, (20, 80)], "37.6", [("year-differs", "I2")]),
        ([(30, 40), (10, 40), None, (20, 80)], "25.0", [("year-differs", "I2")]),
        # 40.845..., typed with two decimals.
        ([(9, 21), (8, 20), None, (12, 30)], "40.85", []),
        ([(9, 21), (8, 20), None, (12, 30)], "40.86", [("year-differs", "I2")]),
        ([(30, 40), (10, 40), (None, None), (20, 80)], "25.0", []),
        ([(30, 40), (10, 40)], "25.0", []),
        ([None, None, None, None], "25.0", []),
    ],
)
def test_a_year_is_the_ratio_of_its_quarters_parts(*, make_figure, places, plan, quarters, now, expected):
    """None is a quarter that is not applicable, and a missing quarter or part makes no year."""
    figures = {
        FigureKey("yos", "NI 45", Measure.ACTUAL, quarter.code): KnownFigure(None, Marker.NOT_APPLICABLE)
        if parts is None
        else KnownFigure(Decimal(50), None, frozenset(), *(part and Decimal(part) for part in parts))
        for quarter, parts in zip(YEAR.quarters, quarters, strict=False)
    }
    figure = make_figure("NI 45", now, leaf={"accumulation": Accumulation.RATIO}, period=YEAR)
    assert places(judge_year([figure], History(figures), plan)) == expected
