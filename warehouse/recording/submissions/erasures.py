"""Erases what was typed in a return, for a request under data protection law: the only change of a row that is made.

Figures, markers, hashes and who decided what stay. What is erased is erased as of every moment.
"""

from collections.abc import Collection, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, Table, insert, select, update

from schemas.codes import DecisionKind
from warehouse.recording.administration import Decision, record_decision
from warehouse.schema.tables import erasure, finding, milestone_report, observation, submission, withheld_text

ERASED = "[erased]"
"""What stands in the place of a text that was erased."""

_FREE_TEXT = {observation: ("comment",), milestone_report: ("evidence", "reason")}
_COVER = ("prepared_by", "email")
_REWRITTEN = (submission, finding, observation, milestone_report, withheld_text)
# A shorter text, such as "no", is in many sentences by chance.
_SHORTEST_QUOTED = 3

Cell = tuple[str, str]
"""A sheet and a cell of it, such as ("Indicators", "M7")."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was erased of a workbook's content.

    `submission_ids` are all submissions of the same bytes, which share what was erased, and `other_ids` those of the
    same return that are other files, and so not erased. `texts` counts the texts that were overwritten; `is_new` is
    False where all had been decided before.
    """

    sha256: str
    submission_ids: tuple[int, ...]
    other_ids: tuple[int, ...]
    decision_id: int
    texts: int
    is_new: bool


def parse_cell(text: str) -> Cell:
    """A cell as a formula names it: `Indicators!M7`, or `'A sheet'!$M$7`.

    Raises:
        ValueError: it names no sheet, or no single cell.
    """
    sheet, _, cell = text.rpartition("!")
    cell = cell.replace("$", "").upper()
    letters = cell.rstrip("0123456789")
    if not sheet or not letters.isalpha() or not letters.isascii() or letters == cell:
        raise ValueError(f"{text!r} is not a cell of a sheet: type it like Indicators!M7")
    return sheet.strip("'").replace("''", "'"), cell


def erase_content(
    connection: Connection, submission_id: int, cells: Collection[Cell], *, by: str, why: str, at: datetime
) -> Erasure:
    """Erase what was typed, in a transaction of `engine.writing`.

    Args:
        connection: the transaction.
        submission_id: a submission; it stands for all of the same bytes that came until now.
        cells: what to erase; all free text if there are none.
        by: who decides it.
        why: why.
        at: now.

    Raises:
        ValueError: there is no such submission.
    """
    columns = submission.c
    row = connection.execute(select(submission).where(columns.submission_id == submission_id)).one_or_none()
    if row is None:
        raise ValueError(f"there is no submission {submission_id}; bi_submissions lists them")
    same = select(columns.submission_id).where(columns.sha256 == row.sha256, columns.received_at <= at)
    numbers = tuple(sorted({submission_id, *connection.scalars(same)}))
    known = _decided(connection, numbers)
    wanted = [cell for cell in dict.fromkeys(cells or [("", "")]) if any((one, *cell) not in known for one in numbers)]
    decision_id = next(iter(known.values()), 0)
    texts = 0
    if wanted:
        if connection.dialect.name == "sqlite":
            # Until the file is rewritten, too.
            connection.exec_driver_sql("PRAGMA secure_delete = ON")
        decided = Decision(
            DecisionKind.ERASE_CONTENT, _about(submission_id, wanted), by, why, at, row.partner_code or ""
        )
        decision_id = record_decision(connection, decided)
        rows = [
            {"submission_id": number, "sheet": sheet, "cell": cell, "decision_id": decision_id}
            for number in numbers
            for sheet, cell in wanted
        ]
        connection.execute(insert(erasure), rows)
        for number in numbers:
            texts += _erase_all(connection, number) if not cells else _erase_cells(connection, number, wanted)
    return Erasure(row.sha256, numbers, _others(connection, row, numbers), decision_id, texts, bool(wanted))


def is_erased(connection: Connection, sha256: str, cells: Collection[Cell], at: datetime) -> bool:
    """Whether all that came of a workbook's bytes by a moment is erased as decided then, or nothing of it came."""
    columns = submission.c
    same = select(columns.submission_id).where(columns.sha256 == sha256, columns.received_at <= at)
    numbers = tuple(connection.scalars(same))
    known = _decided(connection, numbers)
    return all((one, *cell) in known for one in numbers for cell in cells or [("", "")])


def submission_of(connection: Connection, sha256: str, at: datetime) -> int | None:
    """A submission of a workbook's bytes that came by a moment."""
    columns = submission.c
    number: int | None = connection.scalar(
        select(columns.submission_id).where(columns.sha256 == sha256, columns.received_at <= at).limit(1)
    )
    return number


def came_again(connection: Connection, sha256: str, at: datetime) -> bool:
    """Whether a workbook's bytes came again after a moment."""
    columns = submission.c
    query = select(columns.submission_id).where(columns.sha256 == sha256, columns.received_at > at)
    return connection.scalar(query.limit(1)) is not None


def rewrite_files(engine: Engine) -> bool:
    """Have the database rewrite its files, so that what was overwritten is in none of them; say whether it could.

    SQLite cannot empty its log while somebody reads from it. PostgreSQL's own log has what was written for as long as
    its settings say.
    """
    if engine.dialect.name == "postgresql":
        names = ", ".join(table.name for table in _REWRITTEN)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(f"VACUUM (FULL) {names}")
        return True
    # The driver's own, since ours begin a transaction, in which SQLite rewrites nothing.
    with closing(engine.raw_connection()) as driven, closing(driven.cursor()) as cursor:
        cursor.execute("VACUUM")
        ((busy, _, _),) = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return not busy


