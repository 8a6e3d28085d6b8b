"""Each period is judged by the edition that holds for it, and figures of two editions compare only if they may."""

from dataclasses import replace
from decimal import Decimal
from itertools import product
from random import Random

import pandas as pd
import pytest

from cypp_etl.judgement.explanation import explain_judgements
from cypp_etl.judgement.judge import judge
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.model import About, Obligation, Partner
from cypp_etl.plan.spans import OPEN, Span
from schemas.codes import Measure, Polarity, Unit

YEARS = (2008, 2009, 2010)
ACTUALS = {f"{year}-{year - 1999:02}Q{quarter}": f"{year - 1998}{quarter}" for year in YEARS for quarter in range(1, 5)}


@pytest.fixture(scope="session")
def judge_editions(make_leaf, make_plan, make_frame):
    """Judge one indicator's actuals by editions that each hold from a period on; rows by period."""

    def judged(first, *later, actuals=ACTUALS, plans=None, more=()):
        base = make_leaf("NI 1", **first)
        editions = [replace(base, span=Span(None, None))]
        for number, (start, changes) in enumerate(later, start=2):
            editions[-1] = replace(editions[-1], span=Span(editions[-1].span.first_period, start.previous))
            changed = {"edition": number, "is_comparable": False, "span": Span(start, None)} | changes
            editions.append(replace(editions[-1], **changed))
        figures = {(Measure(measure), "NI 1", code): value for (measure, code), value in (plans or {}).items()}
        plan = replace(make_plan([editions[-1]], figures), editions={"NI 1": tuple(editions)})
        frame = make_frame([*(("yos", "NI 1", "actual", code, value, False) for code, value in actuals.items()), *more])
        return judge(frame, plan).set_index("period")

    return judged


@pytest.mark.parametrize(
    ("changes", "compares"),
    [
        ({"polarity": Polarity.LOW}, False),
        ({"unit": Unit.PERCENT}, False),
        ({"definition": "Another one"}, False),
        ({"parent_definition": "Another one"}, False),
        ({"unit_label": "per 1,000"}, False),
        ({"currency": "€"}, False),
        ({"about": About(note="Counted by another team")}, True),
        ({"decimals": 0}, True),
        ({"maximum": Decimal(1000)}, True),
        ({"definition": "Another one", "is_comparable": True}, True),
        ({"definition": "The same edition with other margins", "edition": 1}, True),
    ],
)
def test_what_ends_comparing(judge_editions, changes, compares):
    rows = judge_editions({}, (Period(2010, 1), changes))
    first, fourth = rows.loc["2010-11Q1"], rows.loc["2010-11Q4"]
    expected = ("improving", "improving") if compares else ("not applicable", "not applicable")
    assert (first.direction, first.quarter_direction) == expected
    assert fourth.direction == expected[0]
    # Within the new edition nothing is in the way, and nothing changes before it.
    assert fourth.quarter_direction == ("declining" if changes.get("polarity") else "improving")
    assert (first.previous_actual == first.previous_actual) == compares
    assert (first.change == first.change) == compares
    assert rows.loc["2009-10Q4"].direction == "improving"


def test_each_year_is_judged_by_its_own_polarity(judge_editions):
    rows = judge_editions({"polarity": "HIGH"}, (Period(2009, 1), {"polarity": Polarity.LOW}))
    assert rows.loc["2008-09Q2"].quarter_direction == "improving"
    assert rows.loc["2009-10Q1"].quarter_direction == "not applicable"
    assert rows.loc["2009-10Q2"].quarter_direction == "declining"
    assert rows.loc["2010-11Q1"].direction == "declining"


def test_a_year_is_judged_by_what_holds_at_its_end(judge_editions):
    years = {"2008-09": "5", "2009-10": "6", "2010-11": "7"}
    rows = judge_editions({}, (Period(2010, 4), {"polarity": Polarity.LOW}), actuals=years)
    assert rows.loc["2009-10"].direction == "improving"
    assert rows.loc["2010-11"].direction == "not applicable"
    rows = judge_editions({}, (Period(2011, 1), {"polarity": Polarity.LOW}), actuals=years)
    assert rows.loc["2010-11"].direction == "improving"


def test_margins_change_within_an_edition(judge_editions, make_leaf):
    wider = replace(make_leaf("NI 1").banding, target_margin_percent=Decimal(50), comparator_margin=Decimal(9))
    rows = judge_editions(
        {},
        (Period(2010, 3), {"edition": 1, "banding": wider}),
        actuals={f"2010-11Q{quarter}": "60" for quarter in range(1, 5)},
        plans={("target", "2010-11"): "50", ("national", "2009-10"): "52"},
    )
    assert list(rows.target_band) == ["better", "better", "within", "within"]
    assert list(rows.national_band) == ["better", "better", "within", "within"]
    assert set(rows.direction) == {"no data"}


