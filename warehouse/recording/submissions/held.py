"""Decides on a submission that is held: it is recorded again, and is in force from now on, or refused."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from cypp_etl.checked_return import CheckedReturn, accepted_status
from cypp_etl.findings import holds
from cypp_etl.periods import Period, parse_period
from cypp_etl.phrases import short_list
from cypp_etl.plan.model import Plan
from schemas.codes import DecisionKind, SubmissionStatus
from warehouse.recording.administration import Decision, record_decision
from warehouse.recording.decisions import decide_to_accept
from warehouse.recording.inserts import end_submissions
from warehouse.recording.judged.groups import rejudge_groups
from warehouse.recording.judged.judgements import rejudge
from warehouse.recording.plan import require_plan
from warehouse.recording.record import NumberLog, Recorded, record_decided
from warehouse.recording.submissions.stored_returns import stored_return
from warehouse.recording.validity import next_moment
from warehouse.schema.tables import held_decision, submission, text_release


@dataclass(frozen=True, slots=True)
class HeldDecision:
    """What was decided on a submission that was held.

    `recorded` is what it is now: where it was accepted, the submission that is in force. `word` is what its partner is
    told besides. `is_new` is False where it had been decided so before: nothing changed.
    """

    submission_id: int
    checked: CheckedReturn
    period: Period
    received_at: datetime
    delivery: str | None
    recorded: Recorded
    decision_id: int
    word: str
    is_new: bool

    @property
    def is_accepted(self) -> bool:
        """Whether it was accepted; it was refused otherwise."""
        return self.recorded.status is not SubmissionStatus.REFUSED


def decide_held(
    connection: Connection,
    plan: Plan,
    submission_id: int,
    *,
    is_accepted: bool,
    by: str,
    why: str,
    word: str,
    at: datetime,
    numbers: NumberLog | None = None,
) -> HeldDecision:
    """Accept a submission that is held, with all that follows from its figures, or refuse it.

    One that is accepted is recorded again, as a submission of its own that was received when it was received: rows are
    never changed, so that what was held until now stays on record as held.

    Args:
        connection: a transaction of `engine.writing`.
        plan: the plan in force.
        submission_id: the submission.
        is_accepted: whether it is accepted.
        by: who decides it.
        why: why.
        word: what its partner is told besides; may be empty.
        at: now.
        numbers: above which numbers the submission's must be, and where it is noted.

    Raises:
        ValueError: there is no such submission, it is not held, the other was decided, or the plan has no row any more
            for what it states.
        AnotherPlanInForceError: another plan is in force.
    """
    row = connection.execute(select(submission).where(submission.c.submission_id == submission_id)).one_or_none()
    if row is None:
        raise ValueError(f"there is no submission {submission_id}; bi_submissions lists them")
    if known := _decided_before(connection, row):
        if known.is_accepted == is_accepted:
            return known
        raise ValueError(_decided_otherwise(known))
    _refuse_not_held(connection, row)
    at = next_moment(connection, at)
    period = parse_period(row.period)
    word = word.strip()
    outcome = "accepted" if is_accepted else "refused"
    about = f"submission {submission_id}, version {row.version} of {row.partner_code} for {period.label}: {outcome}"
    decided = Decision(DecisionKind.DECIDE_HELD, about, by, why, at, row.partner_code, period)
    decision_id = record_decision(connection, decided)
    checked = stored_return(connection, submission_id)
    if is_accepted:
        checked = _without_holds(checked)
        recorded = _accept(connection, plan, row, checked, at=at, numbers=numbers)
    else:
        end_submissions(connection, {submission_id}, at)
        recorded = _refused(row)
    accepted_id = recorded.submission_id if is_accepted else None
    values = {"submission_id": submission_id, "decision_id": decision_id, "accepted_id": accepted_id, "word": word}
    connection.execute(insert(held_decision).values(values))
    return HeldDecision(
        submission_id, checked, period, row.received_at, row.delivery, recorded, decision_id, word, is_new=True
    )


def _accept(
    connection: Connection,
    plan: Plan,
    row: Row[Any],
    checked: CheckedReturn,
    *,
    at: datetime,
    numbers: NumberLog | None,
) -> Recorded:
    _refuse_unknown(plan, row.submission_id, checked)
    plan_id = require_plan(connection, plan, at)
    decision = decide_to_accept(connection, checked, accepted_status(checked))
    # It is no drop of its own: its delivery stays with what was held.
    received = [(row.received_at, None)]
    above = numbers.highest() if numbers else 0
    ((_, accepted_id, touched),) = record_decided(connection, [decision], received, at, above)
    if numbers:
        numbers.note([(accepted_id, None)])
    _release_again(connection, row.submission_id, accepted_id)
    changed = rejudge(connection, plan, plan_id, touched, at)
    rejudge_groups(connection, plan, plan_id, touched, at)
    return Recorded(accepted_id, decision.status, decision.version, None, decision.supersedes, changed.total())


def _without_holds(checked: CheckedReturn) -> CheckedReturn:
    """A return as it is once nothing holds it any more: why it was held stays with what was held."""
    return replace(checked, findings=tuple(finding for finding in checked.findings if not holds(finding)))


def _release_again(connection: Connection, held_id: int, accepted_id: int) -> None:
    """A text that was released while it was held stays released."""
    released = connection.execute(select(text_release).where(text_release.c.submission_id == held_id)).mappings()
    for row in released.all():
        connection.execute(insert(text_release).values({**row, "submission_id": accepted_id}))


def _refused(row: Row[Any]) -> Recorded:
    return Recorded(row.submission_id, SubmissionStatus.REFUSED, row.version, None, None, 0)


def _decided_before(connection: Connection, row: Row[Any]) -> HeldDecision | None:
    columns = held_decision.c
    known = connection.execute(select(held_decision).where(columns.submission_id == row.submission_id)).one_or_none()
    if known is None:
        return None
    recorded, checked = _refused(row), stored_return(connection, row.submission_id)
    if known.accepted_id is not None:
        checked = _without_holds(checked)
        now = connection.execute(select(submission).where(submission.c.submission_id == known.accepted_id)).one()
        status = SubmissionStatus(now.status)
        recorded = Recorded(now.submission_id, status, now.version, None, now.supersedes, 0, was_known=True)
    return HeldDecision(
        row.submission_id,
        checked,
        parse_period(row.period),
        row.received_at,
        row.delivery,
        recorded,
        known.decision_id,
        known.word,
        is_new=False,
    )


def _decided_otherwise(known: HeldDecision) -> str:
    if known.is_accepted:
        return (
            f"submission {known.submission_id} was accepted, by decision {known.decision_id}: withdraw submission "
            f"{known.recorded.submission_id} to take it out of force"
        )
    return (
        f"submission {known.submission_id} was refused, by decision {known.decision_id}: its partner has to send the "
        "workbook again"
    )


def _refuse_not_held(connection: Connection, row: Row[Any]) -> None:
    number, columns = row.submission_id, submission.c
    if row.status != SubmissionStatus.HELD:
        raise ValueError(f"submission {number} is not held: there is nothing to decide about it")
    if row.superseded_at is not None:
        later = connection.scalar(
            select(columns.submission_id)
            .where(columns.partner_code == row.partner_code, columns.period == row.period)
            .where(columns.recorded_at == row.superseded_at, columns.submission_id > number)
            .order_by(columns.submission_id)
            .limit(1)
        )
        raise ValueError(f"submission {number} is not held any more: its partner has sent submission {later} since")


def _refuse_unknown(plan: Plan, submission_id: int, checked: CheckedReturn) -> None:
    """No view would describe what the plan has no row for; what is held does not keep a plan from being adopted."""
    figures, reports = checked.observations, checked.milestone_reports
    stated = {row.indicator for row in figures} - plan.indicators.keys()
    stated |= {row.milestone for row in reports} - plan.milestones.keys()
    stated |= {*(row.partner_code for row in figures), *(row.partner_code for row in reports)} - plan.partners.keys()
    if stated:
        raise ValueError(
            f"the plan has no row any more for {short_list(sorted(stated))}, which submission {submission_id} states: "
            "refuse it, and ask for the return on a new form"
        )
