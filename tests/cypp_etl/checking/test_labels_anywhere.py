"""A page without a table: labels anywhere with figures to their right, in a layout that is one partner's."""

from datetime import date
from decimal import Decimal
from io import BytesIO

import pytest
from openpyxl import load_workbook

from cypp_etl.checked_return import History
from cypp_etl.checking.checker import Checker, Received
from cypp_etl.periods import Period
from schemas.codes import Severity
from tests.support.forms import LABELS_COLUMNS, LABELS_SHEETS
from tests.support.forms import LABELS_FORM as FORM
from tests.support.layouts import plan_with_layouts, workbook_of

TODAY = date(2010, 7, 12)


@pytest.fixture(scope="module")
def check():
    plan = plan_with_layouts(LABELS_SHEETS, LABELS_COLUMNS)

    def check(form, folder="police", alter=None):
        data = workbook_of({"Page": form})
        if alter:
            book, written = load_workbook(BytesIO(data)), BytesIO()
            alter(book["Page"])
            book.save(written)
            data = written.getvalue()
        return Checker(plan, History(), TODAY).check(Received("return.xlsx", data, folder))

    return check


def found(checked, *severities):
    return sorted((one.code, one.cell) for one in checked.findings if not severities or one.severity in severities)


@pytest.mark.parametrize("folder", ["", "police"])
def test_figures_beside_labels_are_the_return_of_the_layouts_partner(check, folder):
    checked = check(FORM, folder)
    assert (checked.layout, checked.partner_code, checked.period) == ("one page", "police", Period(2010, 1))
    assert checked.prepared_by == "Returns officer"
    assert found(checked) == []
    assert {one.indicator: (one.value, one.sheet, one.cell) for one in checked.observations} == {
        "NI 111a": (Decimal(60), "Page", "E7"),
        "NI 111b": (Decimal(230), "Page", "E8"),
    }


def test_another_partner_may_not_use_the_layout(check):
    assert found(check(FORM, "nhs")) == [("layout-unknown", "")]


@pytest.mark.parametrize("typed", ["30 June 2010", "30.6.10", "30/06/2010", date(2010, 6, 30)])
def test_the_last_day_of_a_quarter_is_its_period(check, typed):
    assert check({**FORM, "D4": typed}).period == Period(2010, 1)


@pytest.mark.parametrize(
    ("day", "period"), [(date(2011, 3, 31), Period(2010, 4)), (date(2010, 12, 31), Period(2010, 3))]
)
def test_a_year_ends_in_march(check, day, period):
    cover = check({**FORM, "D4": day})
    assert cover.period == period


@pytest.mark.parametrize(
    ("typed", "code"),
    [(date(2010, 6, 29), "day-not-a-quarter-end"), ("soon", "period-unreadable"), (None, "period-missing")],
)
def test_another_day_is_an_error_at_its_cell(check, typed, code):
    checked = check({**FORM, "D4": typed})
    assert found(checked, Severity.ERROR) == [(code, "C4" if typed is None else "D4")]


def test_a_label_as_wide_as_some_columns_is_no_reason_why_nothing_stands_beside_it(check):
    def merge(sheet):
        sheet.merge_cells("B4:C4")

    checked = check({**FORM, "D4": None}, alter=merge)
    assert found(checked, Severity.ERROR) == [("period-missing", "C4")]


def test_a_figure_left_out_is_missing_in_the_column_of_the_others(check):
    assert found(check({**FORM, "E8": None}), Severity.ERROR) == [("value-missing", "E8")]


def test_a_figure_further_right_is_not_taken_for_the_one_left_out(check):
    assert found(check({**FORM, "E8": None, "H8": 228, "H7": 58}), Severity.ERROR) == [("value-missing", "E8")]


def test_a_unit_between_label_and_figure_is_no_figure(check):
    checked = check({**FORM, "C7": "number", "D8": "per 100,000"})
    assert {one.cell for one in checked.observations} == {"E7", "E8"}


def test_labels_may_move_and_are_read_as_people_type_them(check):
    moved = {"A1": "PERIOD ENDING", "B1": date(2010, 6, 30), "D9": "First-time entrants: (number)", "F9": 60}
    checked = check({**moved, "D10": "Rate per 100,000 ", "F10": 230})
    assert {one.indicator: one.cell for one in checked.observations} == {"NI 111a": "F9", "NI 111b": "F10"}


def test_a_label_that_is_not_there_is_a_missing_indicator(check):
    checked = check({**FORM, "B8": "rate"})
    assert [code for code, _ in found(checked, Severity.ERROR)] == ["sub-indicator-missing"]


def test_whom_to_ask_is_asked_for_and_other_personal_data_is_not(check):
    contact = {**FORM, "H5": "E-mail:", "I5": "returns@example.org"}
    assert found(check(contact)) == []
    assert found(check({**contact, "B14": "or ask j.smith@example.org"})) == [("personal-data", "B14")]
