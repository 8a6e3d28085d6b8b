"""The commands for the Board and for analysts."""

import json
import re
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

from cypp_etl.checked_return import History
from cypp_etl.checking.checker import Checker, Received
from cypp_etl.findings import Finding, catalogue
from cypp_etl.periods import Period
from cypp_etl.plan.reader import read_plan
from cypp_etl.samples.returns import sample_return
from flows.cli.app import app
from schemas.codes import Severity
from tests.warehouse.builders import checked, later, observation
from warehouse.engine import open_warehouse
from warehouse.recording.record import record
from warehouse.views.dictionary import VIEWS


def _type(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(one) for one in arguments])
    return result.exit_code, result.output


def test_a_report_comes_in_two_editions(home: Path) -> None:
    code, said = _type("report", "2010-11Q1", "-o", home / "out")
    assert code == 0
    written = [Path(line) for line in said.splitlines()]
    assert [path.name for path in written] == ["board report 2010-11Q1.html", "board report 2010-11Q1.xlsx"]
    assert "NI 111a" in written[0].read_text("utf-8")
    assert _type("report", "2010-11Q1", "-o", home / "then", "--as-of", "2009-01-01")[0] == 0
    then = (home / "then" / "board report 2010-11Q1.html").read_text("utf-8")
    assert "Nothing had been recorded by then." in then


def test_a_report_explanations_and_clinics_on_a_part(home: Path) -> None:
    code, said = _type("report", "2010-11Q1", "-o", home / "out", "--partner", "YOS")
    assert (code, Path(said.splitlines()[0]).name) == (0, "board report 2010-11Q1 yos.html")
    assert "police NI 111a" in _type("clinics", "--partner", "police", "--outcome", "PC")[1]
    assert _type("clinics", "--partner", "yos")[1] == (
        "No performance clinic has been opened for Youth Offending Service.\n"
    )
    assert _type("explain", "NI 111a", "2010-11Q1", "--partner", "police")[0] == 0
    code, said = _type("explain", "NI 111a", "2010-11Q1", "--partner", "yos")
    assert (code, said.partition(". ")[0]) == (
        1,
        "Nothing has been returned for NI 111a in 2010/11 Q1 by Youth Offending Service",
    )
    for command in (("report", "2010-11Q1", "-o", home), ("publish",), ("clinics",), ("explain", "NI 45", "2010-11Q1")):
        code, said = _type(*command, "--partner", "ys")
        assert (code, said[:44], len(said.splitlines())) == (2, "cypp: there is no partner 'ys'; the plan has", 1)


def test_an_explanation_names_its_partner_where_another_one_returns_the_same(home: Path) -> None:
    assert _type("explain", "NI 111a", "2010-11Q1")[1].startswith("NI 111a, 2010/11 Q1: ")
    engine = open_warehouse(f"sqlite:///{home / 'warehouse.db'}")
    figure = observation("NI 111a", "95", partner_code="yos")
    record(engine, checked("b", figure, partner_code="yos"), read_plan(), later(1))
    engine.dispose()
    both = _type("explain", "NI 111a", "2010-11Q1")[1]
    headings = re.findall(r"^NI 111a of (.*), 2010/11 Q1: ", both, re.MULTILINE)
    assert headings == ["South Yorkshire Police", "Youth Offending Service"]


def test_a_day_to_come_is_refused_and_an_unfinished_one_has_its_moment(home: Path) -> None:
    today = datetime.now(UTC).date()
    for command in (("report", "2010-11Q1", "-o", home / "out"), ("publish", "2010-11Q1")):
        tomorrow = today + timedelta(days=1)
        said = f"cypp: {tomorrow} is in the future: choose today or an earlier day\n"
        assert _type(*command, "--as-of", tomorrow) == (2, said)
    known = {}
    for day in (today, today - timedelta(days=1)):
        assert _type("report", "2010-11Q1", "-o", home / str(day), "--as-of", day)[0] == 0
        page = (home / str(day) / "board report 2010-11Q1.html").read_text("utf-8")
        known[day] = page.partition("As it was known at ")[2].partition(".<")[0]
    assert re.fullmatch(rf"\d\d:\d\d UTC on {today.day} {today:%B %Y}", known[today])
    yesterday = today - timedelta(days=1)
    assert known[yesterday] == f"the end of {yesterday.day} {yesterday:%B %Y} (UTC)"


