"""Every sentence of the board report, with figures that make it true and figures that would make it false."""

import html
import io
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import Engine, delete, update

from cypp_etl.checked_return import Observation
from cypp_etl.periods import Period, parse_period
from cypp_etl.phrases import date_text
from cypp_etl.plan.model import Plan
from cypp_etl.plan.reader import read_plan
from cypp_etl.plan.rhythm import Rhythm
from cypp_etl.report.changes import revisions
from cypp_etl.report.html import render_html
from cypp_etl.report.milestones import is_past_due
from cypp_etl.report.model import BoardData, Note
from cypp_etl.report.pages import happening
from cypp_etl.report.table import has_like_before, polarity_words
from cypp_etl.report.workbook import render_workbook
from schemas.codes import (
    Accumulation,
    ClinicStatus,
    Frequency,
    Marker,
    MilestoneStatus,
    NoteKind,
    Polarity,
    Qualifier,
    ReportedYear,
    Severity,
    YearType,
)
from tests.warehouse.builders import checked, finding, later, observation, report
from warehouse.engine import open_warehouse, reading, writing
from warehouse.queries.board.reader import read_board
from warehouse.recording.administration import answer_query
from warehouse.recording.clinic_notes import add_note
from warehouse.recording.plan import record_plan
from warehouse.recording.publications import Publication, record_publication
from warehouse.recording.record import record
from warehouse.recording.rules import judge_by_newer_rules
from warehouse.recording.submissions.held import decide_held
from warehouse.schema.tables import judgement, rules_version
from warehouse.upgrade import upgrade

WRITTEN = date(2012, 1, 1)
Q1 = Period(2010, 1)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return read_plan()


class World:
    """A warehouse that returns are put into, and the reports on it."""

    def __init__(self, engine: Engine, plan: Plan) -> None:
        self.engine, self.plan, self.count = engine, plan, 0

    def adopt(self, plan: Plan, at: datetime) -> None:
        self.plan = plan
        with writing(self.engine) as connection:
            record_plan(connection, plan, at)

    def take(self, partner_code: str, at: datetime, *rows: Observation, **others: Any) -> None:
        """Record a return of a partner's for the first quarter, or as others say."""
        self.count += 1
        fields = {"partner_code": partner_code, "file_name": f"{partner_code} {self.count}.xlsx"} | others
        record(self.engine, checked(chr(96 + self.count), *rows, **fields), self.plan, at)

    def refuse(self, partner_code: str, at: datetime, **others: Any) -> None:
        """Record a return with an error."""
        self.take(partner_code, at, findings=(finding(Severity.ERROR),), **others)

    def decide(self, number: int, at: datetime, *, is_accepted: bool) -> None:
        """Decide on a submission that is held."""
        with writing(self.engine) as connection:
            said = {"by": "A. Person", "why": "They rang", "word": "Thank you", "at": at}
            decide_held(connection, self.plan, number, is_accepted=is_accepted, **said)

    def read(self, at: datetime, period: str = "2010-11Q1", since: date | None = None) -> BoardData:
        with reading(self.engine) as connection:
            return read_board(connection, parse_period(period), at, since)

    def page(self, at: datetime, period: str = "2010-11Q1", since: date | None = None) -> str:
        return text_of(render_html(self.read(at, period, since), WRITTEN))

    def sheets(self, at: datetime, period: str = "2010-11Q1") -> dict[str, list[tuple[Any, ...]]]:
        """The rows of each sheet, all but the empty ones."""
        workbook = openpyxl.load_workbook(io.BytesIO(render_workbook(self.read(at, period), WRITTEN)))
        return {sheet.title: [*sheet.iter_rows(values_only=True)] for sheet in workbook}


def text_of(page: bytes) -> str:
    """What stands on a page, without its style and drawings."""
    text = re.sub(r"<(style|svg).*?</\1>|<[^>]+>", " ", page.decode(), flags=re.DOTALL)
    return " ".join(html.unescape(text).split())


def part(text: str, start: str, end: str) -> str:
    """What stands between two texts."""
    return text.partition(start)[2].partition(end)[0].strip()


def returns_tile(text: str) -> str:
    said = part(text, "Performance clinics : none. Returns :", "What changed").partition(" By outcome")[0]
    return said.removesuffix(".").strip()


