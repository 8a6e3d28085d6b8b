"""Returns that are held: recorded and not in force, until they are accepted, refused or replaced."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine, Row, select

from cypp_etl.checked_return import CheckedReturn, WithheldText
from cypp_etl.findings import Finding
from cypp_etl.periods import parse_period
from cypp_etl.plan.model import Plan
from schemas.codes import Marker, MilestoneStatus, Qualifier, Severity, SubmissionStatus
from tests.warehouse.builders import Rows, checked, finding, later, observation, report
from warehouse.engine import reading, writing
from warehouse.queries.held import held_submissions
from warehouse.queries.history import later_in_force, read_history
from warehouse.queries.views import performance, return_status
from warehouse.recording.record import Recorded, record
from warehouse.recording.submissions.held import HeldDecision, decide_held
from warehouse.recording.submissions.stored_returns import stored_return
from warehouse.recording.submissions.text_releases import release_text
from warehouse.recording.submissions.withdrawals import withdraw_submission
from warehouse.schema.tables import metadata

Q1 = parse_period("2010-11Q1")
REASON = "2010/11 Q1 is closed, and this changes what was returned before: 1 figure. The data team has to decide."
HOLD = Finding("held-closed-period", Severity.NOTE, "", "", "", REASON, "Nothing now.")
STATUSES = "SELECT submission_id, version, status, observations FROM bi_submissions ORDER BY submission_id"
IN_FORCE = """SELECT indicator, value, submission_id FROM observation
    WHERE superseded_at IS NULL ORDER BY indicator, period"""


def held(content: str, value: str = "400", **others: Any) -> CheckedReturn:
    findings = (HOLD, *others.pop("findings", ()))
    return checked(content, observation("NI 111a", value), findings=findings, **others)


@pytest.fixture
def first(engine: Engine, plan: Plan) -> Recorded:
    """The return that is in force."""
    return record(engine, checked("a", observation("NI 111a", "300")), plan, later(0))


@pytest.fixture
def waiting(engine: Engine, plan: Plan, first: Recorded) -> Recorded:
    """A correction of it that is held."""
    return record(engine, held("b"), plan, later(1))


@pytest.fixture
def decide(engine: Engine, plan: Plan) -> Callable[..., HeldDecision]:
    def make(number: int, *, is_accepted: bool = True, at: datetime | None = None, **others: Any) -> HeldDecision:
        by_plan = others.pop("plan", plan)
        said = {"by": "A. Person", "why": "They rang", "word": " Thank you. ", "at": at or later(2), **others}
        with writing(engine) as connection:
            return decide_held(connection, by_plan, number, is_accepted=is_accepted, **said)

    return make


def everything(engine: Engine) -> dict[str, Sequence[Row[Any]]]:
    with engine.connect() as connection:
        return {table.name: connection.execute(select(table)).all() for table in metadata.sorted_tables}


def statuses(rows: Rows) -> list[tuple[Any, Any]]:
    return [(row["submission_id"], row["status"]) for row in rows(STATUSES)]


def test_what_is_held_is_recorded_and_not_in_force(
    engine: Engine, plan: Plan, rows: Rows, first: Recorded, waiting: Recorded
) -> None:
    assert (waiting.status, waiting.previous_submission_id, waiting.changed_judgements) == ("held", None, 0)
    assert rows(STATUSES) == [
        {"submission_id": 1, "version": 1, "status": "accepted", "observations": 1},
        {"submission_id": 2, "version": 2, "status": "held", "observations": 1},
    ]
    assert rows(IN_FORCE) == [{"indicator": "NI 111a", "value": 300.0, "submission_id": first.submission_id}]
    with reading(engine) as connection:
        (status,) = return_status(connection, Q1, "police")
        assert status["submission_id"] == first.submission_id
        assert read_history(connection, ["police"]).contents["police", Q1].submission_id == first.submission_id
        assert [row["actual"] for row in performance(connection, as_of=later(1))] == [300]
        (row,) = held_submissions(connection)
        assert (row["submission_id"], row["reason"]) == (waiting.submission_id, REASON)
        assert held_submissions(connection, Q1.next) == held_submissions(connection, partner_code="nhs") == []
        assert later_in_force(connection, "police", Q1, later(0)) == waiting.submission_id
    assert rows("SELECT code FROM bi_queries") == []


def test_it_is_read_back_as_it_was_checked(engine: Engine, plan: Plan) -> None:
    figures = (
        observation("NI 111a", "400", numerator=None, comment="Counted again", qualifiers={Qualifier.PROVISIONAL}),
        observation("NI 111b", Marker.NOT_AVAILABLE, cell="H3"),
    )
    given = checked(
        "b",
        *(replace_set(figure) for figure in figures),
        findings=(HOLD, finding(Severity.QUERY)),
        milestone_reports=(report("PC1-E1-M1", MilestoneStatus.ON_TRACK), report("PC1-A1-M1", None)),
        withheld=(WithheldText("Indicators", "M7", "[withheld]", "943 476 5919"),),
    )
    number = record(engine, given, plan, later(0)).submission_id
    with reading(engine) as connection:
        assert stored_return(connection, number) == given


def replace_set(figure: Any) -> Any:
    return figure._replace(qualifiers=frozenset(figure.qualifiers))


def test_it_is_in_force_from_the_moment_in_which_it_is_accepted(
    engine: Engine, rows: Rows, waiting: Recorded, decide: Callable[..., HeldDecision]
) -> None:
    done = decide(waiting.submission_id)
    now = done.recorded
    assert (now.submission_id, now.status, now.version, now.previous_submission_id) == (3, "accepted", 3, 1)
    assert (done.is_new, done.is_accepted, done.word) == (True, True, "Thank you.")
    assert now.changed_judgements > 0
    assert statuses(rows) == [(1, "superseded"), (2, "superseded"), (3, "accepted")]
    assert rows(IN_FORCE) == [{"indicator": "NI 111a", "value": 400.0, "submission_id": 3}]
    with reading(engine) as connection:
        before, after = (performance(connection, as_of=moment) for moment in (later(1), later(2)))
        assert ([row["actual"] for row in before], [row["actual"] for row in after]) == ([300], [400])
        (status,) = return_status(connection, Q1, "police")
        assert (status["submission_id"], status["received_at"]) == (3, later(0)), "the first return was on time"
    assert rows("SELECT received_at FROM bi_submissions WHERE submission_id = 2") == rows(
        "SELECT received_at FROM bi_submissions WHERE submission_id = 3"
    )
    assert rows("SELECT submission_id, source_cell FROM bi_symbol_changes WHERE judgement = 'direction'") == []
    assert rows(
        "SELECT kind, about, partner_code, period, decided_by, why FROM bi_decisions ORDER BY decision_id DESC"
    )[0] == {
        "kind": "decide-held",
        "about": "submission 2, version 2 of police for 2010/11 Q1: accepted",
        "partner_code": "police",
        "period": "2010-11Q1",
        "decided_by": "A. Person",
        "why": "They rang",
    }


def test_what_is_accepted_has_its_findings_milestones_and_texts(
    engine: Engine, plan: Plan, rows: Rows, first: Recorded, decide: Callable[..., HeldDecision]
) -> None:
    text = WithheldText("Indicators", "M7", "[withheld]", "943 476 5919")
    more = {"milestone_reports": (report("PC1-E1-M1", MilestoneStatus.ACHIEVED),), "withheld": (text,)}
    waits = record(engine, held("b", findings=(finding(Severity.QUERY),), **more), plan, later(1))
    assert waits.status is SubmissionStatus.HELD
    with writing(engine) as connection:
        release_text(connection, waits.submission_id, "", "M7", by="A", reason="A number", at=later(1))
    done = decide(waits.submission_id)
    assert done.recorded.status is SubmissionStatus.ACCEPTED_WITH_QUERIES
    assert rows("SELECT status, submission_id FROM milestone_report WHERE superseded_at IS NULL") == [
        {"status": "Achieved", "submission_id": 3}
    ]
    assert [row["code"] for row in rows("SELECT code FROM bi_findings WHERE submission_id = 3")] == ["some-query"]
    assert rows("SELECT submission_id, code, status FROM bi_queries") == [
        {"submission_id": 3, "code": "some-query", "status": "open"}
    ]
    assert [row["submission_id"] for row in rows("SELECT submission_id FROM text_release")] == [2, 3]


def test_what_is_refused_never_was_in_force(
    engine: Engine, plan: Plan, rows: Rows, waiting: Recorded, decide: Callable[..., HeldDecision]
) -> None:
    done = decide(waiting.submission_id, is_accepted=False)
    assert (done.recorded.submission_id, done.recorded.status, done.is_accepted) == (2, "refused", False)
    assert statuses(rows) == [(1, "accepted"), (2, "refused")]
    assert rows(IN_FORCE) == [{"indicator": "NI 111a", "value": 300.0, "submission_id": 1}]
    with reading(engine) as connection:
        assert held_submissions(connection) == []
    # The same file again is looked at again.
    again = record(engine, held("b"), plan, later(3))
    assert (again.status, statuses(rows)[1:]) == ("held", [(2, "refused"), (3, "held")])


@pytest.mark.parametrize("is_accepted", [True, False])
def test_deciding_the_same_again_changes_nothing(
    engine: Engine, waiting: Recorded, decide: Callable[..., HeldDecision], is_accepted: bool
) -> None:
    once = decide(waiting.submission_id, is_accepted=is_accepted)
    before = everything(engine)
    again = decide(waiting.submission_id, is_accepted=is_accepted, word="Another word", by="Somebody else")
    assert everything(engine) == before
    assert (again.is_new, again.word, again.decision_id) == (False, "Thank you.", once.decision_id)
    assert (again.recorded.submission_id, again.recorded.status) == (once.recorded.submission_id, once.recorded.status)
    assert again.checked == once.checked
    said = "withdraw submission 3" if is_accepted else "send the workbook again"
    with pytest.raises(ValueError, match=said):
        decide(waiting.submission_id, is_accepted=not is_accepted)
    assert everything(engine) == before


def test_only_what_is_held_can_be_decided_on(
    engine: Engine, plan: Plan, waiting: Recorded, decide: Callable[..., HeldDecision]
) -> None:
    before = everything(engine)
    for number, said in ((1, "submission 1 is not held"), (99, "there is no submission 99")):
        with pytest.raises(ValueError, match=said):
            decide(number)
    for changed in (
        replace(plan, indicators={name: one for name, one in plan.indicators.items() if name != "NI 111a"}),
        replace(plan, partners={code: one for code, one in plan.partners.items() if code != "police"}),
    ):
        with pytest.raises(ValueError, match="the plan has no row any more for"):
            decide(waiting.submission_id, plan=changed)
    assert everything(engine) == before
    with writing(engine) as connection, pytest.raises(ValueError, match="submission 2 is held: accept or refuse it"):
        withdraw_submission(connection, plan, waiting.submission_id, by="A", why="x", at=later(2))


@pytest.mark.parametrize(
    ("after", "status"),
    [
        (checked("c", observation("NI 111a", "500")), "accepted"),
        (held("c", "500"), "held"),
        # The partner takes the correction back.
        (checked("a", observation("NI 111a", "300")), "duplicate"),
        (checked("d", observation("NI 111a", "300"), content_sha256="a" * 8), "duplicate"),
    ],
)
def test_what_a_partner_sends_next_takes_the_place_of_what_is_held(
    *,
    engine: Engine,
    plan: Plan,
    rows: Rows,
    waiting: Recorded,
    decide: Callable[..., HeldDecision],
    after: CheckedReturn,
    status: str,
) -> None:
    recorded = record(engine, after, plan, later(2))
    assert recorded.status == status
    assert statuses(rows)[1:] == [(2, "superseded"), (3, status)]
    with pytest.raises(ValueError, match="submission 2 is not held any more: its partner has sent submission 3 since"):
        decide(waiting.submission_id, at=later(3))


def test_what_is_held_waits_while_its_partner_sends_errors_or_the_same_again(
    engine: Engine, plan: Plan, rows: Rows, waiting: Recorded
) -> None:
    wrong = record(engine, checked("c", findings=(finding(Severity.ERROR),)), plan, later(2))
    same = record(engine, held("b"), plan, later(3))
    saved = record(engine, held("e", content_sha256="b" * 8), plan, later(4))
    assert [one.status for one in (wrong, same, saved)] == ["rejected", "duplicate", "duplicate"]
    assert same.duplicate_of == saved.duplicate_of == waiting.submission_id
    assert statuses(rows)[1] == (2, "held")
    # Once nothing holds it any more, it is accepted like any other.
    free = record(engine, checked("b", observation("NI 111a", "400")), plan, later(5))
    assert (free.status, statuses(rows)[1]) == ("accepted", (2, "superseded"))


def test_all_of_it_may_come_in_one_batch(engine: Engine, plan: Plan, rows: Rows) -> None:
    from warehouse.recording.record import Arrival, record_batch

    returns = (checked("a", observation("NI 111a", "300")), held("b"), held("c", "500"))
    with writing(engine) as connection:
        record_batch(connection, [Arrival(one, later(0)) for one in returns], plan, later(0))
    assert statuses(rows) == [(1, "accepted"), (2, "superseded"), (3, "held")]
    assert rows(IN_FORCE) == [{"indicator": "NI 111a", "value": 300.0, "submission_id": 1}]


def test_a_withdrawal_puts_nothing_back_that_is_held(
    engine: Engine, plan: Plan, rows: Rows, waiting: Recorded, decide: Callable[..., HeldDecision]
) -> None:
    def withdraw(number: int, day: int) -> int | None:
        with writing(engine) as connection:
            return withdraw_submission(connection, plan, number, by="A", why="x", at=later(day)).restored_id

    assert withdraw(1, 2) is None
    assert (rows(IN_FORCE), statuses(rows)) == ([], [(1, "withdrawn"), (2, "held")])
    done = decide(waiting.submission_id, at=later(3))
    assert done.recorded.previous_submission_id is None
    assert rows(IN_FORCE) == [{"indicator": "NI 111a", "value": 400.0, "submission_id": 3}]
    assert withdraw(3, 4) is None
    assert (rows(IN_FORCE), statuses(rows)[2]) == ([], (3, "withdrawn"))


def test_an_accepted_correction_can_be_withdrawn(
    engine: Engine, plan: Plan, rows: Rows, waiting: Recorded, decide: Callable[..., HeldDecision]
) -> None:
    decide(waiting.submission_id)
    with writing(engine) as connection:
        done = withdraw_submission(connection, plan, 3, by="A", why="x", at=later(4))
    assert done.restored_id == 1
    assert rows(IN_FORCE) == [{"indicator": "NI 111a", "value": 300.0, "submission_id": 1}]