def test_a_note_is_taken_by_indicator_and_listed(home: Path) -> None:
    assert "police NI 111a 2010-11Q1: open" in _type("clinics")[1]
    code, said = _type(
        "note", "ni111A", "--issue", "Fewer diversions", "--decision", "Meet weekly", "--by", "A. Person"
    )
    assert (code, said) == (0, "Noted for police NI 111a 2010-11Q1.\n")
    listed = _type("clinics", "2010-11Q1")[1]
    assert "A. Person: Fewer diversions" in listed
    assert "A. Person: Meet weekly" in listed
    assert _type("clinics", "2009-10Q4")[1] == "No performance clinic had been opened by 2009/10 Q4.\n"


def test_a_note_must_say_something_at_a_clinic_that_is_there(home: Path) -> None:
    code, said = _type("note", "NI 45", "--issue", "x", "--by", "A")
    assert code == 2
    assert "the clinics are police NI 111a 2010-11Q1" in said
    assert _type("note", "NI 111a", "--by", "A")[0] == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("--issue", "", "--by", "A"),
        ("--issue", " \n", "--by", "A"),
        ("--issue", "Fewer diversions", "--decision", "", "--by", "A"),
        ("--issue", "Fewer diversions", "--by", " "),
    ],
)
def test_a_note_is_not_blank(home: Path, arguments: tuple[str, ...]) -> None:
    code, said = _type("note", "NI 111a", *arguments)
    assert (code, "say what to note" in said) == (2, True)
    assert "A: " not in _type("clinics")[1]


def test_every_view_is_exported(home: Path) -> None:
    code, said = _type("export", "-o", home / "out")
    assert code == 0
    # A CSV and a Parquet file for each, and two descriptions of them.
    assert len(said.splitlines()) == 2 * len(VIEWS) + 2


def test_an_export_says_nothing_but_what_it_wrote(home: Path) -> None:
    """Leaks are only reported when a process ends by itself."""
    command = [sys.executable, "-c", "from flows.cli.app import app; app()", "export", "-o", str(home / "out")]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stderr == ""


@pytest.mark.parametrize(
    ("folder", "code", "said"),
    [
        ("new/deep", 0, "{}/yos 2010-11Q1.xlsx\n"),
        ("warehouse.db", 2, "cypp: {}: File exists\n"),
        ("warehouse.db/below", 2, "cypp: {}: Not a directory\n"),
    ],
)
def test_a_template_goes_to_a_folder_or_it_is_said_in_a_line(home: Path, folder: str, code: int, said: str) -> None:
    path = home / folder
    assert _type("template", "yos", "2010-11Q1", "-o", path) == (code, said.format(path))


def test_a_waiver_says_what_it_covers_and_whether_it_still_counts(home: Path) -> None:
    waiver = ("waive", "large-change", "police", "--only", "NI 111a", "--why", "x", "--by", "A")
    said = _type(*waiver, "--until", "2999-03-31")[1]
    assert said == "large-change is waived for police, NI 111a, until 31 March 2999.\n"
    assert "That date is in the past" in _type(*waiver, "--until", "2011-03-31")[1]


def test_a_waiver_and_a_note_take_references_as_returns_do(home: Path) -> None:
    plan = read_plan()
    owner, milestone = next((owner, found[0]) for owner, found in plan.milestones_of.items() if found)
    why = ("--why", "x", "--by", "A", "--until", "2999-03-31")
    said = _type("waive", "large-change", "police", "--only", "N.I. 0111-A", *why)
    assert said == (0, "large-change is waived for police, NI 111a, until 31 March 2999.\n")
    typed = milestone.milestone.lower().replace("-", " ")
    said = _type("waive", "milestone-overdue", owner, "--only", typed, *why)
    assert said[1].startswith(f"milestone-overdue is waived for {owner}, {milestone.milestone}, ")
    noted = _type("note", "N.I.-0111a", "--issue", "Few diversions", "--by", "A")
    assert noted == (0, "Noted for police NI 111a 2010-11Q1.\n")
    assert _type("note", "NI 11.1a", "--issue", "x", "--by", "A")[0] == 2