@pytest.fixture(scope="module")
def adopted(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse that has its plan and no more, to be copied."""
    path = tmp_path_factory.mktemp("adopted") / "warehouse.db"
    engine = open_warehouse(f"sqlite:///{path}")
    upgrade(engine)
    World(engine, plan).adopt(plan, datetime(2009, 7, 1, tzinfo=UTC))
    engine.dispose()
    return path


@pytest.fixture
def world(plan: Plan, adopted: Path, tmp_path: Path) -> Iterator[World]:
    engine = open_warehouse(f"sqlite:///{shutil.copy(adopted, tmp_path)}")
    yield World(engine, plan)
    engine.dispose()


@pytest.fixture
def due(plan: Plan) -> datetime:
    """Noon of the last day on which a return for the first quarter is on time."""
    return datetime.combine(plan.calendar[Q1].due_on, time(12), UTC)


DAY = timedelta(days=1)


def test_all_received_on_time(world: World, plan: Plan, due: datetime) -> None:
    for partner_code in plan.partners:
        world.take(partner_code, due)
    assert returns_tile(world.page(due)) == returns_tile(world.page(due + DAY)) == "all received on time"


def test_all_received_on_time_beside_a_refused_correction(world: World, plan: Plan, due: datetime) -> None:
    for partner_code in plan.partners:
        world.take(partner_code, due)
    world.refuse("yos", due + DAY)
    name = plan.partners["yos"].partner
    said = world.page(due + 2 * DAY)
    assert returns_tile(said) == f"all received on time; a correction from {name} was refused"
    assert "received; a correction was refused" in said
    assert "received; a correction was refused" in [row[2] for row in world.sheets(due + 2 * DAY)["Returns"]]
    world.take("yos", due + 3 * DAY)
    assert returns_tile(world.page(due + 4 * DAY)) == "all received on time", "it was sent again, and accepted"


def test_what_is_held_is_said_until_it_is_decided(world: World, plan: Plan, due: datetime) -> None:
    for partner_code in plan.partners:
        if partner_code != "police":
            world.take(partner_code, due)
    hold = replace(finding(Severity.NOTE), code="held-closed-period")
    world.take("yos", due + DAY, findings=(hold,))
    world.take("police", due + DAY, observation("NI 111a", "90"), findings=(hold,))
    yos, police = plan.partners["yos"].partner, plan.partners["police"].partner
    said = world.page(due + 2 * DAY)
    assert returns_tile(said) == (
        f"{police}: missing ; a return from {police} is held until it is decided; "
        f"a correction from {yos} is held until it is decided"
    )
    assert "received; a correction is held" in said and "missing; a return is held" in said
    late = part(said, "Late or missing", "Changed since")
    assert "Missing; a return is held" in late and "Received; a correction is held" in late
    words = {row[1]: row[9] for row in world.sheets(due + 2 * DAY)["Indicators"][4:]}
    assert (words["NI 111a"], words["NI 114"]) == ("held", "not returned")
    held = {row["partner_code"]: row["submission_id"] for row in world.read(due + 2 * DAY).held}
    world.decide(held["yos"], due + 3 * DAY, is_accepted=False)
    world.decide(held["police"], due + 3 * DAY, is_accepted=True)
    said = world.page(due + 4 * DAY)
    assert returns_tile(said) == f"{police}: late ; a correction from {yos} was refused"
    assert "is held" not in said
    assert {row[1]: row[9] for row in world.sheets(due + 4 * DAY)["Indicators"][4:]}["NI 111a"] != "held"
    assert "a correction is held" in world.page(due + 2 * DAY), "as of the day before"


def test_what_is_not_due_yet_is_not_all_received(world: World, plan: Plan, due: datetime) -> None:
    count, day = len(plan.partners), f"{due.day} {due:%B %Y}"
    assert returns_tile(world.page(due)) == f"none of {count} received so far, due on {day}"
    world.take("yos", due - DAY)
    assert returns_tile(world.page(due)) == f"1 of {count} received so far, due on {day}"
    world.refuse("nhs", due)
    name = plan.partners["nhs"].partner
    assert returns_tile(world.page(due)) == (
        f"1 of {count} received so far, due on {day}; a return from {name} was refused"
    )


def test_what_is_late_or_missing_is_named(world: World, plan: Plan, due: datetime) -> None:
    for partner_code in plan.partners:
        if partner_code != "nhs":
            world.take(partner_code, due + DAY if partner_code == "yos" else due)
    nhs, yos = plan.partners["nhs"].partner, plan.partners["yos"].partner
    assert returns_tile(world.page(due + DAY)) == f"{nhs}: missing ; {yos}: late"
    world.refuse("nhs", due + DAY)
    assert returns_tile(world.page(due + DAY)).endswith(f"late ; a return from {nhs} was refused")


def test_no_return_was_asked_for(world: World) -> None:
    before = datetime(2009, 1, 1, tzinfo=UTC)
    said = world.page(before)
    assert returns_tile(said) == "nothing had been recorded by then", "there was no plan yet that could ask"
    assert said.count("Nothing had been recorded by then.") == 8, (
        "on the first page thrice, and of what changed, indicators, milestones, returns"
    )
    assert "none were due" not in said
    at = datetime(2011, 1, 1, tzinfo=UTC)
    outside = world.page(at, "2020-21Q1")
    assert returns_tile(outside) == "the plan asks for no returns for 2020/21 Q1"
    whole_year = world.page(at, "2010-11")
    assert returns_tile(whole_year) == "no return for 2010/11 has been accepted: returns are owed for quarters"
    world.take("yos", at, period=Period(2010))
    assert returns_tile(world.page(at, "2010-11")) == "1 received: returns are owed for quarters"


def test_nothing_has_been_returned(world: World, due: datetime) -> None:
    assert "Nothing has been returned for 2010/11 Q1." in world.page(due)
    world.refuse("police", due)
    said = world.page(due)
    assert "Nothing that was returned for 2010/11 Q1 has been accepted." in said
    assert "Nothing has been returned" not in said
    world.take("cyps", due)
    assert "No figures have been returned for 2010/11 Q1." in world.page(due)
    world.take("police", due, observation("NI 111a", "90"))
    said = world.page(due)
    assert "returned for 2010/11 Q1" not in said


def test_a_blank_is_not_returned_or_was_refused(world: World, due: datetime) -> None:
    rows = world.sheets(due)["Indicators"]
    assert {row[9] for row in rows[4:]} == {"not returned", "from the plan"}
    world.refuse("police", due)
    words = {row[1]: row[9] for row in world.sheets(due)["Indicators"][4:]}
    assert {words["NI 111a"], words["NI 111b"], words["NI 45"]} == {"refused", "not returned"}
    assert (words["NI 111a"], words["NI 45"]) == ("refused", "not returned")
    assert "blank not returned, refused, or held until it is decided" in world.page(due)


def test_refused_and_not_accepted_since(world: World, due: datetime) -> None:
    heading = "Refused, and not accepted since: none of its figures are in this report"
    assert heading not in world.page(due)
    world.refuse("police", due, file_name="first.xlsx")
    world.refuse("police", due + DAY, file_name="second.xlsx")
    world.refuse("yos", due + DAY, file_name="other.xlsx")
    said = part(world.page(due + DAY) + " END", heading, "END")
    assert "second.xlsx" in said and "other.xlsx" in said
    assert "first.xlsx" not in said, "it was sent again"
    world.take("police", due + 2 * DAY, observation("NI 111a", "90"))
    assert "second.xlsx" not in world.page(due + 3 * DAY)
    assert "second.xlsx" in world.page(due + DAY), "as of the day before"


def test_what_was_refused_leaves_no_query_about_a_figure_that_is_not_there(world: World, due: datetime) -> None:
    all_kinds = tuple(finding(severity) for severity in Severity)
    world.take("police", due, findings=all_kinds)
    said = world.page(due)
    assert "To be explained by the partner" not in said
    assert "To be known" not in said
    world.take("yos", due, findings=(finding(Severity.QUERY), finding(Severity.NOTE)))
    said = world.page(due)
    assert "To be explained by the partner" in said
    assert "To be known" in said


def test_a_query_is_to_be_explained_until_it_is(world: World, due: datetime) -> None:
    asked = (finding(Severity.QUERY),)
    world.take("police", due, observation("NI 111a", "90"), findings=asked)
    world.take("yos", due, findings=asked)
    with writing(world.engine) as connection:
        answer_query(connection, 2, "Counted twice", "B. Officer", due + DAY)
    commented = observation("NI 111a", "90", comment="The centre closed")
    world.take("police", due + DAY, commented, findings=asked, sha256="x")
    told = world.page(due).partition("To be explained by the partner")[2]
    assert "police 1.xlsx" in told and "yos 2.xlsx" in told
    assert "Explained, answered or waived" not in told
    later_on = world.page(due + 2 * DAY)
    assert "To be explained by the partner" not in later_on
    assert "This is wrong. Explained by police: The centre closed" in later_on
    assert "This is wrong. Answered by B. Officer: Counted twice" in later_on
    rows = world.sheets(due + 2 * DAY)["Data quality"][4:]
    assert [(row[0], *row[6:]) for row in rows] == [
        ("police", "explained", "police: The centre closed"),
        ("yos", "answered", "B. Officer: Counted twice"),
    ]


def test_there_is_nothing_to_note(world: World, due: datetime) -> None:
    world.take("yos", due)
    assert "There is nothing to note." in world.page(due)
    world.take("nhs", due, findings=(finding(Severity.NOTE),))
    assert "There is nothing to note." not in world.page(due)


def test_a_return_came_when_it_first_came(world: World, due: datetime) -> None:
    world.take("yos", due - DAY)
    world.take("yos", later(60))
    (row,) = (row for row in world.read(later(61)).returns if row["partner_code"] == "yos")
    assert (row["status"], row["received_at"]) == ("received", due - DAY)


def changes_part(text: str) -> str:
    return part(text, "What changed Compared with", "Performance indicators,")


def test_compared_with_the_period_before(world: World, plan: Plan, due: datetime) -> None:
    """It is no matter of a report: none on the period before need have been published, or say what is known now."""
    world.adopt(replace(plan, fingerprint="without targets", figures={}), due - 9 * DAY)
    before = {"period": Period(2009, 4)}
    later_on = due + 3 * DAY
    assert "Since the report" not in world.page(due)
    assert changes_part(world.page(due)).startswith("2009/10 Q4 Nothing has been returned for 2010/11 Q1.")
    world.take("police", due, observation("NI 111a", "90"), observation("NI 111b", "9.5"))
    said = changes_part(world.page(due))
    assert said.startswith("2009/10 Q4 None of the indicators was returned for 2009/10 Q4 as well.")
    world.take("police", due + DAY, observation("NI 111a", "90", "2009-10Q4"), **before)
    said = changes_part(world.page(due + DAY))
    assert said.startswith("2009/10 Q4 No symbol has changed for the one indicator returned in both periods.")
    both = [observation("NI 111a", "90", "2009-10Q4"), observation("NI 111b", "9.5", "2009-10Q4")]
    world.take("police", due + 2 * DAY, *both, **before)
    said = changes_part(world.page(due + 2 * DAY))
    assert said.startswith("2009/10 Q4 No symbol has changed for the 2 indicators returned in both periods.")
    world.take("police", later_on, observation("NI 111a", "60", "2009-10Q1", cell="E2"), period=Period(2009, 1))
    said = changes_part(world.page(later_on))
    assert said.startswith("2009/10 Q4 Indicator On target Direction of travel ")
    assert "No symbol has changed" not in said
    titles = [row[0] for row in world.sheets(later_on)["Changes"][:1]]
    assert titles[0].endswith("Symbols that changed since 2009/10 Q4")


def test_symbols_that_turned_since_somebody_last_knew(world: World, plan: Plan, due: datetime) -> None:
    none, some = "No symbol of 2010/11 Q1 or before has turned", "Symbols of 2010/11 Q1 or before that turned"
    last_due = plan.calendar[Period(2009, 4)].due_on
    when_due = f"after the end of {date_text(last_due)} (UTC), when returns for 2009/10 Q4 were due"
    assert f"{none} {when_due}." in world.page(due)
    too_early = datetime.combine(last_due, time(12), UTC)
    assert f"{none}. What the symbols mean" in world.page(too_early), "that day was not over"
    with writing(world.engine) as connection:
        record_publication(connection, Publication(Period(2009, 4), due - DAY, "ab", due - DAY))
    knew = f"after 12:00 UTC on {date_text(due - DAY)}, up to which the last published report, on 2009/10 Q4, knew"
    assert f"{none} {knew}." in world.page(due)
    before = observation("NI 111a", "60", "2009-10Q1", cell="E2")
    world.take("police", due, before, observation("NI 111a", "90"))
    world.take("police", due + DAY, before, observation("NI 111a", "50"))
    assert f"{some} {knew} Indicator" in world.page(due + DAY)
    assert world.sheets(due + DAY)["Corrections"][0][0].endswith(f"{some} {knew}")
    asked = f"after the end of {date_text(due + DAY)} (UTC)"
    assert f"{none} {asked}." in world.page(due + 2 * DAY, since=(due + DAY).date())
    asked = f"after the end of {date_text(due)} (UTC)"
    assert f"{some} {asked} Indicator" in world.page(due + DAY, since=due.date())
    with pytest.raises(ValueError, match="had not ended at the moment of the report"):
        world.page(due, since=due.date())


def test_symbols_of_later_periods_are_none_of_a_reports_matter(world: World, due: datetime) -> None:
    for place, figure in enumerate(("90", "50")):
        rows = [observation("NI 111a", "60", "2009-10Q2", cell="E2"), observation("NI 111a", figure, "2010-11Q2")]
        world.take("police", due + (80 + place) * DAY, *rows, period=Period(2010, 2))
    at = due + 82 * DAY
    assert "No symbol of 2010/11 Q1 or before has turned" in world.page(at, since=due.date())
    assert "Symbols of 2010/11 Q2 or before that turned" in world.page(at, "2010-11Q2", since=due.date())


def test_because_of_a_figure_of_a_file_of_the_plan_or_of_the_program(world: World, plan: Plan, due: datetime) -> None:
    last_year = observation("NI 111a", "60", "2009-10Q1", cell="E2")
    world.take("police", due, last_year, observation("NI 111a", "90"), file_name="first.xlsx")

    def causes(at: datetime) -> set[str]:
        data = world.read(at, since=(at - DAY).date())
        return {row.because for row in revisions(data) if row.judgement == "Direction of travel"}

    corrected = due + 2 * DAY
    world.take("police", corrected, last_year, observation("NI 111a", "50"), file_name="second.xlsx")
    assert causes(corrected) == {"second.xlsx, sheet Indicators, cell G2"}
    left_out = due + 4 * DAY
    world.take("police", left_out, observation("NI 111a", "50"), file_name="third.xlsx")
    assert causes(left_out) == {"third.xlsx, which leaves a figure out"}
    came = due + 6 * DAY
    world.take("police", came, last_year, period=Period(2009, 1), file_name="late.xlsx")
    assert causes(came) == {"late.xlsx, sheet Indicators, cell E2"}
    adopted = due + 8 * DAY
    leaf = replace(plan.indicators["NI 111a"], polarity=Polarity.HIGH)
    turned_plan = replace(plan, fingerprint="turned", indicators={**plan.indicators, "NI 111a": leaf})
    world.adopt(turned_plan, adopted)
    assert causes(adopted) == {"a change of the plan"}
    upgraded = due + 10 * DAY
    with writing(world.engine) as connection:
        # As an older program said it by other rules.
        connection.execute(update(judgement).where(judgement.c.superseded_at.is_(None)).values(direction="no change"))
        connection.execute(delete(rules_version))
        judge_by_newer_rules(connection, turned_plan, upgraded)
    assert causes(upgraded) == {"a change of the plan, or of the program's rules"}


def test_no_codes_where_the_board_reads(world: World, due: datetime) -> None:
    world.take("police", due, observation("NI 111a", "60", "2009-10Q1", cell="E2"), observation("NI 111a", "90"))
    world.take("police", due + DAY, observation("NI 111a", "60", "2009-10Q1", cell="E2"), observation("NI 111a", "50"))
    assert "2010/11 Q1 Direction of travel: improving, was declining" in world.page(due + DAY)
    rows = world.sheets(due + DAY)["Corrections"][4:]
    assert {row[1] for row in rows} == {"2010/11 Q1"}
    assert {row[4] for row in rows} == {"police 2.xlsx, sheet Indicators, cell G2"}


def test_shorthand_stands_beside_figures_in_both_editions(world: World, due: datetime) -> None:
    """A figure is provisional, or breaks its series, wherever it is shown: this year, and a year after."""
    provisional, broken = frozenset({Qualifier.PROVISIONAL}), frozenset({Qualifier.PROVISIONAL, Qualifier.BREAK})
    before = observation("NI 111a", "60", "2009-10Q1", cell="E2", qualifiers=provisional)
    world.take("police", due, before, observation("NI 111a", "90", qualifiers=broken), observation("NI 111b", "9.5"))
    page, rows = world.page(due), {row[1]: row for row in world.sheets(due)["Indicators"][4:]}
    assert "60 [p]" in page
    assert "90 [p] [b]" in page
    assert "9.5 [" not in page
    assert rows["NI 111a"][4:8] == (60, 129, 90, "a year before [p]; performance [p] [b]")
    assert rows["NI 111b"][6:8] == (9.5, "[z]"), "there is nothing to say"
    (heading,) = (row for row in world.sheets(due)["Indicators"] if row[0] == "No.")
    assert heading[7] == "Shorthand and years beside figures"
    notes = {row[0] for row in world.sheets(due)["Notes"]}
    assert any(line.startswith("[p]: Provisional") for line in notes)
    assert any(line.startswith("[b]: Break in series") for line in notes)


def test_what_stands_in_place_of_a_figure_is_what_is_so(world: World, due: datetime) -> None:
    world.take("police", due, observation("NI 111a", Marker.SUPPRESSED), observation("NI 111b", Marker.NOT_RETURNED))
    rows = {row[1]: row[6] for row in world.sheets(due)["Indicators"][4:]}
    assert (rows["NI 111a"], rows["NI 111b"], rows["NI 45"]) == ("[c]", "not returned", "not returned")
    before = observation("NI 111a", Marker.NOT_APPLICABLE, "2009-10Q1", cell="E2")
    world.take("police", due + DAY, before, observation("NI 111a", "90"))
    rows = {row[1]: row[4] for row in world.sheets(due + DAY)["Indicators"][4:]}
    assert (rows["NI 111a"], rows["NI 111b"]) == ("N/A", "[x]")


@pytest.mark.parametrize(
    ("opened", "closed", "period", "said"),
    [
        ("2010-11Q3", None, "2010-11Q3", "opened in 2010/11 Q3"),
        ("2010-11Q3", None, "2010-11Q4", "carried over since 2010/11 Q3"),
        ("2010-11Q2", None, "2010-11Q3", "carried over since 2010/11 Q2"),
        # The report on a year is on its quarters, and a year ends with its last quarter.
        ("2010-11Q3", None, "2010-11", "opened in 2010/11 Q3"),
        ("2010-11Q1", None, "2010-11", "opened in 2010/11 Q1"),
        ("2009-10Q4", None, "2010-11", "carried over since 2009/10 Q4"),
        ("2010-11", None, "2010-11Q4", "opened in 2010/11"),
        ("2010-11", None, "2011-12Q1", "carried over since 2010/11"),
        ("2009-10Q4", "2010-11Q2", "2010-11Q2", "closed in 2010/11 Q2"),
        ("2009-10Q4", "2010-11Q2", "2010-11", "closed in 2010/11 Q2"),
    ],
)
def test_a_clinic_opened_is_carried_over_or_was_closed(opened: str, closed: str | None, period: str, said: str) -> None:
    status = ClinicStatus.CLOSED if closed else ClinicStatus.OPEN
    clinic = {"opened_period": opened, "closed_period": closed, "status": status.value}
    assert happening(clinic, parse_period(period)) == said


def test_a_clinic_opens_because_of_its_first_period(world: World, due: datetime) -> None:
    world.take("police", due, observation("NI 111a", "60", "2009-10Q1", cell="E2"), observation("NI 111a", "90"))
    next_due = due + 90 * DAY
    assert "Opened because performance was declining in 2010/11 Q1." in world.page(due)
    both = [observation("NI 111a", "60", "2009-10Q2", cell="E2"), observation("NI 111a", "50", "2010-11Q2")]
    world.take("police", next_due, *both, period=Period(2010, 2))
    said = world.page(next_due, "2010-11Q2")
    assert "Opened because performance was declining in 2010/11 Q1." in said, "and it improves now"
    assert "By the end of 2010/11 Q1, the last period for which no improvement was reported, " in said
    assert "Is the change from 2009/10 Q2 to 2010/11 Q2 more than noise?" in said
    nothing_new = world.page(next_due, "2010-11Q3")
    assert "Is the change from 2009/10 Q2 to 2010/11 Q2 more than noise?" in nothing_new, "the last that was returned"


def test_a_clinic_needs_a_decline_or_a_target_missed(world: World, due: datetime) -> None:
    """No change is not positive, and opens none while the target is met."""
    before = observation("NI 111a", "60", "2009-10Q1", cell="E2")
    world.take("police", due, before, observation("NI 111a", "60"))
    assert "A clinic opens where" not in world.page(due), "129 is the target, and lower is better"
    world.take("police", due + DAY, before, observation("NI 111a", "61"))
    assert "A clinic opens where performance declines, or does not change while it is off target" in world.page(
        due + DAY
    )


def test_milestones_that_are_due_or_were_missed(world: World, plan: Plan, due: datetime) -> None:
    """A milestone that is reported as missed counts as due, before its day too: then that is said."""
    aspirations = plan.measured_aspirations(plan.indicators["NI 111a"])
    actions = {code for code, one in plan.actions.items() if one.aspiration in aspirations}
    wanted = sorted(code for code, one in plan.milestones.items() if one.action_id in actions)
    declining = (observation("NI 111a", "60", "2009-10Q1", cell="E2"), observation("NI 111a", "90"))

    def said_of(**dues: date) -> str:
        milestones = {
            code: replace(one, due=dues.get("all", one.due)) for code, one in plan.milestones.items() if code in wanted
        }
        world.adopt(replace(plan, fingerprint=str(dues), milestones=milestones), world_at[0])
        world_at[0] += DAY
        return part(world.page(world_at[0]), "the last period for which no improvement was reported,", ".")

    world_at = [due + DAY]
    world.take("police", due, *declining)
    count = len(wanted)
    assert said_of(all=date(2010, 6, 30)) == f"{count} milestones of its aspirations were due, of which 0 were achieved"
    assert said_of(all=date(2010, 7, 1)) == "0 milestones of its aspirations were due, of which 0 were achieved"
    world.take("police", world_at[0], *declining, milestone_reports=(report(wanted[0], MilestoneStatus.MISSED),))
    assert said_of(all=date(2010, 7, 2)) == (
        "1 milestone of its aspirations was due or reported as missed, of which 0 were achieved"
    )
    assert said_of(all=date(2010, 6, 29)) == f"{count} milestones of its aspirations were due, of which 0 were achieved"


def test_a_milestone_is_overdue_once_its_day_has_passed() -> None:
    def told(status: MilestoneStatus | None, period: str, at: date) -> bool:
        row = {"due": date(2010, 9, 15), "status": status and status.value}
        return is_past_due(row, parse_period(period), at)

    later_on = date(2010, 11, 1)
    assert told(None, "2010-11Q2", later_on)
    assert told(MilestoneStatus.AT_RISK, "2010-11Q2", date(2010, 9, 16))
    assert not told(MilestoneStatus.AT_RISK, "2010-11Q2", date(2010, 9, 15)), "the day itself is not over"
    assert not told(None, "2010-11Q1", later_on), "the report is on a quarter that ended before"
    assert not told(MilestoneStatus.MISSED, "2010-11Q1", later_on), "missed is not overdue before its day"
    for settled in (MilestoneStatus.ACHIEVED, MilestoneStatus.WITHDRAWN):
        assert not told(settled, "2010-11Q2", later_on)


@pytest.mark.parametrize(
    ("message", "named"),
    [
        ("NI 11 is far from", {"NI 11"}),
        ("Beside NI 11, the", {"NI 11"}),
        ("NI 111 is far", {"NI 111"}),
        ("UNI 11 is", set()),
        ("NI 11 and NI 111 (b), not NI 11", {"NI 11", "NI 111 (b)"}),
    ],
)
def test_a_finding_is_of_the_indicators_that_it_names(
    world: World, due: datetime, message: str, named: set[str]
) -> None:
    world.take("police", due, observation("NI 111a", "60"), findings=(finding(Severity.QUERY, message=message),))
    data = world.read(due)
    (known,) = list(data.indicators.values())[:1]
    named_alike = replace(data, indicators=dict.fromkeys(("NI 11", "NI 111", "NI 111 (b)"), known))
    assert named_alike.findings_about == {(one, "police"): data.findings for one in named}


def test_a_gap_in_the_trend_is_a_gap(world: World, due: datetime) -> None:
    """Eight periods are eight quarters on end, whether they have a figure or not."""
    for place, period in enumerate([Period(2008, 2), Period(2009, 1), Period(2009, 4)]):
        world.take("police", due - DAY, observation("NI 111a", str(50 + place), period.code), period=period)
    world.take("police", due, observation("NI 111a", "60"))
    data = world.read(due)
    (row,) = (one for one in data.of_period(Q1) if one["indicator"] == "NI 111a")
    course = data.course(row, 8)
    assert [period for period, _ in course] == [Period(2008 + place // 4, place % 4 + 1) for place in range(1, 9)]
    assert [one and one["actual"] for _, one in course] == [50, None, None, 51, None, None, 52, 60]
    drawn = re.search(r"<title>(NI 111a: [^<]*)<", render_html(data, WRITTEN).decode())
    assert drawn is not None
    # The sum of a year with a quarter missing is no figure either.
    assert drawn[1].startswith("NI 111a: no figure, no figure, no figure, 51, no figure, no figure, no figure, 60;")


def test_a_quarter_that_was_judged_before_its_indicator_was_yearly_has_a_trend_of_quarters(
    world: World, due: datetime
) -> None:
    figures = {"2009-10": "200", "2009-10Q4": "50", "2010-11Q1": "60"}
    world.take("police", due, *(observation("NI 111a", value, period) for period, value in figures.items()))
    data = world.read(due)
    rhythm = Rhythm(Frequency.YEARLY, (1,), YearType.FINANCIAL, ReportedYear.LAST_YEAR)
    yearly = replace(data, rhythms={**data.rhythms, "NI 111a": rhythm})
    assert "NI 111a" in render_html(yearly, WRITTEN).decode()
    of_period = {row["period"]: row for row in yearly.judgements_of({"indicator": "NI 111a", "partner_code": "police"})}
    assert [period.code for period, _ in yearly.course(of_period["2010-11Q1"], 8)] == ["2009-10Q4", "2010-11Q1"]
    assert [period.code for period, _ in yearly.course(of_period["2009-10"], 8)] == ["2009-10"]


def test_a_clinic_that_a_whole_years_figure_opened_is_in_the_years_report_and_not_in_the_last_quarters(
    world: World, due: datetime
) -> None:
    years = {"2009-10": "200", "2010-11": "300"}
    at = due + 300 * DAY
    world.take("police", at, *(observation("NI 111a", value, period) for period, value in years.items()))
    found = {
        period: [row["opened_period"] for row in world.read(at, period).clinics]
        for period in ("2010-11Q4", "2010-11", "2011-12Q1")
    }
    assert found == {"2010-11Q4": [], "2010-11": ["2010-11"], "2011-12Q1": ["2010-11"]}
    for period in found:
        assert world.page(at, period)


def test_a_quarter_of_last_year_is_not_drawn_beside_a_sum_of_quarters(world: World, due: datetime) -> None:
    world.take("police", due, observation("NI 111a", "60"))
    data, at = world.read(due), due + 90 * DAY
    rows = [observation("NI 111a", "40", "2009-10Q2", cell="E2"), observation("NI 111a", "45", "2010-11Q2")]
    world.take("police", at, *rows, period=Period(2010, 2))
    assert "45 105 this year" in world.page(at, "2010-11Q2")
    (row,) = (one for one in data.of_period(Q1) if one["indicator"] == "NI 111a")
    assert has_like_before(row)
    assert not has_like_before({**row, "year_to_date": 105.0, "actual": 45.0})
    assert has_like_before({**row, "year_to_date": None, "actual": None})


def test_sections_without_anything_say_why(world: World, plan: Plan, due: datetime) -> None:
    def section(text: str, name: str, following: str) -> str:
        return text.rpartition(f" {following} ")[0].rpartition(f" {name} ")[2]

    assert section(world.page(due), "Indicators", "Milestones").startswith("Nothing has been returned for 2010/11 Q1.")
    assert "The plan has no milestones." not in world.page(due)
    world.adopt(replace(plan, fingerprint="without milestones", milestones={}), due)
    assert "The plan has no milestones." in world.page(due + DAY)
    assert "no status reported" not in world.page(due + DAY)


def test_symbols_of_what_is_neither_good_nor_bad_are_in_the_legend(world: World, due: datetime) -> None:
    said = world.page(due)
    assert "↑ improving; increasing, where nothing is good or bad" in said
    assert "or last year's outturn" in said


def test_the_sheet_of_findings_says_what_they_are_of(world: World, due: datetime) -> None:
    whole = replace(finding(Severity.NOTE), sheet="", cell="")
    sheetwide = replace(finding(Severity.QUERY), cell="")
    world.take("yos", due, findings=(whole, sheetwide))
    world.refuse("police", due)
    rows = world.sheets(due)["Data quality"]
    assert rows[0][0].endswith("Queries and notes on the figures, and errors of what was refused")
    assert [(row[0], row[2], row[3]) for row in rows[4:]] == [
        ("police", "Indicators!G2", "ERROR"),
        ("yos", "[z]", "NOTE"),
        ("yos", "Indicators", "QUERY"),
    ]


def test_an_indicator_of_several_partners_says_whose_it_is(world: World, plan: Plan, due: datetime) -> None:
    def rows(partner_code: str) -> list[Observation]:
        before = observation("NI 111a", "60", "2009-10Q1", cell="E2", partner_code=partner_code)
        return [before, observation("NI 111a", "90", partner_code=partner_code)]

    world.take("police", due, *rows("police"))
    police, yos = plan.partners["police"].partner, plan.partners["yos"].partner
    alone = world.page(due)
    assert f"{police}: opened in 2010/11 Q1" in alone
    assert f"NI 111a ({police})" not in alone
    assert f"Number {police} 60" not in alone
    world.take("yos", due, *rows("yos"))
    both = world.page(due)
    assert f"NI 111a ({police}) opened in 2010/11 Q1; NI 111a ({yos}) opened in 2010/11 Q1" in both.replace(" ;", ";")
    heading, *rows_of_sheet = world.sheets(due)["Indicators"][3:]
    place = heading.index("Partner")
    assert {row[place] for row in rows_of_sheet if row[1] == "NI 111a"} == {police, yos}
    assert [row[0] for row in world.sheets(due)["Clinics"][4:]] == [police, yos]
    assert f"Number {police} 60" in both and f"Number {yos} 60" in both, "in the table, beside the definition"


def test_no_improvement_was_reported_where_nothing_was(world: World, due: datetime) -> None:
    """Of a quarter without a figure nobody knows whether it improved."""
    before = observation("NI 111a", "60", "2009-10Q1", cell="E2")
    world.take("police", due, before, observation("NI 111a", "90"))
    at = due + 90 * DAY
    missing = observation("NI 111a", Marker.NOT_AVAILABLE, "2010-11Q2")
    world.take("police", at, missing, period=Period(2010, 2))
    said = world.page(at, "2010-11Q2")
    assert "By the end of 2010/11 Q2, the last period for which no improvement was reported, " in said
    assert "did not improve" not in said


def test_the_tiles_count_what_was_returned(world: World, due: datetime) -> None:
    assert "Direction of travel : no figures. On target : no figures. Performance clinics : none." in world.page(due)
    before = observation("NI 111a", "60", "2009-10Q1", cell="E2")
    world.take("police", due, before, observation("NI 111a", "50"), observation("NI 111b", "9.5"))
    tiles = "of travel : 1 improving, 1 no data. On target : 2 yes. Performance clinics : none."
    assert part(world.page(due), "Summary Direction", "Returns") == tiles


def test_what_a_clinic_is_said_to_hold(world: World, due: datetime) -> None:
    before = observation("NI 111a", "60", "2009-10Q1", cell="E2")
    leads_there = "1 of 1 are in a performance clinic , where their charts and figures are."
    world.take("police", due, before, observation("NI 111a", "50"))
    assert leads_there not in world.page(due)
    world.take("police", due + DAY, before, observation("NI 111a", "90"))
    said = world.page(due + DAY)
    assert leads_there in said
    assert "None noted yet." in said
    with writing(world.engine) as connection:
        note = Note("police", "NI 111a", "2010-11Q1", NoteKind.ISSUE, "Fewer places", "A. Person", due + 2 * DAY)
        add_note(connection, note)
    assert "None noted yet." in world.page(due + DAY)
    assert "None noted yet." not in world.page(due + 2 * DAY)


def test_no_status_reported(world: World, plan: Plan, due: datetime) -> None:
    one = next(iter(plan.milestones))
    listed = len(plan.milestones)
    assert world.page(due).count("no status reported") == listed
    world.take("yos", due, milestone_reports=(report(one, None),))
    assert world.page(due).count("no status reported") == listed, "a report may leave the status out"
    world.take("yos", due + DAY, milestone_reports=(report(one, MilestoneStatus.ON_TRACK),))
    assert world.page(due + DAY).count("no status reported") == listed - 1


def test_last_years_outturn_is_said_to_be_one(world: World, plan: Plan, due: datetime) -> None:
    leaf = replace(plan.indicators["NI 111a"], accumulation=Accumulation.LATEST)
    world.adopt(
        replace(plan, fingerprint="latest", figures={}, indicators={**plan.indicators, "NI 111a": leaf}), due - DAY
    )
    quarter = observation("NI 111a", "60", "2009-10Q1", cell="E2")
    year = observation("NI 111a", "70", "2009-10", cell="D2")
    world.take("police", due, year, observation("NI 111a", "90"))
    assert "70 year's outturn" in world.page(due)
    assert "Is the change from 2009/10 to 2010/11 Q1 more than noise?" in world.page(due)
    world.take("police", due + DAY, year, quarter, observation("NI 111a", "90"))
    assert "year's outturn" not in world.page(due + DAY).replace("last year's outturn", "")
    assert "Is the change from 2009/10 Q1 to 2010/11 Q1 more than noise?" in world.page(due + DAY)


@pytest.mark.parametrize(
    ("polarity", "said"),
    [
        (Polarity.HIGH, "higher is better"),
        (Polarity.LOW, "lower is better"),
        (Polarity.RANGE, "inside a band is good"),
        (Polarity.NONE, "nothing is good or bad"),
    ],
)
def test_good_performance_is_said_as_the_plan_has_it(polarity: Polarity, said: str) -> None:
    assert polarity_words({"polarity": polarity.value}) == said
