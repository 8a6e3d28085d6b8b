"""Comparators that are computed agree with plain sums of fractions, body by body."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from random import Random
from statistics import median

import pandas as pd
import pytest

from cypp_etl.judgement.explanation import RatioStep, explain_judgements
from cypp_etl.judgement.judge import judge, judge_and_compare
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.model import Comparator, Group, Partner
from schemas.codes import ComparatorMethod, Unit

PARTNERS = ["a", "b", "c", "d", "e", "f"]
GROUPS = {"north": "", "coast": "north", "south": ""}
GROUP_OF = dict(zip(PARTNERS, ["north", "coast", "coast", "south", "south", ""], strict=True))
NEIGHBOURS = {"a": ("b", "c"), "b": ("a", "d", "f"), "c": ("c", "d"), "d": ("e",), "e": ()}
MEMBERS = {"north": "abc", "coast": "bc", "south": "de", "": ""}
METHODS = [method for method in ComparatorMethod if method is not ComparatorMethod.GIVEN]


def bodies(comparator, partner):
    if comparator.bodies == "neighbours":
        return NEIGHBOURS.get(partner, ())
    if comparator.bodies == "*":
        return PARTNERS
    return list(MEMBERS[GROUP_OF[partner] if comparator.bodies == "own group" else comparator.bodies])


def rounded(number, decimals):
    scaled = Fraction(number) * 10**decimals
    whole = int(abs(scaled) + Fraction(1, 2))
    return Fraction(-whole if scaled < 0 else whole, 10**decimals)


def plainly(comparator, leaf, partner, period, known):
    """The comparator's figure and how many bodies count, from `known` values, numerators and denominators by key."""
    adds = leaf.accumulation in ("sum", "ratio") and period.quarter
    quarters = period.quarters[: period.quarter] if adds else (period,)
    found = []
    for body in bodies(comparator, partner):
        rows = [known.get((body, leaf.indicator, quarter)) for quarter in quarters]
        is_ratio = leaf.accumulation == "ratio" and period.quarter
        places = (1, 2) if comparator.method is ComparatorMethod.RATIO or is_ratio else (0,)
        if any(row is None or any(row[place] is None for place in places) for row in rows):
            continue
        exact = [[Fraction(row[place]) for row in rows] for place in places]
        if is_ratio and comparator.method is not ComparatorMethod.RATIO:
            above, below = map(sum, exact)
            if below:
                found.append(rounded(above * leaf.multiplier / below, leaf.decimals))
        elif len(places) == 1:
            found.append(sum(rounded(value, leaf.decimals) for value in exact[0]))
        else:
            found.append((sum(exact[0]), sum(exact[1])))
    if not found:
        return None, 0
    if comparator.method is ComparatorMethod.RATIO:
        below = sum(part[1] for part in found)
        if below <= 0 or not leaf.multiplier:
            return None, 0
        value = sum(part[0] for part in found) * leaf.multiplier / below
    elif comparator.method is ComparatorMethod.SUM:
        value = sum(found)
    else:
        value = median(found) if comparator.method is ComparatorMethod.MEDIAN else Fraction(sum(found), len(found))
    return rounded(value, leaf.decimals), len(found)


@pytest.fixture(scope="module")
def leaves(make_leaf):
    percent = {"unit": Unit.PERCENT, "multiplier": 100}
    return [
        make_leaf("NI 1", decimals=1, **percent),
        make_leaf("NI 2", "LOW", decimals=0, accumulation="sum"),
        make_leaf("NI 3", decimals=2, accumulation="sum", **percent),
        make_leaf("NI 4", "LOW", decimals=1, accumulation="cumulative"),
        make_leaf("NI 5", decimals=1, accumulation="ratio", **percent),
    ]