@pytest.mark.parametrize(
    ("code", "partner", "others", "said"),
    [
        ("large-change", "police", ("--only", "NI 111b"), ""),
        ("milestone-overdue", "{owner}", ("--only", "{milestone}"), ""),
        ("personal-data", "{owner}", ("--only", "{milestone}"), ""),
        ("personal-data", "police", ("--only", "NI 111a", "--period", "2012-13Q4"), ""),
        ("large-change", "{owner}", ("--only", "{milestone}"), "large-change is about indicators"),
        ("milestone-overdue", "police", ("--only", "NI 111a"), "milestone-overdue is about milestones"),
        ("large-change", "yos", ("--only", "NI 111a"), "yos does not report on NI 111a"),
        ("large-change", "police", ("--only", "NI 111"), "no indicator or milestone 'NI 111'"),
        ("personal-data-sheet", "police", ("--only", "NI 111a"), "waive it without naming one"),
        ("large-change", "police", ("--period", "2013-14Q1"), "is not in the plan's calendar"),
        ("large-change", "police", ("--why", ""), "say why it is decided, with --why TEXT"),
        ("large-change", "police", ("--why", " "), "say why it is decided, with --why TEXT"),
    ],
)
def test_a_waiver_that_could_never_match_is_refused(
    home: Path, code: str, partner: str, others: tuple[str, ...], said: str
) -> None:
    plan = read_plan()
    owner, milestone = next((owner, found[0].milestone) for owner, found in plan.milestones_of.items() if found)
    typed = [one.format(owner=owner, milestone=milestone) for one in (code, partner, "--why", "x", *others)]
    ended, told = _type("waive", *typed, "--until", "2999-03-31", "--by", "A")
    assert (ended, said in told) == (2 if said else 0, True)


def test_it_is_known_of_every_query_what_it_is_about() -> None:
    """A query is about an indicator unless the catalogue says otherwise; only a query can be waived for something."""
    about = {code: advice.about for code, advice in catalogue().items()}
    queries = {code for code, advice in catalogue().items() if advice.severity is Severity.QUERY}
    assert {code for code in queries if code.startswith(("milestone-", "review-", "status-"))} == {
        code for code, what in about.items() if what == "milestone"
    }
    assert {about[code] for code in queries} == {"indicator", "milestone", "any row", "no row"}
    assert {what for code, what in about.items() if code not in queries} == {"indicator"}


def test_queries_are_listed_until_they_are_answered(home: Path) -> None:
    assert _type("queries") == (0, "There are no such queries.\n")
    asked = Finding("large-change", Severity.QUERY, "Indicators", "G2", "95", "This changed.", "Explain it.")
    engine = open_warehouse(f"sqlite:///{home / 'warehouse.db'}")
    record(engine, checked("b", observation("NI 111a", "95"), findings=(asked,)), read_plan(), later(1))
    engine.dispose()
    code, said = _type("queries", "2010-11Q1", "--partner", "police")
    first, second = said.splitlines()
    assert code == 0
    assert re.fullmatch(
        r"   1  large-change NI 111a \(police, 2010/11 Q1\): open, asked 2 July 2010, [\d,]+ days ago", first
    )
    assert second == "      Indicators!G2: This changed."
    assert _type("remind")[1].splitlines()[-1] == "2010-11Q1, open queries: police 1"
    assert _type("queries", "2010-11Q2")[1] == "There are no such queries.\n"
    assert json.loads(_type("queries", "--json")[1])["subject"] == "NI 111a"
    answer = ("answer", "1", "Counted twice before", "--by", "A")
    assert _type(*answer) == (0, "Query 1, large-change NI 111a (police, 2010/11 Q1), is answered.\n")
    assert _type("queries", "--json") == (0, "")
    assert "A: Counted twice before" in _type("queries", "--all")[1]
    assert "open queries" not in _type("remind")[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("queries", "2031-32Q1"), "is not in the plan's calendar"),
        (("queries", "--partner", "ys"), "there is no partner 'ys'; the plan has "),
        (("answer", "7", "x", "--by", "A"), "there is no query 7: cypp queries lists the open ones"),
        (("answer", "7", "x", "--by", " "), "say who decides it"),
    ],
)
def test_queries_that_are_not_there_are_refused_in_a_line(home: Path, arguments: tuple[str, ...], said: str) -> None:
    code, told = _type(*arguments)
    assert (code, said in told, len(told.splitlines())) == (2, True, 1)


def test_closing_a_period_names_who_has_not_returned(home: Path) -> None:
    code, said = _type("close", "2010-11Q1", "--by", "A")
    assert code == 0
    assert "Not returned yet: " in said
    assert "police" not in said


@pytest.mark.parametrize("command", [("close", "--by", "A"), ("publish",), ("clinics",)])
@pytest.mark.parametrize("period", ["2031-32Q1", "2013-14Q1", "2007-08Q4"])
def test_a_period_outside_the_calendar_is_refused(home: Path, command: tuple[str, ...], period: str) -> None:
    label = period.replace("-", "/").replace("Q", " Q")
    said = f"cypp: {label} is not in the plan's calendar, which goes from 2008-09Q1 to 2012-13\n"
    assert _type(command[0], period, *command[1:]) == (2, said)


@pytest.mark.parametrize("period", ["2008-09Q1", "2012-13Q4", "2012-13"])
def test_the_first_and_the_last_of_the_calendar_are_taken(home: Path, period: str) -> None:
    assert _type("close", period, "--by", "A")[0] == 0
    assert _type("clinics", period)[0] == 0


