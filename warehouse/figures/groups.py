"""Adds up the figures of groups of partners and judges them, beside what is in force of them; this only reads."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import ColumnElement, Connection, and_, bindparam, not_, select

from cypp_etl.judgement.reach.dependents import Span, dependents
from cypp_etl.judgement.reach.differences import PlanDifferences
from cypp_etl.periods import parse_period
from cypp_etl.plan.model import Plan
from schemas.codes import Accumulation, Measure
from warehouse.figures.affected import asked, within
from warehouse.figures.judged_rows import FIGURE, figures_frame, plain
from warehouse.schema.tables import JUDGED, group_judgement, observation

if TYPE_CHECKING:
    from cypp_etl.judgement.groups import GroupFigure, GroupKey

INDICATORS_AT_ONCE = 50
"""For how many indicators the figures of all partners are in memory at once."""

_Held: TypeAlias = tuple[int, tuple[Any, ...]]
"""The number of a row in force, and what it says."""

GROUP_KEY = ("group_code", "indicator", "period")
GROUP_FIGURE = ("actual", "partners_owing", "partners_returned", "note", "is_break")
GROUP_SAID = (*GROUP_FIGURE, *(name for name in JUDGED if name != "actual"))


def judged_again(
    connection: Connection, plan: Plan, keys: "Collection[GroupKey]"
) -> "Iterator[tuple[dict[GroupKey, _Held], dict[GroupKey, tuple[Any, ...]]]]":
    """What depends on some figures: the rows in force, each with its number, and what they are to say; some at once."""
    for few in _few_at_once(keys):
        spans: dict[tuple[str, str], Span] = {}
        for group_code, indicator, period in few:
            span = dependents(Measure.ACTUAL, parse_period(period))
            spans[group_code, indicator] = spans.get((group_code, indicator), span) | span
        held = _in_force(connection, spans)
        # The rows in force do not say of which numerators and denominators they are made, which a year's ratio needs.
        again = few | {key for key in held if _is_ratio(key, plan)}
        added_up = _added_up(connection, plan, again)
        known = {key: _group_figure(row) for key, (_, row) in held.items() if key not in again} | added_up
        judged = _judged(known, plan)
        reached = {key for key in {*held, *judged} if parse_period(key[2]) in spans[key[:2]]}
        yield (
            {key: held[key] for key in held if key in reached},
            {key: judged[key] for key in judged if key in reached},
        )


def is_gone(plan: Plan) -> ColumnElement[bool]:
    """The rows in force of groups and indicators that a plan does not have."""
    held = group_judgement.c
    is_known = and_(held.group_code.in_(plan.groups), held.indicator.in_(plan.indicators))
    return and_(held.superseded_at.is_(None), not_(is_known))


def groups_reached_by(connection: Connection, plan: Plan, differences: PlanDifferences) -> "set[GroupKey]":
    """What a new plan adds up again of its groups: wherever a partner has a figure in force."""
    if not plan.groups:
        return set()
    columns = observation.c
    query = select(columns.indicator, columns.period).where(
        columns.superseded_at.is_(None), columns.measure == Measure.ACTUAL.value
    )
    reached = differences.group_indicators
    if reached is not None:
        query = query.where(columns.indicator.in_(reached))
    return of_every_group(plan, connection.execute(query.distinct()).all())


def of_every_group(plan: Plan, returned: Iterable[tuple[str, str]]) -> "set[GroupKey]":
    """The keys of all groups, where partners have returned figures of some indicators and periods."""
    return {
        (code, indicator, period)
        for indicator, period in returned
        if indicator in plan.indicators
        for code in plan.groups
    }


def _is_ratio(key: "GroupKey", plan: Plan) -> bool:
    return plan.edition(key[1], parse_period(key[2])).accumulation is Accumulation.RATIO


def _few_at_once(keys: "Collection[GroupKey]") -> "Iterator[set[GroupKey]]":
    indicators = sorted({indicator for _, indicator, _ in keys})
    for start in range(0, len(indicators), INDICATORS_AT_ONCE):
        few = set(indicators[start : start + INDICATORS_AT_ONCE])
        yield {key for key in keys if key[1] in few}


def _in_force(connection: Connection, spans: Mapping[tuple[str, str], Span]) -> "dict[GroupKey, _Held]":
    """The rows in force of series that are judged again, or compared with: by key, their number and what they say."""
    columns = group_judgement.c
    query = select(*(columns[name] for name in (*GROUP_KEY, "group_judgement_id", *GROUP_SAID))).where(
        columns.superseded_at.is_(None),
        columns.group_code.in_(bindparam("partner_codes", expanding=True)),
        columns.indicator.in_(bindparam("indicators", expanding=True)),
        within(group_judgement),
    )
    rows = connection.execute(query, asked(spans, (span.compared_with | span for span in set(spans.values())))).all()
    return {tuple(row[:3]): (row[3], tuple(row[4:])) for row in rows if (row[0], row[1]) in spans}


def _added_up(connection: Connection, plan: Plan, keys: "Collection[GroupKey]") -> "dict[GroupKey, GroupFigure]":
    columns = observation.c
    members = {code for group_code in {key[0] for key in keys} for code in plan.members[group_code]}
    query = select(*(columns[name] for name in FIGURE)).where(
        columns.superseded_at.is_(None),
        columns.measure == Measure.ACTUAL.value,
        columns.partner_code.in_(members),
        columns.indicator.in_({indicator for _, indicator, _ in keys}),
        columns.period.in_({period for _, _, period in keys}),
    )
    rows = connection.execute(query).all()
    if not rows:
        return {}
    # pandas takes half a second to import, which reading the warehouse should not cost.
    from cypp_etl.judgement.groups import group_figures  # noqa: PLC0415

    return group_figures(figures_frame(rows), plan, sorted(keys))


def _group_figure(row: tuple[Any, ...]) -> "GroupFigure":
    from cypp_etl.judgement.groups import GroupFigure  # noqa: PLC0415

    return GroupFigure(*row[: len(GROUP_FIGURE)])


def _judged(known: "Mapping[GroupKey, GroupFigure]", plan: Plan) -> "dict[GroupKey, tuple[Any, ...]]":
    if not known:
        return {}
    from cypp_etl.judgement.groups import judge_groups  # noqa: PLC0415

    judged = judge_groups(known, plan)
    words = zip(*(plain(judged[name]) for name in ("note", *JUDGED) if name != "actual"), strict=True)
    return {
        key: (each.value, each.owing, each.returned, note, each.is_break, *said)
        for (key, each), (note, *said) in zip(known.items(), words, strict=True)
    }
