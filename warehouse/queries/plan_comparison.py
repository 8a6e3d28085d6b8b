"""Compares another plan: judges the figures in force by it, and records nothing."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, select

from cypp_etl.judgement.columns import TITLES
from cypp_etl.judgement.reach.differences import EVERYTHING, PlanDifferences, plan_differences
from cypp_etl.periods import parse_period
from cypp_etl.plan.differences import edition_differences, partner_differences
from cypp_etl.plan.model import Plan
from cypp_etl.plan.reader import plans_apart
from cypp_etl.plan.spans import Span
from warehouse.recording.judged.judgements import judged_by_plan
from warehouse.schema.tables import period_closing, publication
from warehouse.stored_plans import Missing, missing_from


@dataclass(frozen=True, slots=True)
class JudgementChange:
    """A judgement that would change; `now` is empty for an indicator that the other plan does not have."""

    partner_code: str
    indicator: str
    period: str
    column: str
    was: str
    now: str


@dataclass(frozen=True, slots=True)
class OwedChange:
    """An indicator that a partner would owe, or would no longer owe; `when` says from or until when, if not always."""

    partner_code: str
    indicator: str
    is_owed: bool
    when: str = ""


@dataclass(frozen=True, slots=True)
class PlanChanges:
    """What would change if another plan were adopted.

    `settled` are the codes of the closed or published periods, in order, in which a symbol would change: what the
    Board has seen would differ. `missing` has been returned and has no row in the plan, which cannot be
    adopted. `layouts` are the names of the layouts that would be added, changed or removed, each with which of them.
    `editions` says in words what the plan says differently of indicators and partners. `differences` are what may be
    judged differently.
    """

    judgements: tuple[JudgementChange, ...]
    owed: tuple[OwedChange, ...]
    settled: tuple[str, ...]
    missing: tuple[Missing, ...]
    layouts: tuple[tuple[str, str], ...]
    editions: tuple[str, ...]
    differences: PlanDifferences


def changes_by(connection: Connection, in_force: Plan | None, other: Plan) -> PlanChanges:
    """What another plan would change of what is in force; nothing is recorded.

    Without the plan in force, everything is judged by the other, and no other difference is named.
    """
    differences = plan_differences(*plans_apart(in_force, other)) if in_force else EVERYTHING
    before = in_force or other
    changed = judgement_changes(connection, other, differences)
    settled = {*connection.scalars(select(period_closing.c.period)), *connection.scalars(select(publication.c.period))}
    periods = {parse_period(one.period) for one in changed if one.period in settled}
    return PlanChanges(
        tuple(changed),
        tuple(_owed_changes(before, other)),
        tuple(period.code for period in sorted(periods, key=lambda period: period.order)),
        tuple(missing_from(connection, other)),
        tuple(_layout_changes(before, other)),
        (*edition_differences(before, other), *partner_differences(before, other)),
        differences,
    )


def _layout_changes(in_force: Plan, other: Plan) -> Iterator[tuple[str, str]]:
    before, after = in_force.layouts, other.layouts
    for name in dict.fromkeys([*before, *after]):
        if name not in before or name not in after:
            yield name, "added" if name in after else "removed"
        # Columns are the same only as objects, since they are keys of caches: what they say is compared.
        elif repr(before[name]) != repr(after[name]):
            yield name, "changed"


def _owed_changes(in_force: Plan, other: Plan) -> Iterator[OwedChange]:
    if in_force.obligations == other.obligations:
        return
    before, after = _owed_spans(in_force), _owed_spans(other)
    for pair, spans in after.items():
        if pair not in before:
            yield OwedChange(*pair, True, " and ".join(str(span) for span in spans if not span.is_open))
    for pair, spans in before.items():
        if pair not in after:
            yield OwedChange(*pair, False)
        elif spans != after[pair]:
            yield OwedChange(*pair, True, " and ".join(map(str, after[pair])))


def _owed_spans(plan: Plan) -> dict[tuple[str, str], list[Span]]:
    """When each partner owes each indicator."""
    spans: dict[tuple[str, str], list[Span]] = {}
    for each in plan.obligations:
        spans.setdefault((each.partner_code, each.indicator), []).append(each.span)
    return spans


def judgement_changes(
    connection: Connection, other: Plan, differences: PlanDifferences = EVERYTHING
) -> list[JudgementChange]:
    """The judgements in force that another plan would change, by indicator, period and partner."""
    found = [
        JudgementChange(*key, column, before[column], now.get(column, ""))
        for key, before, now in judged_by_plan(connection, other, differences)
        for column in TITLES
        if before and before[column] != now.get(column, "")
    ]
    order = list(TITLES)
    return sorted(found, key=lambda one: (one.indicator, one.period, one.partner_code, order.index(one.column)))
