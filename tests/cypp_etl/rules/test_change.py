"""Figures beside earlier ones."""

import pytest

from cypp_etl.periods import Period
from cypp_etl.rules.change import judge_change
from cypp_etl.submission import History, KnownFigure
from schemas.codes import Accumulation, Marker, Measure

QUARTER = Period(2010, 3)


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ("40.0", "50.0", []),
        ("40.0", "50.1", [("large-change", "G2")]),
        ("40.0", "30.0", []),
        ("40.0", "29.9", [("large-change", "G2")]),
        ("40.0", "40.0", [("unchanged", "G2")]),
        ("40.0", "40.04", []),
        ("0.1", "0.2", []),
        ("0.1", "0.3", [("large-change", "G2")]),
        ("0", "0.1", []),
        ("0", "0.2", [("large-change", "G2")]),
        ("0", "0", [("unchanged", "G2")]),
        ("-10.0", "-12.5", []),
        ("-10.0", "-12.6", [("large-change", "G2")]),
    ],
)
def test_a_change_is_large_beyond_the_plans_share_and_one_step(
    *, make_figure, make_history, places, before, now, expected
):
    history = make_history({("NI 112", QUARTER.previous): before})
    assert places(judge_change([make_figure("NI 112", now)], history)) == expected


def test_a_comment_explains_a_large_change(make_figure, make_history, places):
    history = make_history({("NI 45", QUARTER.previous): "35.2"})
    figure = make_figure("NI 45", "71.0", comment="New provider from July")
    (finding,) = judge_change([figure], history)
    assert finding.code == "large-change-explained"
    assert finding.message == "NI 45 changed from 35.2% in 2010/11 Q2 to 71.0%. The comment explains it."


def test_nothing_to_compare_is_nothing_to_say(make_figure, make_history, places):
    figure = make_figure("NI 45", "71.0")
    assert places(judge_change([figure], History())) == []
    key = "yos", Measure.ACTUAL, "NI 45", QUARTER.previous
    assert places(judge_change([figure], History({key: KnownFigure(None, Marker.NOT_AVAILABLE)}))) == []
    known = make_history({("NI 45", QUARTER.previous): "35.2"})
    assert places(judge_change([make_figure("NI 45", None), make_figure("NI 45", 1, period=None)], known)) == []
    assert places(judge_change([make_figure("NI 45", 1, measure=Measure.TARGET)], known)) == []


def test_the_first_quarter_follows_the_fourth_of_last_year(make_figure, make_history, places):
    history = make_history({("NI 45", Period(2009, 4)): "35.2"})
    assert places(judge_change([make_figure("NI 45", "71.0", period=Period(2010, 1))], history)) == [
        ("large-change", "G2")
    ]


def test_a_year_is_compared_with_the_year_before(make_figure, make_history, places):
    history = make_history({("NI 45", Period(2009)): "35.2", ("NI 45", Period(2009, 4)): "71.0"})
    assert places(judge_change([make_figure("NI 45", "71.0", period=Period(2010))], history)) == [
        ("large-change", "G2")
    ]


def test_what_grows_through_the_year_is_compared_with_a_year_ago(make_figure, make_history, places):
    figure = make_figure("NI 111a", 150, leaf={"accumulation": Accumulation.CUMULATIVE})
    assert places(judge_change([figure], make_history({("NI 111a", QUARTER.previous): 100}))) == []
    assert places(judge_change([figure], make_history({("NI 111a", Period(2009, 3)): 100}))) == [("large-change", "G2")]
