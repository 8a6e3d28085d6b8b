"""Checks milestone reports: plausible changes of status, and reports on what is due."""

from collections.abc import Iterator

from cypp_etl.checked_return import History
from cypp_etl.findings import Finding
from cypp_etl.intake.rows import MilestoneRow, ParsedReturn
from cypp_etl.intake.typed_periods import read_day
from cypp_etl.intake.values import read_date
from cypp_etl.periods import Period
from cypp_etl.phrases import date_text, in_list
from cypp_etl.plan.model import Milestone
from cypp_etl.rules.conformance import code_word
from schemas.codes import SETTLED_MILESTONES, MilestoneStatus, Review

_ENDED = SETTLED_MILESTONES | {MilestoneStatus.MISSED}


def status_of(row: MilestoneRow) -> MilestoneStatus | None:
    """The status that a row reports, or None if it is blank or unknown."""
    word = code_word(MilestoneStatus, row.status)
    return MilestoneStatus(word) if word else None


def review_of(row: MilestoneRow) -> Review | None:
    """The review that a row reports, or None."""
    word = code_word(Review, row.review)
    return Review(word) if word else None


def judge_reviews(parsed: ParsedReturn) -> Iterator[Finding]:
    """A decision to refocus or to stop an action needs a reason."""
    for row in parsed.milestone_rows:
        review = review_of(row)
        if (
            review in (Review.REFOCUS, Review.STOP)
            and "reason" in row.source.columns
            and not row.source.is_filled("reason")
        ):
            yield row.find("review-without-reason", "reason", review=review)


def judge_due_days(parsed: ParsedReturn) -> Iterator[Finding]:
    """Note a day that is not the plan's: whoever moves it there would think that the milestone is due later."""
    for row in parsed.milestone_rows:
        cell = row.source.cell("due")
        if cell is None or row.known is None:
            continue
        # Every form has dates there; what is typed over one may be anything.
        due = read_date(cell) or read_day(cell)
        if due is not None and due != row.known.due:
            yield row.find("due-differs", "due", value=date_text(due), due=date_text(row.known.due))


def judge_milestone_states(parsed: ParsedReturn, history: History) -> Iterator[Finding]:
    """Query statuses that do not fit the due date or the last report."""
    for row in parsed.milestone_rows:
        if row.known is not None and row.period is not None:
            last = history.last_state(row.known.milestone, row.period)
            # One query per status: the change from the last report is more important than the due date.
            yield from list(_judge_move(row, last)) or _judge_due(row, row.known, row.period)


def _judge_due(row: MilestoneRow, milestone: Milestone, period: Period) -> Iterator[Finding]:
    is_due, status = milestone.due <= period.last_day, status_of(row)
    is_blank = status is None and "status" in row.source.columns and not row.source.is_filled("status")
    code = ""
    if is_due and is_blank:
        code = "status-missing"
    elif is_due and status is not None and status not in _ENDED:
        code = "milestone-overdue"
    elif not is_due and status is MilestoneStatus.MISSED:
        code = "milestone-missed-early"
    elif is_blank:
        yield from _judge_words_alone(row)
    if code:
        yield row.find(code, "status", due=date_text(milestone.due))


def _judge_words_alone(row: MilestoneRow) -> Iterator[Finding]:
    """Before its date a milestone may be left blank, but not half: what is said of it is said of some status."""
    said = [column for column in ("evidence", "review", "reason") if row.source.is_filled(column)]
    if said:
        yield row.find("status-not-given", "status", given=in_list([column.capitalize() for column in said]))


def _judge_move(row: MilestoneRow, last: MilestoneStatus | None) -> Iterator[Finding]:
    """Achieved or withdrawn is final, and a milestone that was started cannot become not started."""
    status = status_of(row)
    if status is None or last is None or status is last:
        return
    went_back = status is MilestoneStatus.NOT_STARTED and last is not MilestoneStatus.NOT_STARTED
    if went_back or last in SETTLED_MILESTONES:
        yield row.find("milestone-moved-back", "status", last=last.value)
