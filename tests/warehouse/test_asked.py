"""A yearly indicator in the warehouse: owed when it is asked, of a year, and shown between with its period."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, select, text

from cypp_etl.layout import published_table
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.model import Plan
from cypp_etl.report.figures import figure_text
from cypp_etl.report.html import render_html
from cypp_etl.report.pages import clinic_pages, indicator_pages
from cypp_etl.report.returns import returns_in_short
from cypp_etl.report.table import bands
from cypp_etl.report.tables import tables
from flows.cli.commands.explain import show_explanation
from flows.cli.commands.status import show_status
from flows.deployments.due_returns import read_outstanding
from flows.deployments.parameter_forms import Choices, lists_of
from flows.deployments.publish_report import judgement_rows, last_due
from tests.support.plan_edits import PlanEdits
from tests.support.plans import plan_with
from tests.warehouse.builders import checked, later, observation
from warehouse.engine import open_warehouse, reading, writing
from warehouse.queries.board.reader import read_board
from warehouse.queries.views import performance, return_status
from warehouse.recording.plan import record_plan
from warehouse.recording.record import record
from warehouse.schema.plan_tables import plan_due
from warehouse.upgrade import upgrade

YEARLY = {"NI 110": "yearly,Q4,calendar", "NI 19": ",Q1 Q3,"}
COLUMNS = "frequency,asked_in,year_type"
AT = datetime(2011, 12, 1, tzinfo=UTC)


def only_years(calendar: str) -> str:
    header, *lines = calendar.splitlines()
    return "\n".join([header, *(line for line in lines if "Q" not in line)]) + "\n"


@pytest.fixture
def empty(tmp_path: Path) -> Engine:
    engine = open_warehouse(f"sqlite:///{tmp_path / 'asked.sqlite'}")
    upgrade(engine)
    return engine


def put_in_force(engine: Engine, plan: Plan) -> None:
    with writing(engine) as connection:
        record_plan(connection, plan, later(-1))


def returned(engine: Engine, plan: Plan, whose: str, figures: Mapping[str, str], day: int) -> None:
    """Record a return of `whose` partner and period: each figure is of the period that it is of in such a return."""
    partner, _, period = whose.partition(" ")
    of = parse_period(period)
    rows = [
        observation(name, value, plan.indicators[name].rhythm.period_in(of).code, partner_code=partner)
        for name, value in figures.items()
    ]
    record(engine, checked(whose, *rows, partner_code=partner, period=of), plan, later(day))


def statuses(connection: Connection, period: str) -> dict[str, str]:
    return {row["partner_code"]: row["status"] for row in return_status(connection, parse_period(period))}


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """NI 110 in two years, and NI 19 in the quarters that ask for it."""
    engine, plan = open_warehouse(f"sqlite:///{tmp_path_factory.mktemp('asked') / 'board.sqlite'}"), yearly_plan()
    upgrade(engine)
    put_in_force(engine, plan)
    returned(engine, plan, "vcs 2008-09Q4", {"NI 110": "62.2"}, 0)
    returned(engine, plan, "vcs 2009-10Q4", {"NI 110": "60.0"}, 1)
    returned(engine, plan, "yos 2009-10Q3", {"NI 19": "0.39"}, 2)
    returned(engine, plan, "yos 2010-11Q1", {"NI 19": "0.35"}, 3)
    returned(engine, plan, "vcs 2010-11Q4", {"NI 110": "63.0"}, 4)
    return engine


def yearly_plan() -> Plan:
    """NI 110 has a target for 2010/11 too."""
    return plan_with(YEARLY, COLUMNS, figures=lambda text: text.replace("NI 110,2010-11,-", "NI 110,2010-11,65.0"))


def test_a_years_figure_of_a_quarters_return_leads_to_its_cell_and_says_its_year(board: Engine) -> None:
    with reading(board) as connection:
        rows = {row["period"]: row for row in performance(connection, "NI 110")}
    assert list(rows) == ["2008-09", "2009-10", "2010-11"]
    last = rows["2010-11"]
    assert (last["period_label"], last["year_type"], last["quarter"]) == ("calendar year 2010", "calendar", None)
    assert (last["direction"], last["direction_basis"], last["previous_actual"]) == ("improving", "last year", 60.0)
    assert (last["source_cell"], last["source_sheet"]) == ("G2", "Indicators")


def test_quarter_on_quarter_is_against_the_quarter_last_asked(board: Engine) -> None:
    with reading(board) as connection:
        rows = {row["period"]: row["quarter_direction"] for row in performance(connection, "NI 19")}
    assert rows == {"2009-10Q3": "no data", "2010-11Q1": "improving"}


@pytest.mark.parametrize(
    ("period", "shown"),
    [
        ("2010-11Q1", {"NI 110": "calendar year 2009", "NI 19": "2010/11 Q1"}),
        ("2010-11Q2", {"NI 110": "calendar year 2009", "NI 19": "2010/11 Q1"}),
        ("2010-11Q3", {"NI 110": "calendar year 2009"}),
        ("2010-11Q4", {"NI 110": "calendar year 2010", "NI 19": "2010/11 Q1"}),
        ("2010-11", {"NI 110": "calendar year 2010"}),
    ],
)
def test_the_table_of_a_quarter_shows_the_latest_figure_and_its_period(
    board: Engine, period: str, shown: dict[str, str]
) -> None:
    with reading(board) as connection:
        data = read_board(connection, parse_period(period), AT)
    found = {row["indicator"]: row["period_label"] for row in data.of_period(data.period)}
    assert found == shown
    assert {page.title.partition(":")[0] for page in indicator_pages(data)} == set(shown)
    missing = {row["indicator"] for row in data.table_rows()} - set(shown)
    assert ("NI 19" in missing) == (period == "2010-11Q3"), "a quarter that asks for it misses it"
    assert "NI 110" not in missing
    sheet = next(table for table in tables(data) if table.sheet == "Indicators")
    place = [heading for heading, _ in sheet.headings].index("Period")
    assert {str(row[1]): row[place] for row in sheet.rows_of(data) if row[1] in shown} == shown
    (cells,) = (row.cells for band in bands(data) for row in band.rows if row.key == "ni-110-vcs")
    asides = {column.column: cell.aside for column, cell in zip(published_table().columns, cells, strict=True)}
    # Where the heading says another period than the figure is of, the figure says it itself: of a year everywhere but
    # in the table of that year.
    year, is_own = shown["NI 110"][-4:], period == "2010-11"
    expected = {"actual": f"calendar year {year}", "previous_actual": f"calendar year {int(year) - 1}"}
    assert {name: asides[name] for name in expected} == (dict.fromkeys(expected, "") if is_own else expected)
    # The target after the one of 2009 is of 2010, whose heading is that of the year after.
    targets = {"target": f"calendar year {year}", "next_target": "calendar year 2010" if year == "2009" else ""}
    assert {name: asides[name] for name in targets} == (dict.fromkeys(targets, "") if is_own else targets)
    if year == "2009":
        assert "calendar year 2009" in render_html(data, AT.date()).decode()
    stated = {row["indicator"]: row["actual"] for row in judgement_rows(data)}
    assert stated["NI 110"].endswith(f" (calendar year {year})") is not is_own


@pytest.fixture(scope="module")
def unreturned(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """The built-in plan, in which one partner has a history of its own, and a return without anything yearly."""
    engine = open_warehouse(f"sqlite:///{tmp_path_factory.mktemp('asked') / 'unreturned.sqlite'}")
    edits = PlanEdits.of_the_built_in_plan()
    own = {"measure": "history", "indicator": "NI 115", "period": "2009-10", "value": "11.5", "source": "our own"}
    plan = edits.add("figures", partner_code="cyps", **own).read()
    upgrade(engine)
    put_in_force(engine, plan)
    returned(engine, plan, "vcs 2010-11Q3", {}, 0)
    returned(engine, plan, "lscb 2009-10Q4", {"NI 22": "21"}, 1)
    return engine


@pytest.mark.parametrize(
    ("period", "planned"),
    [
        ("2009-10Q3", {"NI 110": ("2008-09", 62.2), "NI 112": ("2008-09", -10.1), "NI 115": ("2008-09", 15.2)}),
        ("2010-11Q3", {"NI 110": ("2009-10", 60.0), "NI 112": ("2009-10", -1.1), "NI 115": ("2009-10", 11.5)}),
        ("2010-11Q4", {}),
    ],
)
def test_what_nobody_has_returned_has_the_plans_latest_figure(
    unreturned: Engine, period: str, planned: dict[str, tuple[str, float]]
) -> None:
    with reading(unreturned) as connection:
        data = read_board(connection, parse_period(period), AT)
    found = {row["indicator"]: (row["period"], row["actual"]) for row in data.table_rows() if row.get("is_planned")}
    # In the year before nobody had returned NI 22 either.
    before = {"NI 22": ("2008-09", 20.0)} if period == "2009-10Q3" else {}
    assert found == planned | before
    leaves = [row["indicator"] for row in data.table_rows()]
    assert sorted(leaves) == sorted(data.indicators), "each stands in the table once"
    assert {row["indicator"] for row in data.of_period(data.period)} == ({"NI 22"} if period == "2010-11Q3" else set())
    places = [column.column for column in published_table().columns]
    cells = {row.own_key: row.cells for band in bands(data) for row in band.rows}
    for name, (year, _) in found.items():
        (row,) = (row for row in data.table_rows() if row["indicator"] == name)
        shown = dict(zip(places, cells[f"missing-{name}-{row['partner_code']}".lower().replace(" ", "-")], strict=True))
        assert shown["actual"].aside == parse_period(year).label
        assert (shown["direction"].text, shown["direction"].sign.word) == ("", "from the plan")
    sheet = next(table for table in tables(data) if table.sheet == "Indicators")
    said = {str(row[1]): row for row in sheet.rows_of(data)}
    assert all(parse_period(year).label in said[name] for name, (year, _) in found.items())


def test_the_plans_figure_is_printed_as_the_plan_has_it_and_nobody_left_it_out(unreturned: Engine) -> None:
    with reading(unreturned) as connection:
        data = read_board(connection, parse_period("2010-11Q3"), AT)
    (row,) = (row for row in data.table_rows() if row["indicator"] == "NI 110")
    assert (figure_text(row, "actual", data.texts), row["previous_actual"], row["target"]) == ("60.0%", 62.2, 66.0)
    page = render_html(data, AT.date()).decode()
    assert 'id="missing-ni-110-vcs"' in page
    assert 'href="#missing-ni-110-vcs"' not in page, "the return for the quarter did not ask for it"


def test_what_a_quarter_asks_for_and_is_missing_hides_the_year_before(board: Engine) -> None:
    with reading(board) as connection:
        data = read_board(connection, Period(2011, 4), AT)
    assert "NI 110" not in {row["indicator"] for row in data.of_period(data.period)}
    (row,) = (row for row in data.table_rows() if row["indicator"] == "NI 110")
    assert (row["period"], row["period_label"], row["quarter"]) == ("2011-12", "calendar year 2011", None)
    assert (row["marker"], row["previous_actual"]) == ("not returned", 63.0)


def test_a_clinic_of_a_yearly_indicator_opens_once_and_is_carried_over(board: Engine) -> None:
    with reading(board) as connection:
        rows = connection.execute(text("SELECT * FROM bi_clinics WHERE indicator = 'NI 110'")).mappings().all()
        shown = {
            period: [
                page.clinic_id
                for page in clinic_pages(read_board(connection, parse_period(period), AT))
                if "NI 110" in page.clinic_id
            ]
            for period in ("2009-10Q3", "2009-10Q4", "2010-11Q1", "2010-11Q4")
        }
    assert [(row["opened_period"], row["status"]) for row in rows] == [("2009-10", "open")]
    assert shown == {
        "2009-10Q3": [],
        "2009-10Q4": ["vcs NI 110 2009-10"],
        "2010-11Q1": ["vcs NI 110 2009-10"],
        "2010-11Q4": ["vcs NI 110 2009-10"],
    }


def test_explain_finds_the_figure_of_the_year(board: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    with reading(board) as connection:
        assert show_explanation(connection, yearly_plan(), "NI 110", Period(2010, 4)) == 0
        told = capsys.readouterr().out
        assert show_explanation(connection, yearly_plan(), "NI 110", Period(2011, 4)) == 1
    assert "NI 110 has no figure of 2010/11 Q4 itself" in told
    assert "NI 110, calendar year 2010" in told and "63.0 - 60.0 = 3" in told
    assert "Nothing has been returned for NI 110 in calendar year 2011" in capsys.readouterr().out


def test_whole_years_are_owed_chased_late_and_missing(empty: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    """The plan of a national collector: everything yearly, and a calendar of years."""
    plan = plan_with({"": "yearly,"}, calendar=only_years)
    put_in_force(empty, plan)
    on_time, late = (plan.calendar[Period(2010)].due_on, date(2011, 6, 1))
    for partner, day in (("vcs", on_time), ("yos", late)):
        figures = dict.fromkeys(plan.owed_by[partner], "1.0")
        returned(empty, plan, f"{partner} 2010-11", figures, (day - later(0).date()).days)
    with reading(empty) as connection:
        found = statuses(connection, "2010-11")
        assert (found.pop("vcs"), found.pop("yos"), set(found.values())) == ("received", "late", {"missing"})
        assert show_status(connection, plan, None, date(2011, 6, 2)) == 1
        assert show_status(connection, plan, Period(2010), date(2011, 6, 2)) == 1
        told = capsys.readouterr().out
        assert "2010-11  2011-05-31" in told and "missing" in told
        reminder = read_outstanding(connection, date(2011, 6, 2), 7)
        data = read_board(connection, Period(2010), AT)
    assert reminder.is_missing and reminder.lines[-1].startswith("2010-11, was due on 31 May 2011: ")
    assert {row["status"] for row in data.returns} == {"received", "late", "missing"}
    assert not returns_in_short(data), "what is late or missing is listed by itself"
    assert {row["indicator"] for row in data.table_rows()} == set(plan.indicators)
    assert list(lists_of(plan, date(2011, 6, 2)).names[Choices.PERIODS]) == ["2011-12", "2010-11", "2009-10", "2008-09"]
    assert last_due(plan, date(2011, 6, 2)) == Period(2010)


def test_a_plan_that_asks_in_quarters_makes_nobody_late_with_a_year(empty: Engine) -> None:
    plan = plan_with({"NI 110": "yearly,Q4"})
    put_in_force(empty, plan)
    with reading(empty) as connection:
        assert not statuses(connection, "2009-10")
        assert set(statuses(connection, "2009-10Q1")) == set(plan.partners)
        periods = connection.scalars(select(plan_due.c.period).distinct()).all()
        assert all("Q" in period for period in periods)
        assert read_board(connection, Period(2009), AT).owed == []
    assert all("Q" in code for code in lists_of(plan, date(2011, 6, 2)).names[Choices.PERIODS])


def test_a_years_return_is_owed_beside_quarters(empty: Engine) -> None:
    plan = plan_with({"NI 110": "yearly,year"})
    put_in_force(empty, plan)
    with reading(empty) as connection:
        assert statuses(connection, "2009-10") == {"vcs": "missing"}
        (owed,) = read_board(connection, Period(2009), AT).owed
        assert (owed["indicator"], owed["period"]) == ("NI 110", "2009-10")
        assert "NI 110" not in {row["indicator"] for row in read_board(connection, Period(2009, 4), AT).owed}
    assert last_due(plan, date(2010, 5, 31)) == Period(2009)
    assert last_due(plan, date(2010, 5, 30)) == Period(2009, 4)


def test_quarters_that_were_returned_before_an_indicator_was_yearly_stay(empty: Engine) -> None:
    quarterly, plan = plan_with({}), plan_with({"NI 110": "yearly,Q4"})
    put_in_force(empty, quarterly)
    returned(empty, quarterly, "vcs 2010-11Q1", {"NI 110": "59.2"}, 0)
    with writing(empty) as connection:
        record_plan(connection, plan, later(1))
    returned(empty, plan, "vcs 2010-11Q4", {"NI 110": "60.9"}, 2)
    with reading(empty) as connection:
        assert [row["period"] for row in performance(connection, "NI 110")] == ["2010-11", "2010-11Q1"]
        shown = {
            period: [
                row["period"] for row in read_board(connection, parse_period(period), AT).of_period(Period(2010, q))
            ]
            for q, period in enumerate(("2010-11Q1", "2010-11Q2", "2010-11Q3", "2010-11Q4"), start=1)
        }
    assert shown == {"2010-11Q1": ["2010-11Q1"], "2010-11Q2": [], "2010-11Q3": [], "2010-11Q4": ["2010-11"]}
