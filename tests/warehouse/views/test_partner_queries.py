"""What becomes of a query: explained, answered, waived, superseded, or open still."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine

from cypp_etl.checked_return import MilestoneReport, Observation, Waiver
from cypp_etl.findings import Finding
from cypp_etl.periods import parse_period
from cypp_etl.plan.model import Plan
from schemas.codes import MilestoneStatus, QueryStatus, Severity
from tests.warehouse.builders import checked, later, observation
from warehouse.engine import reading, writing
from warehouse.queries.as_of import queries_as_of
from warehouse.queries.partner_queries import partner_queries
from warehouse.recording.administration import add_waiver, answer_query
from warehouse.recording.record import record
from warehouse.recording.submissions.withdrawals import withdraw_submission

FAR = date(2999, 3, 31)
Q1 = parse_period("2010-11Q1")


def query(cell: str = "H2", value: str = "90", code: str = "large-change", sheet: str = "Indicators") -> Finding:
    return Finding(code, Severity.QUERY, sheet, cell, value, "This changed.", "Explain it.")


def figure(value: str = "90", comment: str = "", **others: object) -> Observation:
    return observation("NI 111a", value, comment=comment, **others)


def milestone(plan: Plan, evidence: str, reason: str = "") -> MilestoneReport:
    code = plan.milestones_of["yos"][0].milestone
    return MilestoneReport("f", "Milestones", "E3", "yos", code, Q1, MilestoneStatus.ON_TRACK, evidence, None, reason)


class Asked:
    """A warehouse that is told what comes in, day by day, and what is decided."""

    def __init__(self, engine: Engine, plan: Plan) -> None:
        self.engine, self.plan, self.day = engine, plan, 0

    def comes(self, *rows: Observation, findings: tuple[Finding, ...] = (), **others: object) -> int:
        self.day += 1
        content = checked(f"{self.day:02}", *rows, findings=findings, **others)
        return record(self.engine, content, self.plan, later(self.day), later(self.day)).submission_id

    def answer(self, query_id: int, answer: str = "Fine", by: str = "A") -> bool:
        self.day += 1
        with writing(self.engine) as connection:
            return answer_query(connection, query_id, answer, by, later(self.day))[1]

    def waive(self, only: str = "", period: str = "", until: date = FAR) -> None:
        self.day += 1
        scope = parse_period(period) if period else None
        with writing(self.engine) as connection:
            add_waiver(connection, Waiver("large-change", "police", only, scope, "Known", "B", until), later(self.day))

    def withdraw(self, submission_id: int) -> None:
        self.day += 1
        with writing(self.engine) as connection:
            withdraw_submission(connection, self.plan, submission_id, by="A", why="Wrong file", at=later(self.day))

    def at(self, day: int) -> list[str]:
        """The states at the end of a day, as a report knows them."""
        with reading(self.engine) as connection:
            return [row["status"] for row in queries_as_of(connection, Q1, later(day))]

    def rows(self) -> list[dict[str, Any]]:
        with reading(self.engine) as connection:
            return [dict(row) for row in partner_queries(connection)]

    def states(self) -> list[str]:
        return [row["status"] for row in self.rows()]


@pytest.fixture
def asked(engine: Engine, plan: Plan) -> Asked:
    return Asked(engine, plan)


def test_a_query_is_open_and_says_what_it_is_about(asked: Asked) -> None:
    number = asked.comes(figure(), findings=(query(), query("", "", "date-not-a-day", "")))
    first, second = asked.rows()
    assert first == {
        "submission_id": number,
        "partner_code": "police",
        "period": "2010-11Q1",
        "code": "large-change",
        "subject": "NI 111a",
        "sheet": "Indicators",
        "cell": "H2",
        "asked_at": later(1),
        "status": "open",
        "answer": None,
        "answered_by": None,
        "answered_at": None,
        "query_id": first["query_id"],
        "message": "This changed.",
    }
    assert [second[name] for name in ("subject", "sheet", "cell", "status")] == [None, None, None, "open"]


def test_errors_notes_and_what_was_rejected_are_no_queries(asked: Asked) -> None:
    note = Finding("unchanged", Severity.NOTE, "Indicators", "G2", "90", "Same.", "Nothing.")
    error = Finding("not-a-number", Severity.ERROR, "Indicators", "G2", "x", "No number.", "Type one.")
    asked.comes(figure(), findings=(note,))
    asked.comes(findings=(query(), error))
    assert asked.rows() == []


@pytest.mark.parametrize(
    ("comments", "is_asked_again", "states", "answer"),
    [
        # In a row: what was said with each submission, all of which but the last are not in force.
        (("", "The centre closed"), False, ["explained"], "The centre closed"),
        (("", "The centre closed"), True, ["explained", "explained"], "The centre closed"),
        (("", ""), False, ["superseded"], None),
        (("", ""), True, ["superseded", "open"], None),
        # What was there before the question does not answer it.
        (("As before", "As before"), True, ["superseded", "open"], None),
        (("As before", "The centre closed"), True, ["explained", "explained"], "The centre closed"),
        (("", "The centre closed", "Closed for good"), False, ["explained"], "The centre closed"),
    ],
)
def test_a_later_comment_explains_it(
    asked: Asked, comments: tuple[str, ...], is_asked_again: bool, states: list[str], answer: str | None
) -> None:
    for number, comment in enumerate(comments):
        findings = (query(),) if is_asked_again or not number else ()
        asked.comes(figure("90", comment), findings=findings, file_name=f"{number}.xlsx")
    rows = asked.rows()
    assert [row["status"] for row in rows] == states
    assert {row["asked_at"] for row in rows} == {later(1)}, "it was asked when it was asked first"
    explained = (answer, "police" if answer else None, later(2) if answer else None)
    assert tuple(rows[-1][name] for name in ("answer", "answered_by", "answered_at")) == explained


def test_the_row_moves_and_the_next_row_explains_nothing(asked: Asked) -> None:
    asked.comes(figure(), findings=(query("H2"),))
    others = observation("NI 111b", "3", cell="G2", comment="Not about that")
    asked.comes(figure(cell="G12"), others, findings=(query("H12"),))
    assert asked.states() == ["superseded", "open"]
    asked.comes(figure(cell="G30", comment="About that"), others)
    assert asked.states() == ["explained", "explained"]


def test_evidence_explains_a_milestone(asked: Asked, plan: Plan) -> None:
    overdue = query("E3", "on track", "milestone-overdue", "Milestones")
    for evidence in ("", "Opened in May"):
        reports = (milestone(plan, evidence),)
        asked.comes(findings=(overdue,), milestone_reports=reports, partner_code="yos")
    assert [(row["subject"], row["status"], row["answer"]) for row in asked.rows()] == [
        (plan.milestones_of["yos"][0].milestone, "explained", "Opened in May")
    ] * 2


def test_an_answer_holds_while_the_same_is_typed(asked: Asked) -> None:
    asked.comes(figure(), findings=(query(),))
    number = asked.rows()[0]["query_id"]
    told = [("Fine", "A"), ("Fine", "A"), ("Quite", "A"), ("Fine", "C")]
    assert [asked.answer(number, *one) for one in told] == [True, False, True, True]
    (row,) = asked.rows()
    assert [row[name] for name in ("status", "answer", "answered_by", "answered_at")] == [
        "answered",
        "Fine",
        "C",
        later(5),
    ]
    asked.comes(figure(cell="G5"), findings=(query("H5"),))
    assert asked.states() == ["answered", "answered"]
    asked.comes(figure("91", cell="G5"), findings=(query("H5", "91"),))
    assert asked.states() == ["answered", "answered", "open"]


def test_what_needs_no_answer_takes_none(asked: Asked) -> None:
    asked.comes(figure(), findings=(query(),))
    asked.comes(figure("60"))
    with pytest.raises(ValueError, match="is superseded: it needs no answer"):
        asked.answer(asked.rows()[0]["query_id"])
    with pytest.raises(ValueError, match="there is no query 77"):
        asked.answer(77)


@pytest.mark.parametrize(
    ("scope", "state"),
    [
        ({}, "waived"),
        ({"only": "NI 111a", "period": "2010-11Q1"}, "waived"),
        ({"only": "NI 111b"}, "open"),
        ({"period": "2010-11Q2"}, "open"),
        ({"until": date(2010, 7, 2)}, "open"),
    ],
)
def test_a_waiver_covers_it(asked: Asked, scope: dict[str, Any], state: str) -> None:
    asked.comes(figure(), findings=(query(),))
    asked.waive(**scope)
    (row,) = asked.rows()
    assert (row["status"], row["answer"]) == (state, "Known" if state == "waived" else None)


def test_a_waiver_that_ended_covers_nothing_and_what_it_turned_into_a_note_stays_waived(asked: Asked) -> None:
    asked.comes(figure(), findings=(query(),))
    asked.waive()
    note = Finding("large-change", Severity.NOTE, "Indicators", "H2", "90", "Waived by B.", "Nothing.")
    asked.comes(figure(), findings=(note,), file_name="again.xlsx")
    assert asked.states() == ["superseded", "waived"]
    asked.waive(until=date(2010, 7, 2))
    asked.comes(figure("95"), findings=(query(value="95"),))
    assert asked.states() == ["superseded", "waived", "open"]


def test_a_report_knows_what_was_known_then(asked: Asked) -> None:
    asked.comes(figure(), findings=(query(),))
    asked.answer(asked.rows()[0]["query_id"])
    asked.comes(figure("60", "Mistyped"))

    assert [asked.at(day) for day in range(4)] == [[], ["open"], ["answered"], ["answered"]]
    assert set(asked.states()) == {QueryStatus.ANSWERED}


def test_a_withdrawn_submission_asks_nothing(asked: Asked) -> None:
    number = asked.comes(figure(), findings=(query(),))
    asked.withdraw(number)
    assert asked.states() == ["superseded"]
    with pytest.raises(ValueError, match="is superseded: it needs no answer"):
        asked.answer(number)
    # The partner is asked again, from then on.
    asked.comes(figure(comment="The centre closed"), findings=(query(),), file_name="again.xlsx")
    assert [(row["status"], row["asked_at"]) for row in asked.rows()] == [("superseded", later(1)), ("open", later(4))]
    assert [asked.at(day) for day in (1, 2, 4)] == [["open"], ["superseded"], ["superseded", "open"]]


@pytest.mark.parametrize(
    ("comment", "is_asked_again", "before"),
    [("", False, ["superseded"]), ("", True, ["superseded", "open"]), ("The centre closed", True, ["explained"] * 2)],
)
def test_what_a_withdrawal_restores_is_asked_again(
    asked: Asked, comment: str, is_asked_again: bool, before: list[str]
) -> None:
    asked.comes(figure(), findings=(query(),))
    second = asked.comes(figure("91", comment), findings=(query(value="91"),) if is_asked_again else ())
    assert asked.states() == before
    asked.withdraw(second)
    assert asked.states() == ["open", "superseded"][: len(before)]
    assert asked.rows()[0]["asked_at"] == later(1)
    assert [asked.at(day) for day in (2, 3)] == [before, ["open", "superseded"][: len(before)]]
    # And an explanation of what is in force again counts.
    asked.comes(figure("90", "It did"), file_name="again.xlsx")
    assert asked.states()[0] == "explained"


def test_an_answer_outlives_a_withdrawal(asked: Asked) -> None:
    first = asked.comes(figure(), findings=(query(),))
    asked.answer(asked.rows()[0]["query_id"])
    asked.withdraw(first)
    asked.comes(figure(), findings=(query(),), file_name="again.xlsx")
    assert asked.states() == ["answered", "answered"], "the same is typed"
