"""Withdrawing: what was in force before counts again, what was known at an earlier moment stays known."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine, Row, select

from cypp_etl.periods import parse_period
from cypp_etl.plan.model import Plan
from cypp_etl.report.changes import revisions
from cypp_etl.report.model import BoardData
from schemas.codes import MilestoneStatus, Severity, SubmissionStatus
from tests.warehouse.builders import Rows, checked, finding, later, observation, report
from warehouse.engine import reading, writing
from warehouse.queries.board.reader import read_board
from warehouse.queries.history import read_history
from warehouse.recording.administration import close_period
from warehouse.recording.record import Recorded, record
from warehouse.recording.submissions.withdrawals import Withdrawn, withdraw_submission
from warehouse.schema.tables import metadata

Q1 = parse_period("2010-11Q1")
IN_FORCE = """SELECT indicator, value, submission_id FROM observation
    WHERE superseded_at IS NULL ORDER BY indicator, period"""
ASTRAY = """
    SELECT o.observation_id, j.judgement_id
    FROM (SELECT * FROM observation WHERE superseded_at IS NULL AND measure = 'actual') o
    FULL JOIN (SELECT * FROM judgement WHERE superseded_at IS NULL) j ON j.observation_id = o.observation_id
    WHERE o.observation_id IS NULL OR j.judgement_id IS NULL"""
STATUSES = "SELECT submission_id, status, observations FROM bi_submissions ORDER BY submission_id"


def withdraw(engine: Engine, plan: Plan, number: int, at: datetime | None = None) -> Withdrawn:
    with writing(engine) as connection:
        return withdraw_submission(
            connection, plan, number, by="A. Person", why="Sent for the wrong quarter", at=at or later(50)
        )


def everything(engine: Engine) -> dict[str, Sequence[Row[Any]]]:
    with engine.connect() as connection:
        return {table.name: connection.execute(select(table)).all() for table in metadata.sorted_tables}


def returned(engine: Engine, plan: Plan, content: str, value: str, day: int, **others: Any) -> Recorded:
    return record(engine, checked(content, observation("NI 111a", value), **others), plan, later(day))


def test_the_earlier_return_is_in_force_again(engine: Engine, plan: Plan, rows: Rows) -> None:
    first = returned(engine, plan, "a", "300", 0, milestone_reports=(report("BH1-M1", MilestoneStatus.ON_TRACK),))
    second = record(
        engine,
        checked(
            "b",
            observation("NI 111a", "400"),
            observation("NI 111b", "2"),
            milestone_reports=(report("BH1-M1", MilestoneStatus.ACHIEVED),),
        ),
        plan,
        later(1),
    )
    done = withdraw(engine, plan, second.submission_id)
    assert (done.restored_id, done.was_in_force) == (first.submission_id, True)
    assert rows(IN_FORCE) == [{"indicator": "NI 111a", "value": 300.0, "submission_id": first.submission_id}]
    assert rows(ASTRAY) == []
    assert rows("SELECT status FROM milestone_report WHERE superseded_at IS NULL") == [{"status": "On track"}]
    assert rows("SELECT actual, submission_id FROM bi_performance") == [
        {"actual": 300.0, "submission_id": first.submission_id}
    ]
    assert rows(STATUSES) == [
        {"submission_id": first.submission_id, "status": "accepted", "observations": 1},
        {"submission_id": second.submission_id, "status": "withdrawn", "observations": 2},
    ]
    (status,) = rows(
        "SELECT status, submission_id FROM bi_return_status WHERE period = '2010-11Q1' AND partner_code = 'police'"
    )
    assert status == {"status": "received", "submission_id": first.submission_id}


def test_the_only_return_leaves_nothing_in_force(engine: Engine, plan: Plan, rows: Rows) -> None:
    only = returned(engine, plan, "a", "300", 0)
    assert withdraw(engine, plan, only.submission_id).restored_id is None
    assert rows("SELECT * FROM bi_performance") == []
    (status,) = rows(
        "SELECT status, received_at FROM bi_return_status WHERE period = '2010-11Q1' AND partner_code = 'police'"
    )
    assert status == {"status": "missing", "received_at": None}


def test_the_decision_is_on_record_and_named_by_the_symbols_that_it_turned(
    engine: Engine, plan: Plan, rows: Rows
) -> None:
    last_year = observation("NI 111a", "350", "2009-10Q1")
    record(engine, checked("y", last_year, period=parse_period("2009-10Q1")), plan, later(0))
    returned(engine, plan, "a", "300", 1)
    second = returned(engine, plan, "b", "400", 2)
    done = withdraw(engine, plan, second.submission_id)
    assert rows(
        "SELECT decision_id, kind, about, partner_code, period, decided_by, why FROM bi_decisions "
        "WHERE kind = 'withdraw-return'"
    ) == [
        {
            "decision_id": done.decision_id,
            "kind": "withdraw-return",
            "about": f"submission {second.submission_id}, version 2 of police for 2010/11 Q1",
            "partner_code": "police",
            "period": "2010-11Q1",
            "decided_by": "A. Person",
            "why": "Sent for the wrong quarter",
        }
    ]
    changes = rows(
        "SELECT was, became, submission_id, decision_id FROM bi_symbol_changes "
        "WHERE judgement = 'direction' ORDER BY changed_at"
    )
    # More first-time entrants is worse.
    assert [(row["was"], row["became"]) for row in changes] == [("improving", "declining"), ("declining", "improving")]
    assert [(row["submission_id"], row["decision_id"]) for row in changes] == [
        (second.submission_id, None),
        (None, done.decision_id),
    ]
    assert revisions(board(engine, later(51)))[-1].because == "the withdrawal of return.xlsx"


def board(engine: Engine, at: datetime) -> BoardData:
    """What a report as of a moment is made of: when that ended is not in it."""
    with reading(engine) as connection:
        data = read_board(connection, Q1, at)
    rows = [{name: value for name, value in row.items() if name != "superseded_at"} for row in data.performance]
    return replace(data, performance=rows)


def test_a_report_as_of_an_earlier_moment_is_unchanged(engine: Engine, plan: Plan) -> None:
    returned(engine, plan, "a", "300", 0, findings=(replace(finding(Severity.QUERY), message="first"),))
    second = returned(engine, plan, "b", "400", 1, findings=(replace(finding(Severity.QUERY), message="second"),))
    third = returned(engine, plan, "c", "500", 2)
    moments = [later(day) for day in (0, 1, 2)]
    before = [board(engine, at) for at in moments]
    withdraw(engine, plan, third.submission_id, later(3))
    restored = board(engine, later(3))
    assert [board(engine, at) for at in moments] == before
    withdraw(engine, plan, second.submission_id, later(4))
    assert [board(engine, at) for at in moments] == before
    assert board(engine, later(3)) == restored
    assert [row["actual"] for row in board(engine, later(4)).performance] == [300]
    assert [row["message"] for row in restored.findings] == ["second"]


def test_the_earlier_ones_come_back_one_by_one(engine: Engine, plan: Plan, rows: Rows) -> None:
    numbers = [returned(engine, plan, content, str(day + 1), day).submission_id for day, content in enumerate("abc")]
    assert withdraw(engine, plan, numbers[2], later(10)).restored_id == numbers[1]
    assert withdraw(engine, plan, numbers[1], later(11)).restored_id == numbers[0]
    fourth = returned(engine, plan, "d", "4", 12).submission_id
    assert withdraw(engine, plan, fourth, later(13)).restored_id == numbers[0]
    assert withdraw(engine, plan, numbers[0], later(14)).restored_id is None
    assert rows(IN_FORCE) == []
    assert {row["status"] for row in rows(STATUSES)} == {"withdrawn"}


def test_a_return_after_a_withdrawal_replaces_the_one_that_came_back(engine: Engine, plan: Plan, rows: Rows) -> None:
    first = returned(engine, plan, "a", "1", 0)
    second = returned(engine, plan, "b", "2", 1)
    withdraw(engine, plan, second.submission_id, later(2))
    again = returned(engine, plan, "a", "1", 3)
    assert (again.status, again.duplicate_of) == (SubmissionStatus.DUPLICATE, first.submission_id)
    with reading(engine) as connection:
        known = read_history(connection, ["police"]).contents["police", Q1]
    assert known.submission_id == first.submission_id
    third = returned(engine, plan, "b", "2", 4)
    assert (third.status, third.previous_submission_id) == (SubmissionStatus.ACCEPTED, first.submission_id)
    assert [row["status"] for row in rows(STATUSES)] == ["superseded", "withdrawn", "duplicate", "accepted"]
    assert rows(IN_FORCE) == [{"indicator": "NI 111a", "value": 2.0, "submission_id": third.submission_id}]


def test_a_figure_that_another_source_states_comes_from_the_later_one(engine: Engine, plan: Plan, rows: Rows) -> None:
    """A published table states the quarter's figure too; the return that is withdrawn had replaced it."""
    first = returned(engine, plan, "a", "1", 0)
    table = record(
        engine,
        checked("t", observation("NI 111a", "7"), observation("NI 111b", "8"), period=parse_period("2010-11")),
        plan,
        later(1),
    )
    second = returned(engine, plan, "b", "2", 2)
    assert withdraw(engine, plan, second.submission_id, later(3)).restored_id == first.submission_id
    assert rows(IN_FORCE) == [
        {"indicator": "NI 111a", "value": 7.0, "submission_id": table.submission_id},
        {"indicator": "NI 111b", "value": 8.0, "submission_id": table.submission_id},
    ]
    withdraw(engine, plan, table.submission_id, later(4))
    assert rows(IN_FORCE) == [{"indicator": "NI 111a", "value": 1.0, "submission_id": first.submission_id}]
    assert rows(ASTRAY) == []


