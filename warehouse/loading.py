"""Writing a batch of decided submissions: what they replace ends, then they are inserted, a table at a time."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Column, Connection, Table, insert, select

from cypp_etl.submission import MilestoneReport, Observation
from schemas.codes import Qualifier, SubmissionStatus
from warehouse.deciding import Decision
from warehouse.judging import Series
from warehouse.tables import finding, milestone_report, observation, submission
from warehouse.timeline import end_rows

_FIGURE_KEY = ("partner_code", "indicator", "measure", "period")
_MILESTONE_KEY = ("partner_code", "milestone", "period")


def end_what_is_replaced(
    connection: Connection, decisions: Sequence[Decision], at: datetime
) -> dict[int | None, set[Series]]:
    """End the submissions that are replaced, all that they hold, and whatever else says what is now said anew.

    A figure can come from two sides, a return and a published table: the last word counts.

    Returns:
        The series of the figures that each replaced submission held.
    """
    replaced = {decision.supersedes for decision in decisions if decision.supersedes is not None}
    end_rows(connection, submission, replaced, at)
    loaded = [decision.checked for decision in decisions if decision.is_loaded]
    series = _series_held(connection, replaced)
    for table, key, rows in (
        (observation, _FIGURE_KEY, [_figure_key(row) for checked in loaded for row in checked.observations]),
        (
            milestone_report,
            _MILESTONE_KEY,
            [_report_key(row) for checked in loaded for row in checked.milestone_reports],
        ),
    ):
        end_rows(connection, table, _held_by(connection, table, replaced) | _saying(connection, table, key, rows), at)
    return series


def _figure_key(row: Observation) -> tuple[str, ...]:
    return row.partner_code, row.indicator, row.measure.value, row.period.code


def _report_key(row: MilestoneReport) -> tuple[str, ...]:
    return row.partner_code, row.milestone, row.period.code


def _series_held(connection: Connection, submission_ids: set[int]) -> dict[int | None, set[Series]]:
    held: dict[int | None, set[Series]] = {}
    columns = observation.c
    query = select(columns.submission_id, columns.partner_code, columns.indicator).where(
        columns.submission_id.in_(submission_ids), columns.superseded_at.is_(None)
    )
    for submission_id, *series in connection.execute(query) if submission_ids else ():
        held.setdefault(submission_id, set()).add(Series(*series))
    return held


def _row_id(table: Table) -> Column[Any]:
    return next(iter(table.primary_key))


def _held_by(connection: Connection, table: Table, submission_ids: set[int]) -> set[int]:
    """The rows in force that came with submissions."""
    if not submission_ids:
        return set()
    query = select(_row_id(table)).where(table.c.submission_id.in_(submission_ids), table.c.superseded_at.is_(None))
    return set(connection.scalars(query))


def _saying(connection: Connection, table: Table, key: tuple[str, ...], wanted: list[tuple[str, ...]]) -> set[int]:
    """The rows in force that have one of the keys wanted: read by each part of the key, and sorted out here."""
    if not wanted:
        return set()
    parts = [table.c[name] for name in key]
    any_of = [part.in_(set(values)) for part, values in zip(parts, zip(*wanted, strict=True), strict=True)]
    query = select(_row_id(table), *parts).where(table.c.superseded_at.is_(None), *any_of)
    keys = set(wanted)
    return {row_id for row_id, *found in connection.execute(query) if tuple(found) in keys}


def insert_submissions(
    connection: Connection, decisions: Sequence[Decision], received: Sequence[datetime], at: datetime
) -> list[int]:
    """Insert a row per submission; give their numbers, in the same order."""
    rows = [
        {
            "partner_code": decision.checked.partner_code or None,
            "period": decision.checked.period.code if decision.checked.period else None,
            "version": decision.version,
            **{
                name: getattr(decision.checked, name)
                for name in ("file", "file_name", "sha256", "layout", "prepared_by", "email")
            },
            "status": decision.status,
            "duplicate_of": decision.duplicate_of,
            "supersedes": decision.supersedes,
            "received_at": received_at,
            "recorded_at": at,
        }
        for decision, received_at in zip(decisions, received, strict=True)
    ]
    statement = insert(submission).returning(submission.c.submission_id, sort_by_parameter_order=True)
    return list(connection.scalars(statement, rows))


def insert_contents(
    connection: Connection, decisions: Sequence[Decision], submission_ids: Sequence[int], at: datetime
) -> None:
    """Insert findings, and the figures and milestone reports of what was accepted."""
    numbered = list(zip(submission_ids, decisions, strict=True))
    # A duplicate's findings are those of the submission it duplicates.
    answered = [(number, one.checked) for number, one in numbered if one.status is not SubmissionStatus.DUPLICATE]
    loaded = [(number, one.checked) for number, one in numbered if one.is_loaded]
    _insert(
        connection,
        finding,
        (
            {"submission_id": number}
            | {name: getattr(found, name) for name in ("code", "severity", "sheet", "cell", "value", "message", "fix")}
            for number, checked in answered
            for found in checked.findings
        ),
    )
    figures = (_figure_row(number, row, at) for number, checked in loaded for row in checked.observations)
    _insert(connection, observation, figures)
    reports = (_report_row(number, row, at) for number, checked in loaded for row in checked.milestone_reports)
    _insert(connection, milestone_report, reports)


def _insert(connection: Connection, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    listed = list(rows)
    if listed:
        connection.execute(insert(table), listed)


def _figure_row(submission_id: int, row: Observation, at: datetime) -> dict[str, Any]:
    return {
        "submission_id": submission_id,
        **dict(zip(_FIGURE_KEY, _figure_key(row), strict=True)),
        "value": _double(row.value),
        "marker": row.marker,
        "qualifiers": "; ".join(word.value for word in Qualifier if word in row.qualifiers),
        "numerator": _double(row.numerator),
        "denominator": _double(row.denominator),
        "comment": row.comment,
        "typed": row.typed,
        "sheet": row.sheet,
        "cell": row.cell,
        "recorded_at": at,
    }


def _double(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _report_row(submission_id: int, row: MilestoneReport, at: datetime) -> dict[str, Any]:
    return {
        "submission_id": submission_id,
        **dict(zip(_MILESTONE_KEY, _report_key(row), strict=True)),
        "status": row.status,
        "evidence": row.evidence,
        "review": row.review,
        "reason": row.reason,
        "sheet": row.sheet,
        "cell": row.cell,
        "recorded_at": at,
    }
