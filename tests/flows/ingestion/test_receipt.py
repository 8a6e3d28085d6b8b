"""What a receipt says that its partner still owes: what `bi_return_status` says, without asking for all partners."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from cypp_etl.checked_return import CheckedReturn
from cypp_etl.findings import catalogue
from cypp_etl.periods import parse_period
from cypp_etl.plan.reader import read_plan
from flows.ingestion.context import Workplace, open_to_write
from flows.ingestion.receipt import summarise
from flows.settings import Settings
from schemas.codes import ReturnStatus, Severity, SubmissionStatus
from tests.warehouse.builders import checked, finding, observation
from warehouse.engine import reading
from warehouse.queries.views import return_status
from warehouse.recording.record import record

PLAN = read_plan()


@pytest.fixture
def workplace(begun: Settings) -> Workplace:
    return open_to_write(begun)


Told = tuple[SubmissionStatus, tuple[str, ...]]


def send(workplace: Workplace, period: str, at: datetime, *, code: str = "") -> Told:
    """Record a return of the police, with a finding of a code; its status, and what its receipt says is still due."""
    returned = checked(f"{period} {at}", observation("NI 111a", "90", period), period=parse_period(period))
    if code:
        found = replace(finding(Severity.ERROR if code == "out-of-range" else Severity.QUERY), code=code)
        returned = replace(returned, findings=(found,))
    return told(workplace, returned, at)


def told(workplace: Workplace, returned: CheckedReturn, at: datetime) -> Told:
    recorded = record(workplace.engine, returned, PLAN, at)
    with reading(workplace.engine) as connection:
        return recorded.status, summarise(connection, workplace, returned, recorded, at).still_due


@pytest.mark.parametrize(
    ("on", "due"),
    [
        (date(2010, 10, 19), ()),
        (date(2010, 10, 20), ("2010-11Q2, due on 20 October 2010",)),
        (date(2011, 1, 20), ("2010-11Q2, due on 20 October 2010", "2010-11Q3, due on 20 January 2011")),
    ],
)
def test_what_is_due_since_the_first_return_is_still_due(workplace: Workplace, on: date, due: tuple[str, ...]) -> None:
    status, said = send(workplace, "2010-11Q1", datetime(on.year, on.month, on.day, tzinfo=UTC))
    assert (status, said) == (SubmissionStatus.ACCEPTED, due)


def test_a_partner_that_never_returned_anything_is_reminded_of_what_is_due_today(workplace: Workplace) -> None:
    rejected = send(workplace, "2010-11Q1", datetime(2010, 10, 21, tzinfo=UTC), code="out-of-range")
    assert rejected == (SubmissionStatus.REJECTED, ())
    _, due = send(workplace, "2010-11Q1", datetime(2010, 10, 20, tzinfo=UTC), code="out-of-range")
    assert due == ("2010-11Q2, due on 20 October 2010",)


def test_nobody_who_owes_nothing_is_reminded(workplace: Workplace) -> None:
    unknown = replace(checked("x", findings=(finding(Severity.ERROR),)), partner_code="", period=None)
    assert told(workplace, unknown, datetime(2010, 10, 20, tzinfo=UTC))[1] == ()


def test_what_is_held_waits_for_the_data_team(workplace: Workplace) -> None:
    send(workplace, "2010-11Q1", datetime(2010, 7, 12, tzinfo=UTC))
    code = next(code for code, advice in catalogue().items() if advice.holds)
    status, due = send(workplace, "2010-11Q2", datetime(2011, 1, 20, tzinfo=UTC), code=code)
    assert (status, due) == (SubmissionStatus.HELD, ("2010-11Q3, due on 20 January 2011",))


def test_it_is_what_the_view_says_is_missing(workplace: Workplace) -> None:
    send(workplace, "2010-11Q2", datetime(2010, 10, 12, tzinfo=UTC))
    _, due = send(workplace, "2011-12Q1", datetime(2012, 2, 1, tzinfo=UTC))
    with reading(workplace.engine) as connection:
        rows = return_status(connection, partner_code="police")
    missing = [row for row in rows if row["status"] == ReturnStatus.MISSING]
    expected = [row["period"] for row in missing if date(2010, 10, 20) <= row["due_on"] <= date(2012, 2, 1)]
    assert [one.partition(",")[0] for one in due] == expected
    assert len(expected) == 4