def test_a_clinic_that_the_return_opened_is_gone(engine: Engine, plan: Plan, rows: Rows) -> None:
    record(
        engine,
        checked("y", observation("NI 111a", "350", "2009-10Q1"), period=parse_period("2009-10Q1")),
        plan,
        later(0),
    )
    second = returned(engine, plan, "b", "400", 2)
    opened = "SELECT opened_period FROM bi_clinics WHERE opened_period = '2010-11Q1'"
    assert len(rows(opened)) == 1
    withdraw(engine, plan, second.submission_id)
    assert rows(opened) == []


def test_withdrawing_again_changes_nothing(engine: Engine, plan: Plan) -> None:
    number = returned(engine, plan, "a", "1", 0).submission_id
    first = withdraw(engine, plan, number)
    before = everything(engine)
    again = withdraw(engine, plan, number, later(60))
    assert (again.was_in_force, again.decision_id) == (False, first.decision_id)
    assert everything(engine) == before


def test_what_is_not_in_force_is_refused(engine: Engine, plan: Plan) -> None:
    returned(engine, plan, "a", "1", 0)
    record(engine, checked("b", observation("NI 111a", "1"), content_sha256="a" * 8), plan, later(1))
    returned(engine, plan, "c", "2", 2)
    record(engine, checked("d", findings=(finding(Severity.ERROR),)), plan, later(3))
    before = everything(engine)
    for number, said in (
        (9, "there is no submission 9; bi_submissions lists them"),
        (1, "submission 1 is superseded, so not in force: submission 3 is"),
        (2, "submission 2 is a duplicate of submission 1: it was never in force"),
        (4, "submission 4 is rejected: it was never in force"),
    ):
        with pytest.raises(ValueError, match=f"^{said}$"):
            withdraw(engine, plan, number)
    assert everything(engine) == before


