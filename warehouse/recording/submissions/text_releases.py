"""The data team's word that lets a withheld text be seen."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, RowMapping, insert, select

from cypp_etl.phrases import short_list
from schemas.codes import DecisionKind
from warehouse.recording.administration import Decision, record_decision
from warehouse.schema.tables import submission, text_release, withheld_text


def release_text(
    connection: Connection, submission_id: int, sheet: str, cell: str, *, by: str, reason: str, at: datetime
) -> tuple[RowMapping, bool]:
    """Release a withheld text, in a transaction of `engine.writing`.

    Args:
        connection: the transaction.
        submission_id: the submission that the text came with.
        sheet: its sheet, in any case; empty where the cell alone says which text is meant.
        cell: its cell, such as M7.
        by: who releases it.
        reason: why.
        at: now.

    Returns:
        The row of `withheld_text`, and whether it was withheld until now; a release is never changed.

    Raises:
        ValueError: there is no such submission, it holds no such text, or there are two in cells of that address.
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
    is_known = select(released.decision_id).where(*(released[name] == value for name, value in key.items()))
    if connection.scalar(is_known) is not None:
        return found[0], False
    decided = Decision(
        DecisionKind.RELEASE_TEXT, f"submission {submission_id}, {key['sheet']}!{key['cell']}", by, reason, at
    )
    connection.execute(insert(text_release).values(**key, decision_id=record_decision(connection, decided)))
    return found[0], True


def _refusal(submission_id: int, wanted: str, held: Sequence[RowMapping], count: int) -> str:
    if not held:
        return f"nothing of submission {submission_id} is withheld"
    places = short_list([f"{row['sheet']}!{row['cell']}" for row in held])
    if count:
        return f"{wanted} is withheld on several sheets of submission {submission_id}: name the sheet too ({places})"
    return f"submission {submission_id} has no withheld text at {wanted}; it has one at {places}"
