"""Every rule of docs/judgements.md: where it applies, where it does not, and exactly at its boundary."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from cypp_etl.judgement.judge import judge
from schemas.codes import Frequency, Marker, Measure, Unit

NA, GONE, TBC, BLANK = Marker.NOT_APPLICABLE, Marker.NOT_AVAILABLE, Marker.TO_BE_CONFIRMED, Marker.NOT_RETURNED
Q1, Q2, Q3, Q4 = (f"2010-11Q{quarter}" for quarter in range(1, 5))
LAST = {quarter: quarter.replace("2010-11", "2009-10") for quarter in (Q1, Q2, Q3, Q4)}
COLUMNS = [
    "partner_code", "indicator", "period", "actual", "previous_period", "previous_actual", "change", "direction",
    "direction_basis", "quarter_direction", "target", "on_target", "year_to_date", "target_band",
    "statistical_neighbours", "statistical_neighbours_band", "national", "national_band", "next_target",
    "next_target_2", "target_gap",
]  # fmt: skip


@pytest.fixture(scope="session")
def judge_one(make_leaf, make_plan, make_frame):
    """Judge one indicator's figures, `(measure, period): value or marker`, and return the row of one period."""

    def judged(leaf, figures, period, *, breaks=(), plans=None):
        leaf = make_leaf("NI 1", **leaf)
        rows = [
            ("yos", "NI 1", measure, code, value, measure == "actual" and code in breaks)
            for (measure, code), value in figures.items()
        ]
        plan = make_plan(
            [leaf], {(Measure(measure), "NI 1", code): value for (measure, code), value in (plans or {}).items()}
        )
        return judge(make_frame(rows), plan).set_index("period").loc[period]

    return judged


@pytest.mark.parametrize(
    ("leaf", "before", "now", "expected"),
    [
        ({"polarity": "HIGH"}, "72.6", "71.0", ("declining", -1.6)),
        ({"polarity": "HIGH"}, "71.0", "71.1", ("improving", 0.1)),
        ({"polarity": "LOW"}, "9.7", "7.1", ("improving", -2.6)),
        ({"polarity": "LOW"}, "-10.1", "-1.10", ("declining", 9.0)),
        ({"polarity": "LOW"}, "-1.1", "-10.1", ("improving", -9.0)),
        ({"polarity": "HIGH"}, "71.04", "70.95", ("no change", 0.0)),
        ({"polarity": "HIGH"}, "71.04", "71.05", ("improving", 0.1)),
        ({"polarity": "LOW", "decimals": 2}, "0.01", "0.00", ("improving", -0.01)),
        ({"polarity": "NONE"}, "1", "2", ("increasing", 1.0)),
        ({"polarity": "NONE"}, "2", "1", ("decreasing", -1.0)),
        ({"polarity": "NONE"}, "2", "2", ("no change", 0.0)),
    ],
)
def test_direction(judge_one, leaf, before, now, expected):
    row = judge_one(leaf, {("actual", LAST[Q2]): before, ("actual", Q2): now}, Q2)
    assert (row.direction, row.change) == expected
    assert (row.direction_basis, row.previous_period) == ("same quarter last year", LAST[Q2])


@pytest.mark.parametrize(
    ("before", "now", "direction"),
    [
        ("9", "11", "improving"),  # from 1 below to inside
        ("9", "10", "improving"),  # the edge is inside
        ("10", "20", "no change"),  # edge to edge
        ("12", "18", "no change"),  # within
        ("9", "22", "declining"),  # from 1 below to 2 above
        ("8", "21", "improving"),  # from 2 below to 1 above
        ("9", "21", "no change"),  # as far off on either side
        ("20", "20.1", "declining"),
    ],
)
def test_direction_towards_a_range(judge_one, before, now, direction):
    leaf = {"polarity": "RANGE", "range_low": Decimal(10), "range_high": Decimal(20)}
    assert judge_one(leaf, {("actual", LAST[Q1]): before, ("actual", Q1): now}, Q1).direction == direction


def test_an_open_range_has_one_edge(judge_one):
    leaf = {"polarity": "RANGE", "range_low": Decimal(10)}
    assert judge_one(leaf, {("actual", LAST[Q1]): "500", ("actual", Q1): "900"}, Q1).direction == "no change"
    assert judge_one(leaf, {("actual", LAST[Q1]): "9", ("actual", Q1): "8"}, Q1).direction == "declining"


