"""The rules for milestone reports."""

import pytest

from cypp_etl.checked_return import History
from cypp_etl.periods import Period
from cypp_etl.rules.milestones import judge_due_days, judge_milestone_states, judge_reviews
from schemas.codes import MilestoneStatus

# Due on 31 March 2011, the last day of the fourth quarter.
BEFORE, DUE = Period(2010, 3), Period(2010, 4)


@pytest.mark.parametrize(
    ("period", "status", "expected"),
    [
        (BEFORE, "", []),
        (BEFORE, "On track", []),
        (BEFORE, "Achieved", []),
        (BEFORE, "Missed", [("milestone-missed-early", "G2")]),
        (DUE, "", [("status-missing", "G2")]),
        (DUE, "Missed", []),
        (DUE, "Achieved", []),
        (DUE, "withdrawn", []),
        (DUE, "On track", [("milestone-overdue", "G2")]),
        (DUE, " AT  RISK ", [("milestone-overdue", "G2")]),
        (DUE, "Done", []),
        (Period(2010), "Not started", [("milestone-overdue", "G2")]),
        (None, "", []),
    ],
)
def test_a_status_fits_the_day_on_which_it_is_due(*, make_milestone, make_parsed, places, period, status, expected):
    parsed = make_parsed(milestone_rows=[make_milestone(period=period, status=status)])
    assert places(judge_milestone_states(parsed, History())) == expected


@pytest.mark.parametrize(
    ("period", "texts", "expected"),
    [
        (BEFORE, {}, []),
        (BEFORE, {"status": "  "}, []),
        (BEFORE, {"status": "On track", "evidence": "Begun"}, []),
        (BEFORE, {"evidence": "Done, report attached"}, [("status-not-given", "G2")]),
        (BEFORE, {"evidence": " "}, []),
        (BEFORE, {"review": "Continue", "status": ""}, [("status-not-given", "G2")]),
        (BEFORE, {"reason": "No money", "evidence": "None"}, [("status-not-given", "G2")]),
        # Once it is due, the missing status is asked for anyway.
        (DUE, {"evidence": "Done, report attached"}, [("status-missing", "G2")]),
    ],
)
def test_what_is_said_of_a_milestone_comes_with_its_status(
    *, make_milestone, make_parsed, places, period, texts, expected
):
    parsed = make_parsed(milestone_rows=[make_milestone(period=period, **texts)])
    assert places(judge_milestone_states(parsed, History())) == expected


def test_the_query_says_where_something_stands(make_milestone, make_parsed):
    parsed = make_parsed(milestone_rows=[make_milestone(period=BEFORE, evidence="Done", review="Continue")])
    (finding,) = judge_milestone_states(parsed, History())
    assert finding.message == ("The milestone PC1-A1-M1 has no status, though something stands in Evidence and Review.")


@pytest.mark.parametrize(
    ("due", "expected"),
    [
        (None, []),
        ("31 March 2011", []),
        ("2011-03-31", []),
        ("1 April 2011", [("due-differs", "E2")]),
        ("30 March 2011", [("due-differs", "E2")]),
        # What says no day moves none.
        ("by the spring", []),
        (" ", []),
    ],
)
def test_a_day_that_is_not_the_plans_is_noted(make_milestone, make_parsed, places, due, expected):
    row = make_milestone(period=BEFORE, status="On track", **({} if due is None else {"due": due}))
    assert places(judge_due_days(make_parsed(milestone_rows=[row]))) == expected


@pytest.mark.parametrize(
    ("last", "status", "expected"),
    [
        ("Not started", "On track", []),
        ("On track", "At risk", []),
        ("On track", "Not started", [("milestone-moved-back", "G2")]),
        ("Achieved", "On track", [("milestone-moved-back", "G2")]),
        ("Achieved", "Achieved", []),
        ("Withdrawn", "On track", [("milestone-moved-back", "G2")]),
        ("Missed", "Achieved", []),
        ("Achieved", "", []),
    ],
)
def test_states_move_sensibly(*, make_milestone, make_parsed, places, last, status, expected):
    parsed = make_parsed(milestone_rows=[make_milestone(period=BEFORE, status=status)])
    history = History(milestone_states={("PC1-A1-M1", Period(2010, 2)): MilestoneStatus(last)})
    assert places(judge_milestone_states(parsed, history)) == expected


def test_the_latest_earlier_state_counts(make_milestone, make_parsed, places):
    parsed = make_parsed(milestone_rows=[make_milestone(period=BEFORE, status="On track")])
    states = {
        ("PC1-A1-M1", Period(2010, 1)): MilestoneStatus.ACHIEVED,
        ("PC1-A1-M1", Period(2010, 2)): MilestoneStatus.ON_TRACK,
        ("PC1-A1-M1", BEFORE): MilestoneStatus.ACHIEVED,
        ("PC1-A1-M1", Period(2010)): MilestoneStatus.ACHIEVED,
        ("PC1-A2-M1", Period(2010, 2)): MilestoneStatus.ACHIEVED,
    }
    assert places(judge_milestone_states(parsed, History(milestone_states=states))) == []


def test_one_status_is_one_question(make_milestone, make_parsed, places):
    parsed = make_parsed(milestone_rows=[make_milestone(period=DUE, status="Not started")])
    history = History(milestone_states={("PC1-A1-M1", BEFORE): MilestoneStatus.ON_TRACK})
    assert places(judge_milestone_states(parsed, history)) == [("milestone-moved-back", "G2")]


@pytest.mark.parametrize(
    ("review", "reason", "expected"),
    [
        ("Continue", "", []),
        ("Refocus", "", [("review-without-reason", "J2")]),
        ("stop", "", [("review-without-reason", "J2")]),
        ("Stop", "No resources", []),
        ("", "", []),
    ],
)
def test_a_decision_comes_with_its_reason(*, make_milestone, make_parsed, places, review, reason, expected):
    parsed = make_parsed(milestone_rows=[make_milestone(review=review, reason=reason)])
    assert places(judge_reviews(parsed)) == expected
