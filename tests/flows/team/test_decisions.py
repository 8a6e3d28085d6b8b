"""What decisions refuse, and what they know to be decided already."""

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select

from cypp_etl.checked_return import Waiver
from cypp_etl.findings import Finding
from cypp_etl.periods import parse_period
from cypp_etl.plan.reader import read_plan
from cypp_etl.plan_workbook.writer import write_plan_workbook
from flows.inbox.sweep import make_folders
from flows.ingestion.context import Workplace, open_to_write
from flows.ingestion.status_pages import refresh_status_pages
from flows.settings import Settings
from flows.team.clinics import note_at_clinic
from flows.team.decided import Decided
from flows.team.partner_queries import answer_query
from flows.team.periods import close_period, reopen_period
from flows.team.plans import adopt_plan, compare_plan
from flows.team.submissions import erase_content, withdraw_return
from flows.team.texts import release_text
from flows.team.waivers import end_waiver, waive_query
from schemas.codes import NoteKind, Severity
from tests.warehouse.builders import checked, later, observation
from warehouse.engine import reading
from warehouse.recording.record import record
from warehouse.schema.tables import clinic_note, decision

Q1 = parse_period("2010-11Q1")


@pytest.fixture
def workplace(settings: Settings, declining_file: Path) -> Workplace:
    """A warehouse with a clinic on NI 111a."""
    settings.home.mkdir()
    shutil.copy(declining_file, settings.home / "warehouse.db")
    return open_to_write(settings)


def waiver(why: str = "x", until: date = date(2999, 3, 31), by: str = "A") -> Waiver:
    return Waiver("large-change", "police", "NI 111a", None, why, by, until)


def count(workplace: Workplace) -> tuple[int, int]:
    with reading(workplace.engine) as connection:
        notes, decisions = (connection.scalar(select(func.count()).select_from(one)) for one in (clinic_note, decision))
    return notes or 0, decisions or 0


@pytest.mark.parametrize(
    ("decide", "said"),
    [
        (lambda place: close_period(place, Q1, by=" "), "say who decides it"),
        (lambda place: close_period(place, parse_period("2031-32Q1"), by="A"), "is not in the plan's calendar"),
        (lambda place: reopen_period(place, Q1, by="A", why=" "), "say why it is decided"),
        (
            lambda place: reopen_period(place, parse_period("2031-32Q1"), by="A", why="x"),
            "is not in the plan's calendar",
        ),
        (lambda place: waive_query(place, waiver(by="")), "say who decides it"),
        (lambda place: waive_query(place, waiver(why=" ")), "say why it is decided"),
        (lambda place: end_waiver(place, 1, by="", why="x"), "say who decides it"),
        (lambda place: end_waiver(place, 1, by="A", why="x"), "decision 1 waives nothing"),
        (lambda place: withdraw_return(place, 1, by="A", why=""), "say why it is decided"),
        (lambda place: withdraw_return(place, 7, by="A", why="x"), "there is no submission 7"),
        (lambda place: erase_content(place, 1, by="", why="x"), "say who decides it"),
        (lambda place: erase_content(place, 1, ["M7"], by="A", why="x"), "type it like Indicators!M7"),
        (lambda place: release_text(place, 1, "M7", by="A", why=""), "say why it is decided"),
        (lambda place: release_text(place, 1, "M7", by="A", why="x"), "nothing of submission 1 is withheld"),
        (lambda place: note_at_clinic(place, "NI 111a", {}, by="A"), "say what to note"),
        (lambda place: note_at_clinic(place, "NI 45", {NoteKind.ISSUE: ["x"]}, by="A"), "does not identify a clinic"),
        (lambda place: answer_query(place, 12, "x", by=" "), "say who decides it"),
        (lambda place: answer_query(place, 12, " ", by="A"), "say what the answer is"),
        (lambda place: answer_query(place, 12, "x", by="A"), "there is no query 12: cypp queries lists the open ones"),
        (lambda place: compare_plan(place, Path("/nowhere/plan")), "there is no /nowhere/plan on the server"),
    ],
)
def test_what_cannot_be_decided_is_refused_in_a_line(
    workplace: Workplace, decide: Callable[[Workplace], object], said: str
) -> None:
    before = count(workplace)
    with pytest.raises(ValueError, match=said) as refused:
        decide(workplace)
    assert "\n" not in str(refused.value)
    assert count(workplace) == before


