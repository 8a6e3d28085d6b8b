"""Texts that are withheld because they may hold personal data, and their release by the data team.

The columns of the views hold a mark. The view shows the text instead once it is released.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, RowMapping, func, insert, literal, select

from cypp_etl.intake.withheld import MARK_BEGINS
from warehouse.schema.tables import observation, submission, text_release, withheld_text
from warehouse.views.in_force import Standing


def shown_sql(row: str, column: str, standing: Standing) -> str:
    """SQL for a text that may be withheld: the mark, or the text itself if it is released.

    Args:
        row: alias of a row that has a `submission_id`.
        column: its column, which may hold a mark.
        standing: whether releases up to now count, or up to a moment.
    """
    released = "AND t.released_at <= :at" if standing.is_as_of else ""
    return f"""CASE WHEN substr({row}.{column}, 1, {len(MARK_BEGINS)}) = '{MARK_BEGINS}' THEN coalesce((
                SELECT w.text FROM withheld_text w JOIN text_release t ON t.submission_id = w.submission_id
                    AND t.sheet = w.sheet AND t.cell = w.cell {released}
                WHERE w.submission_id = {row}.submission_id AND w.mark = {row}.{column}
            ), {row}.{column}) ELSE {row}.{column} END"""  # noqa: S608 (nothing but constants)


def shown_comment(at: datetime | None = None) -> ColumnElement[str]:
    """The comment of an observation, or its mark, now or as of a moment; labelled `comment`."""
    held, released, columns = withheld_text.c, text_release.c, observation.c
    text = (
        select(held.text)
        .join(
            text_release,
            (released.submission_id == held.submission_id)
            & (released.sheet == held.sheet)
            & (released.cell == held.cell),
        )
        .where(held.submission_id == columns.submission_id, held.mark == columns.comment)
    )
    if at is not None:
        text = text.where(released.released_at <= at)
    return func.coalesce(text.scalar_subquery(), columns.comment, literal("")).label("comment")


def release_text(
    connection: Connection, submission_id: int, sheet: str, cell: str, *, by: str, reason: str, at: datetime
) -> tuple[RowMapping, bool]:
    """Release a withheld text, in a transaction of `engine.writing`.

    Args:
        connection: the transaction.
        submission_id: the submission that the text came with.
        sheet: its sheet, case-insensitive; empty if the cell alone identifies the text.
        cell: its cell, such as M7.
        by: who releases it.
        reason: why.
        at: now.

    Returns:
        The row of `withheld_text`, and whether it was withheld until now; a release is never changed.

    Raises:
        ValueError: there is no such submission, it has no such text, or two of its sheets have one in that cell.
    """
    if connection.scalar(select(submission.c.submission_id).where(submission.c.submission_id == submission_id)) is None:
        raise ValueError(f"there is no submission {submission_id}")
    columns = withheld_text.c
    ordered = (columns.sheet, columns.cell)
    query = select(withheld_text).where(columns.submission_id == submission_id).order_by(*ordered)
    held = connection.execute(query).mappings().all()
    found = [
        row
        for row in held
        if row["cell"].casefold() == cell.replace("$", "").casefold()
        and sheet.casefold() in ("", row["sheet"].casefold())
    ]
    if len(found) != 1:
        raise ValueError(_refusal(submission_id, f"{sheet}!{cell}" if sheet else cell, held, len(found)))
    key = {name: found[0][name] for name in ("submission_id", "sheet", "cell")}
    released = text_release.c
    is_known = select(released.released_at).where(*(released[name] == value for name, value in key.items()))
    if connection.scalar(is_known) is not None:
        return found[0], False
    connection.execute(insert(text_release).values(**key, released_by=by, reason=reason, released_at=at))
    return found[0], True


def _refusal(submission_id: int, wanted: str, held: Sequence[RowMapping], count: int) -> str:
    if not held:
        return f"nothing of submission {submission_id} is withheld"
    places = ", ".join(f"{row['sheet']}!{row['cell']}" for row in held)
    if count:
        return (
            f"{wanted} is withheld on several sheets of submission {submission_id}: say which, with --sheet ({places})"
        )
    return f"submission {submission_id} has no withheld text at {wanted}; it has one at {places}"
