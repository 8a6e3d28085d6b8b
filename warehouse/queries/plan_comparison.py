"""Compares another plan: judges the figures in force by it, and records nothing."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, select

from cypp_etl.judgement.columns import TITLES
from cypp_etl.judgement.differences import EVERYTHING, PlanDifferences, plan_differences
from cypp_etl.periods import parse_period
from cypp_etl.plan.model import Plan
from warehouse.recording.judgements import judged_by_plan
from warehouse.schema.tables import period_closing, publication


@dataclass(frozen=True, slots=True)
class Turned:
    """A judgement that would change; `now` is empty for an indicator that the other plan does not have."""

    partner_code: str
    indicator: str
    period: str
    column: str
    was: str
    now: str


@dataclass(frozen=True, slots=True)
class OwedChange:
    """An indicator that a partner would owe, or would no longer owe."""

    partner_code: str
    indicator: str
    is_owed: bool


@dataclass(frozen=True, slots=True)
class PlanChanges:
    """What would change if another plan were adopted.

    `settled` are the codes of the closed or published periods, in order, in which a symbol would change: what the
    Board has seen would read otherwise. `differences` are what may be judged differently.
    """

    turned: tuple[Turned, ...]
    owed: tuple[OwedChange, ...]
    settled: tuple[str, ...]
    differences: PlanDifferences


def changes_by(connection: Connection, in_force: Plan | None, other: Plan) -> PlanChanges:
    """What another plan would change of what is in force; nothing is recorded.

    Without the plan in force, everything is judged by the other, and nobody is said to owe anything else.
    """
    differences = plan_differences(in_force, other) if in_force else EVERYTHING
    turned = turned_by(connection, other, differences)
    settled = {*connection.scalars(select(period_closing.c.period)), *connection.scalars(select(publication.c.period))}
    periods = {parse_period(one.period) for one in turned if one.period in settled}
    return PlanChanges(
        tuple(turned),
        tuple(_owed_changes(in_force or other, other)),
        tuple(period.code for period in sorted(periods, key=lambda period: period.order)),
        differences,
    )


def _owed_changes(in_force: Plan, other: Plan) -> Iterator[OwedChange]:
    before, after = (
        [(partner_code, indicator) for partner_code, owed in plan.owed_by.items() for indicator in owed]
        for plan in (in_force, other)
    )
    known, wanted = set(before), set(after)
    yield from (OwedChange(*pair, is_owed=True) for pair in after if pair not in known)
    yield from (OwedChange(*pair, is_owed=False) for pair in before if pair not in wanted)


def turned_by(connection: Connection, other: Plan, differences: PlanDifferences = EVERYTHING) -> list[Turned]:
    """The judgements in force that another plan would change, by indicator, period and partner."""
    found = [
        Turned(*key, column, before[column], now.get(column, ""))
        for key, before, now in judged_by_plan(connection, other, differences)
        for column in TITLES
        if before and before[column] != now.get(column, "")
    ]
    order = list(TITLES)
    return sorted(found, key=lambda one: (one.indicator, one.period, one.partner_code, order.index(one.column)))
