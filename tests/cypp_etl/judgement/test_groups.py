"""The figures of groups: what is added up, what is not and why, and what they are compared with."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from random import Random

import pandas as pd
import pytest

from cypp_etl.judgement.groups import GroupFigure, group_figures, judge_groups
from cypp_etl.periods import Period
from cypp_etl.plan.model import Figure, Group, Partner
from schemas.codes import Accumulation, Marker, Measure, Unit

YEAR = "2010-11"
KEYS = [(group, name, YEAR) for group in ("coast", "north") for name in ("count", "share")]


@pytest.fixture(scope="module")
def plan(make_leaf, make_plan):
    """The north has a and b; the coast, which is part of it, has c, d and e, who owes nothing."""
    leaves = [
        make_leaf("count", "LOW", decimals=0, accumulation="sum"),
        make_leaf("share", unit=Unit.PERCENT, multiplier=100),
        make_leaf("index", unit=Unit.RATE, multiplier=0),
        make_leaf("flow", unit=Unit.PERCENT, multiplier=100, decimals=0, accumulation="ratio"),
    ]
    group_of = {"a": "north", "b": "north", "c": "coast", "d": "coast", "e": "coast"}
    return replace(
        make_plan(leaves),
        partners={code: Partner(code, code, group) for code, group in group_of.items()},
        groups={"north": Group("north", "The North", ""), "coast": Group("coast", "The Coast", "north")},
        owed_by=dict.fromkeys("abcd", ("count", "share", "index", "flow")),
    )


def frame(*rows):
    """Rows of partner, indicator, value, numerator and denominator, of one year unless they end with another period."""
    columns = ["partner_code", "indicator", "value", "numerator", "denominator", "period"]
    found = pd.DataFrame([(*row, YEAR)[:6] for row in rows], columns=columns)
    found = found.assign(measure="actual", is_break=False, marker=None)
    return found.astype({"value": "float64", "numerator": "float64", "denominator": "float64"})


def whole(name, values):
    return [(code, name, value, None, None) for code, value in values.items()]


def test_numbers_are_added_up_and_parents_have_the_members_of_their_children(plan):
    found = group_figures(frame(*whole("count", {"a": 1, "b": 2, "c": 3, "d": 4})), plan, KEYS)
    assert found["coast", "count", YEAR] == GroupFigure(7, 2, 2, "", False)
    assert found["north", "count", YEAR] == GroupFigure(10, 4, 4, "", False)


def test_who_does_not_owe_it_is_not_added_up(plan):
    found = group_figures(frame(*whole("count", {"c": 3, "d": 4, "e": 100})), plan, KEYS)
    assert found["coast", "count", YEAR].value == 7


def test_a_sum_that_is_not_whole_is_shown_and_not_judged(plan):
    found = group_figures(frame(*whole("count", {"a": 1, "c": 3, "d": None})), plan, KEYS)
    assert found["north", "count", YEAR] == GroupFigure(4, 4, 2, "not judged: 2 of 4 partners have returned it", False)
    assert found["coast", "count", YEAR].returned == 1
    judged = judge_groups(found, plan).set_index("partner_code")
    assert judged.actual["north"] == 4
    assert judged.direction["north"] == "no data"


def test_a_percentage_is_its_numerators_over_its_denominators(plan):
    rows = [("a", "share", 50, 1, 2), ("b", "share", 20, 2, 10), ("c", "share", 10, 1, 10)]
    found = group_figures(frame(*rows), plan, KEYS)
    assert found["north", "share", YEAR] == GroupFigure(18.2, 4, 3, "", False)
    assert found["coast", "share", YEAR] == GroupFigure(10, 2, 1, "", False)
    found = group_figures(frame(*rows, ("d", "share", 0, 0, 8)), plan, KEYS)
    assert found["north", "share", YEAR] == GroupFigure(13.3, 4, 4, "", False, 4, 30)


def test_a_percentage_without_its_parts_has_no_group_figure_and_says_why(plan):
    rows = [("a", "share", 50, 1, 2), ("b", "share", 20, None, 10)]
    found = group_figures(frame(*rows), plan, KEYS)
    note = "1 of 2 figures have no numerator and denominator to add up"
    assert found["north", "share", YEAR] == GroupFigure(None, 4, 2, note, False)


def test_without_a_multiplier_there_is_no_group_figure(plan):
    found = group_figures(frame(*whole("index", {"a": 5})), plan, [("north", "index", YEAR)])
    assert found["north", "index", YEAR].note == "its returns have no numerators and denominators to add up"


@pytest.mark.parametrize(
    ("unit", "accumulation", "multiplier", "expected"),
    [
        (Unit.MONEY, "sum", 0, 30.5),
        (Unit.MONEY, "cumulative", 1, 30.5),
        (Unit.DAYS, "sum", 0, 30.5),
        # A price, a wait and a score of all are no sum of those of each, but what they are made of: 4 over 10.
        (Unit.MONEY, "latest", 1, 0.4),
        (Unit.DAYS, "ratio", 1, 0.4),
        (Unit.SCORE, "latest", 1, 0.4),
        (Unit.MONEY, "latest", 0, None),
        (Unit.SCORE, "latest", 0, None),
    ],
)
def test_money_and_days_add_up_over_bodies_if_they_do_over_the_year(plan, unit, accumulation, multiplier, expected):
    said = {"unit": unit, "accumulation": Accumulation(accumulation), "multiplier": multiplier, "decimals": 1}
    leaf = replace(plan.indicators["share"], **said)
    plan = replace(plan, indicators={**plan.indicators, "share": leaf}, editions={**plan.editions, "share": (leaf,)})
    rows = frame(("a", "share", 10.25, 1, 2), ("b", "share", 20.2, 3, 8))
    north = group_figures(rows, plan, [("north", "share", YEAR)])["north", "share", YEAR]
    no_parts = "its returns have no numerators and denominators to add up"
    assert north.value == expected
    assert (north.note == no_parts) is (expected is None)


def test_denominators_of_nothing_have_no_group_figure(plan):
    found = group_figures(frame(("c", "share", 0, 0, 0)), plan, KEYS)
    assert found["coast", "share", YEAR].value is None
    assert "denominator of nothing" in found["coast", "share", YEAR].note


def test_a_group_that_nobody_returned_anything_of_has_no_row(plan):
    found = group_figures(frame(*whole("count", {"a": 1})), plan, KEYS)
    assert set(found) == {("north", "count", YEAR)}
    found = group_figures(frame(*whole("count", {"a": None})), plan, KEYS)
    assert found["north", "count", YEAR] == GroupFigure(None, 4, 0, "no partner has returned it", False)


def test_a_break_of_one_partner_is_one_of_the_group(plan):
    figures = frame(*whole("count", {"c": 3, "d": 4}))
    figures.loc[0, "is_break"] = True
    assert group_figures(figures, plan, KEYS)["coast", "count", YEAR].is_break


def target(value):
    return Figure(Decimal(value), None, "made up")


@pytest.mark.parametrize(
    ("own", "general", "group", "told"),
    [
        ({"c": "3", "d": "4"}, None, None, {"count": 7, "share": None}),
        ({"c": "3", "d": "3"}, None, None, {"count": 6, "share": 3}),
        ({"c": "3"}, "5", None, {"count": 8, "share": None}),
        ({}, "5", None, {"count": 10, "share": 5}),
        ({"c": "3"}, None, None, {"count": None, "share": None}),
        ({"c": "3"}, "5", "9", {"count": 9, "share": 9}),
    ],
)
def test_a_groups_target_is_its_own_or_what_its_partners_targets_say(plan, own, general, group, told):
    def figures(value):
        return {(Measure.TARGET, name, Period(2010)): target(value) for name in ("count", "share")}

    owned = {code: figures(value) for code, value in own.items()}
    if group:
        owned["coast"] = figures(group)
    planned = replace(plan, figures=figures(general) if general else {}, partner_figures=owned)
    rows = [*whole("count", {"c": 1, "d": 2}), ("c", "share", 50, 1, 2), ("d", "share", 50, 1, 2)]
    found = group_figures(frame(*rows), planned, KEYS)
    judged = judge_groups(found, planned)
    of_coast = judged[judged.partner_code == "coast"].set_index("indicator").target
    assert {name: None if pd.isna(value) else value for name, value in of_coast.items()} == told


def test_every_partners_history_is_not_the_groups(plan):
    before = {(Measure.HISTORY, name, Period(2009)): target("5") for name in ("count", "share")}
    planned = replace(plan, figures=before)
    found = group_figures(frame(*whole("count", {"c": 1, "d": 2})), planned, KEYS)
    assert judge_groups(found, planned).previous_actual.isna().all()


Q1, Q2, Q3, Q4 = (quarter.code for quarter in Period(2010).quarters)


def judged_quarters(plan, *rows, indicator="flow"):
    """The judgements of the coast in each quarter, by period."""
    keys = [("coast", indicator, quarter) for quarter in (Q1, Q2, Q3, Q4)]
    return judge_groups(group_figures(frame(*rows), plan, keys), plan).set_index("period")


def to_date(plan, *rows):
    """The year to date of the coast's ratio in each quarter, None for none."""
    judged = judged_quarters(plan, *rows).year_to_date
    return {period: None if pd.isna(value) else value for period, value in judged.items()}


