"""Judging what changed: judgements are worked out again, and only those that came out differently are written."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Table, and_, select

from cypp_etl.plan_model import Plan
from schemas.codes import Measure, Qualifier
from warehouse.bulk import insert_rows
from warehouse.tables import JUDGED, judgement, observation
from warehouse.timeline import end_rows

if TYPE_CHECKING:
    import pandas as pd

PARTNERS_AT_ONCE = 50
"""How many partners' series are in memory together."""


class Series(NamedTuple):
    """One indicator as one partner returns it: judgements of a series depend on its own figures, and no others."""

    partner_code: str
    indicator: str


class _Key(NamedTuple):
    partner_code: str
    indicator: str
    period: str


def rejudge(
    connection: Connection, plan: Plan, plan_id: int, touched: Collection[Series], at: datetime
) -> Counter[Series]:
    """Judge series anew from the figures in force, ending and writing only judgements that differ.

    A judgement that comes out alike, but of another observation (a resubmission repeated the figure), is written again,
    so that a judgement in force always leads to the cell in force; it is not counted as changed.

    Args:
        connection: a transaction of `engine.writing`.
        plan: the plan in force.
        plan_id: its number.
        touched: the series of which a figure changed. Indicators that the plan no longer has lose their judgements.
        at: the moment from which the change counts.

    Returns:
        How many judgements changed, were added or ended, by series.
    """
    changed: Counter[Series] = Counter()
    for few in _few_partners(touched):
        # May take in a series that was not touched, which then comes out as it was.
        chosen = {"partner_codes": {one.partner_code for one in few}, "indicators": {one.indicator for one in few}}
        judged = _judge(_figures_in_force(connection, **chosen), plan)
        changed += _replace(connection, _judgements_in_force(connection, **chosen), judged, plan_id, at)
    return changed


def judge_in_force(connection: Connection, plan: Plan, partner_code: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Judge a partner's figures in force by any plan, and record nothing: judged values by indicator and period."""
    rows = _figures_in_force(connection, {partner_code}, set(plan.indicators))
    judged = _judge(rows, plan)
    return {(key.indicator, key.period): dict(zip(JUDGED, values[1:], strict=True)) for key, values in judged.items()}


def _few_partners(touched: Collection[Series]) -> Iterator[list[Series]]:
    by_partner: dict[str, list[Series]] = {}
    for series in touched:
        by_partner.setdefault(series.partner_code, []).append(series)
    partners = sorted(by_partner)
    for start in range(0, len(partners), PARTNERS_AT_ONCE):
        yield [series for code in partners[start : start + PARTNERS_AT_ONCE] for series in by_partner[code]]


def _in_force(table: Table, partner_codes: set[str], indicators: set[str]) -> ColumnElement[bool]:
    columns = table.c
    return and_(
        columns.superseded_at.is_(None), columns.partner_code.in_(partner_codes), columns.indicator.in_(indicators)
    )


def _figures_in_force(connection: Connection, partner_codes: set[str], indicators: set[str]) -> list[tuple[Any, ...]]:
    names = ("observation_id", "partner_code", "indicator", "measure", "period", "value", "marker", "qualifiers")
    query = select(*(observation.c[name] for name in names)).where(_in_force(observation, partner_codes, indicators))
    return [tuple(row) for row in connection.execute(query)]


def _judgements_in_force(
    connection: Connection, partner_codes: set[str], indicators: set[str]
) -> dict[_Key, tuple[int, tuple[Any, ...]]]:
    """By key, the judgement's number, and its observation with the judged values."""
    columns = judgement.c
    query = select(
        columns.partner_code,
        columns.indicator,
        columns.period,
        columns.judgement_id,
        columns.observation_id,
        *(columns[name] for name in JUDGED),
    ).where(_in_force(judgement, partner_codes, indicators))
    return {_Key(*row[:3]): (row[3], tuple(row[4:])) for row in connection.execute(query)}


def _judge(rows: list[tuple[Any, ...]], plan: Plan) -> dict[_Key, tuple[Any, ...]]:
    """By key, the observation judged, with the judged values."""
    rows = [row for row in rows if row[2] in plan.indicators]
    if not rows:
        return {}
    # pandas takes half a second to import, which reading the warehouse should not cost.
    from cypp_etl.judgement.judge import judge  # noqa: PLC0415

    frame = _frame(rows)
    judged = judge(frame.drop(columns=["observation_id", "qualifiers"]), plan)
    observation_ids = {_Key(row[1], row[2], row[4]): row[0] for row in rows if row[3] == Measure.ACTUAL}
    values = judged[list(_Key._fields) + list(JUDGED)].astype(object)
    values = values.where(values.notna(), None)
    keyed = ((_Key(*row[:3]), row[3:]) for row in values.itertuples(index=False, name=None))
    return {key: (observation_ids[key], *rest) for key, rest in keyed}


def _frame(rows: list[tuple[Any, ...]]) -> "pd.DataFrame":
    import pandas as pd  # noqa: PLC0415

    names = ["observation_id", "partner_code", "indicator", "measure", "period", "value", "marker", "qualifiers"]
    frame = pd.DataFrame(rows, columns=names)
    frame["value"] = frame["value"].astype("float64")
    frame["marker"] = frame["marker"].astype(object).where(frame["marker"].notna(), None)
    frame["is_break"] = [Qualifier.BREAK.value in qualifiers for qualifiers in frame["qualifiers"]]
    return frame


def _replace(
    connection: Connection,
    held: Mapping[_Key, tuple[int, tuple[Any, ...]]],
    judged: Mapping[_Key, tuple[Any, ...]],
    plan_id: int,
    at: datetime,
) -> Counter[Series]:
    ended = [key for key, (_, values) in held.items() if judged.get(key) != values]
    written = [key for key, values in judged.items() if key not in held or held[key][1] != values]
    end_rows(connection, judgement, (held[key][0] for key in ended), at)
    names = (*_Key._fields, "observation_id", *JUDGED)
    rows = ((*key, *judged[key]) for key in written)
    insert_rows(connection, judgement, names, rows, {"plan_id": plan_id, "recorded_at": at})
    # Without the observation: the same figure from another cell is no change.
    changed = (key for key in {*ended, *written} if key not in held or judged.get(key, ())[1:] != held[key][1][1:])
    return Counter(Series(key.partner_code, key.indicator) for key in changed)