def test_decimals_of_the_judging_edition_count_for_both_sides(judge_editions):
    actuals = {"2009-10Q1": "70.46", "2010-11Q1": "70.5", "2009-10Q2": "70.44", "2010-11Q2": "70.5"}
    finer = judge_editions({"decimals": 0}, (Period(2010, 1), {"decimals": 1}), actuals=actuals)
    assert (finer.loc["2010-11Q1"].direction, finer.loc["2010-11Q1"].change) == ("no change", 0.0)
    assert (finer.loc["2010-11Q2"].direction, finer.loc["2010-11Q2"].change) == ("improving", 0.1)
    coarser = judge_editions({"decimals": 2}, (Period(2010, 1), {"decimals": 0}), actuals=actuals)
    assert (coarser.loc["2010-11Q1"].direction, coarser.loc["2010-11Q1"].change) == ("improving", 1.0)


def test_a_sum_over_a_change_is_not_applicable(judge_editions):
    sums = {"accumulation": "sum", "decimals": 0}
    plans = {("target", "2010-11"): "100"}
    rows = judge_editions(sums, (Period(2010, 3), {"definition": "Another one"}), plans=plans)
    so_far = [rows.loc[f"2010-11Q{quarter}"] for quarter in range(1, 5)]
    assert [row.year_to_date for row in so_far[:2]] == [121.0, 243.0]
    assert all(row.year_to_date != row.year_to_date for row in so_far[2:])
    # The year's target is of the edition that holds at the year's end.
    assert [row.on_target for row in so_far] == ["not applicable"] * 4
    assert [row.target_band for row in so_far] == ["not applicable"] * 4
    comparable = (Period(2010, 3), {"definition": "Another one", "is_comparable": True, "decimals": 1})
    assert judge_editions(sums, comparable, plans=plans).loc["2010-11Q4"].year_to_date == 490.0


def test_history_and_outturn_are_of_the_edition_that_held_then(judge_editions):
    actuals = {"2010-11Q1": "80", "2011-12Q1": "90"}
    plans = {("history", "2009-10"): "70", ("history", "2010-11"): "85"}
    same = judge_editions({}, actuals=actuals, plans=plans)
    assert list(same.direction) == ["improving", "improving"]
    rows = judge_editions({}, (Period(2010, 1), {"polarity": Polarity.LOW}), actuals=actuals, plans=plans)
    assert (rows.loc["2010-11Q1"].direction, rows.loc["2010-11Q1"].direction_basis) == (
        "not applicable",
        "last year's outturn",
    )
    assert rows.loc["2011-12Q1"].direction == "declining"


def test_an_outturn_that_compares_replaces_a_quarter_that_is_missing(judge_editions):
    rows = judge_editions(
        {},
        (Period(2009, 3), {"definition": "Another one"}),
        actuals={"2010-11Q1": "80"},
        plans={("history", "2009-10"): "70"},
    )
    assert (rows.loc["2010-11Q1"].direction, rows.loc["2010-11Q1"].direction_basis) == (
        "improving",
        "last year's outturn",
    )


def test_comparators_and_next_targets_of_what_does_not_compare_are_none(judge_editions):
    rows = judge_editions(
        {},
        (Period(2010, 3), {"unit": Unit.PERCENT}),
        actuals={"2010-11Q2": "80", "2010-11Q3": "80", "2011-12Q1": "80"},
        plans={("national", "2009-10"): "70", ("national", "2010-11"): "60", ("target", "2011-12"): "90"},
    )
    before, after, later = (rows.loc[period] for period in ("2010-11Q2", "2010-11Q3", "2011-12Q1"))
    assert (before.national, before.national_band) == (70.0, "better")
    assert (after.national, after.national_band, later.national) == (60.0, "better", 60.0)
    assert before.next_target != before.next_target and after.next_target == 90.0
    only_older = judge_editions(
        {},
        (Period(2010, 3), {"unit": Unit.PERCENT}),
        actuals={"2010-11Q3": "80"},
        plans={("national", "2009-10"): "70"},
    ).loc["2010-11Q3"]
    assert only_older.national != only_older.national
    assert only_older.national_band == "not applicable"


@pytest.mark.parametrize(
    ("start", "used"),
    [
        # The year is of the edition that holds at its end: of this quarter's own, or of the next, which is passed over.
        (Period(2011, 1), 60.0),
        (Period(2010, 4), 70.0),
        (Period(2010, 3), 70.0),
        # Or all of it is of the next, and so is the quarter.
        (Period(2010, 1), 60.0),
    ],
)
def test_the_comparator_is_the_latest_of_the_quarters_own_edition(judge_editions, start, used):
    plans = {("national", "2009-10"): "70", ("national", "2010-11"): "60"}
    rows = judge_editions({}, (start, {"polarity": Polarity.LOW}), actuals={"2010-11Q2": "80"}, plans=plans)
    judged = rows.loc["2010-11Q2"]
    assert (judged.national, judged.national_band) == (used, "worse" if start == Period(2010, 1) else "better")


def test_a_figure_outside_every_edition_is_judged_by_the_nearest(judge_editions):
    rows = judge_editions(
        {}, (Period(2009, 1), {"polarity": Polarity.LOW, "span": Span(Period(2009, 1), Period(2009, 4))})
    )
    assert rows.loc["2010-11Q2"].quarter_direction == "declining"
    assert rows.loc["2008-09Q2"].quarter_direction == "improving"


