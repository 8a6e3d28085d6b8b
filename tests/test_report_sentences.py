"""Every sentence of the board report, with figures that make it true and figures that would make it false."""

import html
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import Engine

from cypp_etl.checked_return import Observation
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.model import Plan
from cypp_etl.plan.reader import read_plan
from cypp_etl.report.changes import turned
from cypp_etl.report.html import render_html
from cypp_etl.report.model import BoardData
from cypp_etl.report.workbook import render_workbook
from schemas.codes import Marker, Polarity, Qualifier, Severity
from tests.warehouse.builders import checked, finding, later, observation
from warehouse.engine import open_warehouse, reading, writing
from warehouse.queries.board import read_board
from warehouse.recording.plan import record_plan
from warehouse.recording.publications import Publication, record_publication
from warehouse.recording.record import record
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
    return part(text, "Performance clinics none Returns", "What changed")


@pytest.fixture
def world(plan: Plan, tmp_path: Path) -> Iterator[World]:
    engine = open_warehouse(f"sqlite:///{tmp_path / 'warehouse.db'}")
    upgrade(engine)
    made = World(engine, plan)
    made.adopt(plan, datetime(2009, 7, 1, tzinfo=UTC))
    yield made
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
    assert said.count("Nothing had been recorded by then.") == 3, "of what changed, the table and the returns"
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
    assert {row[9] for row in rows[4:]} == {"not returned"}
    world.refuse("police", due)
    words = {row[1]: row[9] for row in world.sheets(due)["Indicators"][4:]}
    assert {words["NI 111a"], words["NI 111b"], words["NI 45"]} == {"refused", "not returned"}
    assert (words["NI 111a"], words["NI 45"]) == ("refused", "not returned")
    assert "blank not returned, or refused" in world.page(due)


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
    assert said.startswith("2009/10 Q4 No symbol reads otherwise, of the one indicator that was returned for both.")
    both = [observation("NI 111a", "90", "2009-10Q4"), observation("NI 111b", "9.5", "2009-10Q4")]
    world.take("police", due + 2 * DAY, *both, **before)
    said = changes_part(world.page(due + 2 * DAY))
    assert said.startswith("2009/10 Q4 No symbol reads otherwise, of the 2 indicators that were returned for both.")
    world.take("police", later_on, observation("NI 111a", "60", "2009-10Q1", cell="E2"), period=Period(2009, 1))
    said = changes_part(world.page(later_on))
    assert said.startswith("2009/10 Q4 Indicator Judgement 2009/10 Q4 2010/11 Q1 NI 111a: ")
    assert "No symbol reads otherwise" not in said
    titles = [row[0] for row in world.sheets(later_on)["Changes"][:1]]
    assert titles[0].endswith("Symbols that read otherwise than in 2009/10 Q4")


def test_symbols_that_turned_since_somebody_last_knew(world: World, plan: Plan, due: datetime) -> None:
    last_due = plan.calendar[Period(2009, 4)].due_on
    said = f"No symbol has turned after the end of {last_due.day} {last_due:%B %Y} (UTC), when returns for 2009/10 Q4"
    assert f"{said} were due." in world.page(due)
    too_early = datetime.combine(last_due, time(12), UTC)
    assert "No symbol has turned. Performance indicators" in world.page(too_early), "that day was not over"
    with writing(world.engine) as connection:
        record_publication(connection, Publication(Period(2009, 4), due - DAY, "ab", due - DAY))
    moment = f"12:00 UTC on {(due - DAY).day} {due:%B %Y}"
    knew = f"after {moment}, up to which the last published report, on 2009/10 Q4, knew"
    assert f"No symbol has turned {knew}." in world.page(due)
    world.take("police", due, observation("NI 111a", "60", "2009-10Q1", cell="E2"), observation("NI 111a", "90"))
    world.take("police", due + DAY, observation("NI 111a", "60", "2009-10Q1", cell="E2"), observation("NI 111a", "50"))
    assert f"Symbols that turned {knew} Indicator" in world.page(due + DAY)
    sheet = world.sheets(due + DAY)["Corrections"]
    assert sheet[0][0].endswith(f"Symbols that turned {knew}")
    on = f"{due.day} {due:%B %Y}"
    assert f"No symbol has turned after the end of {(due + DAY).day} {due:%B %Y} (UTC)." in world.page(
        due + 2 * DAY, since=(due + DAY).date()
    )
    assert f"Symbols that turned after the end of {on} (UTC) Indicator" in world.page(due + DAY, since=due.date())
    with pytest.raises(ValueError, match="was not over when the report was as of"):
        world.page(due, since=due.date())


def test_because_of_a_figure_of_a_file_or_of_the_plan(world: World, plan: Plan, due: datetime) -> None:
    last_year = observation("NI 111a", "60", "2009-10Q1", cell="E2")
    world.take("police", due, last_year, observation("NI 111a", "90"), file_name="first.xlsx")

    def causes(at: datetime) -> set[str]:
        data = world.read(at, since=(at - DAY).date())
        return {row.because for row in turned(data) if row.judgement == "Direction of travel"}

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


def test_no_codes_where_the_board_reads(world: World, due: datetime) -> None:
    world.take("police", due, observation("NI 111a", "60", "2009-10Q1", cell="E2"), observation("NI 111a", "90"))
    world.take("police", due + DAY, observation("NI 111a", "60", "2009-10Q1", cell="E2"), observation("NI 111a", "50"))
    assert "2010/11 Q1 Direction of travel declining improving" in world.page(due + DAY)
    rows = world.sheets(due + DAY)["Corrections"][4:]
    assert {row[1] for row in rows} == {"2010/11 Q1"}
    assert {row[6] for row in rows} == {"police 2.xlsx, sheet Indicators, cell G2"}


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
    assert heading[7] == "Shorthand beside figures"
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
