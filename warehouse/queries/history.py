"""The history that the rules look back on, read before a return is checked: rules never query the warehouse."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any

from sqlalchemy import Connection, Table, func, or_, select, text

from cypp_etl.checked_return import History, KnownContent, KnownFigure, StoredFigures, ValuesByIndicator, Waiver
from cypp_etl.figure_keys import FigureKey
from cypp_etl.periods import Period, parse_period
from schemas.codes import Marker, Measure, MilestoneStatus
from warehouse.schema.decisions import decision
from warehouse.schema.sets import is_one_of
from warehouse.schema.tables import (
    IS_ACCEPTED,
    IS_HELD,
    milestone_report,
    observation,
    period_closing,
    submission,
    waiver,
)
from warehouse.schema.values import decimal_of, qualifiers_of
from warehouse.views.in_force import NOW


def read_history(
    connection: Connection, partner_codes: Collection[str], periods: Collection[Period] | None = None
) -> History:
    """The history of partners: their figures and milestone statuses in force, and the periods closed for all.

    Args:
        connection: a transaction; if periods are given, it must stay open while the history is in use.
        partner_codes: the partners.
        periods: the periods of the figures; all if not given.
    """
    return History(
        figures=_figures(connection, partner_codes, periods),
        closed=frozenset(closed_periods(connection)),
        milestone_states=_milestone_states(connection, partner_codes),
        contents=_contents(connection, partner_codes),
        waivers=_waivers(connection, partner_codes),
        # Figures of all periods hold all values.
        all_values_of=None if periods is None else lru_cache(maxsize=None)(partial(_values, connection)),
    )


def last_submission(connection: Connection) -> int:
    """The number of the submission recorded last, 0 if there is none."""
    return connection.scalar(select(func.max(submission.c.submission_id))) or 0


def partners_since(connection: Connection, submission_id: int) -> set[str | None]:
    """The partners of submissions recorded after one; None for those that name no partner."""
    return set(connection.scalars(select(submission.c.partner_code).where(submission.c.submission_id > submission_id)))


def known_hashes(connection: Connection) -> set[str]:
    """The SHA-256 of every workbook that was ever recorded."""
    return set(connection.scalars(select(submission.c.sha256).distinct()))


def last_received(connection: Connection) -> dict[str, datetime]:
    """When each workbook came last, by its SHA-256."""
    columns = submission.c
    query = select(columns.sha256, func.max(columns.received_at).label("at")).group_by(columns.sha256)
    return {row.sha256: row.at for row in connection.execute(query)}


def later_in_force(connection: Connection, partner_code: str, period: Period, received_at: datetime) -> int | None:
    """The submission of a return that is in force or held and came later than a moment; None where there is none."""
    columns = submission.c
    return connection.scalar(
        select(columns.submission_id).where(
            columns.partner_code == partner_code,
            columns.period == period.code,
            columns.received_at > received_at,
            or_(text(IS_ACCEPTED), text(IS_HELD)),
            text(NOW.submission_in_force("submission")),
        )
    )


def came_later(connection: Connection, file: str, received_at: datetime) -> bool:
    """Whether a file of the same path came later than a moment."""
    columns = submission.c
    asked = select(columns.submission_id).where(columns.file == file, columns.received_at > received_at).limit(1)
    return connection.scalar(asked) is not None


def closed_periods(connection: Connection) -> set[Period]:
    """The closed periods, of which figures are changed with a question or a decision only."""
    return {parse_period(code) for code in connection.scalars(_CLOSED)}


# Statements that stand here are put together once: for one return, that takes longer than to execute them.


def _in_force(table: Table) -> tuple[Any, Any]:
    return table.c.superseded_at.is_(None), is_one_of(table.c.partner_code, "partner_codes")


_VALUES = (
    select(observation.c.indicator, observation.c.value)
    .where(*_in_force(observation), observation.c.value.is_not(None))
    .distinct()
)
_FIGURES = select(
    *(observation.c[name] for name in FigureKey._fields),
    *(observation.c[name] for name in ("value", "marker", "qualifiers", "numerator", "denominator")),
    observation.c.comment,
    observation.c.submission_id,
).where(*_in_force(observation))
_FIGURES_OF_PERIODS = _FIGURES.where(is_one_of(observation.c.period, "periods"))
_STATES = select(milestone_report.c.milestone, milestone_report.c.period, milestone_report.c.status).where(
    *_in_force(milestone_report), milestone_report.c.status.is_not(None)
)
_CONTENTS = select(
    submission.c.partner_code, submission.c.period, submission.c.submission_id, submission.c.content_sha256
).where(
    is_one_of(submission.c.partner_code, "partner_codes"),
    text(IS_ACCEPTED),
    text(NOW.submission_in_force("submission")),
)
_WAIVERS = (
    select(waiver, decision.c.why, decision.c.decided_by)
    .join(decision, decision.c.decision_id == waiver.c.decision_id)
    .where(is_one_of(waiver.c.partner_code, "partner_codes"))
    .order_by(waiver.c.waiver_id)
)
_CLOSED = select(period_closing.c.period)


class _FiguresInForce(StoredFigures):
    """Figures in force as they were fetched: the rules use few of a partner's thousands."""

    def __init__(self, rows: Iterable[Sequence[Any]]) -> None:
        # By partner, measure and period, then by indicator, since a rule asks for all of a period.
        self._rows: dict[tuple[str, str, str], dict[str, Sequence[Any]]] = {}
        for row in rows:
            partner_code, indicator, measure, period = row[:4]
            self._rows.setdefault((partner_code, measure, period), {})[indicator] = row[4:]
        self._actuals: dict[tuple[str, str], Mapping[str, Decimal]] = {}

    def actuals(self, partner_code: str, period: str) -> Mapping[str, Decimal]:
        """The values of a partner's actuals of a period, by indicator; an actual without a value is left out."""
        key = partner_code, period
        if key not in self._actuals:
            rows = self._rows.get((partner_code, Measure.ACTUAL, period), {})
            values = ((indicator, decimal_of(row[0])) for indicator, row in rows.items())
            self._actuals[key] = {indicator: value for indicator, value in values if value is not None}
        return self._actuals[key]

    def __getitem__(self, key: FigureKey) -> KnownFigure:
        partner_code, indicator, measure, period = key
        return self._known(self._rows[partner_code, measure, period][indicator])

    def get(self, key: FigureKey, default: Any = None) -> Any:
        """A figure, or the default: many rows have no figure of the period before, and an exception is dear."""
        partner_code, indicator, measure, period = key
        rows = self._rows.get((partner_code, measure, period))
        row = rows.get(indicator) if rows else None
        return default if row is None else self._known(row)

    def _known(self, row: Sequence[Any]) -> KnownFigure:
        value, marker, qualifiers, numerator, denominator, comment, submission_id = row
        return KnownFigure(
            decimal_of(value),
            Marker(marker) if marker else None,
            qualifiers_of(qualifiers),
            decimal_of(numerator),
            decimal_of(denominator),
            comment,
            submission_id,
        )

    def __iter__(self) -> Iterator[FigureKey]:
        for (partner_code, measure, period), rows in self._rows.items():
            for indicator in rows:
                yield FigureKey(partner_code, indicator, measure, period)

    def __len__(self) -> int:
        return sum(map(len, self._rows.values()))


