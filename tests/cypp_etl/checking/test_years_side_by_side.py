"""A form with two years under a two-row heading: the groups say the year, and are held against the cover."""

from datetime import date
from decimal import Decimal

import pytest

from cypp_etl.checked_return import History, KnownFigure
from cypp_etl.checking.checker import Checker, Received
from cypp_etl.figure_keys import FigureKey
from cypp_etl.periods import Period
from schemas.codes import Measure, Severity
from tests.support.forms import YEARS_COLUMNS, YEARS_MERGED, YEARS_SHEETS
from tests.support.forms import YEARS_FORM as FORM
from tests.support.layouts import plan_with_layouts, workbook_of

TODAY = date(2011, 7, 12)


@pytest.fixture(scope="module")
def check():
    plan = plan_with_layouts(YEARS_SHEETS, YEARS_COLUMNS)

    def check(form, history=None, merged=YEARS_MERGED):
        data = workbook_of({"Measures": form}, {"Measures": merged})
        return Checker(plan, history or History(), TODAY).check(Received("return.xlsx", data, "yos"))

    return check


def found(checked, *severities):
    return sorted((one.code, one.cell) for one in checked.findings if not severities or one.severity in severities)


@pytest.mark.parametrize("merged", [YEARS_MERGED, []], ids=["merged", "not merged"])
def test_the_column_under_this_years_heading_is_the_return(check, merged):
    checked = check(FORM, merged=merged)
    assert (checked.layout, checked.partner_code, checked.period) == ("years", "yos", Period(2010, 1))
    assert found(checked) == []
    figures = {one.indicator: (one.value, one.cell) for one in checked.observations}
    assert figures == {
        "NI 19": (Decimal("0.3"), "G6"),
        "NI 43": (Decimal("6.1"), "G7"),
        "NI 45": (Decimal("71.9"), "G8"),
        "NI 46": (Decimal("97.0"), "G9"),
    }


def test_last_years_figure_that_differs_from_the_one_in_force_is_asked_about(check):
    history = History({FigureKey("yos", "NI 43", Measure.ACTUAL, "2009-10Q4"): KnownFigure(Decimal("6.2"), None)})
    assert found(check(FORM, history), Severity.QUERY) == [("earlier-figure-differs", "F7")]


@pytest.mark.parametrize(("first", "second"), [("2010/11", "2011/12"), ("2008/09", "2009/10")])
def test_headings_of_another_year_are_an_error_at_the_heading(check, first, second):
    checked = check({**FORM, "C4": first, "G4": second})
    assert found(checked, Severity.ERROR) == [("heading-of-other-period", "G4")]


def test_a_return_for_the_whole_year_has_no_column_among_quarters(check):
    checked = check({**FORM, "B2": "2009/10"} | dict.fromkeys(("G4", *(f"{at}5" for at in "GHIJ"))))
    assert ("heading-of-other-period", "C4") in found(checked, Severity.ERROR)
    message = next(one.message for one in checked.findings if one.code == "heading-of-other-period")
    assert message == "The headings are for 2009/10 Q4, but the return is for 2009/10."


def test_a_figure_under_a_later_quarter_is_an_error_there(check):
    assert found(check({**FORM, "H7": "6.0%"}), Severity.ERROR) == [("later-figure", "H7")]


@pytest.mark.parametrize("typed", ["2010-11", "10/11", "2010 / 2011"])
def test_years_are_read_as_people_type_them(check, typed):
    assert found(check({**FORM, "G4": typed})) == []


def test_a_group_that_is_no_year_is_no_heading(check):
    checked = check({**FORM, "G4": "This year"})
    assert {"heading-of-other-period", "heading-unknown"} <= {code for code, _ in found(checked, Severity.ERROR)}