def _decided(connection: Connection, numbers: Sequence[int]) -> dict[tuple[int, str, str], int]:
    """The decision of each submission and cell; with an empty cell, of the whole."""
    columns = erasure.c
    query = select(erasure).where(columns.submission_id.in_(numbers)).order_by(columns.erasure_id)
    return {(row.submission_id, row.sheet, row.cell): row.decision_id for row in connection.execute(query)}


def _about(submission_id: int, cells: Iterable[Cell]) -> str:
    places = ", ".join(f"{sheet}!{cell}" for sheet, cell in cells if cell)
    return f"submission {submission_id}, {places or 'all free text'}"


def _others(connection: Connection, row: Row[Any], numbers: Sequence[int]) -> tuple[int, ...]:
    columns = submission.c
    query = (
        select(columns.submission_id)
        .where(columns.partner_code == row.partner_code, columns.period == row.period)
        .where(columns.submission_id.not_in(numbers))
        .order_by(columns.submission_id)
    )
    return tuple(connection.scalars(query))


def _erase_all(connection: Connection, number: int) -> int:
    """Erase all free text of a submission; give the number of texts."""
    count = _overwrite(connection, submission, number, _COVER)
    for table, names in _FREE_TEXT.items():
        count += _overwrite(connection, table, number, names)
    count += _overwrite(connection, withheld_text, number, ("text",))
    columns = observation.c
    for row in connection.execute(select(observation).where(columns.submission_id == number, columns.marker.is_(None))):
        # A figure and nothing else stays.
        if any(map(str.isalpha, row.typed)):
            count += _overwrite_row(connection, observation, row.observation_id, ("typed",))
    for row in _findings(connection, number):
        count += _erase_finding(connection, row)
    return count


def _erase_cells(connection: Connection, number: int, cells: Sequence[Cell]) -> int:
    """Erase what was typed in cells of a submission, and the findings that quote it; give the number of texts."""
    quoted: set[str] = set()
    count = sum(_erase_cell(connection, number, sheet, cell, quoted) for sheet, cell in cells)
    wanted = {(sheet.casefold(), cell) for sheet, cell in cells}
    for row in _findings(connection, number):
        is_there = (row.sheet.casefold(), row.cell.upper()) in wanted
        if is_there or any(text in part for text in quoted for part in (row.value, row.message, row.fix)):
            count += _erase_finding(connection, row)
    return count


def _erase_cell(connection: Connection, number: int, sheet: str, cell: str, quoted: set[str]) -> int:
    """Erase what a cell holds in the tables, but for findings; add to `quoted` what it was.

    The tables name the cell of a figure and of a milestone's status. What was typed beside it is known by its row, so
    that all free text of the row is erased.
    """
    count, is_table, is_own = 0, False, False
    number_of = cell.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    for row in connection.execute(select(withheld_text).where(withheld_text.c.submission_id == number)).all():
        if (row.sheet.casefold(), row.cell.upper()) == (sheet.casefold(), cell):
            is_own = True
            quoted.update(_worth_finding([row.text]))
            key = [withheld_text.c[name] == getattr(row, name) for name in ("submission_id", "sheet", "cell")]
            connection.execute(update(withheld_text).where(*key).values(text=ERASED))
            count += 1
            for table, names in _FREE_TEXT.items():
                for name in names:
                    marked = update(table).where(table.c.submission_id == number, table.c[name] == row.mark)
                    connection.execute(marked.values({name: ERASED}))
    for table, names in _FREE_TEXT.items():
        for row in connection.execute(select(table).where(table.c.submission_id == number)).all():
            if row.sheet.casefold() != sheet.casefold():
                continue
            is_table = True
            if row.cell.upper() == cell:
                wanted: tuple[str, ...] = ("typed",) if table is observation else ()
            elif row.cell.upper().lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ") == number_of and not is_own:
                wanted = names
            else:
                continue
            quoted.update(_worth_finding(getattr(row, name) for name in wanted))
            count += _overwrite_row(connection, table, row[0], wanted)
    if not is_table and not is_own:
        # The cover is a sheet of its own, whose cells are not in the tables.
        row = connection.execute(select(submission).where(submission.c.submission_id == number)).one()
        quoted.update(_worth_finding(getattr(row, name) for name in _COVER))
        count += _overwrite(connection, submission, number, _COVER)
    return count


def _worth_finding(texts: Iterable[str]) -> set[str]:
    return {text for text in texts if len(text) >= _SHORTEST_QUOTED and text != ERASED}


def _findings(connection: Connection, number: int) -> Sequence[Row[Any]]:
    return connection.execute(select(finding).where(finding.c.submission_id == number)).all()


def _erase_finding(connection: Connection, row: Row[Any]) -> int:
    """Erase what a finding quotes; its code still says what was wrong, and its fix what to do."""
    names = ["value", "message"]
    if row.value and row.value in row.fix:
        names.append("fix")
    return _overwrite_row(connection, finding, row.finding_id, names)


def _overwrite(connection: Connection, table: Table, number: int, names: Iterable[str]) -> int:
    """Overwrite texts of all rows of a submission that are not empty; give their number."""
    count = 0
    for name in names:
        column = table.c[name]
        statement = update(table).where(table.c.submission_id == number, column != "", column != ERASED)
        count += connection.execute(statement.values({name: ERASED})).rowcount
    return count


def _overwrite_row(connection: Connection, table: Table, row_id: int, names: Iterable[str]) -> int:
    key = next(iter(table.primary_key))
    count = 0
    for name in names:
        column = table.c[name]
        statement = update(table).where(key == row_id, column != "", column != ERASED)
        count += connection.execute(statement.values({name: ERASED})).rowcount
    return count