def flow(partner, numerator, denominator, period):
    return partner, "flow", 50, numerator, denominator, period


def test_the_year_so_far_of_a_ratio_is_that_of_all_partners_and_quarters(plan):
    rows = [flow("c", 30, 40, Q1), flow("d", 1, 8, Q1), flow("c", 20, 160, Q2), flow("d", 5, 10, Q2)]
    # 31 of 48, then 56 of 218.
    assert to_date(plan, *rows) == {Q1: 65, Q2: 26}


def test_the_year_so_far_of_a_ratio_is_rounded_once_and_half_away_from_zero(plan):
    rows = [flow("c", 1, 8, Q1), flow("c", 0, 0, Q2), flow("d", 0, 0, Q1)]
    assert to_date(plan, *rows, flow("d", 0, 0, Q2)) == {Q1: 13, Q2: 13}
    assert to_date(plan, *rows, flow("d", 0, 1, Q2)) == {Q1: 13, Q2: 11}
    assert to_date(plan, flow("c", 0, 0, Q1), flow("d", 0, 0, Q1)) == {Q1: None}


def test_a_ratio_of_which_a_partner_lacks_a_part_has_no_year_so_far(plan):
    rows = [flow("c", 30, 40, Q1), flow("d", None, 8, Q1), flow("c", 1, 2, Q2), flow("d", 1, 2, Q2)]
    assert to_date(plan, *rows) == {Q1: None, Q2: None}


