"""A plan of many bodies, read from its files and judged at once, agrees with a plain calculation for each figure."""

from fractions import Fraction
from random import Random

import pandas as pd
import pytest

from cypp_etl.judgement.groups import group_figures
from cypp_etl.judgement.judge import judge_and_compare
from cypp_etl.periods import Period
from cypp_etl.plan.reader import plan_of
from schemas.codes import Measure
from tests.support.many_bodies import many_bodies

YEAR, BEFORE = Period(2010), Period(2009)


def rounded(number, decimals):
    scaled = Fraction(number) * 10**decimals
    whole = int(abs(scaled) + Fraction(1, 2))
    return Fraction(-whole if scaled < 0 else whole, 10**decimals)


def returned(plan, chance):
    """What each partner returned of each measure in two years: value, numerator and denominator; some is missing."""
    return {
        (partner, name, period): (
            Fraction(chance.randint(0, 9_900), 100),
            chance.randint(0, 900),
            chance.randint(1, 900),
        )
        for partner in plan.partners
        for name in plan.indicators
        for period in (BEFORE, YEAR)
        if chance.random() < 0.95
    }


def frame(known):
    columns = ["partner_code", "indicator", "period", "value", "numerator", "denominator"]
    rows = [(*key[:2], key[2].code, float(row[0]), float(row[1]), float(row[2])) for key, row in known.items()]
    return pd.DataFrame(rows, columns=columns).assign(measure="actual", marker=None, is_break=False)


def planned(plan, measure, name, period, partner):
    figure = plan.partner_figures[partner].get((measure, name, period)) or plan.figures.get((measure, name, period))
    return None if figure is None else Fraction(figure.value)


def plainly(plan, known, partner, leaf, period):
    """Direction, on target, band against target, and the band against each comparator that the plan of a test has."""
    name, decimals, sign = leaf.indicator, leaf.decimals, 1 if leaf.polarity == "HIGH" else -1

    def at(when, whose=partner):
        row = known.get((whose, name, when))
        return None if row is None else rounded(row[0], decimals)

    def band(theirs, margin, least_is_enough):
        # Counts are of bodies of another size.
        if least_is_enough and leaf.unit == "number":
            return "not applicable"
        if theirs is None:
            return "not applicable" if least_is_enough else "no data"
        gain = sign * (now - theirs)
        is_better = gain >= margin if least_is_enough else gain > margin
        return "worse" if gain < 0 else "better" if is_better else "within"

    now = at(period)
    before = at(period.years_later(-1))
    if before is None:
        before = planned(plan, Measure.HISTORY, name, period.years_later(-1), partner)
    change = None if before is None else sign * (now - before)
    direction = (
        "no data" if change is None else ["declining", "no change", "improving"][(change > 0) - (change < 0) + 1]
    )
    target = planned(plan, Measure.TARGET, name, period, partner)
    share = None if target is None else max(abs(target) / 10, Fraction(1, 10**decimals))
    given = next(
        (value for year in range(period.start_year, 2007, -1)
         if (value := planned(plan, Measure.STATISTICAL_NEIGHBOURS, name, Period(year), partner)) is not None),
        None,
    )  # fmt: skip

    def mean(bodies):
        values = [value for body in bodies if (value := at(period, body)) is not None]
        return rounded(Fraction(sum(values), len(values)), decimals) if values else None

    def ratio(bodies):
        rows = [known[body, name, period] for body in bodies if (body, name, period) in known]
        if not rows or not leaf.multiplier:
            return None
        return rounded(Fraction(sum(row[1] for row in rows) * leaf.multiplier, sum(row[2] for row in rows)), decimals)

    group = plan.partners[partner].group_code
    region = [code for code, each in plan.partners.items() if each.group_code == group]
    return {
        "direction": direction,
        "on_target": "no data" if target is None else "yes" if sign * (now - target) >= 0 else "no",
        "target_band": band(target, share, least_is_enough=False),
        "statistical_neighbours": band(given, 5, least_is_enough=True),
        "national": band(mean(plan.partners), 5, least_is_enough=True),
        "neighbours_mean": band(mean(plan.neighbours[partner]), 5, least_is_enough=True),
        "region": band(ratio(region), 5, least_is_enough=True),
    }


def check(partners, measures, share):
    """Judge a plan of a size, and calculate a share of its figures plainly."""
    plan, chance = plan_of(many_bodies(partners, measures, 17)), Random(17)
    known = returned(plan, chance)
    figures = frame(known)
    judged, compared = judge_and_compare(figures, plan)
    bands = compared.pivot(columns="comparator", values="band")
    words = pd.concat([judged.drop(columns="national"), bands], axis=1)
    looked_at = 0
    for key, row in zip(known, words.to_dict("records"), strict=True):
        if chance.random() < share:
            expected = plainly(plan, known, key[0], plan.indicators[key[1]], key[2])
            found = {name: row[name] for name in expected if name != "statistical_neighbours"}
            found["statistical_neighbours"] = row["statistical_neighbours_band"]
            assert found == expected, key
            looked_at += 1
    keys = [(group, name, YEAR.code) for group in plan.groups for name in plan.indicators]
    for (group, name, _), figure in group_figures(figures, plan, keys).items():
        found_rows = (known.get((code, name, YEAR)) for code in plan.members[group])
        rows, leaf = [row for row in found_rows if row is not None], plan.indicators[name]
        if leaf.unit == "number":
            expected = sum(rounded(row[0], leaf.decimals) for row in rows)
        else:
            exact = Fraction(sum(row[1] for row in rows) * leaf.multiplier, sum(row[2] for row in rows))
            expected = rounded(exact, leaf.decimals)
        assert (Fraction(repr(figure.value)), figure.returned) == (expected, len(rows))
    return looked_at


def test_a_plan_of_many_bodies_agrees_with_a_plain_calculation():
    assert check(partners=14, measures=9, share=1) > 200


@pytest.mark.slow
def test_a_plan_of_150_partners_and_400_measures_agrees_with_a_plain_calculation():
    assert check(partners=150, measures=400, share=0.05) > 5_000
