"""Releasing a text that is withheld as possible personal data."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flows.team.decided import Decided, require_who_and_why
from warehouse.engine import writing
from warehouse.recording.submissions.text_releases import release_text as release_text_in

if TYPE_CHECKING:
    from flows.ingestion.context import Workplace


def release_text(
    workplace: "Workplace", submission_id: int, cell: str, sheet: str = "", *, by: str, why: str
) -> Decided:
    """Let a withheld text be seen. `sheet` may be empty where the cell alone says which text is meant.

    Raises:
        ValueError: there is no such text, there are several, or nobody says who releases it, or why.
        sqlalchemy.exc.SQLAlchemyError: the database cannot be reached.
    """
    require_who_and_why(by, why)
    with writing(workplace.engine) as connection:
        held, was_withheld = release_text_in(
            connection, submission_id, sheet.strip(), cell.strip(), by=by, reason=why, at=datetime.now(UTC)
        )
    place = f"{held['sheet']}!{held['cell']} of submission {submission_id}"
    return Decided(was_withheld, (f"{place} is released." if was_withheld else f"{place} was already released.",))
