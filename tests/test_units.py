"""Money, days, scores and labels from the plan to the Board: what a form says, a return may say, and a report shows."""

import io
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from sqlalchemy import Engine, text

from cypp_etl.checked_return import CheckedReturn, History
from cypp_etl.checking.checker import Checker, Received
from cypp_etl.periods import Period
from cypp_etl.plan.model import Plan
from cypp_etl.report.html import render_html
from cypp_etl.report.model import BoardData
from cypp_etl.report.workbook import render_workbook
from cypp_etl.templates.workbook import write_template
from flows.cli.board_table import show_board_table
from flows.cli.commands.explain import show_explanation
from flows.ingestion.context import Workplace
from flows.ingestion.receipt import summarise
from flows.settings import read_settings
from schemas.codes import SubmissionStatus
from tests.support.plan_edits import PlanEdits
from warehouse.engine import open_warehouse, reading, writing
from warehouse.queries.board.reader import read_board
from warehouse.queries.history import read_history
from warehouse.queries.plan_comparison import changes_by
from warehouse.recording.plan import record_plan
from warehouse.recording.record import Recorded, record
from warehouse.stored_plans import plan_in_force
from warehouse.upgrade import upgrade

FIRST, SECOND = Period(2010, 1), Period(2010, 2)
HOSTILE = '<script>alert(1)</script> & "more"'
ADDRESS = "https://example.org/costs?a=1&b=<2".replace("<", "%3C")


def edited() -> PlanEdits:
    """The built-in plan with a price, an average wait, a score and a labelled rate, and notes on its rows."""
    plain = {"minimum": "", "maximum": "", "accumulation": "latest", "multiplier": "0"}
    edits = PlanEdits()
    edits.change("indicators", "NI 43", **plain | {"unit": "money", "currency": "£", "decimals": "2"})
    edits.change("indicators", "NI 43", unit_label="per child", note=HOSTILE, url=ADDRESS, source="Budget", owner="CFO")
    edits.change("indicators", "NI 45", **plain | {"unit": "days", "decimals": "1", "minimum": "0", "maximum": "90"})
    edits.change("indicators", "NI 46", **plain | {"unit": "score", "decimals": "1", "minimum": "-10"})
    edits.change("indicators", "NI 19", unit_label="offences per offender")
    edits.change("milestones", "PC2-E1-M1", note="Two were put into one", url="http://example.org/m")
    edits.change("aspirations", "PC2", owner="The Board")
    return edits.change("partners", "yos", note="Returns by e-mail", url="https://example.org/yos")


@pytest.fixture(scope="module")
def plan() -> Plan:
    return edited().read()


def filled(plan: Plan, period: Period, actuals: dict[str, Any], number_format: str = "") -> bytes:
    """The form of the youth offending service with figures; the others are not available."""
    book = openpyxl.load_workbook(io.BytesIO(write_template(plan, "yos", period)))
    sheet = book["Indicators"]
    for row in range(2, sheet.max_row + 1):
        actual = actuals.get(sheet.cell(row, 1).value)
        sheet.cell(row, 9 if actual is not None else 10).value = "-" if actual is None else actual
        if number_format and actual is not None:
            sheet.cell(row, 9).number_format = number_format
    book["Return"]["B4"], book["Return"]["B6"] = "A. Clerk", plan.calendar[period].opens_on
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def check(plan: Plan, period: Period, engine: Engine | None = None, **actuals: Any) -> CheckedReturn:
    named = {name.replace("_", " "): actual for name, actual in actuals.items()}
    received = Received(f"yos {period}.xlsx", filled(plan, period, named), "yos")
    day = plan.calendar[period].opens_on
    if engine is None:
        return Checker(plan, History(), day).check(received)
    with reading(engine) as connection:
        return Checker(plan, read_history(connection, ["yos"]), day).check(received)


