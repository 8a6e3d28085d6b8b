"""What a partner's folder says of its returns, by the warehouse."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import event

from cypp_etl.findings import Finding
from cypp_etl.periods import parse_period
from cypp_etl.plan.reader import read_plan
from flows.inbox.sweep import make_folders
from flows.ingestion.context import Workplace, open_to_write
from flows.ingestion.status_pages import refresh_status_pages
from flows.settings import Settings
from schemas.codes import Severity
from tests.warehouse.builders import checked, observation
from warehouse.recording.record import record

PLAN = read_plan()
Q1, Q2 = parse_period("2010-11Q1"), parse_period("2010-11Q2")
CAME = datetime(2010, 7, 12, tzinfo=UTC)
TODAY = date(2010, 11, 3)
QUERY = Finding("large-change", Severity.QUERY, "Indicators", "I2", "90", "It <changed>.", "Explain it.")


@pytest.fixture
def workplace(begun: Settings) -> Workplace:
    place = open_to_write(begun)
    make_folders(begun.inbox, place.plan.partners)
    return place


def send(workplace: Workplace, *findings: Finding, period: str = "2010-11Q1", at: datetime = CAME) -> None:
    returned = checked(str(at), observation("NI 111a", "90", period), findings=findings)
    record(workplace.engine, replace(returned, period=parse_period(period)), PLAN, at)


def page(workplace: Workplace, partner_code: str = "police") -> str:
    return (workplace.settings.inbox / partner_code / "status.html").read_text("utf-8")


def test_what_came_and_what_is_missing_since_the_first_return(workplace: Workplace) -> None:
    send(workplace)
    assert refresh_status_pages(workplace, ["police"], TODAY) == []
    told = page(workplace)
    assert "2010/11 Q1" in told
    assert "12 July 2010" in told
    due = PLAN.calendar[Q2].due_on
    assert f"Send the return for 2010/11 Q2. It was due by {due.day} October 2010." in told
    # Nobody is sent for what was due before the first return, or has not opened.
    assert "2009/10" not in told
    assert "2011/12" not in told


def test_it_says_where_the_form_is_if_it_is_there(workplace: Workplace) -> None:
    send(workplace)
    forms = workplace.settings.inbox / "police" / "forms"
    forms.mkdir()
    (forms / "police 2010-11Q2.xlsx").touch()
    refresh_status_pages(workplace, ["police"], TODAY)
    assert "Its form is in the folder &quot;forms&quot;." in page(workplace)
    assert page(workplace).count("Its form is") == 1


def test_a_partner_sees_its_own_queries_and_nobody_elses(workplace: Workplace) -> None:
    send(workplace, QUERY)
    refresh_status_pages(workplace, PLAN.partners, TODAY)
    assert "It &lt;changed&gt;." in page(workplace)
    assert "NI 111a (Indicators!I2)" in page(workplace)
    for other in PLAN.partners.keys() - {"police"}:
        assert "changed" not in page(workplace, other)
        assert "NI 111a" not in page(workplace, other)


def test_a_later_attempt_that_was_rejected_is_to_be_corrected(workplace: Workplace) -> None:
    send(workplace)
    refused = replace(QUERY, code="out-of-range", severity=Severity.ERROR)
    send(workplace, refused, at=datetime(2010, 8, 2, tzinfo=UTC))
    refresh_status_pages(workplace, ["police"], TODAY)
    assert "rejected on 2 August 2010" in page(workplace)
    # A good one after it settles the matter.
    send(workplace, replace(QUERY), at=datetime(2010, 8, 3, tzinfo=UTC))
    refresh_status_pages(workplace, ["police"], TODAY)
    assert "rejected" not in page(workplace)


def test_a_partner_whose_only_return_was_rejected_is_told_so(workplace: Workplace) -> None:
    send(workplace, replace(QUERY, code="out-of-range", severity=Severity.ERROR))
    refresh_status_pages(workplace, ["police"], date(2011, 7, 1))
    # A backfill writes no receipt.
    ordered = "Correct the workbook for 2010/11 Q1 that was rejected on 12 July 2010"
    assert f"{ordered}: the data team can tell you what is wrong." in page(workplace)
    replies = workplace.settings.inbox / "police" / "replies"
    replies.mkdir()
    (replies / "police Q1 - rejected.xlsx").touch()
    refresh_status_pages(workplace, ["police"], date(2011, 7, 1))
    assert f"{ordered}: its receipt in the folder &quot;replies&quot; says what is wrong." in page(workplace)
    # A year later nobody is asked for it any more.
    refresh_status_pages(workplace, ["police"], date(2011, 7, 30))
    assert "rejected" not in page(workplace)


def test_the_contact_is_that_of_the_settings(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    place = open_to_write(replace(settings, contact="returns@example.org"))
    make_folders(settings.inbox, PLAN.partners)
    refresh_status_pages(place, ["yos"], TODAY)
    assert "returns@example.org" in page(place, "yos")
    assert "returns@example.org" in (settings.inbox / "yos" / "README.txt").read_text("utf-8")


def test_one_folder_out_of_reach_stops_no_other(workplace: Workplace) -> None:
    folder = workplace.settings.inbox / "police"
    folder.rmdir()
    folder.write_text("no folder")
    assert refresh_status_pages(workplace, PLAN.partners, TODAY) == [
        "The status of police cannot be written: Not a directory."
    ]
    assert page(workplace, "lscb")


def test_a_folder_that_is_not_there_is_not_made(workplace: Workplace) -> None:
    folder = workplace.settings.inbox / "police"
    folder.rmdir()
    assert refresh_status_pages(workplace, PLAN.partners, TODAY) == []
    assert not folder.exists()


@pytest.fixture
def asked(workplace: Workplace) -> Callable[[], int]:
    """How many statements the warehouse was asked so far."""
    count = [0]

    @event.listens_for(workplace.engine, "before_cursor_execute")
    def _count(*_: object) -> None:
        count[0] += 1

    return lambda: count[0]


def test_the_warehouse_is_asked_once_for_all(workplace: Workplace, asked: Callable[[], int]) -> None:
    before = asked()
    refresh_status_pages(workplace, ["police"], TODAY)
    for_one = asked() - before
    refresh_status_pages(workplace, PLAN.partners, TODAY)
    assert asked() - before - for_one == for_one


def test_nobody_in_particular_is_nothing_to_do(workplace: Workplace, tmp_path: Path) -> None:
    assert refresh_status_pages(workplace, [], TODAY) == []
    assert refresh_status_pages(workplace, ["parks"], TODAY) == []
