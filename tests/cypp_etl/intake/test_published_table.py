"""The published table of the source document, in both typings, and with single errors."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from io import BytesIO

import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from cypp_etl.checked_return import CheckedReturn, History
from cypp_etl.checking.checker import Checker, Received
from cypp_etl.periods import Period
from cypp_etl.plan.reader import read_plan
from cypp_etl.samples.published_table import read_sample_table, write_published_table
from schemas.codes import Marker, Measure, Severity

YEAR = Period(2009)
Change = Callable[[Worksheet], None]


@pytest.fixture(scope="module", params=["text", "number"])
def data(request) -> bytes:
    return write_published_table(read_sample_table(), request.param)


@pytest.fixture(scope="module")
def checker() -> Checker:
    return Checker(read_plan(), History(), date(2010, 6, 1))


@pytest.fixture
def check(checker, data) -> Callable[..., CheckedReturn]:
    def check(change: Change | None = None, folder_partner: str = "") -> CheckedReturn:
        changed = data
        if change is not None:
            workbook, stream = load_workbook(BytesIO(data)), BytesIO()
            change(workbook.active)
            workbook.save(stream)
            changed = stream.getvalue()
        return checker.check(Received("table.xlsx", changed, folder_partner))

    return check


def put(address: str, value: object) -> Change:
    def change(sheet: Worksheet) -> None:
        sheet[address] = value

    return change


def demands(checked: CheckedReturn) -> list[tuple[str, str]]:
    """Errors and queries, as code and cell."""
    return [(finding.code, finding.cell) for finding in checked.findings if finding.severity is not Severity.NOTE]


def row_of(checked: CheckedReturn, indicator: str) -> dict[tuple[Measure, str], Decimal | Marker | None]:
    return {
        (each.measure, each.period.code): each.value if each.value is not None else each.marker
        for each in checked.observations
        if each.indicator == indicator
    }


def test_the_table_has_nothing_to_correct_and_nothing_to_explain(check):
    checked = check()
    assert demands(checked) == []
    assert [(finding.code, finding.value) for finding in checked.findings] == [
        ("percent-assumed", "15.20"),
        ("percent-assumed", "23.2"),
        ("percent-assumed", "29.6"),
    ]
    assert (checked.layout, checked.period, checked.partner_code) == ("published", YEAR, "board")


def test_every_leaf_has_its_actual_and_its_history(check):
    observations = check().observations
    for measure, period in ((Measure.ACTUAL, YEAR), (Measure.HISTORY, YEAR.previous)):
        found = {each.indicator for each in observations if (each.measure, each.period) == (measure, period)}
        assert found == set(read_plan().indicators)


def test_a_figure_goes_to_who_owes_it_with_its_cell(check):
    (actual,) = [
        each for each in check().observations if each.indicator == "NI 111b" and each.measure is Measure.ACTUAL
    ]
    assert (actual.partner_code, actual.value, actual.sheet, actual.cell) == (
        "police",
        Decimal(784),
        "Performance indicators",
        "G11",
    )


def test_a_row_brings_history_targets_and_comparators_of_their_years(check):
    assert row_of(check(), "NI 43") == {
        (Measure.HISTORY, "2008-09"): Decimal("9.7"),
        (Measure.TARGET, "2009-10"): Decimal("7.5"),
        (Measure.ACTUAL, "2009-10"): Decimal("7.1"),
        (Measure.STATISTICAL_NEIGHBOURS, "2009-10"): Decimal("4.4"),
        (Measure.NATIONAL, "2009-10"): Decimal("5.8"),
        (Measure.TARGET, "2010-11"): Decimal("5"),
        (Measure.TARGET, "2011-12"): Marker.NOT_AVAILABLE,
    }


def test_dash_not_applicable_and_blank_are_three_things(check):
    checked = check()
    assert row_of(checked, "NI 113b")[Measure.ACTUAL, "2009-10"] is Marker.NOT_AVAILABLE
    assert row_of(checked, "NI 46")[Measure.NATIONAL, "2009-10"] is Marker.NOT_APPLICABLE
    assert row_of(checked, "NI 22")[Measure.ACTUAL, "2009-10"] is Marker.NOT_RETURNED
    assert (Measure.TARGET, "2009-10") not in row_of(checked, "NI 22")


def test_traps_of_the_printed_table(check):
    checked = check()
    assert row_of(checked, "NI 112")[Measure.ACTUAL, "2009-10"] == Decimal("-1.1")
    assert row_of(checked, "NI 114")[Measure.ACTUAL, "2009-10"] == 0
    assert row_of(checked, "NI 114")[Measure.HISTORY, "2008-09"] == Decimal("0.01")
    assert row_of(checked, "NI 115")[Measure.HISTORY, "2008-09"] == Decimal("15.2")
    assert row_of(checked, "NI 111b")[Measure.HISTORY, "2008-09"] == 1406


@pytest.mark.parametrize(
    ("cell", "typed"),
    [("H5", "✗"), ("I5", "↓"), ("J6", "●"), ("L14", "▲"), ("N5", "★"), ("H18", "✓"), ("I14", "→"), ("H5", "perhaps")],
)
def test_a_symbol_that_disagrees_is_one_query_at_its_cell(check, cell, typed):
    checked = check(put(cell, typed))
    assert demands(checked) == [("symbol-differs", cell)]
    assert checked.is_accepted


@pytest.mark.parametrize(
    ("cell", "typed"), [("H5", "✔"), ("H5", "Yes"), ("H5", "✔\ufe0f"), ("I5", "up"), ("J6", "▲\ufe0f"), ("H5", None)]
)
def test_look_alikes_words_and_blanks_agree(check, cell, typed):
    assert demands(check(put(cell, typed))) == []


@pytest.mark.parametrize(
    ("cell", "typed"), [("D4", "HIGH"), ("D9", "HIGH"), ("D13", "LOW"), ("D4", "HIHG"), ("D4", None)]
)
def test_good_performance_that_is_not_the_plans_is_an_error_at_its_cell(check, cell, typed):
    checked = check(put(cell, typed))
    (finding,) = [finding for finding in checked.findings if finding.severity is Severity.ERROR]
    assert finding.cell == cell
    assert finding.code == ("good-performance-differs" if typed in ("HIGH", "LOW") else "good-performance-unknown")
    assert checked.observations == ()


@pytest.mark.parametrize(
    ("cell", "typed", "code"),
    [
        ("B5", "NI 999", "indicator-unknown"),
        ("B9", "NI 999", "indicator-unknown"),
        ("B11", "c", "sub-indicator-unknown"),
        ("B5", "NI 45", "reference-differs"),
        ("B5", None, "row-without-ref"),
        ("A3", "MAKING A CONTRIBUTION", "band-unknown"),
        ("G9", 5, "parent-has-value"),
        ("G5", "about 7", "text-with-digits"),
        ("G5", "<5", "number-with-bound"),
        ("G4", "28%", "percent-not-expected"),
        ("G5", "110%", "out-of-range"),
        ("G10", 212.5, "count-not-whole"),
        ("F10", "1.406", "thousands-point"),
        ("G1", "09/10 Pref", "heading-misspelt"),
    ],
)
def test_one_fault_is_one_finding(check, cell, typed, code):
    checked = check(put(cell, typed))
    assert demands(checked) == [(code, cell)]


def test_a_fault_in_one_row_hides_no_symbol_in_another(check):
    def change(sheet: Worksheet) -> None:
        sheet["G5"] = "about 7"
        sheet["H6"] = "✓"

    assert demands(check(change)) == [("text-with-digits", "G5"), ("symbol-differs", "H6")]


def test_an_indicator_under_another_outcome_is_a_query(check):
    assert demands(check(put("A3", "Stay Safe"))) == [
        ("outcome-differs", f"B{row}") for row in range(4, 19) if row not in (9, 13)
    ]


@pytest.mark.parametrize("cell", ["A20", "B20", "C22"])
def test_footnotes_below_the_table_are_no_outcomes(check, cell):
    assert demands(check(put(cell, "Source: the Board's data team"))) == []


def test_the_sheet_may_have_any_name(check):
    checked = check(lambda sheet: setattr(sheet, "title", "Sheet1"))
    assert demands(checked) == []
    assert "sheet-not-read" not in {finding.code for finding in checked.findings}


def test_an_indicator_twice_is_an_error(check):
    def change(sheet: Worksheet) -> None:
        for column in range(1, 17):
            sheet.cell(19, column).value = sheet.cell(5, column).value
            sheet.cell(19, column).number_format = sheet.cell(5, column).number_format

    assert demands(check(change)) == [("indicator-twice", "B19")]


def test_a_year_that_the_calendar_lacks_is_an_error(check):
    def change(sheet: Worksheet) -> None:
        for column, heading in zip(
            "EFGOP", ("19/20 Actual", "20/21 Target", "20/21 Perf", "21/22 Target", "22/23 Target"), strict=True
        ):
            sheet[f"{column}1"] = heading

    assert demands(check(change)) == [("published-year-unknown", "")]


def test_a_partners_folder_takes_no_published_table(check):
    checked = check(folder_partner="yos")
    assert demands(checked) == [("published-table-in-folder", "")]


def test_a_required_heading_that_is_missing_is_said(check):
    assert ("heading-missing", "A1") in demands(check(put("D1", None)))
