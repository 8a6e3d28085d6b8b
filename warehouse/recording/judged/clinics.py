"""Records clinics: finds those of series whose judgements changed, and writes only those that differ."""

from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from sqlalchemy import Connection, bindparam, func, select

from cypp_etl.judgement.clinics import Clinic, Travelled, find_clinics, reason_to_open
from cypp_etl.periods import LAST_PERIOD, parse_period
from cypp_etl.plan.model import Plan
from cypp_etl.plan.rhythm import QUARTERLY, Rhythm
from schemas.codes import ClinicReason, ClinicRule
from warehouse.figures.affected import asked_series, of_series
from warehouse.recording.bulk_insert import insert_rows
from warehouse.recording.validity import end_rows
from warehouse.schema.tables import clinic, judgement

SERIES_AT_ONCE = 1_000
"""How many series are queried together: SQLite allows 32,766 values in a query."""

_COLUMNS = ("partner_code", "indicator", "opened_period")
TRAVELLED = ("period", "direction", "on_target", "target_band")
"""What clinics follow from, in a judgement."""
_SAID = ("reason", "closed_period", "measured_period")

# Partner and indicator, like `Series`: plain tuples, because there are thousands in a batch.
_Key: TypeAlias = tuple[str, str]

# By opening period: a clinic's number, reason, closing period, and last period without improvement.
_Held: TypeAlias = dict[str, tuple[int, tuple[str, str | None, str]]]


class Change(NamedTuple):
    """A judgement that was added, changed or removed, with what `reason_to_open` asks of it unless it was removed.

    `since` is the code of its period, or of its year if that is judged too: with a quarter, the year no longer counts.
    `said` is what `TRAVELLED` is.
    """

    series: _Key
    since: str
    said: tuple[str, str, str, str] | None


def keep_clinics(
    connection: Connection,
    changed: Iterable[Change],
    plan: Plan,
    at: datetime,
    whole: Mapping[_Key, Sequence[tuple[str, ...]]] = MappingProxyType({}),
) -> None:
    """Find the clinics of series again from the judgements in force; close and write only those that differ.

    Args:
        connection: a transaction of `engine.writing`, in which the changes are written already.
        changed: the judgements that were added, changed or removed.
        plan: the plan in force, which says by which rule clinics open, and when an indicator is asked.
        at: the moment from which the change counts.
        whole: of series, what `TRAVELLED` is of all judgements in force, if that is known, by period.
    """
    first: dict[_Key, str] = {}
    may_open: set[_Key] = set()
    for series, since, said in changed:
        if series not in first or since < first[series]:
            first[series] = since
        # If a quarter was removed, its year can count again.
        if said is None or reason_to_open(*said[1:], plan.body.clinics_from):
            may_open.add(series)
    in_order = sorted(first)
    for start in range(0, len(in_order), SERIES_AT_ONCE):
        few = {series: first[series] for series in in_order[start : start + SERIES_AT_ONCE]}
        _keep(connection, few, may_open, plan, at, whole=whole)


def keep_all_clinics(connection: Connection, plan: Plan, at: datetime) -> None:
    """Find the clinics of all series again, because the plan finds them differently; otherwise as `keep_clinics`."""
    columns = judgement.c
    query = select(columns.partner_code, columns.indicator, func.min(columns.period)).where(
        columns.superseded_at.is_(None)
    )
    series = connection.execute(query.group_by(columns.partner_code, columns.indicator)).all()
    # Without what a judgement says, it may open a clinic, or no longer.
    keep_clinics(connection, (Change((row[0], row[1]), row[2], None) for row in series), plan, at)