def test_a_quarter_that_nobody_has_returned_is_missing_from_the_year_so_far(plan):
    rows = [flow(code, *parts) for code in "cd" for parts in ((30, 40, Q1), (1, 2, Q3))]
    assert to_date(plan, *rows) == {Q1: 75, Q3: None}


def test_a_ratio_that_not_every_partner_has_returned_has_no_year_so_far_and_says_so(plan):
    # What is compared with: the year so far, or, of the direction, the quarter alone.
    last_year = [flow(code, 1, 2, Period(2009, 1).code) for code in "cd"]
    target_of_all = {(Measure.TARGET, "flow", Period(2010)): target("50")}
    planned = replace(plan, figures=target_of_all)
    rows = [flow("c", 30, 40, Q1), flow("c", 30, 40, Q2), flow("d", 30, 40, Q2), flow("c", 30, 40, Q3)]
    keys = [("coast", "flow", each) for each in (Period(2009, 1).code, Q1, Q2, Q3)]
    found = group_figures(frame(*last_year, *rows), planned, keys)
    judged = judge_groups(found, planned).set_index("period")
    assert judged.actual.tolist() == [50, 75, 75, 75]
    assert judged.year_to_date.isna().tolist() == [False, True, True, True]
    assert judged.on_target[Q1:].tolist() == judged.target_band[Q1:].tolist() == ["no data"] * 3
    assert judged.direction[Q1] == "improving"
    lead = "no year to date: not all partners' figures are known for "
    assert judged.note.tolist() == [
        "", f"{lead}2010/11 Q1", f"{lead}2010/11 Q1", f"{lead}2010/11 Q1 and 2010/11 Q3",
    ]  # fmt: skip
    # Once they have, it has.
    whole = judge_groups(group_figures(frame(*rows, flow("d", 0, 1, Q1), flow("d", 1, 1, Q3)), planned, keys), planned)
    assert whole.year_to_date.tolist() == [73, 74, 75]
    assert set(whole.note) == {""}
    assert set(whole.on_target) == {"yes"}


def test_who_does_not_owe_a_ratio_is_not_missing_from_it(plan):
    rows = [flow(code, 1, 2, Q1) for code in "cd"]
    assert to_date(plan, *rows, flow("e", 9, 9, Q1)) == {Q1: 50}


