"""A plan that is adopted is judged by what differs: the result is that of judging everything again."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from random import Random

from sqlalchemy import Connection, Engine, select

from cypp_etl.judgement.columns import TITLES
from cypp_etl.judgement.reach.differences import EVERYTHING, plan_differences
from cypp_etl.periods import Period
from cypp_etl.plan.model import BUILT_IN_COMPARATORS, Comparator, Figure, Group, Plan
from schemas.codes import ComparatorMethod, Measure, Polarity
from tests.warehouse.builders import checked, later, observation
from tests.warehouse.recording.judged.test_comparisons import in_force as judged_in_force
from tests.warehouse.recording.judged.test_groups import in_force
from warehouse.engine import writing
from warehouse.queries.plan_comparison import judgement_changes
from warehouse.recording.judged.groups import rejudge_groups_by_plan
from warehouse.recording.judged.judgements import rejudge_by_plan
from warehouse.recording.plan import record_plan
from warehouse.recording.record import Arrival, record_batch
from warehouse.schema.tables import comparison, group_judgement, judgement

PARTNERS = ("police", "yos", "nhs")
INDICATORS = ("NI 111a", "NI 112", "NI 45")
YEAR = Period(2010)


def changed_plans(plan: Plan) -> Iterator[Plan]:
    """Plans that follow one another, each with one change."""
    groups = {"south": Group("south", "The South", "")}
    partners = {code: replace(each, group_code="south") for code, each in plan.partners.items() if code in PARTNERS}
    mean = Comparator("mean", "Mean", ComparatorMethod.MEAN, "neighbours")
    own = {(Measure.TARGET, "NI 111a", YEAR): Figure(Decimal(7), None, "own")}
    changes = (
        {"partner_figures": {"yos": own}},
        {"groups": groups, "partners": {**plan.partners, **partners}},
        {"owed_by": dict.fromkeys(PARTNERS, INDICATORS)},
        {"comparators": {**BUILT_IN_COMPARATORS, "mean": mean}, "neighbours": {"yos": ("nhs",)}},
        {"neighbours": {"yos": ("nhs", "police"), "police": ("yos",)}},
        {"indicators": {**plan.indicators, "NI 45": replace(plan.indicators["NI 45"], polarity=Polarity.LOW)}},
        {"figures": {key: each for key, each in plan.figures.items() if key[0] != Measure.TARGET}},
        {"partner_figures": {}},
        {"comparators": BUILT_IN_COMPARATORS},
        {"groups": {}, "partners": plan.partners},
    )
    for number, change in enumerate(changes):
        plan = replace(plan, fingerprint=f"plan {number}", **change)
        yield plan


def symbols_in_force(connection: Connection) -> dict[tuple[str, ...], str]:
    """Every word in force that has a symbol, by whose it is, and its column or comparator."""
    found: dict[tuple[str, ...], str] = {}
    for table, whose in ((judgement, "partner_code"), (group_judgement, "group_code")):
        for row in connection.execute(select(table).where(table.c.superseded_at.is_(None))).mappings():
            key = (whose, row[whose], row["indicator"], row["period"])
            found |= {(*key, column): row[column] for column in TITLES}
    for row in connection.execute(select(comparison).where(comparison.c.superseded_at.is_(None))).mappings():
        if row["comparator"] not in BUILT_IN_COMPARATORS:
            key = ("partner_code", row["partner_code"], row["indicator"], row["period"])
            found[*key, row["comparator"]] = row["band"]
    return found


def test_judging_what_differs_is_judging_everything(engine: Engine, plan: Plan) -> None:
    chance = Random(2)
    periods = [period for year in (2009, 2010) for period in (Period(year), *Period(year).quarters)]
    with writing(engine) as connection:
        for day, partner in enumerate(PARTNERS):
            rows = [
                observation(
                    name, str(chance.randint(1, 60)), one.code, partner_code=partner, numerator=1, denominator=2
                )
                for name in INDICATORS
                for one in periods
            ]
            one = checked(partner, *rows, partner_code=partner, period=YEAR)
            record_batch(connection, [Arrival(one, later(day))], plan, later(day))
        before, turned = plan, set[str]()
        for day, after in enumerate(changed_plans(plan), start=10):
            expected = judgement_changes(connection, after)
            differences = plan_differences(before, after)
            assert judgement_changes(connection, after, differences) == expected
            turned |= {"band" if one.comparator else "group" if one.group_code else "partner" for one in expected}
            held = symbols_in_force(connection)
            plan_id = record_plan(connection, after, later(day), differences=differences).plan_id
            now = symbols_in_force(connection)
            assert {
                (
                    *(("group_code", one.group_code) if one.group_code else ("partner_code", one.partner_code)),
                    *(one.indicator, one.period, one.comparator or one.column),
                ): (one.was, one.now)
                for one in expected
            } == {key: (was, now.get(key, "")) for key, was in held.items() if now.get(key) != was}
            groups, compared = in_force(connection), judged_in_force(connection)
            assert not rejudge_by_plan(connection, after, plan_id, EVERYTHING, later(day)).total()
            rejudge_groups_by_plan(connection, after, plan_id, EVERYTHING, later(day))
            assert (in_force(connection), judged_in_force(connection)) == (groups, compared)
            before = after
    assert turned == {"band", "group", "partner"}