@pytest.fixture(scope="module")
def plan(leaves, make_plan):
    """A comparator for each way of computing it and each choice of bodies; one of them goes by a built-in name."""
    comparators = {
        f"{method}_{number}": Comparator(f"{method}_{number}", f"{method} of {of}", method, of)
        for method in METHODS
        for number, of in enumerate(["neighbours", "own group", "north", "*"])
    }
    comparators["national"] = Comparator("national", "England", ComparatorMethod.MEDIAN, "*")
    return replace(
        make_plan(leaves),
        partners={code: Partner(code, code, GROUP_OF[code]) for code in PARTNERS},
        groups={code: Group(code, code, parent) for code, parent in GROUPS.items()},
        neighbours=NEIGHBOURS,
        comparators=comparators,
    )


def frame(known):
    rows = [
        {
            "partner_code": partner, "indicator": indicator, "measure": "actual", "period": period.code,
            "value": float("nan") if row[0] is None else float(row[0]),
            "marker": None if row[0] is not None else "not returned", "is_break": False,
            "numerator": float("nan") if row[1] is None else float(row[1]),
            "denominator": float("nan") if row[2] is None else float(row[2]),
        }
        for (partner, indicator, period), row in known.items()
    ]  # fmt: skip
    return pd.DataFrame(rows).astype({"value": "float64", "marker": "object"})


def some_figures(leaves, chance):
    """Values, numerators and denominators, some of which are missing."""

    def some(most, places):
        return None if chance.random() < 0.1 else Decimal(chance.randint(0, most)).scaleb(-places)

    return {
        (partner, leaf.indicator, period): (some(999, 2), some(9_999, 1), some(20_000, 1))
        for partner in PARTNERS
        for leaf in leaves
        for period in (Period(2010), *Period(2010).quarters)
        if chance.random() < 0.85
    }


@pytest.mark.parametrize("seed", range(4))
def test_every_computed_comparator_is_what_fractions_say(leaves, plan, seed):
    known = some_figures(leaves, Random(seed))
    judged, compared = judge_and_compare(frame(known), plan)
    leaf_of = {leaf.indicator: leaf for leaf in leaves}
    assert len(compared) == len(judged) * len(plan.comparators)
    for row in compared.itertuples():
        comparator = plan.comparators[row.comparator]
        expected, counted = plainly(
            comparator, leaf_of[row.indicator], row.partner_code, parse_period(row.period), known
        )
        found = None if pd.isna(row.value) else Fraction(repr(row.value))
        assert (found, row.bodies) == (expected, counted), row
    national = compared[compared.comparator == "national"]
    assert judged.national_band.tolist() == national.band.loc[judged.index].tolist()


def test_the_band_against_a_computed_comparator_is_that_of_its_rounded_figure(leaves, plan, make_frame):
    """The mean of 60.2 and 60.3 is 60.3, and 5 more than it is better."""
    values = {"a": "65.3", "b": "60.2", "c": "60.3"}
    rows = [(partner, "NI 1", "actual", "2010-11", value, False) for partner, value in values.items()]
    _, compared = judge_and_compare(make_frame(rows), plan)
    mean = compared[(compared.comparator == "mean_0") & (compared.partner_code == "a")].iloc[0]
    assert (mean.value, mean.band, mean.bodies) == (60.3, "better", 2)


def test_a_partner_is_its_own_neighbour_only_if_the_plan_says_so(plan, make_frame):
    rows = [(partner, "NI 1", "actual", "2010-11", "10", False) for partner in ("a", "c")]
    _, compared = judge_and_compare(make_frame(rows), plan)
    counted = compared[compared.comparator == "mean_0"].set_index("partner_code").bodies
    assert counted.to_dict() == {"a": 1, "c": 1}


def test_figures_that_are_given_do_not_count_for_a_comparator_that_is_computed(plan, make_frame):
    rows = [("a", "NI 1", "actual", "2010-11", "10", False), ("a", "NI 1", "national", "2010-11", "99", False)]
    assert judge(make_frame(rows), plan).national.tolist() == [10]


