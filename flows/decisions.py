"""What the data team decides, as functions that a command and a flow can both call: each is one transaction.

Each says in sentences what it did, and raises a ValueError with one clear line where it cannot.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cypp_etl.plan.model import refuse_outside
from flows.ingestion.erasure import Erased, erase
from warehouse.engine import writing
from warehouse.recording.administration import end_waiver as end_waiver_in
from warehouse.recording.administration import reopen_period as reopen_period_in
from warehouse.recording.submissions.erasures import parse_cell
from warehouse.recording.submissions.withdrawals import Withdrawn, withdraw_submission

if TYPE_CHECKING:
    from cypp_etl.periods import Period
    from flows.ingestion.context import Workplace


@dataclass(frozen=True, slots=True)
class Decided:
    """What a decision did, in sentences; `is_new` is False where it had been made before, and nothing was changed."""

    is_new: bool
    said: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ErasedContent(Decided):
    """What erasing did; Prefect's runs are of the workbook with this SHA-256."""

    sha256: str


def reopen_period(workplace: "Workplace", period: "Period", *, by: str, why: str) -> Decided:
    """Reopen a closed period: its figures can be corrected without a decision, and its returns be withdrawn.

    Raises:
        ValueError: it is not in the calendar, or nobody says who or why.
        sqlalchemy.exc.SQLAlchemyError: the database cannot be reached.
    """
    require_who_and_why(by, why)
    refuse_outside(workplace.plan.calendar, period)
    with writing(workplace.engine) as connection:
        was_closed = reopen_period_in(connection, period, by, datetime.now(UTC), why)
    return Decided(was_closed, (f"{period.label} is open again." if was_closed else f"{period.label} is not closed.",))


def end_waiver(workplace: "Workplace", decision_id: int, *, by: str, why: str) -> Decided:
    """End the waiver of a decision.

    Raises:
        ValueError: there is no such waiver, another took its place, or nobody says who or why.
        sqlalchemy.exc.SQLAlchemyError: the database cannot be reached.
    """
    require_who_and_why(by, why)
    with writing(workplace.engine) as connection:
        waived, was_in_force = end_waiver_in(connection, decision_id, by=by, why=why, at=datetime.now(UTC))
    scope = "".join(f", {part}" for part in (waived.subject, waived.period and waived.period.label) if part)
    what = f"The waiver of {waived.code} for {waived.partner_code}{scope}"
    return Decided(was_in_force, (f"{what} {'has ended' if was_in_force else 'had already ended'}.",))


def withdraw_return(workplace: "Workplace", submission_id: int, *, by: str, why: str) -> Decided:
    """Take a submission out of force, with all that follows: the earlier accepted one is in force again, or none.

    Raises:
        ValueError: there is no such submission, it is not in force, it has figures of a closed period, or nobody says
            who or why.
        sqlalchemy.exc.SQLAlchemyError: the database cannot be reached.
    """
    require_who_and_why(by, why)
    with writing(workplace.engine) as connection:
        done = withdraw_submission(connection, workplace.plan, submission_id, by=by, why=why, at=datetime.now(UTC))
    return Decided(done.was_in_force, tuple(_sentences(done)))


def erase_content(
    workplace: "Workplace", submission_id: int, cells: Sequence[str] = (), *, by: str, why: str
) -> ErasedContent:
    """Erase what was typed in a submission's workbook: in cells such as `Indicators!M7`, or in all free text.

    The workbook's bytes and its receipts are removed in any case. Made again, it finishes what was left. Prefect's runs
    are left to the caller, who has a server (`flows.prefect_runs`).

    Raises:
        ValueError: there is no such submission, a cell cannot be read, or nobody says who or why.
        OSError, sqlalchemy.exc.SQLAlchemyError: something is out of reach.
    """
    require_who_and_why(by, why)
    wanted = tuple(parse_cell(cell) for cell in cells)
    done = erase(workplace, submission_id, wanted, by=by, why=why, at=datetime.now(UTC))
    return ErasedContent(done.erasure.is_new, tuple(_erased_sentences(done)), done.erasure.sha256)


def require_who_and_why(by: str, why: str) -> None:
    """Make sure that a decision says who made it, and why.

    Raises:
        ValueError: it does not.
    """
    if not by.strip() or not why.strip():
        raise ValueError("say who decides it, with --by NAME, and why, with --why TEXT")


def _erased_sentences(done: Erased) -> Iterator[str]:
    erasure = done.erasure
    numbers = ", ".join(map(str, erasure.submission_ids))
    whose = f"{'Submissions' if len(erasure.submission_ids) > 1 else 'Submission'} {numbers}"
    if not erasure.is_new:
        yield f"{whose}: already erased, by decision {erasure.decision_id}."
    else:
        yield f"{whose}: texts erased in the warehouse: {erasure.texts}."
    yield f"The workbook {'is removed from' if done.had_bytes else 'is not in'} the archive."
    yield f"Receipts removed: {len(done.receipts.removed)}."
    for path in done.receipts.changed:
        yield f"{path}: its partner has changed it, so it is left; remove it, or erase what is taken of it."
    if not done.is_rewritten:
        yield "Somebody reads the warehouse, so its log still has what was erased: run the command again."
    if erasure.other_ids:
        others = ", ".join(map(str, erasure.other_ids))
        noun = "submissions" if len(erasure.other_ids) > 1 else "submission"
        yield f"Other files came of the same return, and are not erased: {noun} {others}."


def _sentences(done: Withdrawn) -> list[str]:
    whose = f"{done.partner_code}, {done.period.label}"
    if not done.was_in_force:
        return [f"Submission {done.submission_id} ({whose}) was already withdrawn, by decision {done.decision_id}."]
    restored = f"Submission {done.restored_id} is in force again."
    instead = restored if done.restored_id else "No submission of this return is in force."
    count = done.changed_judgements
    return [
        f"Submission {done.submission_id} ({whose}) is withdrawn. {instead}",
        f"{count:,} {'judgement has' if count == 1 else 'judgements have'} changed.",
    ]