def test_a_waiver_counts_again_where_it_says_something_else(workplace: Workplace) -> None:
    said = [waive_query(workplace, one).is_new for one in (waiver(), waiver(), waiver("y"), waiver("y", by="B"))]
    assert said == [True, False, True, True]
    # One that was replaced in between is put in force again.
    assert waive_query(workplace, waiver()).is_new


def test_of_several_notes_only_those_that_are_new_are_added(workplace: Workplace) -> None:
    notes, decisions = count(workplace)
    noted = note_at_clinic(workplace, "NI 111a", {NoteKind.ISSUE: ["Few diversions"]}, by="A")
    assert noted == Decided(True, ("Noted for police NI 111a 2010-11Q1.",))
    both = {NoteKind.ISSUE: ["Few diversions "], NoteKind.DECISION: ["Few diversions"]}
    assert note_at_clinic(workplace, "police NI 111a 2010-11Q1", both, by="A").is_new
    assert count(workplace) == (notes + 2, decisions + 2)
    assert not note_at_clinic(workplace, "NI 111a", both, by="A").is_new
    assert note_at_clinic(workplace, "NI 111a", both, by="B").is_new


def test_who_has_not_returned_is_warned_of_when_a_period_is_closed(workplace: Workplace) -> None:
    closed = close_period(workplace, Q1, by="A")
    assert closed.is_new
    assert "yos" in closed.warnings[0]
    assert "police" not in closed.warnings[0]
    assert not close_period(workplace, Q1, by="B").is_new


def test_a_decision_names_the_period_that_it_changed(workplace: Workplace) -> None:
    waive_query(workplace, waiver())
    assert end_waiver(workplace, 2, by="A", why="x").periods == (), "it was for every period"
    assert withdraw_return(workplace, 1, by="A", why="x").periods == (Q1,)


def _asks(workplace: Workplace) -> str:
    """What the police are asked in their folder."""
    return (workplace.settings.inbox / "police" / "status.html").read_text("utf-8")


@pytest.mark.parametrize(
    "decide",
    [
        lambda place: answer_query(place, 1, "Known", by="A"),
        lambda place: waive_query(place, waiver()),
        lambda place: withdraw_return(place, 2, by="A", why="x"),
    ],
)
def test_the_partners_page_follows_a_decision_at_once(
    workplace: Workplace, decide: Callable[[Workplace], Decided]
) -> None:
    query = Finding("large-change", Severity.QUERY, "Indicators", "G2", "91", "This changed by half.", "Explain it.")
    record(workplace.engine, checked("b", observation("NI 111a", "91"), findings=(query,)), read_plan(), later(1))
    make_folders(workplace.settings.inbox, ["police"])
    refresh_status_pages(workplace, ["police"], later(1).date())
    assert "This changed by half." in _asks(workplace)
    decided = decide(workplace)
    assert decided.is_new
    assert decided.warnings == ()
    assert "This changed by half." not in _asks(workplace)


def test_the_partners_page_asks_again_once_a_waiver_ends_and_says_where_it_cannot(workplace: Workplace) -> None:
    query = Finding("large-change", Severity.QUERY, "Indicators", "G2", "91", "This changed by half.", "Explain it.")
    record(workplace.engine, checked("b", observation("NI 111a", "91"), findings=(query,)), read_plan(), later(1))
    waive_query(workplace, waiver())
    make_folders(workplace.settings.inbox, ["police"])
    assert end_waiver(workplace, 2, by="A", why="x").warnings == ()
    assert "This changed by half." in _asks(workplace)
    (workplace.settings.inbox / "police").rename(workplace.settings.inbox / "away")
    (workplace.settings.inbox / "police").write_text("no folder")
    (trouble,) = waive_query(workplace, waiver()).warnings
    assert trouble.startswith("The status of police cannot be written: ")


def test_a_plan_may_be_a_workbook(workplace: Workplace, tmp_path: Path) -> None:
    book = tmp_path / "plan.xlsx"
    book.write_bytes(write_plan_workbook(read_plan()))
    assert compare_plan(workplace, book) == ["No symbol changes."]
    adopted = adopt_plan(workplace.settings, book, by="A", why="x", may_change_settled=False)
    assert (adopted.is_new, adopted.sentences) == (False, ("The plan is in force already.",))
