"""Records the figures of groups of partners, and the judgements on them: they follow what the partners return."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import ColumnElement, Connection, and_, bindparam, not_, select

from cypp_etl.figure_keys import FigureKey
from cypp_etl.judgement.reach.dependents import Span, dependents
from cypp_etl.judgement.reach.differences import PlanDifferences
from cypp_etl.periods import parse_period
from cypp_etl.plan.model import Plan
from schemas.codes import Accumulation, Measure
from warehouse.recording.bulk_insert import insert_rows
from warehouse.recording.judged.affected import asked, within
from warehouse.recording.judged.judgements import FIGURE, figures_frame, plain
from warehouse.recording.validity import end_rows
from warehouse.schema.tables import JUDGED, group_judgement, observation

if TYPE_CHECKING:
    from cypp_etl.judgement.groups import GroupFigure, GroupKey

INDICATORS_AT_ONCE = 50
"""For how many indicators the figures of all partners are in memory at once."""

_Held: TypeAlias = tuple[int, tuple[Any, ...]]
"""The number of a row in force, and what it says."""

_KEY = ("group_code", "indicator", "period")
_FIGURE = ("actual", "partners_owing", "partners_returned", "note", "is_break")
_SAID = (*_FIGURE, *(name for name in JUDGED if name != "actual"))


def rejudge_groups(
    connection: Connection, plan: Plan, plan_id: int, touched: Iterable[FigureKey], at: datetime
) -> None:
    """Add up and judge again what depends on changed figures of partners, in a transaction of `engine.writing`.

    Rows that differ are closed and written. Only groups of the plan in force are added up.
    """
    groups_of: dict[str, list[str]] = {}
    for group_code, members in plan.members.items():
        for partner_code in members:
            groups_of.setdefault(partner_code, []).append(group_code)
    keys = {
        (group_code, figure.indicator, figure.period)
        for figure in touched
        if figure.measure == Measure.ACTUAL and figure.indicator in plan.indicators
        for group_code in groups_of.get(figure.partner_code, ())
    }
    _rejudge(connection, plan, plan_id, keys, at)


def rejudge_every_group(
    connection: Connection, plan: Plan, plan_id: int, returned: Iterable[tuple[str, str]], at: datetime
) -> None:
    """Do as `rejudge_groups` for all groups, where partners' figures of some indicators and periods have changed."""
    _rejudge(connection, plan, plan_id, _of_every_group(plan, returned), at)


def rejudge_groups_by_plan(
    connection: Connection, plan: Plan, plan_id: int, differences: PlanDifferences, at: datetime
) -> None:
    """Add up and judge by a new plan what differs from the one before, in a transaction of `engine.writing`."""
    gone = select(group_judgement.c.group_judgement_id).where(_is_gone(plan))
    end_rows(connection, group_judgement, connection.scalars(gone).all(), at)
    _rejudge(connection, plan, plan_id, _reached_by(connection, plan, differences), at)


def groups_judged_by_plan(
    connection: Connection, plan: Plan, differences: PlanDifferences
) -> "Iterator[tuple[GroupKey, Mapping[str, Any], Mapping[str, Any]]]":
    """Add up and judge by another plan what it judges differently, and record nothing.

    Yields:
        Group, indicator and period, with the values judged before and now, by name; empty if there are none.
    """
    judged_before = _SAID[len(_FIGURE) :]
    columns = group_judgement.c
    gone = select(*(columns[name] for name in (*_KEY, *judged_before))).where(_is_gone(plan))
    for row in connection.execute(gone).all():
        yield (row[0], row[1], row[2]), dict(zip(judged_before, row[3:], strict=True)), {}
    for held, judged in _judged_again(connection, plan, _reached_by(connection, plan, differences)):
        for key in {*held, *judged}:
            before, now = (held[key][1] if key in held else ()), judged.get(key, ())
            yield key, dict(zip(_SAID, before, strict=False)), dict(zip(_SAID, now, strict=False))


def _is_gone(plan: Plan) -> ColumnElement[bool]:
    """The rows in force of groups and indicators that a plan does not have."""
    held = group_judgement.c
    is_known = and_(held.group_code.in_(plan.groups), held.indicator.in_(plan.indicators))
    return and_(held.superseded_at.is_(None), not_(is_known))


def _reached_by(connection: Connection, plan: Plan, differences: PlanDifferences) -> "set[GroupKey]":
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
    return _of_every_group(plan, connection.execute(query.distinct()).all())


def _of_every_group(plan: Plan, returned: Iterable[tuple[str, str]]) -> "set[GroupKey]":
    return {
        (code, indicator, period)
        for indicator, period in returned
        if indicator in plan.indicators
        for code in plan.groups
    }


def _rejudge(connection: Connection, plan: Plan, plan_id: int, keys: "Collection[GroupKey]", at: datetime) -> None:
    for held, judged in _judged_again(connection, plan, keys):
        ended = [number for key, (number, said) in held.items() if judged.get(key) != said]
        written = [key for key in judged if key not in held or judged[key] != held[key][1]]
        end_rows(connection, group_judgement, ended, at)
        rows = ((*key, *judged[key]) for key in sorted(written))
        insert_rows(connection, group_judgement, (*_KEY, *_SAID), rows, {"plan_id": plan_id, "recorded_at": at})


def _judged_again(
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
    query = select(*(columns[name] for name in (*_KEY, "group_judgement_id", *_SAID))).where(
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

    return GroupFigure(*row[: len(_FIGURE)])


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
