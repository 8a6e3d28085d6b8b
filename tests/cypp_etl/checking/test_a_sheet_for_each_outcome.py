"""A form with a sheet for each outcome, aspirations as rows and references in some rows only."""

from datetime import date
from decimal import Decimal

import pytest

from cypp_etl.checked_return import History
from cypp_etl.checking.checker import Checker, Received
from cypp_etl.periods import Period
from schemas.codes import Marker, Severity
from tests.support.forms import OUTCOMES_CHANGES, OUTCOMES_COLUMNS, OUTCOMES_MERGED, OUTCOMES_SHEETS
from tests.support.forms import OUTCOMES_FORM as FORM
from tests.support.layouts import plan_with_layouts, workbook_of

TODAY = date(2010, 7, 12)


@pytest.fixture(scope="module")
def check():
    plan = plan_with_layouts(OUTCOMES_SHEETS, OUTCOMES_COLUMNS, OUTCOMES_CHANGES)

    def check(form):
        received = Received("return.xlsx", workbook_of(form, OUTCOMES_MERGED), "cyps")
        return Checker(plan, History(), TODAY).check(received)

    return check


def changed(sheet, **cells):
    return {**FORM, sheet: {**FORM[sheet], **cells}}


def found(checked, *severities):
    return sorted(
        (one.code, one.sheet, one.cell) for one in checked.findings if not severities or one.severity in severities
    )


def test_every_sheet_is_read_and_each_figure_keeps_its_sheet_and_cell(check):
    checked = check(FORM)
    assert (checked.layout, checked.partner_code, checked.period) == ("outcomes", "cyps", Period(2010, 1))
    assert found(checked) == []
    figures = {one.indicator: (one.value, one.marker, one.sheet, one.cell) for one in checked.observations}
    assert figures == {
        "NI 111a": (Decimal(60), None, "PC", "C7"),
        "NI 111b": (Decimal(230), None, "PC", "C8"),
        "NI 114": (Decimal("0.01"), None, "EA", "C6"),
        "NI 115": (None, Marker.NOT_APPLICABLE, "SS", "D6"),
    }


def test_a_band_is_an_aspiration_by_its_code_or_its_words(check):
    assert found(check(changed("PC", A5="PC4"))) == []
    assert found(check(changed("PC", A5="The sexual health of young people improves."))) == []
    differs = found(check(changed("PC", A5="EA1")))
    assert differs == [("outcome-differs", "PC", "A7"), ("outcome-differs", "PC", "A8")]


def test_an_indicator_on_another_outcomes_sheet_is_asked_about(check):
    moved = {**FORM, "EA": FORM["SS"], "SS": FORM["EA"]}
    assert found(check(moved)) == [("outcome-differs", "EA", "A6"), ("outcome-differs", "SS", "A6")]


def test_text_that_names_nothing_is_noted(check):
    assert found(check(changed("PC", A5="Section 2"))) == [("text-around-table", "PC", "A5")]


def test_parts_go_by_their_definitions_below_their_parent(check):
    assert len(check(changed("PC", A7=None, A8=None)).observations) == 4
    assert found(check(changed("PC", A6=None, A7=None, A8=None))) == []


def test_a_definition_that_the_plan_does_not_have_is_an_error_at_it(check):
    wrong = changed("EA", B6="Exclusions of all kinds")
    assert found(check(wrong), Severity.ERROR) == [("indicator-missing", "PC", ""), ("indicator-unknown", "EA", "A6")]


def test_a_figure_left_out_beside_a_definition_alone_is_missing(check):
    assert found(check(changed("EA", C6=None)), Severity.ERROR) == [("value-missing", "EA", "C6")]


def test_a_sheet_of_no_outcome_is_not_read(check):
    assert found(check({**FORM, "Last year": FORM["EA"]})) == [("sheet-not-read", "Last year", "")]


def test_a_sheet_may_have_the_outcomes_name(check):
    renamed = {("Enjoy and Achieve" if name == "EA" else name): cells for name, cells in FORM.items()}
    assert "Enjoy and Achieve" in {one.sheet for one in check(renamed).observations}


def test_a_sheet_without_its_headings_leaves_its_indicators_missing(check):
    checked = check({**FORM, "SS": {"A1": "Nothing here"}})
    assert found(checked, Severity.ERROR) == [("headings-not-found", "SS", "")]