def test_a_comparator_that_the_plan_does_not_have_compares_with_nothing(plan, make_frame):
    rows = [("a", "NI 1", "actual", "2010-11", "10", False)]
    judged = judge(make_frame(rows), plan)
    assert judged.statistical_neighbours.isna().all()
    assert judged.statistical_neighbours_band.tolist() == ["not applicable"]


def test_sums_beyond_64_bits_are_no_figures_rather_than_wrong_ones(make_leaf, plan, make_plan, make_frame):
    leaf = make_leaf("NI 9", decimals=6)
    large = replace(plan, indicators={"NI 9": leaf})
    rows = [(partner, "NI 9", "actual", "2010-11", "999999999999", False) for partner in PARTNERS]
    _, compared = judge_and_compare(make_frame(rows), large)
    said = compared[compared.partner_code == "a"].set_index("comparator").value
    assert said["mean_3"] == pytest.approx(999999999999, abs=0.001)
    assert pd.isna(said["sum_3"])


def test_an_explanation_says_which_bodies_were_counted(leaves, plan):
    known = some_figures(leaves, Random(1))
    period = Period(2010, 3)
    of_one = {key: row for key, row in known.items() if key[1] == "NI 3"}
    explained = explain_judgements(frame(of_one), plan, period)
    assert set(explained) == {partner for partner, _, of in of_one if of == period}
    for partner, explanation in explained.items():
        for code, step in explanation.comparators.items():
            expected, counted = plainly(plan.comparators[code], leaves[2], partner, period, known)
            assert step.value == expected
            assert expected is None or len(step.counted) == counted


def test_an_explanation_shows_the_parts_of_a_ratio_so_far(leaves, plan):
    quarters = Period(2010).quarters
    parts = [(Decimal(12), Decimal(40)), (None, None), (Decimal(9), Decimal(20))]
    known = {
        ("a", "NI 5", quarter): (part[0] and part[0] * 100 / part[1], *part)
        for quarter, part in zip(quarters, parts, strict=False)
    }
    figures = frame(known)
    figures.loc[1, "marker"] = "not applicable"
    explained = explain_judgements(figures, plan, quarters[2])["a"]
    assert explained.total == RatioStep(
        ((quarters[0], parts[0]), (quarters[2], parts[2])), not_applicable=(quarters[1],), multiplier=100
    )
    assert explained.judged["year_to_date"] == 35
    figures.loc[1, "marker"] = "not returned"
    explained = explain_judgements(figures, plan, quarters[2])["a"]
    assert explained.total.terms[1] == (quarters[1], None)
    assert explained.judged["year_to_date"] is None


def test_what_is_computed_from_counts_of_others_has_no_band(make_leaf, make_plan):
    leaf = make_leaf("count", accumulation="sum", stated_to_compare=None)
    plan = replace(
        make_plan([leaf]),
        partners={code: Partner(code, code, "north") for code in ("a", "b")},
        groups={"north": Group("north", "North", "")},
        comparators={code: Comparator(code, code, ComparatorMethod(code), "*") for code in ("mean", "median", "sum")},
    )
    rows = [(code, "count", "actual", "2010-11Q1", value, None, False) for code, value in (("a", 900.0), ("b", 1.0))]
    columns = ["partner_code", "indicator", "measure", "period", "value", "marker", "is_break"]
    _, compared = judge_and_compare(pd.DataFrame(rows, columns=columns), plan)
    assert set(compared.band) == {"not applicable"}
    assert compared.value.tolist() == [450.5, 450.5, 450.5, 450.5, 901, 901]
    _, compared = judge_and_compare(
        pd.DataFrame(rows, columns=columns),
        replace(plan, indicators={"count": replace(leaf, stated_to_compare=True)}),
    )
    assert compared.band.tolist() == ["better", "worse"] * 2 + ["worse", "worse"]
