"""Writes a batch of decided submissions: closes the rows that they replace, then inserts them, table by table."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import Column, Connection, Select, Table, func, select

from cypp_etl.checked_return import MilestoneReport, Observation
from cypp_etl.figure_keys import FigureKey
from cypp_etl.findings import Finding
from cypp_etl.personal import shown_path
from schemas.codes import Qualifier, SubmissionStatus
from warehouse.recording.bulk_insert import insert_rows
from warehouse.recording.decisions import Decision
from warehouse.recording.validity import end_rows
from warehouse.schema.sets import is_one_of
from warehouse.schema.tables import finding, milestone_report, observation, submission, withdrawal, withheld_text

REPORT_KEY = ("partner_code", "milestone", "period")
"""The columns of which at most one milestone report is in force for each."""
# A milestone belongs to one partner: searching for all milestones with all partners would search every pair.
_REPORT_ASKED = ("milestone", "period")


def end_what_is_replaced(
    connection: Connection, decisions: Sequence[Decision], at: datetime
) -> dict[int | None, set[FigureKey]]:
    """Close the replaced submissions, everything in them, and any other row with the same key as a new one.

    Of what was held only the submission is closed, since nothing in it was in force.

    A figure can come from two sources, a return and a published table: the later one counts.

    Returns:
        The keys of the figures of each replaced submission.
    """
    replaced = {decision.supersedes for decision in decisions if decision.supersedes is not None}
    end_submissions(connection, replaced | {one.ends for one in decisions if one.ends is not None}, at)
    loaded = [decision.checked for decision in decisions if decision.is_loaded]
    figures = _figures_held(connection, replaced)
    said = [key for decision in decisions for key in decision.figures]
    saying = _saying(connection, observation, FigureKey._fields, said, asked=FigureKey._fields)
    end_rows(connection, observation, _held_by(connection, observation, replaced) | saying, at)
    reported = [_report_key(row) for checked in loaded for row in checked.milestone_reports]
    saying = _saying(connection, milestone_report, REPORT_KEY, reported, asked=_REPORT_ASKED)
    end_rows(connection, milestone_report, _held_by(connection, milestone_report, replaced) | saying, at)
    return figures


def end_submissions(connection: Connection, submission_ids: set[int], at: datetime) -> None:
    """Close submissions in force: their first time, or the time that a withdrawal gave them."""
    if not submission_ids:
        return
    first = select(submission.c.submission_id).where(
        submission.c.submission_id.in_(submission_ids), submission.c.superseded_at.is_(None)
    )
    end_rows(connection, submission, connection.scalars(first).all(), at)
    again = select(withdrawal.c.submission_id).where(
        withdrawal.c.restored_id.in_(submission_ids), withdrawal.c.superseded_at.is_(None)
    )
    end_rows(connection, withdrawal, connection.scalars(again).all(), at)


def _report_key(row: MilestoneReport) -> tuple[str, ...]:
    return row.partner_code, row.milestone, row.period.code


def _figures_held(connection: Connection, submission_ids: set[int]) -> dict[int | None, set[FigureKey]]:
    held: dict[int | None, set[FigureKey]] = {}
    if not submission_ids:
        return held
    columns = observation.c
    query = select(columns.submission_id, *(columns[name] for name in FigureKey._fields)).where(
        columns.submission_id.in_(submission_ids), columns.superseded_at.is_(None)
    )
    for submission_id, *key in connection.execute(query):
        held.setdefault(submission_id, set()).add(FigureKey(*key))
    return held


def _row_id(table: Table) -> Column[Any]:
    return next(iter(table.primary_key))


def _held_by(connection: Connection, table: Table, submission_ids: set[int]) -> set[int]:
    """The rows in force that came with submissions."""
    if not submission_ids:
        return set()
    query = select(_row_id(table)).where(table.c.submission_id.in_(submission_ids), table.c.superseded_at.is_(None))
    return set(connection.scalars(query))


def _saying(
    connection: Connection,
    table: Table,
    key: tuple[str, ...],
    wanted: Sequence[tuple[str, ...]],
    asked: tuple[str, ...],
) -> set[int]:
    """The rows in force with one of the wanted keys: queried by parts of the key, and filtered here."""
    if not wanted:
        return set()
    values = dict(zip(key, zip(*wanted, strict=True), strict=True))
    rows = connection.execute(_in_force(table, key, asked), {name: set(values[name]) for name in asked})
    keys = set(wanted)
    return {row_id for row_id, *found in rows if tuple(found) in keys}


@cache
def _in_force(table: Table, key: tuple[str, ...], asked: tuple[str, ...]) -> Select[Any]:
    """The rows in force with any of the values that are asked of each column."""
    any_of = (is_one_of(table.c[name], name) for name in asked)
    return select(_row_id(table), *(table.c[name] for name in key)).where(table.c.superseded_at.is_(None), *any_of)


_HIGHEST = select(func.max(submission.c.submission_id))

_CHECKED = ("file_name", "sha256", "content_sha256", "layout", "prepared_by", "email")
_SUBMISSION = (
    *("submission_id", "partner_code", "period", "version", "file", *_CHECKED, "status", "duplicate_of", "supersedes"),
    *("received_at", "delivery"),
)


def insert_submissions(
    connection: Connection,
    decisions: Sequence[Decision],
    received: Sequence[tuple[datetime, str | None]],
    at: datetime,
    above: int,
) -> list[int]:
    """Insert a row per submission, received when and by which delivery; give their numbers, in the same order.

    Each number is higher than every other in the table, and than `above`.
    """
    numbers = _new_numbers(connection, len(decisions), above)
    rows = (
        (number, *_submission_row(decision), *came)
        for number, decision, came in zip(numbers, decisions, received, strict=True)
    )
    insert_rows(connection, submission, _SUBMISSION, rows, {"recorded_at": at})
    return numbers


def _submission_row(decision: Decision) -> tuple[Any, ...]:
    checked = decision.checked
    return (
        checked.partner_code or None,
        checked.period.code if checked.period else None,
        decision.version,
        shown_path(checked.file),
        *(getattr(checked, name) for name in _CHECKED),
        decision.status.value,
        decision.duplicate_of,
        decision.supersedes,
    )


def _new_numbers(connection: Connection, count: int, above: int) -> list[int]:
    """Numbers for so many new submissions, in a transaction of `engine.writing`."""
    highest = connection.scalar(_HIGHEST) or 0
    if connection.dialect.name == "sqlite":
        # As SQLite would number them itself, which would have to be asked for the numbers then.
        first = max(highest, above) + 1
        return list(range(first, first + count))
    sequence = func.pg_get_serial_sequence("submission", "submission_id")
    if highest < above:
        # What was given to a transaction that was rolled back may be higher.
        connection.execute(select(func.setval(sequence, func.greatest(above, func.nextval(sequence)))))
    drawn = select(func.nextval(sequence)).select_from(func.generate_series(1, count).alias())
    return list(connection.scalars(drawn))


def insert_contents(
    connection: Connection, decisions: Sequence[Decision], submission_ids: Sequence[int], at: datetime
) -> None:
    """Insert findings, and the figures, milestone reports and withheld texts of accepted and of held submissions.

    What is held is superseded as it is recorded: it is known, and was in force at no moment.
    """
    numbered = list(zip(submission_ids, decisions, strict=True))
    # A duplicate's findings are those of the submission that it duplicates.
    found = (
        (number, *_finding_row(row), subject)
        for number, one in numbered
        if one.status is not SubmissionStatus.DUPLICATE
        for row, subject in _with_subjects(one)
    )
    insert_rows(connection, finding, ("submission_id", *_FINDING, "subject"), found)
    _insert_stated(connection, [(number, one) for number, one in numbered if one.is_loaded], {"recorded_at": at})
    held = [(number, one) for number, one in numbered if one.status is SubmissionStatus.HELD]
    _insert_stated(connection, held, {"recorded_at": at, "superseded_at": at})
    texts = (
        (number, *(getattr(row, name) for name in _TEXT))
        for number, one in numbered
        if one.is_loaded or one.status is SubmissionStatus.HELD
        for row in one.checked.withheld
    )
    insert_rows(connection, withheld_text, ("submission_id", *_TEXT), texts, {"recorded_at": at})


def _insert_stated(connection: Connection, numbered: list[tuple[int, Decision]], life: dict[str, datetime]) -> None:
    """Insert the figures and milestone reports of submissions, which live from when to when."""
    figures = (
        (number, *key, *_figure_row(row))
        for number, one in numbered
        for key, row in zip(one.stated, one.checked.observations, strict=True)
    )
    insert_rows(connection, observation, ("submission_id", *FigureKey._fields, *_FIGURE), figures, life)
    reports = ((number, *_report_row(row)) for number, one in numbered for row in one.checked.milestone_reports)
    insert_rows(connection, milestone_report, ("submission_id", *_REPORT), reports, life)


_TEXT = ("sheet", "cell", "mark", "text")


def _with_subjects(decision: Decision) -> Iterator[tuple[Finding, str]]:
    """The findings of a submission, each with the indicator or milestone of the row that it is in, if that is loaded.

    Where a row has figures of several indicators, it is the first by name; a figure comes before a milestone's report.
    """
    checked, subjects = decision.checked, dict[tuple[str, str], str]()
    if checked.findings and (decision.is_loaded or decision.status is SubmissionStatus.HELD):
        for figure in sorted(checked.observations, key=lambda row: row.indicator):
            subjects.setdefault(_row(figure), figure.indicator)
        for report in sorted(checked.milestone_reports, key=lambda row: row.milestone):
            subjects.setdefault(_row(report), report.milestone)
    for found in checked.findings:
        yield found, subjects.get(_row(found), "") if found.cell else ""


def _row(placed: Finding | Observation | MilestoneReport) -> tuple[str, str]:
    """The sheet, and the number of the row: `2` of `G2`, and of `$G$2`."""
    return placed.sheet, placed.cell.lstrip(_LETTERS)


_LETTERS = "$ABCDEFGHIJKLMNOPQRSTUVWXYZ"

_FINDING = ("code", "severity", "sheet", "cell", "value", "message", "fix")


def _finding_row(row: Finding) -> tuple[Any, ...]:
    return row.code, row.severity.value, row.sheet, row.cell, row.value, row.message, row.fix


_FIGURE = (
    "value",
    "marker",
    "qualifiers",
    "numerator",
    "denominator",
    "comment",
    "typed",
    "sheet",
    "cell",
)


def _figure_row(row: Observation) -> tuple[Any, ...]:
    return (
        _double(row.value),
        row.marker and row.marker.value,
        "; ".join(word.value for word in Qualifier if word in row.qualifiers) if row.qualifiers else "",
        _double(row.numerator),
        _double(row.denominator),
        row.comment,
        row.typed,
        row.sheet,
        row.cell,
    )


def _double(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


_REPORT = (*REPORT_KEY, "status", "evidence", "review", "reason", "sheet", "cell")


def _report_row(row: MilestoneReport) -> tuple[Any, ...]:
    return (
        *_report_key(row),
        row.status and row.status.value,
        row.evidence,
        row.review and row.review.value,
        row.reason,
        row.sheet,
        row.cell,
    )