@pytest.mark.parametrize(
    ("before", "now", "direction"),
    [
        (GONE, "1", "no data"),
        ("1", GONE, "no data"),
        ("1", TBC, "no data"),
        ("1", Marker.SUPPRESSED, "no data"),
        ("1", Marker.LOW, "no data"),
        (NA, "1", "not applicable"),
        ("1", NA, "not applicable"),
        (GONE, NA, "not applicable"),
        (NA, GONE, "not applicable"),
        (BLANK, BLANK, "no data"),
    ],
)
def test_direction_without_a_side(judge_one, before, now, direction):
    row = judge_one({}, {("actual", LAST[Q1]): before, ("actual", Q1): now}, Q1)
    assert row.direction == direction
    assert np.isnan(row.change)


def test_a_year_is_compared_with_last_year(judge_one):
    row = judge_one({}, {("history", "2009-10"): "5", ("actual", "2010-11"): "6"}, "2010-11")
    assert (row.direction, row.direction_basis, row.previous_actual) == ("improving", "last year", 5)
    assert row.quarter_direction == "not applicable"


def test_an_actual_wins_over_history_unless_it_says_nothing(judge_one):
    figures = {("history", "2009-10"): "5", ("actual", "2009-10"): "7", ("actual", "2010-11"): "6"}
    assert judge_one({}, figures, "2010-11").direction == "declining"
    assert judge_one({}, figures | {("actual", "2009-10"): BLANK}, "2010-11").direction == "improving"
    assert judge_one({}, figures | {("actual", "2009-10"): NA}, "2010-11").direction == "not applicable"


@pytest.mark.parametrize("quarter", [None, GONE, BLANK])
def test_the_outturn_stands_in_for_a_quarter_that_last_year_has_not(judge_one, quarter):
    figures = {("history", "2009-10"): "5", ("actual", Q1): "6"} | ({("actual", LAST[Q1]): quarter} if quarter else {})
    row = judge_one({}, figures, Q1)
    assert (row.direction, row.direction_basis) == ("improving", "last year's outturn")
    assert (row.previous_period, row.previous_actual, row.change) == ("2009-10", 5, 1)


def test_the_outturn_is_left_alone_where_the_quarter_does_not_apply(judge_one):
    row = judge_one({}, {("actual", "2009-10"): "5", ("actual", LAST[Q1]): NA, ("actual", Q1): "6"}, Q1)
    assert (row.direction, row.direction_basis) == ("not applicable", "same quarter last year")


@pytest.mark.parametrize("accumulation", ["sum", "cumulative"])
def test_a_quarter_that_accumulates_is_never_set_against_a_year(judge_one, accumulation):
    row = judge_one({"accumulation": accumulation}, {("actual", "2009-10"): "5", ("actual", Q1): "6"}, Q1)
    assert (row.direction, row.direction_basis, row.previous_period) == ("no data", "none", LAST[Q1])


def test_nothing_to_compare_with(judge_one):
    row = judge_one({}, {("actual", Q1): "6"}, Q1)
    assert (row.direction, row.direction_basis, row.previous_period) == ("no data", "none", "2009-10Q1")
    assert (row.quarter_direction, np.isnan(row.previous_actual)) == ("no data", True)


def test_quarter_on_quarter_crosses_the_year(judge_one):
    figures = {("actual", LAST[Q4]): "5", ("actual", "2010-11"): "99", ("actual", Q1): "4", ("actual", Q2): "6"}
    assert judge_one({}, figures, Q1).quarter_direction == "declining"
    assert judge_one({}, figures, Q2).quarter_direction == "improving"


@pytest.mark.parametrize(
    ("broken", "year_on_year", "quarter_on_quarter"),
    [
        (LAST[Q2], "improving", "improving"),  # both sides are after the break
        (LAST[Q3], "not applicable", "improving"),
        (Q1, "not applicable", "improving"),
        (Q2, "not applicable", "not applicable"),
        (Q3, "improving", "improving"),
        ("2010-11", "improving", "improving"),  # a year's break is the year's own
    ],
)
def test_a_break_between_the_two(judge_one, broken, year_on_year, quarter_on_quarter):
    figures = {("actual", code): "1" for code in (LAST[Q2], LAST[Q3], LAST[Q4], "2010-11", Q1, Q3)}
    row = judge_one({}, figures | {("actual", Q2): "2"}, Q2, breaks=[broken])
    assert (row.direction, row.quarter_direction) == (year_on_year, quarter_on_quarter)
    assert np.isnan(row.change) == (year_on_year == "not applicable")


