"""Texts that are withheld since they may hold personal data, and how a released one is shown.

The columns of the views hold a mark. The view shows the text instead once it is released.
"""

from datetime import datetime

from sqlalchemy import ColumnElement, func, literal, select

from cypp_etl.intake.withheld import MARK_BEGINS
from warehouse.schema.decisions import decision
from warehouse.schema.tables import observation, text_release, withheld_text
from warehouse.views.in_force import Standing


def shown_sql(row: str, column: str, standing: Standing) -> str:
    """SQL for a text that may be withheld: the mark, or the text itself if it is released.

    Args:
        row: alias of a row that has a `submission_id`.
        column: its column, which may hold a mark.
        standing: whether releases up to now count, or up to a moment.
    """
    released = "JOIN decision e ON e.decision_id = t.decision_id AND e.decided_at <= :at" if standing.is_as_of else ""
    return f"""CASE WHEN substr({row}.{column}, 1, {len(MARK_BEGINS)}) = '{MARK_BEGINS}' THEN coalesce((
                SELECT w.text FROM withheld_text w JOIN text_release t ON t.submission_id = w.submission_id
                    AND t.sheet = w.sheet AND t.cell = w.cell
                {released}
                WHERE w.submission_id = {row}.submission_id AND w.mark = {row}.{column}
            ), {row}.{column}) ELSE {row}.{column} END"""


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
        text = text.join(decision, decision.c.decision_id == released.decision_id).where(decision.c.decided_at <= at)
    return func.coalesce(text.scalar_subquery(), columns.comment, literal("")).label("comment")