def test_figures_of_a_closed_period_stay(engine: Engine, plan: Plan) -> None:
    number = returned(engine, plan, "a", "1", 0).submission_id
    with writing(engine) as connection:
        close_period(connection, Q1, "A. Person", later(1))
    with pytest.raises(ValueError, match=r"2010/11 Q1 is closed: .* cypp reopen 2010-11Q1"):
        withdraw(engine, plan, number)


def test_a_withdrawal_has_its_own_moment_even_by_a_slow_clock(engine: Engine, plan: Plan, rows: Rows) -> None:
    last_year = observation("NI 111a", "350", "2009-10Q1")
    record(engine, checked("y", last_year, period=parse_period("2009-10Q1")), plan, later(0))
    returned(engine, plan, "a", "300", 1)
    second = returned(engine, plan, "b", "400", 2)
    # Both clocks are behind.
    done = withdraw(engine, plan, second.submission_id, later(1))
    third = returned(engine, plan, "c", "500", 0)
    changes = rows(
        "SELECT submission_id, decision_id FROM bi_symbol_changes WHERE judgement = 'direction' ORDER BY changed_at"
    )
    assert [(row["submission_id"], row["decision_id"]) for row in changes] == [
        (second.submission_id, None),
        (None, done.decision_id),
        (third.submission_id, None),
    ]
    assert [row["observations"] for row in rows(STATUSES)] == [1, 1, 1, 1]