def _values(connection: Connection, partner_code: str) -> ValuesByIndicator:
    values: dict[str, set[Decimal]] = {}
    for indicator, value in connection.execute(_VALUES, {"partner_codes": [partner_code]}):
        values.setdefault(indicator, set()).add(Decimal(repr(value)))
    return values


def _figures(
    connection: Connection, partner_codes: Collection[str], periods: Collection[Period] | None
) -> Mapping[FigureKey, KnownFigure]:
    if periods is None:
        return _FiguresInForce(connection.execute(_FIGURES, {"partner_codes": partner_codes}).all())
    asked = {"partner_codes": partner_codes, "periods": {period.code for period in periods}}
    return _FiguresInForce(connection.execute(_FIGURES_OF_PERIODS, asked).all())


def _milestone_states(
    connection: Connection, partner_codes: Collection[str]
) -> dict[tuple[str, Period], MilestoneStatus]:
    # Thousands of rows have few periods and statuses, each of which is read once.
    status_of = lru_cache(maxsize=None)(MilestoneStatus)
    rows = connection.execute(_STATES, {"partner_codes": partner_codes}).all()
    return {(milestone, parse_period(period)): status_of(status) for milestone, period, status in rows}


def _contents(connection: Connection, partner_codes: Collection[str]) -> dict[tuple[str, Period], KnownContent]:
    """The submissions in force, by partner and period."""
    return {
        (row.partner_code, parse_period(row.period)): KnownContent(row.submission_id, row.content_sha256)
        for row in connection.execute(_CONTENTS, {"partner_codes": partner_codes})
    }


def _waivers(connection: Connection, partner_codes: Collection[str]) -> tuple[Waiver, ...]:
    return tuple(
        Waiver(
            row.code,
            row.partner_code,
            row.subject,
            parse_period(row.period) if row.period else None,
            row.why,
            row.decided_by,
            row.until,
        )
        for row in connection.execute(_WAIVERS, {"partner_codes": partner_codes})
    )
