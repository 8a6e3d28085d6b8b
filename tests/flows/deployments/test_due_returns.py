"""What a reminder lists, what it counts, and what it leaves out."""

from datetime import date
from typing import Any

import pytest

from cypp_etl.findings import Finding
from cypp_etl.periods import parse_period
from cypp_etl.plan.reader import read_plan
from flows.deployments.due_returns import outstanding, read_outstanding
from flows.ingestion.context import open_to_write
from flows.settings import Settings
from flows.team.submissions import withdraw_return
from schemas.codes import Severity
from tests.warehouse.builders import checked, later, observation
from warehouse.engine import reading
from warehouse.recording.record import record

TODAY, SINCE = date(2011, 7, 21), date(2010, 7, 21)


def owed(due_on: date | None, partner_code: str = "yos", submission_id: int | None = None) -> dict[str, Any]:
    return {
        "period": f"due {due_on}",
        "due_on": due_on,
        "partner_code": partner_code,
        "submission_id": submission_id,
    }


def told(*rows: dict[str, Any]) -> tuple[tuple[str, ...], bool]:
    found = outstanding(rows, TODAY, 7, SINCE)  # type: ignore[arg-type]
    return found.lines, found.is_missing


@pytest.mark.parametrize(
    ("due_on", "lines", "is_missing"),
    [
        (date(2011, 7, 29), (), False),
        (date(2011, 7, 28), ("due 2011-07-28, is due on 28 July 2011: yos",), False),
        (date(2011, 7, 21), ("due 2011-07-21, is due on 21 July 2011: yos",), False),
        (date(2011, 7, 20), ("due 2011-07-20, was due on 20 July 2011: yos",), True),
        (date(2010, 7, 21), ("due 2010-07-21, was due on 21 July 2010: yos",), True),
        (date(2010, 7, 20), ("1 older return, due before 21 July 2010",), True),
        # Nobody had returned anything by then.
        (date(2008, 7, 19), (), False),
        (None, (), False),
    ],
)
def test_the_bounds_of_what_is_told(due_on: date | None, lines: tuple[str, ...], is_missing: bool) -> None:
    assert told(owed(date(2008, 7, 20), "police", 1), owed(due_on)) == (lines, is_missing)


def test_partners_of_a_period_share_a_line_and_older_returns_a_count() -> None:
    rows = [owed(date(2010, 4, 20), "yos", 1), owed(date(2010, 4, 20), "nhs"), owed(date(2010, 4, 20), "police")]
    rows += [owed(date(2011, 4, 20), "nhs"), owed(date(2011, 4, 20), "police"), owed(date(2011, 4, 20), "yos", 2)]
    assert told(*rows) == (
        ("due 2011-04-20, was due on 20 April 2011: nhs, police", "and 2 older returns, due before 21 July 2010"),
        True,
    )


def test_before_anybody_returned_anything_nothing_is_old() -> None:
    assert told(owed(date(2010, 7, 20))) == ((), False)


def test_open_queries_are_told_of_what_is_in_force(settings: Settings) -> None:
    workplace = open_to_write(settings)
    asked = Finding("large-change", Severity.QUERY, "Indicators", "G2", "90", "This changed.", "Explain it.")
    explained = observation("NI 111a", "90", comment="The centre closed")
    record(workplace.engine, checked("a", observation("NI 111a", "90"), findings=(asked,)), read_plan(), later(0))
    record(workplace.engine, checked("b", explained), read_plan(), later(1))

    def queries() -> tuple[str, ...]:
        with reading(workplace.engine) as connection:
            found = read_outstanding(connection, TODAY, 7)
        assert found.asked_for == ((parse_period("2010-11Q1"),) if found.queries else ())
        return found.queries

    assert queries() == ()
    withdraw_return(workplace, 2, by="A. Officer", why="Wrong file")
    assert queries() == ("2010-11Q1, open queries: police 1",)
    withdraw_return(workplace, 1, by="A. Officer", why="Wrong file too")
    assert queries() == ()
    workplace.engine.dispose()
