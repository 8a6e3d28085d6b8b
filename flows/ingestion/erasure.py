"""Erases what came in a workbook from a home: in the warehouse, the archive and the partner's replies.

The decision and what the warehouse holds are one transaction. The files follow it; what a killed process leaves of
them, or a backup from before brings back, is removed by `finish_erasures`, with which reconciling begins.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flows.inbox.erased_receipts import RemovedReceipts, remove_receipts_of
from flows.ingestion.context import Workplace
from flows.ingestion.status_pages import refresh_status_pages
from flows.storage.erasures import ErasureNote, note_erasure, noted_erasures, remove_bytes
from warehouse.engine import reading, writing
from warehouse.queries.views import submissions
from warehouse.recording.submissions.erasures import (
    Cell,
    Erasure,
    came_again,
    erase_content,
    is_erased,
    rewrite_files,
    submission_of,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure did: to the tables, and to files.

    `had_bytes` says whether the workbook was still in the archive; `is_rewritten` whether the warehouse's files were
    rewritten, so that none holds what was overwritten.
    """

    erasure: Erasure
    had_bytes: bool
    receipts: RemovedReceipts
    is_rewritten: bool


def erase(
    workplace: Workplace, submission_id: int, cells: Collection[Cell], *, by: str, why: str, at: datetime
) -> Erased:
    """Erase what was typed in a submission's workbook; what was done before is only finished.

    Args:
        workplace: the home.
        submission_id: the submission.
        cells: the cells; all free text if there are none. The workbook's bytes and receipts are removed in any case.
        by: who decides it.
        why: why.
        at: now.

    Raises:
        ValueError: there is no such submission.
        OSError, sqlalchemy.exc.SQLAlchemyError: something is out of reach; what was decided stays decided, and is
            finished by the same call, or by reconciling.
    """
    with writing(workplace.engine) as connection:
        done = erase_content(connection, submission_id, cells, by=by, why=why, at=at)
        if done.is_new:
            note_erasure(workplace.settings.archive, ErasureNote(done.sha256, tuple(cells), by, why, at))
    had_bytes, receipts = _remove_files(workplace, done.sha256, at)
    return Erased(done, had_bytes, receipts, rewrite_files(workplace.engine))


def finish_erasures(workplace: Workplace) -> int:
    """Erase again what was erased, where a killed process left it or an older copy brought it back.

    Returns:
        How many erasures were not whole.

    Raises:
        OSError, ValueError, sqlalchemy.exc.SQLAlchemyError: something is out of reach, or the notes cannot be read.
    """
    unfinished = 0
    for note in noted_erasures(workplace.settings.archive):
        with reading(workplace.engine) as connection:
            is_whole = is_erased(connection, note.sha256, note.cells, note.decided_at)
        if not is_whole:
            with writing(workplace.engine) as connection:
                _decide_again(connection, note)
            rewrite_files(workplace.engine)
        had_bytes, receipts = _remove_files(workplace, note.sha256, note.decided_at)
        unfinished += not is_whole or had_bytes or bool(receipts.removed)
    return unfinished


def _decide_again(connection: "Connection", note: ErasureNote) -> None:
    number = submission_of(connection, note.sha256, note.decided_at)
    if number is not None:
        erase_content(connection, number, note.cells, by=note.decided_by, why=note.why, at=note.decided_at)


def _remove_files(workplace: Workplace, sha256: str, until: datetime) -> tuple[bool, RemovedReceipts]:
    """Remove the bytes and the receipts; whether there were bytes, and which receipts."""
    settings, done = workplace.settings, RemovedReceipts()
    with reading(workplace.engine) as connection:
        partners = {row["partner_code"] for row in submissions(connection, sha256=sha256)} - {None}
    # What a query quotes stands in the folder too.
    refresh_status_pages(workplace, partners, datetime.now(UTC).date())
    with reading(workplace.engine) as connection:
        if came_again(connection, sha256, until):
            return False, done
    # The receipt lies in the folder that the workbook was dropped into, whatever its cover says.
    for partner_code in sorted(partners | workplace.plan.partners.keys()):
        found = remove_receipts_of(settings.inbox, settings.receipts, partner_code, sha256)
        done.removed += found.removed
        done.changed += found.changed
    return remove_bytes(settings.archive, sha256, until), done
