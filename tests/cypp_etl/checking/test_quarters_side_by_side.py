"""A body's own form with the year's quarters side by side: from the workbook to its figures, and back to the cells."""

from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO

import pytest
from openpyxl import load_workbook

from cypp_etl.checked_return import History, KnownFigure
from cypp_etl.checking.checker import Checker, Received
from cypp_etl.figure_keys import FigureKey
from cypp_etl.periods import Period
from cypp_etl.plan.reader import read_plan
from cypp_etl.receipts.reply import reply_for
from cypp_etl.receipts.summary import ReceiptSummary
from cypp_etl.samples.returns import sample_return
from schemas.codes import Measure, Severity, SubmissionStatus
from tests.support.forms import QUARTERS_COLUMNS, QUARTERS_SHEETS
from tests.support.forms import QUARTERS_FORM as FORM
from tests.support.layouts import plan_with_layouts, workbook_of

TODAY = date(2010, 10, 15)
NOW, REJECTED = datetime(2010, 10, 15, tzinfo=UTC), SubmissionStatus.REJECTED
SECOND = Period(2010, 2)


@pytest.fixture(scope="module")
def plan():
    return plan_with_layouts(QUARTERS_SHEETS, QUARTERS_COLUMNS)


@pytest.fixture(scope="module")
def check(plan):
    def check(form, history=None, folder="yos", name="Sheet1"):
        received = Received("return.xlsx", workbook_of({name: form}), folder)
        return Checker(plan, history or History(), TODAY).check(received)

    return check


def found(checked, *severities):
    return sorted((one.code, one.cell) for one in checked.findings if not severities or one.severity in severities)


def test_the_column_of_the_quarter_on_the_cover_is_the_return(check):
    checked = check(FORM)
    assert (checked.layout, checked.partner_code, checked.period) == ("quarters", "yos", SECOND)
    assert found(checked) == []
    figures = {one.indicator: (one.value, one.sheet, one.cell, one.typed, one.comment) for one in checked.observations}
    assert figures == {
        "NI 43": (Decimal("6.1"), "Sheet1", "E5", "6.1%", ""),
        "NI 45": (Decimal("71.9"), "Sheet1", "E6", "71.9%", "Two new posts"),
        "NI 46": (Decimal("97.0"), "Sheet1", "E7", "97.0%", ""),
        "NI 19": (Decimal("0.3"), "Sheet1", "E8", "0.3", ""),
    }
    assert {one.period for one in checked.observations} == {SECOND}


def test_another_quarter_on_the_cover_is_another_column(check):
    checked = check(
        {**FORM, "A2": "Return for quarter: 1", "D7": "96.0%", "D8": 0.29, **dict.fromkeys(("E5", "E6", "E7", "E8"))}
    )
    assert checked.period == Period(2010, 1)
    assert {one.cell for one in checked.observations} == {"D5", "D6", "D7", "D8"}
    assert found(checked) == []


@pytest.mark.parametrize("folder", ["", "yos"])
def test_the_title_names_the_partner(check, folder):
    assert check(FORM, folder=folder).partner_code == "yos"


def test_another_partner_in_the_title_is_an_error_at_the_title(check):
    assert ("partner-not-folder", "A1") in found(check(FORM, folder="nhs"), Severity.ERROR)


def history_of(value):
    key = FigureKey("yos", "NI 43", Measure.ACTUAL, "2010-11Q1")
    return History({key: KnownFigure(Decimal(value), None)})


@pytest.mark.parametrize(
    ("in_force", "expected"),
    [("6.5", []), ("6.54", []), ("6.4", [("earlier-figure-differs", "D5")])],
    ids=["the same", "the same as shown", "another"],
)
def test_an_earlier_quarter_that_differs_from_what_is_in_force_is_asked_about(check, in_force, expected):
    checked = check(FORM, history_of(in_force))
    assert [one for one in found(checked, Severity.QUERY) if one[0] != "large-change"] == expected
    assert {one.period for one in checked.observations} == {SECOND}


def test_a_later_quarter_with_a_figure_is_an_error_at_its_cell(check):
    assert found(check({**FORM, "F6": "72.0%", "G5": "-"}), Severity.ERROR) == [("later-figure", "F6")]


def test_a_figure_left_out_is_an_error_in_the_quarters_column(check):
    assert found(check({**FORM, "E6": None}), Severity.ERROR) == [("value-missing", "E6")]


def test_columns_that_are_left_out_are_not_asked_about(check):
    assert found(check({**FORM, "I4": "RAG", "I5": "green", "J4": "Owner", "J5": "Y. Team"})) == []
    assert found(check({**FORM, "I4": "Something"}), Severity.ERROR) == [("heading-unknown", "I4")]


def test_an_overwritten_target_is_asked_about(check):
    assert found(check({**FORM, "C5": "5.5%"})) == [("target-differs", "C5")]


def test_an_unknown_indicator_and_an_unreadable_figure_stand_in_their_cells(check):
    checked = check({**FORM, "A5": "NI 34 Custodial sentences (%)", "E6": "seventy"})
    assert found(checked, Severity.ERROR) == [
        ("indicator-missing", ""),
        ("indicator-unknown", "A5"),
        ("not-a-figure", "E6"),
    ]


def test_a_quarter_that_is_not_said_is_one_finding(check):
    checked = check({**FORM, "A2": "Return for quarter:"})
    assert found(checked) == [("period-missing", "")]
    assert "Return for quarter" in checked.findings[0].message


@pytest.mark.parametrize("name", ["Sheet1", "Q2 return"])
def test_a_sheet_may_have_any_name(check, name):
    assert {one.sheet for one in check(FORM, name=name).observations} == {name}


def test_the_built_in_forms_stay_what_they_are(plan):
    built_in = read_plan()
    data = sample_return(built_in, "yos", Period(2010, 1))
    checked = [Checker(one, History(), TODAY).check(Received("return.xlsx", data, "yos")) for one in (built_in, plan)]
    assert [one.layout for one in checked] == ["return", "return"]
    assert checked[0].observations == checked[1].observations
    # The form was made from the built-in plan.
    assert {one.code for one in checked[1].findings} - {one.code for one in checked[0].findings} == {"template-differs"}


def test_the_receipt_marks_the_cells_of_the_form(check):
    data = workbook_of({"Sheet1": {**FORM, "E6": "seventy", "F5": "6.0%"}})
    checked = check({**FORM, "E6": "seventy", "F5": "6.0%"})
    summary = ReceiptSummary("Youth Offending Service", "2010/11 Q2", None, NOW, "return.xlsx", "0" * 64, REJECTED)
    marked = load_workbook(BytesIO(reply_for(checked, data, summary).content))["Sheet1"]
    commented = {cell.coordinate for row in marked.iter_rows() for cell in row if cell.comment}
    assert commented == {"E6", "F5"}
