"""From a symbol back to the cell: everything that a judgement was made of, and where each part stood."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from cypp_etl.periods import Period, parse_period
from schemas.codes import Marker, Measure
from warehouse.history import decimal_of
from warehouse.plan_tables import plan, plan_figure
from warehouse.read import judgement_history, performance
from warehouse.tables import observation, submission


@dataclass(frozen=True, slots=True)
class Origin:
    """The cell that a figure stood in, and the submission it came with."""

    submission_id: int
    file: str
    sha256: str
    received_at: datetime
    sheet: str
    cell: str
    typed: str
    comment: str


@dataclass(frozen=True, slots=True)
class SourcedFigure:
    """A figure in force and where it comes from: a cell (`origin`), or the plan (`plan_source`, in its words)."""

    measure: Measure
    period: Period
    value: Decimal | None
    marker: Marker | None
    origin: Origin | None
    plan_source: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """One partner's judgement of an indicator and period.

    `row` is its row of `bi_performance`; `actual` and `previous` the figures of its two sides, `previous` None where
    there is none. `figures` are all figures of the indicator, by measure and period, a cell's before the plan's: the
    one that a judgement takes, where both have one, is the cell's. `versions` are the judgement's rows of
    `bi_performance_history`, oldest first.
    """

    row: RowMapping
    actual: SourcedFigure
    previous: SourcedFigure | None
    figures: tuple[SourcedFigure, ...]
    versions: tuple[RowMapping, ...]


def explain(connection: Connection, indicator: str, period: Period) -> list[Explanation]:
    """Explain a judgement, once for each partner that returns the indicator; empty where nobody has yet."""
    versions = judgement_history(connection, indicator, period)
    return [
        _explain(connection, row, [one for one in versions if one["partner_code"] == row["partner_code"]])
        for row in performance(connection, indicator, period)
    ]


def _explain(connection: Connection, row: RowMapping, versions: list[RowMapping]) -> Explanation:
    figures = [
        *_returned(connection, row["partner_code"], row["indicator"]),
        *_planned(connection, row["indicator"]),
    ]
    # Stable: of one measure and period, the cell's figure stays before the plan's.
    figures.sort(key=lambda figure: (figure.measure, figure.period))
    by_key: dict[tuple[Measure, str], SourcedFigure] = {}
    for figure in figures:
        by_key.setdefault((figure.measure, figure.period.code), figure)
    before = row["previous_period"] or ""
    return Explanation(
        row,
        actual=by_key[Measure.ACTUAL, row["period"]],
        previous=_speaking(by_key.get((Measure.ACTUAL, before)), by_key.get((Measure.HISTORY, before))),
        figures=tuple(figures),
        versions=tuple(versions),
    )


def _speaking(actual: SourcedFigure | None, history: SourcedFigure | None) -> SourcedFigure | None:
    """The side that a judgement takes: the actual, unless it says nothing and there is a history."""
    if actual and (actual.value is not None or actual.marker is Marker.NOT_APPLICABLE):
        return actual
    return history or actual


def _returned(connection: Connection, partner_code: str, indicator: str) -> list[SourcedFigure]:
    columns, came = observation.c, submission.c
    query = (
        select(observation, came.file, came.sha256, came.received_at)
        .join(submission, came.submission_id == columns.submission_id)
        .where(columns.partner_code == partner_code, columns.indicator == indicator, columns.superseded_at.is_(None))
    )
    return [_figure(row, _origin(row), "") for row in connection.execute(query).mappings()]


def _planned(connection: Connection, indicator: str) -> list[SourcedFigure]:
    query = (
        select(plan_figure)
        .join(plan, plan.c.plan_id == plan_figure.c.plan_id)
        .where(plan.c.superseded_at.is_(None), plan_figure.c.indicator == indicator)
    )
    return [_figure(row, None, row["source"]) for row in connection.execute(query).mappings()]


def _origin(row: RowMapping) -> Origin:
    names = ("submission_id", "file", "sha256", "received_at", "sheet", "cell", "typed", "comment")
    values: dict[str, Any] = {name: row[name] for name in names}
    return Origin(**values)


def _figure(row: RowMapping, origin: Origin | None, plan_source: str) -> SourcedFigure:
    marker = Marker(row["marker"]) if row["marker"] else None
    return SourcedFigure(
        Measure(row["measure"]), parse_period(row["period"]), decimal_of(row["value"]), marker, origin, plan_source
    )