@pytest.fixture(scope="session")
def merged_plan(make_leaf, make_plan):
    """`old` ended with 2009-10, `new` took it over; `new` itself had only NI 2 before."""
    partners = {
        "old": Partner("old", "Old", span=Span(None, Period(2009, 4)), successor="new"),
        "new": Partner("new", "New"),
    }
    plan = make_plan([make_leaf("NI 1"), make_leaf("NI 2")])
    owed = {"old": ("NI 1",), "new": ("NI 1", "NI 2")}
    obligations = tuple(Obligation(code, name, OPEN) for code, names in owed.items() for name in names)
    return replace(plan, partners=partners, owed_by=owed, obligations=obligations)


def test_a_successors_series_start_with_a_break(merged_plan, make_frame):
    rows = [
        (code, name, "actual", period, value, False)
        for code, name, period, value in [
            ("old", "NI 1", "2009-10Q1", "5"),
            ("new", "NI 1", "2010-11Q1", "6"),
            ("new", "NI 1", "2010-11Q2", "7"),
            ("new", "NI 1", "2011-12Q1", "8"),
            ("new", "NI 2", "2009-10Q1", "5"),
            ("new", "NI 2", "2010-11Q1", "6"),
        ]
    ]
    judged = judge(make_frame(rows), merged_plan).set_index(["partner_code", "indicator", "period"])
    first = judged.loc["new", "NI 1", "2010-11Q1"]
    assert (first.direction, first.quarter_direction) == ("not applicable", "not applicable")
    assert judged.loc["new", "NI 1", "2010-11Q2"].quarter_direction == "improving"
    assert judged.loc["new", "NI 1", "2011-12Q1"].direction == "improving"
    assert judged.loc["new", "NI 2", "2010-11Q1"].direction == "improving"
    assert judged.loc["old", "NI 1", "2009-10Q1"].direction == "no data"


def test_an_explanation_has_the_steps_of_the_edition(make_leaf, make_plan, make_frame):
    first = make_leaf("NI 1", decimals=0)
    first = replace(first, span=Span(None, Period(2009, 4)))
    second = replace(first, edition=2, decimals=1, is_comparable=True, span=Span(Period(2010, 1), None))
    plan = replace(make_plan([second]), editions={"NI 1": (first, second)})
    frame = make_frame(
        [("yos", "NI 1", "actual", code, "70.46", False) for code in ("2008-09Q1", "2009-10Q1", "2010-11Q1")]
    )
    explained = [explain_judgements(frame, plan, Period(year, 1))["yos"] for year in (2009, 2010)]
    assert [(each.decimals, each.travel.now, each.travel.before) for each in explained] == [
        (0, Decimal(70), Decimal(70)),
        (1, Decimal("70.5"), Decimal("70.5")),
    ]


NUMBERS = [
    "actual", "previous_actual", "change", "target", "year_to_date", "statistical_neighbours", "national",
    "next_target", "next_target_2",
]  # fmt: skip
WORDS = [
    "direction", "quarter_direction", "on_target", "target_band", "statistical_neighbours_band", "national_band",
]  # fmt: skip


@pytest.mark.parametrize("seed", range(12))
def test_an_edition_is_judged_as_if_there_were_no_other(judge_editions, make_leaf, make_plan, make_frame, seed):
    """Whatever is of another edition counts for nothing, but that what is missing for it is not applicable."""
    chance = Random(seed)
    start = Period(2009, chance.randint(1, 4))
    changes = {"polarity": Polarity.LOW, "decimals": chance.randint(0, 2)}
    first = {"polarity": "HIGH", "accumulation": chance.choice(["latest", "sum", "cumulative"])}
    quarters = [Period(year, quarter) for year in range(2008, 2012) for quarter in range(1, 5)]
    actuals = {each.code: str(chance.randrange(100) / 10) for each in quarters if chance.random() < 0.8}
    plans = {
        (measure, Period(year).code): str(chance.randrange(400) / 10)
        for measure in ("target", "national", "statistical_neighbours")
        for year in range(2007, 2013)
        if chance.random() < 0.7
    }
    both = judge_editions(first, (start, changes), actuals=actuals, plans=plans)
    leaf = make_leaf("NI 1", **first)
    for is_later, edition in enumerate((leaf, replace(leaf, edition=2, **changes))):
        own = {code: value for code, value in actuals.items() if _is_from(parse_period(code), start) == is_later}
        figures = {
            (Measure(measure), "NI 1", code): value
            for (measure, code), value in plans.items()
            if _is_from(parse_period(code), start) == is_later
        }
        frame = make_frame([("yos", "NI 1", "actual", code, value, False) for code, value in own.items()])
        alone = judge(frame, make_plan([edition], figures)).set_index("period")
        pd.testing.assert_frame_equal(both.loc[alone.index, NUMBERS], alone[NUMBERS])
        for code, column in product(alone.index, WORDS):
            word, by_itself = both.loc[code, column], alone.loc[code, column]
            assert word == by_itself or (word, by_itself) == ("not applicable", "no data"), (code, column)


def _is_from(period: Period, start: Period) -> bool:
    return period.last_day >= start.first_day