def test_a_break_comes_before_a_missing_side(judge_one):
    assert judge_one({}, {("actual", Q1): "1"}, Q1, breaks=[Q1]).direction == "not applicable"


@pytest.mark.parametrize(
    ("broken", "direction"),
    [("2010-11", "not applicable"), (Q3, "not applicable"), (LAST[Q4], "improving"), ("2009-10", "improving")],
)
def test_a_break_within_a_year(judge_one, broken, direction):
    figures = {("actual", code): "1" for code in ("2009-10", LAST[Q4], Q3)}
    assert judge_one({}, figures | {("actual", "2010-11"): "2"}, "2010-11", breaks=[broken]).direction == direction


@pytest.mark.parametrize(("broken", "direction"), [(LAST[Q4], "improving"), (Q1, "not applicable")])
def test_a_break_since_the_outturn(judge_one, broken, direction):
    figures = {("actual", code): "1" for code in ("2009-10", LAST[Q4], Q1)}
    assert judge_one({}, figures | {("actual", Q2): "2"}, Q2, breaks=[broken]).direction == direction


def test_a_break_is_of_its_own_series(make_leaf, make_plan, make_frame):
    rows = [(who, "NI 1", "actual", code, "1", who == "nhs") for who in ("nhs", "yos") for code in (LAST[Q1], Q1)]
    judged = judge(make_frame(rows), make_plan([make_leaf("NI 1")])).set_index(["partner_code", "period"])
    assert judged.direction[("yos", Q1)] == "no change"
    assert judged.direction[("nhs", Q1)] == "not applicable"


def test_latest_and_cumulative_are_the_actual(judge_one):
    for accumulation in ("latest", "cumulative"):
        row = judge_one({"accumulation": accumulation}, {("actual", Q1): "1", ("actual", Q2): "2.25"}, Q2)
        assert row.year_to_date == 2.25


def test_quarters_are_summed_exactly(judge_one):
    figures = {("actual", Q1): "0.1", ("actual", Q2): "0.2", ("actual", Q3): "-0.4"}
    expected = {Q1: 0.1, Q2: 0.3, Q3: -0.1}
    for period, total in expected.items():
        assert judge_one({"accumulation": "sum"}, figures, period).year_to_date == total


def test_a_sum_starts_again_with_the_year_and_leaves_the_whole_year_alone(judge_one):
    figures = {("actual", LAST[Q4]): "100", ("actual", Q1): "1", ("actual", "2010-11"): "7"}
    assert judge_one({"accumulation": "sum"}, figures, Q1).year_to_date == 1
    assert judge_one({"accumulation": "sum"}, figures, "2010-11").year_to_date == 7


@pytest.mark.parametrize(
    ("first", "second", "on_target"),
    [(None, "1", "no data"), (GONE, "1", "no data"), (NA, "1", "no data"), ("1", NA, "not applicable")],
)
def test_a_sum_with_a_missing_quarter(judge_one, first, second, on_target):
    figures = {("actual", Q2): second, ("target", "2010-11"): "4"} | ({("actual", Q1): first} if first else {})
    row = judge_one({"accumulation": "sum"}, figures, Q2)
    assert np.isnan(row.year_to_date)
    assert (row.on_target, row.target_band) == (on_target, on_target)


@pytest.mark.parametrize(
    ("accumulation", "period", "target"),
    [
        ("latest", Q1, 10.0),
        ("sum", Q1, 3.0),  # a quarter of 10 is 2.5, and halves go away from zero
        ("sum", Q2, 5.0),
        ("cumulative", Q3, 8.0),
        ("sum", Q4, 10.0),
        ("sum", "2010-11", 10.0),
    ],
)
def test_a_year_s_target_is_spread_where_quarters_accumulate(judge_one, accumulation, period, target):
    figures = {("actual", period): "1", ("target", "2010-11"): "10"}
    assert judge_one({"accumulation": accumulation, "decimals": 0}, figures, period).target == target


def test_a_negative_target_is_spread_away_from_zero(judge_one):
    figures = {("actual", Q1): "1", ("target", "2010-11"): "-10"}
    assert judge_one({"accumulation": "sum", "decimals": 0}, figures, Q1).target == -3