@pytest.fixture(scope="module")
def engine(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = open_warehouse(f"sqlite:///{tmp_path_factory.mktemp('units') / 'warehouse.db'}")
    upgrade(engine)
    with writing(engine) as connection:
        record_plan(connection, plan, datetime(2010, 4, 1, tzinfo=UTC))
    for period, figures in (
        (FIRST, {"NI_43": "£1,234.50", "NI_45": 12.5, "NI_46": "-3.5", "NI_19": 0.6}),
        (SECOND, {"NI_43": "£1.2k", "NI_45": "14 days", "NI_46": 7, "NI_19": "0.7 offences per offender"}),
    ):
        checked = check(plan, period, engine, **figures)
        assert checked.is_accepted, checked.findings
        record(engine, checked, plan, datetime.combine(plan.calendar[period].due_on, datetime.min.time(), UTC))
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def board(engine: Engine) -> BoardData:
    with reading(engine) as connection:
        return read_board(connection, SECOND, datetime(2010, 12, 1, tzinfo=UTC))


@pytest.fixture(scope="module")
def page(board: BoardData) -> str:
    return render_html(board, date(2010, 12, 1)).decode()


def test_a_form_says_the_unit_and_shows_it(plan: Plan) -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(write_template(plan, "yos", FIRST)))["Indicators"]
    rows = {row[0].value: row for row in sheet.iter_rows(min_row=2)}
    assert [rows[name][4].value for name in ("NI 43", "NI 45", "NI 46", "NI 19")] == [
        *("£ per child", "days", "score", "offences per offender")
    ]
    assert [rows[name][8].number_format for name in ("NI 43", "NI 45", "NI 46")] == ['"£"#,##0.00', *["#,##0.0"] * 2]
    guards = {str(guard.sqref): guard for guard in sheet.data_validations.dataValidation}
    money, days = (guards[rows[name][8].coordinate] for name in ("NI 43", "NI 45"))
    assert (money.promptTitle, days.promptTitle) == ("An amount of money", "A number of days")
    assert "such as £1,234.57." in money.prompt
    assert "such as 12.3." in days.prompt
    assert "between 0 and 90 days" in days.error


def test_a_return_says_the_unit_in_its_own_words_or_the_plans(plan: Plan) -> None:
    checked = check(plan, FIRST, NI_43="£1.2m", NI_45="14 days", NI_46="7 points", NI_19=0.6)
    found = {one.code: one.message for one in checked.findings}
    assert found.keys() <= {"amount-assumed", "large-change"}
    assert found["amount-assumed"] == '"£1.2m" was read as £1,200,000.00.'
    values = {one.indicator: one.value for one in checked.observations if one.value is not None}
    assert values == {"NI 43": 1_200_000, "NI 45": 14, "NI 46": 7, "NI 19": Decimal("0.6")}


@pytest.mark.parametrize(
    ("typed", "code", "message"),
    [
        ({"NI_43": "€5"}, "currency-differs", "€5 is in another currency than NI 43, which is in £."),
        ({"NI_45": "£5"}, "currency-not-expected", '"£5" is an amount of money, but NI 45 is not measured in money.'),
        ({"NI_45": 90.1}, "out-of-range", "90.1 cannot be right for NI 45: it must be between 0 and 90 days."),
        ({"NI_43": "£1.234"}, "thousands-point", '"£1.234" looks like a number with a point between its thousands'),
    ],
)
def test_what_is_wrong_is_said_in_the_unit(plan: Plan, typed: dict[str, Any], code: str, message: str) -> None:
    found = {one.code: one.message for one in check(plan, FIRST, **typed).findings}
    assert found[code].startswith(message)


@pytest.mark.parametrize(
    ("number_format", "code"),
    [
        ('"£"#,##0.00', ""),
        ("[$GBP] #,##0.00", ""),
        # Saved as format 5, which each country's Excel shows in its own currency.
        ('"$"#,##0_);("$"#,##0)', ""),
        ("[$€-2] #,##0.00", "currency-differs"),
    ],
)
def test_a_cell_may_show_the_currency_of_the_plan(plan: Plan, number_format: str, code: str) -> None:
    received = Received("yos.xlsx", filled(plan, FIRST, {"NI 43": 7.1}, number_format), "yos")
    checked = Checker(plan, History(), plan.calendar[FIRST].opens_on).check(received)
    assert [one.code for one in checked.findings] == ([code] if code else [])


def test_a_receipt_shows_figures_in_the_unit(plan: Plan, engine: Engine) -> None:
    checked = check(plan, SECOND, engine, NI_43=2000, NI_45=90, NI_46=-3.5, NI_19=0.6)
    changed = [one.message for one in checked.findings if one.code == "large-change"]
    assert changed[0].startswith("NI 43 changed from £1,234.50 per child in 2010/11 Q1 to £2,000.00 per child")
    assert changed[1].startswith("NI 45 changed from 12.5 days in 2010/11 Q1 to 90.0 days")