@pytest.mark.parametrize("partner", ["yos", "YOS", " Yos"])
def test_a_partner_is_known_in_any_case(home: Path, partner: str) -> None:
    assert _type("template", partner, "2010-11Q1", "-o", home) == (0, f"{home / 'yos 2010-11Q1.xlsx'}\n")


@pytest.mark.parametrize(
    ("indicator", "code", "said"),
    [
        ("ni 111A", 0, "NI 111a, 2010/11 Q1: "),
        ("N.I. 0111-a", 0, "NI 111a, 2010/11 Q1: "),
        ("NI\u2013111a", 0, "NI 111a, 2010/11 Q1: "),
        ("NI 11.1a", 2, "cypp: there is no indicator 'NI 11.1a'; the plan has NI "),
        ("ni-0111", 2, "cypp: 'ni-0111' has sub-indicators, which are judged separately: choose NI 111a or NI 111b\n"),
        ("ni 111", 2, "cypp: 'ni 111' has sub-indicators, which are judged separately: choose NI 111a or NI 111b\n"),
        ("NI 11", 2, "cypp: there is no indicator 'NI 11'; the plan has NI "),
    ],
)
def test_an_indicator_with_parts_names_them(home: Path, indicator: str, code: int, said: str) -> None:
    ended, told = _type("explain", indicator, "2010-11Q1")
    assert (ended, told[: len(said)]) == (code, said)


def test_a_marker_is_explained_by_its_own_cell(home: Path) -> None:
    plan = read_plan()
    workbook, stream = load_workbook(BytesIO(sample_return(plan, "yos", Period(2010, 1)))), BytesIO()
    for cell, value in {"I4": None, "J4": " tbc", "K4": None, "L4": None}.items():
        workbook["Indicators"][cell] = value
    workbook.save(stream)
    returned = Checker(plan, History(), date(2010, 7, 15)).check(Received("yos.xlsx", stream.getvalue(), "yos"))
    engine = open_warehouse(f"sqlite:///{home / 'warehouse.db'}")
    record(engine, returned, plan, later(1))
    engine.dispose()
    code, told = _type("explain", "NI 45", "2010-11Q1")
    assert (code, "Typed as ' tbc' in Indicators!J4 of yos.xlsx" in told) == (0, True)


def test_days_are_written_out_without_a_zero_before_them(home: Path) -> None:
    assert (
        f"received {later(0):%H:%M} UTC on {later(0).day} {later(0):%B %Y},"
        in _type("explain", "NI 111a", "2010-11Q1")[1]
    )
    waived = _type("waive", "large-change", "yos", "--why", "Known.", "--until", "2099-03-01", "--by", "A. Clerk")
    assert waived == (0, "large-change is waived for yos, until 1 March 2099.\n")


@pytest.mark.parametrize("text", ["31/03/2011", "2011-02-29", "tomorrow", ""])
@pytest.mark.parametrize(
    "command", [("report", "2010-11Q1", "--as-of"), ("publish", "--as-of"), ("report", "2010-11Q1", "--since")]
)
def test_what_is_no_day_is_told_how_days_are_written(home: Path, command: tuple[str, ...], text: str) -> None:
    code, said = _type(*command, text)
    assert (code, f"{text!r} is not a date such as 2011-03-31" in said) == (2, True)


@pytest.mark.parametrize("url", ["warehouse.db", "postgresql://cypp:secret@db:port/cypp", "oracle://db"])
def test_a_url_that_cannot_be_read_names_the_setting(home: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("CYPP_WAREHOUSE_URL", url)
    code, said = _type("status")
    assert (code, len(said.splitlines()), "check CYPP_WAREHOUSE_URL" in said, "secret" in said) == (2, 1, True, False)


def test_a_file_that_is_no_database_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = home / "other.db"
    path.write_text("This is no database. " * 100)
    monkeypatch.setenv("CYPP_WAREHOUSE_URL", f"sqlite:///{path}")
    assert _type("status") == (2, f"cypp: {path}: file is not a database\n")
    monkeypatch.setenv("CYPP_WAREHOUSE_URL", "postgresql://cypp:secret@127.0.0.1:9/cypp")
    code, said = _type("status")
    assert (code, len(said.splitlines())) == (2, 1)
    assert said.startswith("cypp: postgresql://cypp:***@127.0.0.1:9/cypp: ")


def test_a_missing_file_is_named_in_plain_words(home: Path) -> None:
    assert _type("check", home / "nowhere.xlsx") == (2, f"cypp: {home / 'nowhere.xlsx'}: No such file or directory\n")
