"""Decisions about single submissions: withdrawing one, and erasing what was typed in one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cypp_etl.periods import parse_period
from flows.ingestion.erasure import Erased, erase
from flows.team.decided import Decided, require_who_and_why, shown_to_partner
from warehouse.engine import reading, writing
from warehouse.queries.views import submissions
from warehouse.recording.submissions.erasures import parse_cell
from warehouse.recording.submissions.withdrawals import Withdrawn, withdraw_submission

if TYPE_CHECKING:
    from flows.ingestion.context import Workplace


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasedContent(Decided):
    """What erasing did. What Prefect shows of the workbook with this SHA-256 is left, and so are queries' tables."""

    sha256: str


def withdraw_return(workplace: "Workplace", submission_id: int, *, by: str, why: str) -> Decided:
    """Take a submission out of force, with all that follows: the earlier accepted one is in force again, or none.

    Raises:
        ValueError: there is no such submission, it is not in force, it has figures of a closed period, or nobody says
            who withdraws it, or why.
        sqlalchemy.exc.SQLAlchemyError: the database cannot be reached.
    """
    require_who_and_why(by, why)
    with writing(workplace.engine) as connection:
        done = withdraw_submission(connection, workplace.plan, submission_id, by=by, why=why, at=datetime.now(UTC))
    decided = Decided(done.was_in_force, tuple(_withdrawn_sentences(done)), periods=(done.period,))
    return shown_to_partner(workplace, decided, done.partner_code)


def erase_content(
    workplace: "Workplace", submission_id: int, cells: Sequence[str] = (), *, by: str, why: str
) -> ErasedContent:
    """Erase what was typed in a submission's workbook: in cells such as `Indicators!M7`, or in all free text.

    The workbook's bytes and its receipts are removed in any case. Made again, it finishes what was left. Prefect's runs
    are left to the caller, who has a server (`flows.prefect_runs`).

    Raises:
        ValueError: there is no such submission, a cell cannot be read, or nobody says who erases it, or why.
        OSError, sqlalchemy.exc.SQLAlchemyError: something is out of reach.
    """
    require_who_and_why(by, why)
    wanted = tuple(parse_cell(cell) for cell in cells)
    done = erase(workplace, submission_id, wanted, by=by, why=why, at=datetime.now(UTC))
    with reading(workplace.engine) as connection:
        codes = {row["period"] for row in submissions(connection, sha256=done.erasure.sha256)} - {None}
    return ErasedContent(
        done.erasure.is_new,
        tuple(_erased_sentences(done)),
        tuple(_left_sentences(done)),
        tuple(map(parse_period, sorted(codes))),
        sha256=done.erasure.sha256,
    )


def _withdrawn_sentences(done: Withdrawn) -> Iterator[str]:
    whose = f"{done.partner_code}, {done.period.label}"
    if not done.was_in_force:
        yield f"Submission {done.submission_id} ({whose}) was already withdrawn, by decision {done.decision_id}."
        return
    restored = f"Submission {done.restored_id} is in force again."
    instead = restored if done.restored_id else "No submission of this return is in force."
    yield f"Submission {done.submission_id} ({whose}) is withdrawn. {instead}"
    count = done.changed_judgements
    yield f"{count:,} {'judgement has' if count == 1 else 'judgements have'} changed."


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


def _left_sentences(done: Erased) -> Iterator[str]:
    """What somebody has yet to see to."""
    for path in done.receipts.changed:
        yield f"{path}: its partner has changed it, so it is left; remove it, or erase what is taken of it."
    if not done.is_rewritten:
        yield "Somebody reads the warehouse, so its log still has what was erased: erase it again."
    if others := done.erasure.other_ids:
        noun = "submissions" if len(others) > 1 else "submission"
        numbers = ", ".join(map(str, others))
        yield f"Other files came of the same return, and are not erased: {noun} {numbers}."
