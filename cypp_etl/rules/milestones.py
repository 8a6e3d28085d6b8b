"""What partners say of milestones: states move sensibly, and what is due is said."""

from collections.abc import Iterator

from cypp_etl.findings import Finding
from cypp_etl.intake.rows import MilestoneRow, ParsedReturn
from cypp_etl.periods import Period
from cypp_etl.rules.conformance import code_word
from cypp_etl.submission import History
from schemas.codes import MilestoneStatus, Review

_ENDED = (MilestoneStatus.ACHIEVED, MilestoneStatus.MISSED, MilestoneStatus.WITHDRAWN)


def status_of(row: MilestoneRow) -> MilestoneStatus | None:
    """The status that a row reports, or None where it reports none or a word that is none."""
    word = code_word(MilestoneStatus, row.status)
    return MilestoneStatus(word) if word else None


def review_of(row: MilestoneRow) -> Review | None:
    """The review that a row reports, or None."""
    word = code_word(Review, row.review)
    return Review(word) if word else None


def judge_milestone_states(parsed: ParsedReturn, history: History) -> Iterator[Finding]:
    """Ask about states that do not fit the due date, the last report, or the review beside them."""
    for row in parsed.milestone_rows:
        if row.known is None or row.period is None:
            continue
        yield from _judge_due(row, row.known.due <= row.period.last_day)
        yield from _judge_move(row, _last_state(row, history))
        if review_of(row) in (Review.REFOCUS, Review.STOP) and not row.reason:
            yield row.find("review-without-reason", "reason", value="", review=row.review)


def _judge_due(row: MilestoneRow, is_due: bool) -> Iterator[Finding]:
    due = f"{row.known.due:%-d %B %Y}" if row.known else ""
    status = status_of(row)
    if is_due and not row.status:
        yield row.find("status-missing", "status", due=due)
    elif is_due and status is not None and status not in _ENDED:
        yield row.find("milestone-overdue", "status", due=due)
    elif not is_due and status is MilestoneStatus.MISSED:
        yield row.find("milestone-missed-early", "status", due=due)


def _judge_move(row: MilestoneRow, last: MilestoneStatus | None) -> Iterator[Finding]:
    """What was achieved or withdrawn stays so, and what was begun does not become unbegun."""
    status = status_of(row)
    if status is None or last is None or status is last:
        return
    went_back = status is MilestoneStatus.NOT_STARTED and last is not MilestoneStatus.NOT_STARTED
    if went_back or last in (MilestoneStatus.ACHIEVED, MilestoneStatus.WITHDRAWN):
        yield row.find("milestone-moved-back", "status", last=last.value)


def _last_state(row: MilestoneRow, history: History) -> MilestoneStatus | None:
    """The state last reported in an earlier period."""
    earlier = [
        (period, state)
        for (milestone, period), state in history.milestone_states.items()
        if row.known and milestone == row.known.milestone and period < (row.period or Period(0))
    ]
    return max(earlier)[1] if earlier else None
