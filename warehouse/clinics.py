"""Keeping the clinics: found again in series whose judgements changed, and only those that differ are written."""

from collections.abc import Container, Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from sqlalchemy import Connection, select

from cypp_etl.judgement.clinics import Clinic, Travelled, find_clinics, reason_to_open
from cypp_etl.periods import parse_period
from warehouse.bulk import insert_rows
from warehouse.series import Series
from warehouse.tables import clinic, judgement
from warehouse.timeline import end_rows

SERIES_AT_ONCE = 1_000
"""How many series are asked for together: SQLite takes 32,766 values in a query."""

_KEY = ("partner_code", "indicator", "opened_period")
_SAID = ("reason", "closed_period", "measured_period")

# By its opening, a clinic's number and what it says.
_Held = dict[str, tuple[int, tuple[str | None, ...]]]


class Change(NamedTuple):
    """A judgement that came, changed or went: its period's code, and its direction and on target unless it went."""

    series: Series
    period: str
    said: tuple[str, str] | None


def keep_clinics(connection: Connection, changed: Iterable[Change], at: datetime) -> None:
    """Find the clinics of series anew from the judgements in force, ending and writing only what differs.

    Args:
        connection: a transaction of `engine.writing`, in which the changes are written already.
        changed: the judgements that came, changed or went.
        at: the moment from which the change counts.
    """
    first: dict[Series, str] = {}
    may_open: set[Series] = set()
    for series, period, said in changed:
        # A quarter can make its whole year count no more, so that the change may begin with the year.
        first[series] = min(first.get(series, period), period)[:7]
        # A quarter that went can make its year count again.
        if said is None or reason_to_open(*said):
            may_open.add(series)
    in_order = sorted(first)
    for start in range(0, len(in_order), SERIES_AT_ONCE):
        _keep(connection, {series: first[series] for series in in_order[start : start + SERIES_AT_ONCE]}, may_open, at)


def _keep(connection: Connection, first: Mapping[Series, str], may_open: Container[Series], at: datetime) -> None:
    held = _in_force(connection, first)
    since = {series: _since(held.get(series, {}), first[series]) for series in first}
    # Where no clinic is open, and none opened later, judgements that open none change nothing.
    since = {
        series: begin
        for series, begin in since.items()
        if series in may_open or any(opened >= begin for opened in held.get(series, ()))
    }
    travelled = _travelled(connection, since)
    ended: list[int] = []
    written: list[tuple[str | None, ...]] = []
    for series, begin in since.items():
        found = _found(travelled.get(series, ()))
        old = {opened: row for opened, row in held.get(series, {}).items() if opened >= begin}
        ended += [number for opened, (number, said) in old.items() if found.get(opened) != said]
        written += [
            (*series, opened, *said) for opened, said in found.items() if opened not in old or old[opened][1] != said
        ]
    end_rows(connection, clinic, ended, at)
    insert_rows(connection, clinic, (*_KEY, *_SAID), written, {"recorded_at": at})


def _since(held: _Held, first: str) -> str:
    """From when on judgements say what a change from `first` on comes to.

    Nothing that came before a clinic opened plays a part in what became of it, or after it; and nothing that came
    before the change where no clinic was open then.
    """
    last = max((opened for opened in held if opened < first), default=None)
    if last is None:
        return first
    _, (_, closed, _) = held[last]
    return first if closed is not None and closed < first else last


@lru_cache(maxsize=16_384)
def _found(travelled: tuple[tuple[str, str, str], ...]) -> Mapping[str, tuple[str | None, ...]]:
    # Many series go the same way since their clinic opened: few words for few periods.
    found = find_clinics(
        Travelled(parse_period(period), direction, on_target) for period, direction, on_target in travelled
    )
    return dict(map(_said, found))


def _said(one: Clinic) -> tuple[str, tuple[str | None, ...]]:
    return one.opened.code, (one.reason.value, one.closed.code if one.closed else None, one.measured.code)


def _in_force(connection: Connection, asked: Mapping[Series, object]) -> dict[Series, _Held]:
    """The clinics in force of the series that have any."""
    held: dict[Series, _Held] = {}
    columns = clinic.c
    query = select(*(columns[name] for name in (*_KEY, "clinic_number", *_SAID))).where(
        columns.superseded_at.is_(None),
        columns.partner_code.in_({series.partner_code for series in asked}),
        columns.indicator.in_({series.indicator for series in asked}),
    )
    for row in connection.execute(query).all():
        if row[:2] in asked:
            held.setdefault(Series(*row[:2]), {})[row[2]] = (row[3], row[4:])
    return held


def _travelled(
    connection: Connection, since: Mapping[Series, str]
) -> dict[tuple[str, str], tuple[tuple[str, str, str], ...]]:
    """The judgements in force of each series from a period on, in order: period, direction and on target."""
    if not since:
        return {}
    columns = judgement.c
    # Rows of other series, or of before, are few, and sorted out below: to ask for each by itself costs more.
    query = (
        select(columns.partner_code, columns.indicator, columns.period, columns.direction, columns.on_target)
        .where(
            columns.superseded_at.is_(None),
            columns.partner_code.in_({series.partner_code for series in since}),
            columns.indicator.in_({series.indicator for series in since}),
            columns.period >= min(since.values()),
        )
        .order_by(columns.partner_code, columns.indicator, columns.period)
    )
    rows = connection.execute(query).all()
    return {
        series: tuple(row[2:] for row in of_one if row[2] >= since[series])
        for series, of_one in groupby(rows, key=lambda row: row[:2])
        if series in since
    }