@pytest.mark.parametrize(
    ("missing", "note"),
    [
        ("", ""),
        # The figure is whole, but last quarter's is not.
        (Q1, "no year to date: not all partners' figures are known for 2010/11 Q1"),
        # The figure itself is not.
        (Q2, "not judged: 1 of 2 partners have returned it"),
    ],
)
def test_a_sum_says_why_it_has_no_year_so_far(plan, missing, note):
    rows = [
        (code, "count", 3, None, None, quarter)
        for code in "cd"
        for quarter in (Q1, Q2)
        if (code, quarter) != ("d", missing)
    ]
    judged = judged_quarters(plan, *rows, indicator="count")
    assert judged.note[Q2] == note
    assert pd.isna(judged.year_to_date[Q2]) is bool(missing)


@pytest.mark.parametrize(("applicable_to", "expected"), [("", 65), ("d", None), ("cd", None)])
def test_a_quarter_that_is_applicable_to_no_partner_adds_nothing_to_the_year_so_far(plan, applicable_to, expected):
    figures = frame(flow("c", 30, 40, Q1), flow("d", 1, 8, Q1), flow("c", None, None, Q2), flow("d", None, None, Q2))
    figures.loc[2:, "value"] = None
    figures.loc[2:, "marker"] = [
        (Marker.NOT_AVAILABLE if code in applicable_to else Marker.NOT_APPLICABLE).value for code in "cd"
    ]
    keys = [("coast", "flow", quarter) for quarter in (Q1, Q2)]
    judged = judge_groups(group_figures(figures, plan, keys), plan)
    assert pd.isna(judged.actual[1])
    assert (None if pd.isna(judged.year_to_date[1]) else judged.year_to_date[1]) == expected


def test_the_year_so_far_of_groups_agrees_with_fractions(plan):
    chance = Random(5)
    quarters = Period(2010).quarters
    rows = [
        flow(code, *(chance.choice([None, *range(1, 90)]) if chance.random() < 0.05 else n for n in numbers), each.code)
        for code in "abcd"
        for each in quarters
        for numbers in [(chance.randint(0, 99), chance.randint(1, 99))]
        if chance.random() < 0.9
    ]
    keys = [(group, "flow", each.code) for group in plan.groups for each in quarters]
    judged = judge_groups(group_figures(frame(*rows), plan, keys), plan)
    told = {(row.partner_code, row.period): row.year_to_date for row in judged.itertuples()}
    expected = {}
    for group, _, period in keys:
        owing = sum(code in plan.members[group] for code in "abcd")
        mine = [
            [row for row in rows if row[0] in plan.members[group] and row[5] == each.code]
            for each in quarters
            if each.code <= period
        ]
        so_far = [row for quarter in mine for row in quarter]
        if mine[-1]:
            is_whole = all(len(each) == owing for each in mine) and all(None not in row[3:5] for row in so_far)
            exact = Fraction(100 * sum(row[3] for row in so_far), sum(row[4] for row in so_far)) if is_whole else None
            expected[group, period] = None if exact is None else float(int(exact + Fraction(1, 2)))
    assert {key: None if pd.isna(value) else value for key, value in told.items()} == expected
    assert {value is None for value in expected.values()} == {True, False}


def test_groups_agree_with_fractions(plan):
    chance = Random(3)
    rows = [
        (code, name, chance.randint(0, 900) / 10, chance.randint(0, 99), chance.randint(1, 99), period.code)
        for code in "abcd"
        for name in ("count", "share")
        for period in (Period(2010), *Period(2010).quarters)
        if chance.random() < 0.8
    ]
    keys = [
        (group, name, period.code)
        for group in plan.groups
        for name in ("count", "share")
        for period in Period(2010).quarters
    ]
    found = group_figures(frame(*rows), plan, keys)
    for (group, name, period), figure in found.items():
        mine = [row for row in rows if row[0] in plan.members[group] and row[1] == name and row[5] == period]
        if name == "count":
            expected = sum(int(Fraction(str(row[2])) + Fraction(1, 2)) for row in mine)
        else:
            exact = Fraction(sum(row[3] for row in mine) * 100, sum(row[4] for row in mine))
            expected = int(exact * 10 + Fraction(1, 2)) / 10
        assert (figure.value, figure.returned) == (expected, len(mine))
