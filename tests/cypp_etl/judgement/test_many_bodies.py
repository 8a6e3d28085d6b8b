"""A plan may have figures of one partner alone: they come before those that hold for every partner."""

from dataclasses import replace
from decimal import Decimal
from random import Random

import pandas as pd
import pytest

from cypp_etl.judgement.judge import judge
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.model import Figure
from schemas.codes import Accumulation, Marker, Measure

NOW, BEFORE = "2010-11Q1", "2009-10Q1"


def figure(value):
    return Figure(Decimal(value), None, "made up")


@pytest.fixture(scope="module")
def judge_two(make_leaf, make_plan, make_frame):
    """Judge NI 1 of yos and of nhs, who both returned 50, where the plan has figures for yos alone."""

    def judged(general, own, returned=(), **leaf):
        plan = make_plan([make_leaf("NI 1", **leaf)], {(measure, "NI 1", code): v for measure, code, v in general})
        plan = replace(
            plan,
            partner_figures={"yos": {(measure, "NI 1", parse_period(code)): figure(v) for measure, code, v in own}},
        )
        rows = [(partner, "NI 1", "actual", NOW, "50", False) for partner in ("yos", "nhs")]
        rows += [("yos", "NI 1", measure.value, code, value, False) for measure, code, value in returned]
        return judge(make_frame(rows), plan).set_index("partner_code")

    return judged


def test_a_partners_own_target_comes_first(judge_two):
    judged = judge_two([(Measure.TARGET, "2010-11", "60")], [(Measure.TARGET, "2010-11", "40")])
    assert judged.target.to_dict() == {"yos": 40, "nhs": 60}
    assert judged.on_target.to_dict() == {"yos": "yes", "nhs": "no"}


def test_a_partners_own_history_and_comparators_come_first(judge_two):
    general = [(Measure.HISTORY, BEFORE, "49"), (Measure.NATIONAL, "2009-10", "48")]
    judged = judge_two(general, [(Measure.HISTORY, BEFORE, "51"), (Measure.NATIONAL, "2009-10", "51")])
    assert judged.previous_actual.to_dict() == {"yos": 51, "nhs": 49}
    assert judged.direction.to_dict() == {"yos": "declining", "nhs": "improving"}
    assert judged.national_band.to_dict() == {"yos": "worse", "nhs": "within"}


def test_of_an_older_year_a_partners_own_comparator_does_not_count(judge_two):
    judged = judge_two([(Measure.NATIONAL, "2009-10", "48")], [(Measure.NATIONAL, "2008-09", "51")])
    assert judged.national.to_dict() == {"yos": 48, "nhs": 48}


def test_a_returned_target_comes_before_the_plans_own_of_the_partner(judge_two):
    judged = judge_two(
        [(Measure.TARGET, "2010-11", "60")],
        [(Measure.TARGET, "2010-11", "40")],
        returned=[(Measure.TARGET, "2010-11", "55")],
    )
    assert judged.target.to_dict() == {"yos": 55, "nhs": 60}


def test_a_returned_target_without_a_value_comes_first_too(judge_two):
    judged = judge_two(
        [], [(Measure.TARGET, "2010-11", "40")], returned=[(Measure.TARGET, "2010-11", Marker.NOT_APPLICABLE)]
    )
    assert judged.on_target["yos"] == "not applicable"


@pytest.mark.parametrize(
    ("own", "target"),
    [
        ([("2010-11", "80")], 20),
        ([("2010-11", "80"), (NOW, "35")], 35),
        ([("2011-12", "80")], 30),
        ([], 30),
    ],
)
def test_every_partners_profile_is_not_that_of_a_partners_own_target(judge_two, own, target):
    general = [(Measure.TARGET, NOW, "30"), (Measure.TARGET, "2010-11", "100")]
    judged = judge_two(general, [(Measure.TARGET, *one) for one in own], accumulation="sum")
    assert judged.target.to_dict() == {"yos": target, "nhs": 30}


def test_a_quarters_comparator_of_a_return_hides_no_figure_of_the_plan(judge_two):
    returned = [(Measure.STATISTICAL_NEIGHBOURS, NOW, "1")]
    judged = judge_two([], [(Measure.NATIONAL, "2010-11", "51")], returned)
    assert judged.national["yos"] == 51


def test_figures_of_partners_are_judged_as_each_partners_alone(make_leaf, make_plan, make_frame):
    """Each partner judged alone, by a plan whose figures for every partner are that partner's own."""
    chance = Random(17)
    leaves = [
        make_leaf(f"NI {number}", polarity, accumulation=accumulation)
        for number, (polarity, accumulation) in enumerate(
            [("HIGH", "latest"), ("LOW", "sum"), ("HIGH", "cumulative"), ("LOW", "ratio")]
        )
    ]
    years = [Period(2009), Period(2010)]
    periods = [period for year in years for period in (year, *year.quarters)]
    partners = ["a", "b", "c", "d"]

    def some(share):
        return {
            (measure, leaf.indicator, period): figure(str(chance.randint(0, 400) / 10))
            for measure in (Measure.TARGET, Measure.HISTORY, Measure.STATISTICAL_NEIGHBOURS, Measure.NATIONAL)
            for leaf in leaves
            for period in (periods if measure in (Measure.TARGET, Measure.HISTORY) else years)
            if chance.random() < share
        }

    general, own = some(0.6), {partner: some(0.4) for partner in partners}
    rows = [
        (partner, leaf.indicator, "actual", period.code, str(chance.randint(0, 400) / 10), False)
        for partner in partners
        for leaf in leaves
        for period in periods
        if chance.random() < 0.8
    ]
    plan = replace(make_plan(leaves), figures=general, partner_figures=own)
    together = judge(make_frame(rows), plan)
    for partner in partners:
        of_years = {key[1:] for key in own[partner] if key[0] is Measure.TARGET and not key[2].quarter}
        kept = {
            key: each
            for key, each in general.items()
            if key[0] is not Measure.TARGET or not key[2].quarter or (key[1], key[2].year) not in of_years
        }
        alone = replace(plan, figures=kept | own[partner], partner_figures={})
        expected = judge(make_frame(row for row in rows if row[0] == partner), alone)
        found = together[together.partner_code == partner]
        pd.testing.assert_frame_equal(found.reset_index(drop=True), expected.reset_index(drop=True))
    assert {leaf.accumulation for leaf in leaves} == set(Accumulation)
