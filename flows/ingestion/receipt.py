"""Sends a return's receipt: reads from the warehouse what it confirms, and writes it to the partner's folder."""

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cypp_etl.checked_return import CheckedReturn
from cypp_etl.checking.confined import shared_checker
from cypp_etl.judgement.columns import PRINTED
from cypp_etl.layout import published_table
from cypp_etl.phrases import date_text
from cypp_etl.plan.model import Plan
from cypp_etl.receipts.mail_text import mail_subject, mail_text
from cypp_etl.receipts.reply import page_for
from cypp_etl.receipts.summary import ChangedCell, ChangedJudgement, LoadedCell, ReceiptSummary
from cypp_etl.rules.arithmetic import shown
from flows.inbox.receipt_files import write_reply
from flows.inbox.written_receipts import WrittenReceipts
from flows.ingestion.context import Workplace, read
from flows.mail.outbox import Letter, Outbox
from flows.storage.archive import Kept
from flows.storage.files import path_as_text, path_from_text
from schemas.codes import SubmissionStatus
from warehouse.engine import reading
from warehouse.queries.changes import changed_cells, changed_symbols
from warehouse.queries.held import held_submissions
from warehouse.queries.views import calendar_of, original_status, repeats_rejected
from warehouse.recording.record import Recorded

if TYPE_CHECKING:
    from sqlalchemy import Connection

_LOADING = frozenset({SubmissionStatus.ACCEPTED, SubmissionStatus.ACCEPTED_WITH_QUERIES})
# How the codes of findings about personal data begin.
_PERSONAL = "personal-data"


@dataclass(frozen=True, slots=True)
class Answer:
    """The receipt that a partner was sent: its path, what it confirms, and the SHA-256 of its bytes."""

    receipt: Path
    summary: ReceiptSummary
    sha256: str


def answer(
    workplace: Workplace, checked: CheckedReturn, recorded: Recorded, kept: Kept, received_at: datetime
) -> Answer:
    """Write the receipt of a submission into its partner's folder of replies.

    Raises:
        OSError: the folder cannot be written to.
    """
    with reading(workplace.engine) as connection:
        summary = summarise(connection, workplace, checked, recorded, received_at)
    return send(workplace, checked, read(kept), summary)


def send(workplace: Workplace, checked: CheckedReturn, data: bytes | None, summary: ReceiptSummary) -> Answer:
    """Write a receipt beside the path of a return: the marked workbook, or a page where its bytes are gone.

    Raises:
        OSError: the folder cannot be written to.
    """
    reply = page_for(checked, summary) if data is None else shared_checker().reply(checked, data, summary)
    folder = path_from_text(checked.file).parent
    written = WrittenReceipts(workplace.settings.receipts, folder.name)
    return Answer(write_reply(folder, reply, written), summary, hashlib.sha256(reply.content).hexdigest())


def queue_mail(
    outbox: Outbox, checked: CheckedReturn, recorded: Recorded, answered: Answer, delivery: str, partner_code: str
) -> None:
    """Queue a receipt to be sent to the address on the return's cover, if receipts are sent by e-mail.

    What repeats an earlier return is not answered that way: where somebody's mailbox puts attachments into the
    inbox, each message would bring the next.

    Raises:
        OSError: it cannot be queued.
    """
    summary = answered.summary
    repeats = recorded.duplicate_of is not None or summary.is_unchanged
    if not checked.email.strip() or repeats or not outbox.is_open:
        return
    is_personal = bool(checked.withheld) or any(one.code.startswith(_PERSONAL) for one in checked.findings)
    outbox.add(
        Letter(
            delivery=delivery,
            partner_code=partner_code,
            period=checked.period.code if checked.period else "",
            file=checked.file,
            address=checked.email,
            subject=mail_subject(summary),
            text=mail_text(summary, checked.findings),
            receipt=path_as_text(answered.receipt),
            sha256=answered.sha256,
            may_be_attached=not is_personal,
            queued_at=time.time(),
        )
    )


def summarise(
    connection: "Connection", workplace: Workplace, checked: CheckedReturn, recorded: Recorded, received_at: datetime
) -> ReceiptSummary:
    """What the receipt confirms. A duplicate's gives the status of the submission that it repeats."""
    status = recorded.status
    if recorded.duplicate_of is not None:
        status = original_status(connection, recorded.duplicate_of) or status
    partner = workplace.plan.partners.get(checked.partner_code)
    return ReceiptSummary(
        partner=partner.partner if partner else checked.partner_code,
        period_label=checked.period.label if checked.period else "",
        version=recorded.version,
        received_at=received_at,
        file_name=checked.file_name,
        sha256=checked.sha256,
        status=status,
        loaded=tuple(_loaded(checked, workplace.plan)) if recorded.status in _LOADING else (),
        previous_submission=_previous(recorded, status),
        changed_cells=tuple(
            ChangedCell(change.sheet, change.cell, change.was, change.now)
            for change in changed_cells(connection, recorded.submission_id, recorded.previous_submission_id)
        ),
        changed_judgements=tuple(
            ChangedJudgement(f"{change.indicator}, {change.period}", _heading(change.judgement), change.was, change.now)
            for change in changed_symbols(connection, recorded.submission_id)
        ),
        is_unchanged=recorded.status is SubmissionStatus.REJECTED
        and repeats_rejected(connection, recorded.submission_id),
        still_due=_still_due(connection, checked.partner_code, received_at.date()),
    )


def _loaded(checked: CheckedReturn, plan: Plan) -> Iterator[LoadedCell]:
    """What was loaded, with a figure's words where its unit has any: an amount may have been typed in millions."""
    for figure in checked.observations:
        leaf = plan.edition(figure.indicator, figure.period)
        words = shown(figure.value, leaf) if leaf.currency or leaf.unit_words else ""
        yield LoadedCell(figure.indicator, figure.typed, figure.sheet, figure.cell, words)
    for report in checked.milestone_reports:
        if report.status is not None:
            yield LoadedCell(f"Milestone {report.milestone}", report.status.value, report.sheet, report.cell)


def _previous(recorded: Recorded, status: SubmissionStatus) -> str:
    if recorded.duplicate_of is not None:
        state = "held" if status is SubmissionStatus.HELD else "in force"
        return f"It says what submission {recorded.duplicate_of} says, which is {state}."
    return f"Submission {recorded.previous_submission_id}" if recorded.previous_submission_id else ""


def _heading(judgement: str) -> str:
    """The heading of a judgement in the Board's table; the band against target is under Year to Date."""
    columns = published_table()
    return columns.column(next(name for name, column in PRINTED.items() if column.name == judgement)).heading


def _still_due(connection: "Connection", partner_code: str, today: date) -> tuple[str, ...]:
    """The returns that are overdue, since the partner's first return; what is held waits for the data team."""
    rows = calendar_of(connection, partner_code) if partner_code else []
    first = next((row.due_on for row in rows if row.submission_id is not None), today)
    due = [row for row in rows if row.is_owed and row.submission_id is None and first <= row.due_on <= today]
    held = {row["period"] for row in held_submissions(connection, partner_code=partner_code)} if due else set()
    return tuple(f"{row.period}, due on {date_text(row.due_on)}" for row in due if row.period not in held)
