"""Compares another plan: judges the figures in force by it, and records nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from cypp_etl.judgement.columns import TITLES
from cypp_etl.judgement.reach.differences import EVERYTHING, PlanDifferences, plan_differences
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.differences import edition_differences, partner_differences
from cypp_etl.plan.model import BUILT_IN_COMPARATORS, Plan
from cypp_etl.plan.reader import plans_apart
from cypp_etl.plan.spans import Span
from warehouse.figures.other_plans import groups_judged_by_plan, judged_by_plan
from warehouse.schema.tables import period_closing, publication
from warehouse.stored_plans import Missing, missing_from


@dataclass(frozen=True, slots=True)
class JudgementChange:
    """A judgement that would change; `now` is empty for what the other plan does not have.

    It is one of a partner, or of the group that `group_code` names. `column` is of `bi_performance`, or it is the
    `band` of `bi_comparisons` against the comparator that `comparator` names.
    """

    partner_code: str
    indicator: str
    period: str
    column: str
    was: str
    now: str
    group_code: str = ""
    comparator: str = ""


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
    judged differently. `headings` are those of the comparators of either plan, by code.
    """

    judgements: tuple[JudgementChange, ...]
    owed: tuple[OwedChange, ...]
    settled: tuple[str, ...]
    missing: tuple[Missing, ...]
    layouts: tuple[tuple[str, str], ...]
    editions: tuple[str, ...]
    differences: PlanDifferences
    headings: Mapping[str, str]

    def judgements_of(self, period: Period | None) -> list[JudgementChange]:
        """The judgements of one period that would change, all if None."""
        return [one for one in self.judgements if period is None or one.period == period.code]


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
        {code: each.heading for plan in (before, other) for code, each in plan.comparators.items()},
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
    """The judgements in force that another plan would change, by indicator, period, and partner or group.

    They are all that has a symbol: judgements of partners, bands against comparators that have no column of their own,
    and judgements of groups.
    """
    found = [*_changes_of_partners(connection, other, differences), *_changes_of_groups(connection, other, differences)]
    order = [*TITLES, _BAND]
    return sorted(
        found,
        key=lambda one: (
            *(one.indicator, one.period, one.group_code, one.partner_code),
            *(order.index(one.column), one.comparator),
        ),
    )


_BAND = "band"


def _changes_of_partners(
    connection: Connection, other: Plan, differences: PlanDifferences
) -> Iterator[JudgementChange]:
    for judged in judged_by_plan(connection, other, differences):
        for key, (before, now) in judged.judgements.items():
            for column, was, became in _turned(before, now):
                yield JudgementChange(*key, column, was, became)
        for (partner_code, indicator, period, comparator), (was, became) in judged.bands.items():
            # The two that every plan has are judgements too, and have been counted.
            if was and was != became and comparator not in BUILT_IN_COMPARATORS:
                yield JudgementChange(partner_code, indicator, period, _BAND, was, became, comparator=comparator)


def _changes_of_groups(connection: Connection, other: Plan, differences: PlanDifferences) -> Iterator[JudgementChange]:
    for (group_code, indicator, period), before, now in groups_judged_by_plan(connection, other, differences):
        for column, was, became in _turned(before, now):
            yield JudgementChange("", indicator, period, column, was, became, group_code=group_code)


def _turned(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """The columns whose symbol turns, with the words before and now; a first judgement turns nothing."""
    for column in TITLES if before else ():
        if before[column] != now.get(column, ""):
            yield column, before[column], now.get(column, "")