def test_a_profiled_target_wins(judge_one):
    figures = {("actual", Q1): "2", ("target", Q1): "1.5", ("target", "2010-11"): "10"}
    assert judge_one({"accumulation": "sum"}, figures, Q1).target == 1.5
    row = judge_one({"accumulation": "sum"}, figures | {("target", Q1): TBC}, Q1)
    assert (np.isnan(row.target), row.on_target) == (True, "no data")


@pytest.mark.parametrize(
    ("leaf", "ours", "target", "expected"),
    [
        ({"polarity": "HIGH"}, "75.6", "75.6", ("yes", "within")),
        ({"polarity": "HIGH"}, "75.5", "75.6", ("no", "worse")),
        ({"polarity": "HIGH"}, "75.55", "75.6", ("yes", "within")),  # rounds up to it
        ({"polarity": "HIGH"}, "110.0", "100.0", ("yes", "within")),  # exactly a tenth
        ({"polarity": "HIGH"}, "110.1", "100.0", ("yes", "better")),
        ({"polarity": "LOW"}, "90.0", "100.0", ("yes", "within")),
        ({"polarity": "LOW"}, "89.9", "100.0", ("yes", "better")),
        ({"polarity": "LOW"}, "-1.10", "-39", ("no", "worse")),
        ({"polarity": "LOW"}, "-42.9", "-39.0", ("yes", "within")),
        ({"polarity": "LOW"}, "-43.0", "-39.0", ("yes", "better")),
        ({"polarity": "LOW", "decimals": 2}, "0.00", "0.01", ("yes", "within")),  # one step is not above one step
        ({"polarity": "LOW", "decimals": 2}, "0.00", "0.02", ("yes", "better")),
        ({"polarity": "HIGH"}, "0.1", "0", ("yes", "within")),
        ({"polarity": "HIGH"}, "0.2", "0", ("yes", "better")),
        ({"target_margin_percent": Decimal("12.5")}, "112.5", "100.0", ("yes", "within")),
        ({"target_margin_percent": Decimal("12.5")}, "112.6", "100.0", ("yes", "better")),
        ({"target_margin_percent": Decimal(0), "target_margin_steps": 0}, "0.1", "0", ("yes", "better")),
        ({"target_margin_steps": 200}, "120.0", "100.0", ("yes", "within")),
        ({"polarity": "NONE"}, "1", "1", ("not applicable", "not applicable")),
        ({}, GONE, "1", ("no data", "no data")),
        ({}, "1", GONE, ("no data", "no data")),
        ({}, "1", NA, ("not applicable", "not applicable")),
        ({}, NA, GONE, ("not applicable", "not applicable")),
    ],
)
def test_against_target(judge_one, leaf, ours, target, expected):
    row = judge_one(leaf, {("actual", Q1): ours, ("target", "2010-11"): target}, Q1)
    assert (row.on_target, row.target_band) == expected


def test_against_a_target_in_a_range(judge_one):
    leaf = {"polarity": "RANGE", "range_low": Decimal(10), "range_high": Decimal(20)}
    for ours, on_target, band in [("15", "yes", "within"), ("9", "no", "worse"), ("20", "yes", "within")]:
        row = judge_one(leaf, {("actual", Q1): ours, ("target", "2010-11"): "12"}, Q1)
        assert (row.on_target, row.target_band) == (on_target, band)


def test_large_figures_do_not_overflow(judge_one):
    figures = {("actual", Q1): "1e12", ("actual", LAST[Q1]): "-1e12", ("target", "2010-11"): "-1e12"}
    row = judge_one({"decimals": 6, "accumulation": "sum", "target_margin_percent": Decimal(400)}, figures, Q1)
    assert (row.direction, row.target_band, row.change) == ("improving", "better", 2e12)