def _keep(
    connection: Connection,
    first: Mapping[_Key, str],
    may_open: Container[_Key],
    plan: Plan,
    at: datetime,
    *,
    whole: Mapping[_Key, Sequence[tuple[str, ...]]],
) -> None:
    held, none = _in_force(connection, first), _Held()
    beginnings: dict[_Key, _Beginning] = {}
    for series, change in first.items():
        if series in may_open or series in held:
            beginning = _Beginning.of(held.get(series, none), change)
            # If no clinic is open, and none opened later, judgements that open none change nothing.
            if series in may_open or any(opened >= beginning.opened for opened in held[series]):
                beginnings[series] = beginning
    travelled = _travelled(
        connection, {series: each.period for series, each in beginnings.items() if series not in whole}
    )
    for series, beginning in beginnings.items():
        if series in whole:
            travelled[series] = tuple(said for said in whole[series] if said[0] >= beginning.period)
    ended: list[int] = []
    written: list[tuple[str | None, ...]] = []
    for series, beginning in beginnings.items():
        leaf = plan.indicators.get(series[1])
        rhythm = leaf.rhythm if leaf else QUARTERLY
        found = _found(travelled.get(series, ()), beginning.carried_over, plan.body.clinics_from, rhythm)
        old = {opened: row for opened, row in held.get(series, none).items() if opened >= beginning.opened}
        ended += [number for opened, (number, said) in old.items() if found.get(opened) != said]
        written += [
            (*series, opened, *said) for opened, said in found.items() if opened not in old or old[opened][1] != said
        ]
    end_rows(connection, clinic, ended, at)
    insert_rows(connection, clinic, (*_COLUMNS, *_SAID), written, {"recorded_at": at})


class _Beginning(NamedTuple):
    """The `period` from which judgements must be read, and the `opened` period from which clinics may differ.

    Nothing before a clinic's opening affects it or anything after it; nothing before its last period without
    improvement does, if it is `carried_over` (opened, reason, that period) beyond that; and nothing before the change
    does, if no clinic was open then.
    """

    period: str
    opened: str
    carried_over: tuple[str, str, str] | None = None

    @classmethod
    def of(cls, held: _Held, change: str) -> "_Beginning":
        """For a series with its stored clinics, whose judgements change from a period on."""
        opened = max((opened for opened in held if opened < change), default=None)
        if opened is None:
            return cls(change, change)
        _, (reason, closed, measured) = held[opened]
        if closed is not None and closed < change:
            return cls(change, change)
        return cls(measured, opened, (opened, reason, measured)) if measured < change else cls(opened, opened)


@lru_cache(maxsize=16_384)
def _found(
    travelled: tuple[tuple[str, ...], ...],
    carried_over: tuple[str, str, str] | None,
    rule: ClinicRule,
    rhythm: Rhythm,
) -> Mapping[str, tuple[str, str | None, str]]:
    # Many series have the same directions since their clinic opened: few words for few periods.
    last = None
    if carried_over:
        opened, reason, measured = carried_over
        last = Clinic(parse_period(opened), ClinicReason(reason), None, parse_period(measured))
    found = find_clinics((Travelled(parse_period(period), *said) for period, *said in travelled), last, rule, rhythm)
    return dict(map(_said, found))


def _said(one: Clinic) -> tuple[str, tuple[str, str | None, str]]:
    return one.opened.code, (one.reason.value, one.closed.code if one.closed else None, one.measured.code)


_IN_FORCE = select(*(clinic.c[name] for name in (*_COLUMNS, "clinic_number", *_SAID))).where(of_series(clinic))
_JUDGED_SINCE = (
    select(*(judgement.c[name] for name in ("partner_code", "indicator", *TRAVELLED)))
    .where(of_series(judgement), judgement.c.period >= bindparam("since"))
    .order_by(judgement.c.partner_code, judgement.c.indicator, judgement.c.period)
)


def _in_force(connection: Connection, asked: Mapping[_Key, str]) -> dict[_Key, _Held]:
    """The clinics in force, for the series that have any."""
    held: dict[_Key, _Held] = {}
    rows = connection.execute(_IN_FORCE, asked_series(asked)).all()
    for partner_code, indicator, opened, number, reason, closed, measured in rows:
        if (partner_code, indicator) in asked:
            held.setdefault((partner_code, indicator), {})[opened] = (number, (reason, closed, measured))
    return held


def _travelled(connection: Connection, since: Mapping[_Key, str]) -> dict[_Key, tuple[tuple[str, ...], ...]]:
    """The judgements in force of each series from a period on, in order: the fields of `Travelled`."""
    if not since:
        return {}
    # Rows of other series, or of earlier periods, are few, and filtered below: querying each series costs more.
    rows = connection.execute(_JUDGED_SINCE, asked_series(since) | {"since": min(since.values())}).all()
    never = LAST_PERIOD.code
    travelled: dict[_Key, list[tuple[str, ...]]] = {}
    for row in rows:
        key = row[0], row[1]
        if row[2] >= since.get(key, never):
            travelled.setdefault(key, []).append(row[2:])
    return {key: tuple(rows) for key, rows in travelled.items()}