def test_a_receipt_says_what_was_loaded_in_the_unit(plan: Plan, engine: Engine) -> None:
    checked = check(plan, SECOND, engine, NI_43="£1.2k", NI_45="14.0 days", NI_46=7, NI_19=0.7)
    recorded = Recorded(0, SubmissionStatus.ACCEPTED, 1, None, None, 0)
    workplace = Workplace(read_settings(), plan, engine)
    with reading(engine) as connection:
        loaded = summarise(connection, workplace, checked, recorded, datetime(2010, 10, 20, tzinfo=UTC)).loaded
    assert {one.subject: one.words for one in loaded if one.typed != "-"} == {
        "NI 43": "£1,200.00 per child",
        "NI 45": "14.0 days",
        "NI 46": "",
        "NI 19": "0.70 offences per offender",
    }


def test_an_explanation_says_the_unit_and_what_is_noted(
    engine: Engine, plan: Plan, capsys: pytest.CaptureFixture[str]
) -> None:
    with reading(engine) as connection:
        assert show_explanation(connection, plan, "NI 43", SECOND) == 0
        assert show_explanation(connection, plan, "NI 45", SECOND) == 0
        show_board_table(connection, SECOND)
    said = capsys.readouterr().out
    assert "Unit: £ per child\n" in said
    assert f"Note: {HOSTILE}\nSource: Budget\nSee: {ADDRESS}\nKept by: CFO\n" in said
    assert "Figure: £1,200.00 per child\n" in said
    assert "Figure: 14.0 days\n" in said
    assert re.search(r"NI 43 .* £1,200\.00 ", said)


def test_the_board_reads_the_unit_beside_table_chart_and_figures(page: str) -> None:
    assert "<td>£1,200.00</td>" in page
    assert "<small>£ per child</small>" in page
    assert "<small>days</small>" in page
    assert "Figures are in £ per child." in page
    assert "NI 43, performance, in £ per child, 10/11 Q1 to 10/11 Q2." in page
    charts = re.findall(r'<svg class="chart".*?</svg>', page, re.DOTALL)
    assert [">£ per child</text>" in drawn for drawn in charts].count(True) == 1
    assert any(">days</text>" in drawn for drawn in charts)


def test_the_report_shows_what_is_noted_and_links_only_to_the_web(page: str) -> None:
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &#34;more&#34; Source: Budget." in page
    assert "<script" not in page
    assert '<a href="https://example.org/costs?a=1&amp;b=%3C2">' in page
    assert "Two were put into one" in page
    assert '<a href="http://example.org/m">' in page
    assert "Kept by The Board." in page
    assert "Returns by e-mail" in page


def test_the_excel_edition_has_currencies_units_and_notes(board: BoardData) -> None:
    book = openpyxl.load_workbook(io.BytesIO(render_workbook(board, date(2010, 12, 1))))
    heading, *rows = book["Indicators"].iter_rows(min_row=4)
    place = {cell.value: number for number, cell in enumerate(heading)}
    row = {row[1].value: row for row in rows}
    actual = row["NI 43"][place["Performance"]]
    assert (actual.value, actual.number_format) == (1200, '"£"#,##0.00')
    assert [row[name][place["Unit"]].value for name in ("NI 43", "NI 45", "NI 46")] == ["£ per child", "days", "score"]
    assert row["NI 43"][place["Note"]].value == HOSTILE
    assert row["NI 43"][place["Web page"]].value == ADDRESS
    assert row["NI 45"][place["Note"]].value == "[z]"


def test_the_views_have_the_words_of_the_unit_and_what_is_noted_on_milestones(engine: Engine) -> None:
    with reading(engine) as connection:
        query = (
            "SELECT unit, unit_label, currency FROM bi_performance WHERE indicator = 'NI 43' AND period = '2010-11Q2'"
        )
        assert connection.execute(text(query)).one() == ("money", "per child", "£")
        query = "SELECT DISTINCT note, url, owner FROM bi_milestones WHERE milestone = 'PC2-E1-M1'"
        assert connection.execute(text(query)).one() == ("Two were put into one", "http://example.org/m", None)


def test_notes_may_change_without_any_judgement(engine: Engine, plan: Plan) -> None:
    other = (
        edited().change("indicators", "NI 43", note="Reworded", url="").change("partners", "yos", owner="Them").read()
    )
    assert other.fingerprint != plan.fingerprint
    with writing(engine) as connection:
        changes = changes_by(connection, plan_in_force(connection), other)
        assert (changes.judgements, changes.editions, changes.differences.indicators) == ((), (), frozenset())
        assert changes.differences.group_indicators == frozenset()
        recorded = record_plan(connection, other, datetime(2010, 12, 2, tzinfo=UTC), differences=changes.differences)
        assert (recorded.is_new, recorded.changed_judgements) == (True, 0)
        connection.rollback()