@pytest.mark.parametrize(
    ("leaf", "ours", "target", "gap"),
    [
        ({"polarity": "HIGH"}, "71.0", "72.6", -1.6),
        ({"polarity": "HIGH"}, "72.6", "72.6", 0),
        ({"polarity": "LOW"}, "7.1", "9.7", 2.6),
        ({"polarity": "LOW"}, "-1.10", "-39", -37.9),
        # How much nearer to the band it is than the target.
        ({"polarity": "RANGE", "range_low": Decimal(4), "range_high": Decimal(6)}, "3", "2", 1),
        ({"polarity": "RANGE", "range_low": Decimal(4), "range_high": Decimal(6)}, "8", "5", -2),
        ({"polarity": "HIGH"}, "71.04", "70.95", 0),  # alike, of one decimal
        ({"polarity": "NONE"}, "2", "1", None),
        ({}, GONE, "1", None),
        ({}, "1", GONE, None),
    ],
)
def test_the_gap_to_the_target_is_positive_where_that_is_good(judge_one, leaf, ours, target, gap):
    row = judge_one(leaf, {("actual", Q1): ours, ("target", Q1): target}, Q1)
    assert np.isnan(row.target_gap) if gap is None else row.target_gap == gap
    assert (row.on_target == "yes") is (gap is not None and gap >= 0)


def test_next_targets_are_of_whole_years(judge_one):
    figures = {
        ("actual", Q4): "1",
        ("target", "2011-12"): "2",
        ("target", "2011-12Q4"): "9",
        ("target", "2012-13"): GONE,
    }
    row = judge_one({}, figures, Q4)
    assert row.next_target == 2
    assert np.isnan(row.next_target_2)


@pytest.mark.parametrize(
    ("leaf", "ours", "comparator", "band"),
    [
        ({"polarity": "HIGH"}, "21.2", "16.2", "better"),
        ({"polarity": "HIGH"}, "21.1", "16.2", "within"),
        ({"polarity": "HIGH"}, "16.2", "16.2", "within"),
        ({"polarity": "HIGH"}, "16.1", "16.2", "worse"),
        ({"polarity": "LOW"}, "4.4", "9.4", "better"),
        ({"polarity": "LOW"}, "7.1", "4.40", "worse"),
        ({"comparator_margin": Decimal("0.22")}, "1.2", "1.0", "within"),  # a margin between two steps
        ({"comparator_margin": Decimal("0.22")}, "1.3", "1.0", "better"),
        ({"polarity": "NONE"}, "9", "1", "not applicable"),
        ({}, GONE, "1", "no data"),
        ({}, NA, "1", "not applicable"),
        ({}, "1", GONE, "not applicable"),  # there is nothing to compare with
        ({}, "1", NA, "not applicable"),
        ({}, GONE, GONE, "not applicable"),
    ],
)
def test_against_a_comparator(judge_one, leaf, ours, comparator, band):
    for measure in ("statistical_neighbours", "national"):
        row = judge_one(leaf, {("actual", Q1): ours, (measure, "2010-11"): comparator}, Q1)
        assert row[f"{measure}_band"] == band


@pytest.mark.parametrize(
    ("unit", "accumulation", "stated", "compares"),
    [
        (Unit.NUMBER, "sum", None, False),
        (Unit.NUMBER, "latest", None, False),
        (Unit.MONEY, "sum", None, False),
        (Unit.DAYS, "cumulative", None, False),
        # A price, a wait, a share and a rate are of no size.
        (Unit.MONEY, "latest", None, True),
        (Unit.DAYS, "latest", None, True),
        (Unit.PERCENT, "latest", None, True),
        (Unit.RATE, "sum", None, True),
        (Unit.SCORE, "latest", None, True),
        # The plan has the last word.
        (Unit.NUMBER, "sum", True, True),
        (Unit.RATE, "sum", False, False),
    ],
)
def test_what_depends_on_the_size_of_a_body_has_no_band(*, judge_one, unit, accumulation, stated, compares):
    leaf = {"unit": unit, "accumulation": accumulation, "stated_to_compare": stated}
    row = judge_one(leaf, {("actual", Q1): "20", ("national", "2010-11"): "1", ("target", Q1): "30"}, Q1)
    assert row.national_band == ("better" if compares else "not applicable")
    # The figure is shown all the same, and the body's own target is of its size.
    assert (row.national > 0, row.target_band) == (True, "worse")


def test_the_comparator_is_of_the_latest_year_that_has_one(judge_one):
    years = {("national", "2008-09"): "1", ("national", "2009-10"): "2", ("national", "2011-12"): "3"}
    assert judge_one({}, {("actual", Q1): "9"} | years, Q1).national == 2
    assert np.isnan(judge_one({}, {("actual", Q1): "9"}, Q1, plans={("national", "2011-12"): "3"}).national)
    row = judge_one({}, {("actual", Q1): "9", ("national", "2010-11"): GONE} | years, Q1)
    assert (np.isnan(row.national), row.national_band) == (True, "not applicable")


