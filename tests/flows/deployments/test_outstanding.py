"""What a reminder lists, what it counts, and what it leaves out."""

from datetime import date
from typing import Any

import pytest

from flows.deployments.outstanding import outstanding

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
