"""Keeping the clinics: found again in series whose judgements changed, and only those that differ are written."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import Connection, select

from cypp_etl.judgement.clinics import Clinic, Travelled, find_clinics
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


def keep_clinics(connection: Connection, changed: Iterable[tuple[Series, str]], at: datetime) -> None:
    """Find the clinics of series anew from the judgements in force, ending and writing only what differs.

    Args:
        connection: a transaction of `engine.writing`.
        changed: the series of each judgement that came, changed or went, and the code of its period.
        at: the moment from which the change counts.
    """
    first: dict[Series, str] = {}
    for series, period in changed:
        # A quarter can make its whole year count no more, so that the change may begin with the year.
        first[series] = min(first.get(series, period), period)[:7]
    in_order = sorted(first)
    for start in range(0, len(in_order), SERIES_AT_ONCE):
        _keep(connection, {series: first[series] for series in in_order[start : start + SERIES_AT_ONCE]}, at)


def _keep(connection: Connection, first: Mapping[Series, str], at: datetime) -> None:
    held = _in_force(connection, first)
    # Nothing that came before a clinic opened plays a part in what became of it, or after it.
    since = {series: max((one for one in held[series] if one < first[series]), default="") for series in first}
    travelled = _travelled(connection, since)
    ended: list[int] = []
    written: list[tuple[str | None, ...]] = []
    for series, begin in since.items():
        found = dict(map(_said, find_clinics(travelled.get(series, ()))))
        old = {opened: row for opened, row in held[series].items() if opened >= begin}
        ended += [number for opened, (number, said) in old.items() if found.get(opened) != said]
        written += [
            (*series, opened, *said) for opened, said in found.items() if opened not in old or old[opened][1] != said
        ]
    end_rows(connection, clinic, ended, at)
    insert_rows(connection, clinic, (*_KEY, *_SAID), written, {"recorded_at": at})


def _said(one: Clinic) -> tuple[str, tuple[str | None, ...]]:
    return one.opened.code, (one.reason.value, one.closed.code if one.closed else None, one.measured.code)


def _in_force(connection: Connection, asked: Iterable[Series]) -> dict[Series, _Held]:
    """The clinics in force of each series."""
    held: dict[Series, _Held] = {series: {} for series in asked}
    columns = clinic.c
    query = select(*(columns[name] for name in (*_KEY, "clinic_number", *_SAID))).where(
        columns.superseded_at.is_(None),
        columns.partner_code.in_({series.partner_code for series in held}),
        columns.indicator.in_({series.indicator for series in held}),
    )
    for partner_code, indicator, opened, number, *said in connection.execute(query):
        if (series := Series(partner_code, indicator)) in held:
            held[series][opened] = (number, tuple(said))
    return held


def _travelled(connection: Connection, since: Mapping[Series, str]) -> dict[Series, list[Travelled]]:
    """What the judgements in force of each series say from a period on, in the order of their periods."""
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
    found: dict[Series, list[Travelled]] = {}
    for partner_code, indicator, period, direction, on_target in connection.execute(query).all():
        series = Series(partner_code, indicator)
        if series in since and period >= since[series]:
            found.setdefault(series, []).append(Travelled(parse_period(period), direction, on_target))
    return found