def test_a_comparator_of_a_quarter_plays_no_part(judge_one):
    figures = {("actual", Q1): "9", ("national", "2009-10"): "2", ("national", "2009-10Q4"): "3"}
    assert judge_one({}, figures, Q1).national == 2


def test_the_comparator_is_set_against_the_year_to_date(judge_one):
    figures = {("actual", Q1): "3", ("actual", Q2): "4", ("national", "2010-11"): "2"}
    assert judge_one({"accumulation": "sum"}, figures, Q2).national_band == "better"


@pytest.mark.parametrize(
    ("accumulation", "period", "given", "shown", "band"),
    [
        # 8 entrants in one quarter are set against a quarter of the nation's 42, in two against half of it.
        ("sum", Q1, {("national", "2010-11"): "42"}, 10.5, "better"),
        ("sum", Q2, {("national", "2010-11"): "42"}, 21, "better"),
        ("sum", Q2, {("national", "2010-11"): "31"}, 15.5, "worse"),
        ("sum", Q2, {("national", "2010-11"): "32"}, 16, "within"),
        ("sum", Q2, {("national", "2008-09"): "32"}, 16, "within"),
        ("cumulative", Q2, {("national", "2010-11"): "16"}, 8, "within"),
        ("cumulative", Q4, {("national", "2010-11"): "16"}, 16, "better"),
        ("sum", "2010-11", {("national", "2010-11"): "42"}, 42, "better"),
        ("latest", Q2, {("national", "2010-11"): "8"}, 8, "within"),
        ("ratio", Q2, {("national", "2010-11"): "8"}, 8, "no data"),
    ],
)
def test_where_quarters_add_up_a_years_comparator_is_spread(*, judge_one, accumulation, period, given, shown, band):
    figures = {("actual", each): "8" for each in (Q1, Q2, Q3, Q4, "2010-11")}
    leaf = {"polarity": "LOW", "accumulation": accumulation, "multiplier": 1, "comparator_margin": Decimal("2.5")}
    row = judge_one(leaf, figures, period, plans=given)
    assert (row.national, row.national_band) == (shown, band)


def test_the_plan_fills_in_and_the_partner_wins(judge_one):
    plans = {("target", "2010-11"): "1", ("history", "2009-10"): "2", ("national", "2009-10"): "3"}
    row = judge_one({}, {("actual", Q1): "9"}, Q1, plans=plans)
    assert (row.target, row.previous_actual, row.national) == (1, 2, 3)
    own = {("target", "2010-11"): "4", ("history", "2009-10"): "5", ("national", "2009-10"): "6"}
    row = judge_one({}, {("actual", Q1): "9"} | own, Q1, plans=plans)
    assert (row.target, row.previous_actual, row.national) == (4, 5, 6)
    row = judge_one({}, {("actual", Q1): "9", ("target", "2010-11"): NA}, Q1, plans=plans)
    assert (np.isnan(row.target), row.on_target) == (True, "not applicable")


def test_a_later_comparator_of_the_plan_wins_over_the_partner_s(judge_one):
    figures = {("actual", Q1): "9", ("national", "2009-10"): "6"}
    assert judge_one({}, figures, Q1, plans={("national", "2010-11"): "3"}).national == 3


def test_another_partner_s_target_is_not_mine(make_leaf, make_plan, make_frame):
    rows = [("nhs", "NI 1", "target", "2010-11", "1", False), ("yos", "NI 1", "actual", Q1, "1", False)]
    assert judge(make_frame(rows), make_plan([make_leaf("NI 1")])).on_target.tolist() == ["no data"]


def test_an_actual_of_the_plan_is_never_used(judge_one):
    assert judge_one({}, {("actual", Q1): "1"}, Q1, plans={("actual", LAST[Q1]): "1"}).direction == "no data"


