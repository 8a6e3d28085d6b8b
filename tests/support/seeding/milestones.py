"""Seeds of faults in milestone reports."""

from datetime import date

from schemas.codes import MilestoneStatus
from tests.support.seeding.drafts import PERIOD, Draft, Place, seeds, type_over


def _type_status(draft: Draft, code: str, status: str | None, *, is_due: bool) -> Place:
    """Overwrite the status of a milestone that is already due, or not yet."""
    draft.take(["period"], False)
    dues = {row: known.due <= PERIOD.last_day for row, known in enumerate(draft.milestones, start=2)}
    row = draft.pick("milestones", "status", suits_row=lambda row: dues[row] == is_due)
    draft.cell("milestones", row, "status").value = status
    return draft.place(code, "milestones", row, "status")


@seeds("status-unknown")
def make_up_a_status(draft: Draft) -> Place:
    return type_over(draft, "status-unknown", "milestones", "status", draft.chance.choice(["Done", "On", "7"]))


@seeds("status-missing")
def leave_the_status_blank(draft: Draft) -> Place:
    return _type_status(draft, "status-missing", None, is_due=True)


@seeds("status-not-given")
def say_something_of_no_status(draft: Draft) -> Place:
    place = _type_status(draft, "status-not-given", None, is_due=False)
    row = int(place[2][1:])
    draft.take([("milestones", row, "evidence")])
    draft.cell("milestones", row, "evidence").value = "Done, report attached"
    return place


@seeds("milestone-overdue")
def stay_under_way(draft: Draft) -> Place:
    return _type_status(draft, "milestone-overdue", draft.chance.choice(["On track", "at  risk"]), is_due=True)


@seeds("milestone-missed-early")
def give_up_early(draft: Draft) -> Place:
    return _type_status(draft, "milestone-missed-early", "Missed", is_due=False)


@seeds("milestone-moved-back")
def begin_again(draft: Draft) -> Place:
    place = _type_status(draft, "milestone-moved-back", "On track", is_due=draft.chance.random() < 0.5)
    milestone = draft.milestones[int(place[2][1:]) - 2].milestone
    draft.states[milestone, PERIOD.previous] = MilestoneStatus.ACHIEVED
    return place


@seeds("due-differs")
def move_the_day(draft: Draft) -> Place:
    return type_over(draft, "due-differs", "milestones", "due", date(2031, 3, 31))


@seeds("review-unknown")
def make_up_a_review(draft: Draft) -> Place:
    return type_over(draft, "review-unknown", "milestones", "review", draft.chance.choice(["Yes", "Go on"]))


@seeds("review-without-reason")
def stop_without_a_word(draft: Draft) -> Place:
    row = draft.pick("milestones", "review reason")
    draft.cell("milestones", row, "review").value = draft.chance.choice(["Refocus", "STOP"])
    return draft.place("review-without-reason", "milestones", row, "reason")