def test_rows_keep_their_order_and_index(make_leaf, make_plan, make_frame):
    rows = [
        ("yos", "NI 2", "actual", Q2, "1.26", False),
        ("yos", "NI 2", "target", "2010-11", "1", False),
        ("nhs", "NI 1", "actual", Q1, "2", False),
        ("yos", "NI 1", "actual", "2009-10", BLANK, False),
    ]
    figures = make_frame(rows).set_axis([7, 5, 3, 1])
    judged = judge(figures, make_plan([make_leaf("NI 1"), make_leaf("NI 2")]))
    assert list(judged.columns) == COLUMNS
    assert judged.index.tolist() == [7, 3, 1]
    pd.testing.assert_frame_equal(judged[COLUMNS[:3]], figures.loc[[7, 3, 1], COLUMNS[:3]])
    assert judged.actual.tolist()[:2] == [1.26, 2.0]


def test_no_figures_give_no_judgements_of_the_same_types(make_leaf, make_plan, make_frame):
    plan = make_plan([make_leaf("NI 1")])
    none = judge(make_frame([]), plan)
    some = judge(make_frame([("yos", "NI 1", "actual", Q1, "1", False)]), plan)
    assert (len(none), list(none.columns)) == (0, COLUMNS)
    assert none.dtypes[3:].tolist() == some.dtypes[3:].tolist()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("yos", "NI 9", "actual", Q1, "1", False), "'NI 9' is not one of NI 1"),
        (("yos", "NI 1", "guess", Q1, "1", False), "'guess' is not one of actual"),
        (("yos", "NI 1", "actual", "Q1", "1", False), "'Q1' is not a period"),
        (("yos", "NI 1", "actual", Q2, "1", False), "two figures"),
        (("yos", "NI 1", "actual", Q1, "1e18", False), "too large"),
    ],
)
def test_figures_that_cannot_be_judged_are_refused(make_leaf, make_plan, make_frame, row, message):
    figures = make_frame([("yos", "NI 1", "actual", Q2, "1", False), row])
    with pytest.raises(ValueError, match=message):
        judge(figures, make_plan([make_leaf("NI 1")]))


@pytest.mark.parametrize("margin", ["-1", "401", "0.00000001"])
def test_margins_that_64_bits_cannot_multiply_are_refused(make_leaf, make_plan, make_frame, margin):
    leaf = make_leaf("NI 1", target_margin_percent=Decimal(margin))
    with pytest.raises(ValueError, match="NI 1: a target margin"):
        judge(make_frame([]), make_plan([leaf]))


@pytest.mark.parametrize("changes", [{"comparator_margin": Decimal("1e18")}, {"range_low": Decimal("-1e18")}])
def test_amounts_that_do_not_fit_are_refused(make_leaf, make_plan, make_frame, changes):
    with pytest.raises(ValueError, match=r"NI 1: .* too large to be used in judgements"):
        judge(make_frame([]), make_plan([make_leaf("NI 1", **changes)]))


@pytest.mark.parametrize(
    ("asked_in", "period", "before", "expected"),
    [
        ((1, 3), Q3, Q1, "improving"),
        ((1, 3), Q3, Q2, "no data"),
        ((1, 3), Q1, LAST[Q3], "improving"),
        ((1, 3), Q1, LAST[Q4], "no data"),
        ((2,), Q2, LAST[Q2], "improving"),
        ((1, 2, 3, 4), Q1, LAST[Q4], "improving"),
    ],
)
def test_a_quarter_is_compared_with_the_one_that_was_asked_before(judge_one, asked_in, period, before, expected):
    row = judge_one({"asked_in": asked_in}, {("actual", before): "1", ("actual", period): "2"}, period)
    assert row.quarter_direction == expected


def test_quarters_that_are_not_asked_are_not_missing_from_the_year_to_date(judge_one):
    figures = {("actual", Q2): "10", ("actual", Q4): "12"}
    leaf = {"accumulation": "sum", "asked_in": (2, 4)}
    row = judge_one(leaf, figures, Q4, plans={("target", "2010-11"): "20"})
    assert (row.year_to_date, row.target, row.on_target) == (22, 20, "yes")
    assert np.isnan(judge_one(leaf, {("actual", Q4): "12"}, Q4).year_to_date)


def test_a_year_of_a_yearly_indicator_is_judged_as_a_year(judge_one):
    figures = {("actual", "2009-10"): "10", ("actual", "2010-11"): "12"}
    leaf = {"frequency": Frequency.YEARLY, "asked_in": (4,)}
    row = judge_one(leaf, figures, "2010-11", plans={("target", "2010-11"): "11"})
    assert (row.direction, row.direction_basis, row.quarter_direction) == ("improving", "last year", "not applicable")
    assert (row.year_to_date, row.on_target) == (12, "yes")
