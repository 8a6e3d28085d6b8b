"""A flat file of many partners is taken apart: a return for each partner and period, in the cells in which it came."""

import sys
from datetime import date
from decimal import Decimal

import pytest

from cypp_etl.checked_return import History, KnownFigure
from cypp_etl.checking.checker import Checker, Received
from cypp_etl.figure_keys import FigureKey
from cypp_etl.periods import Period
from schemas.codes import Marker, Measure, Severity
from tests.support.forms import FLAT_COLUMNS, FLAT_ROWS, FLAT_SHEETS, flat_form
from tests.support.layouts import plan_with_layouts, workbook_of

TODAY = date(2010, 7, 12)
FIRST, LAST_YEARS = Period(2010, 1), Period(2009, 4)


@pytest.fixture(scope="module")
def checker():
    return Checker(plan_with_layouts(FLAT_SHEETS, FLAT_COLUMNS), History(), TODAY)


@pytest.fixture(scope="module")
def apart(checker):
    """The checked returns of a collection, by partner and period."""

    def apart(rows=FLAT_ROWS):
        data = workbook_of({"Data": flat_form(rows)})
        pieces = checker.take_apart(Received("all.xlsx", data))
        checked = [checker.check(Received(piece.file_name, piece.data)) for piece in pieces]
        return {(one.partner_code, one.period): one for one in checked}

    return apart


def found(checked, *severities):
    return sorted((one.code, one.cell) for one in checked.findings if not severities or one.severity in severities)


def replaced(number, **cells):
    """The rows with some cells of one of them replaced, by letter."""
    row = list(FLAT_ROWS[number - 2])
    for letter, value in cells.items():
        row["ABCDEFGH".index(letter)] = value
    return [row if at == number - 2 else one for at, one in enumerate(FLAT_ROWS)]


def test_there_is_a_return_for_each_partner_and_period(apart):
    checked = apart()
    assert list(checked) == [("yos", FIRST), ("police", FIRST), ("vcs", LAST_YEARS), ("vcs", FIRST)]
    assert {key: found(one, Severity.ERROR) for key, one in checked.items()} == {key: [] for key in checked}
    assert next(one.file for one in checked.values()) == "all.xlsx yos 2010-11Q1 1.xlsx"


def test_each_figure_keeps_the_cell_in_which_it_came(apart):
    checked = apart()
    assert {one.indicator: (one.value, one.sheet, one.cell) for one in checked["yos", FIRST].observations} == {
        "NI 19": (Decimal("0.3"), "Data", "E2"),
        "NI 43": (Decimal("6.1"), "Data", "E4"),
        "NI 45": (Decimal("71.9"), "Data", "E5"),
        "NI 46": (Decimal("97.0"), "Data", "E6"),
    }
    (marked,) = checked["vcs", FIRST].observations
    assert (marked.marker, marked.cell) == (Marker.NOT_APPLICABLE, "F9")


def test_what_is_wrong_refuses_its_own_return_alone(apart):
    checked = apart(replaced(3, E="sixty"))
    assert {key: one.is_accepted for key, one in checked.items()} == {
        **dict.fromkeys(checked, True),
        ("police", FIRST): False,
    }
    assert found(checked["police", FIRST], Severity.ERROR) == [("not-a-figure", "E3")]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"A": "leeds"}, ("partner-unknown", "A8")),
        ({"A": None}, ("partner-code-missing", "A8")),
        ({"D": "soon"}, ("period-unreadable", "D8")),
        ({"D": None}, ("period-missing", "D8")),
        ({"D": "1999-00Q1"}, ("period-unknown", "D8")),
    ],
)
def test_a_row_of_nobody_or_of_no_period_is_a_return_that_is_refused(apart, cells, expected):
    checked = apart(replaced(8, **cells))
    refused = [one for one in checked.values() if not one.is_accepted]
    assert len(refused) == 1
    assert expected in found(refused[0], Severity.ERROR)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (("nobody", "Nobody", "NI 19", "2010-11Q1", 0.3), ("partner-unknown", "A10")),
        ((None, "Nobody", "NI 19", "2010-11Q1", 0.3), ("partner-code-missing", "A10")),
        (("yos", "Youth Offending Service", "NI 19", "soon", 0.3), ("period-unreadable", "D10")),
        (("nobody", "Nobody", "NI 19", "2010-11Q1", "some"), ("partner-unknown", "A10")),
    ],
)
def test_a_row_of_nobody_is_asked_for_no_other_row(apart, row, expected):
    """Whose rows are missing is not known: one fault of a row is one finding."""
    (refused,) = (one for one in apart([*FLAT_ROWS, (*row, None, None, None)]).values() if not one.is_accepted)
    also = [("not-a-figure", "E10")] if row[4] == "some" else []
    assert found(refused) == sorted([expected, *also])


def test_figures_of_nobody_are_compared_with_nobodys(checker):
    past = {FigureKey("yos", "NI 19", Measure.ACTUAL, "2009-10Q4"): KnownFigure(Decimal(90), None)}
    beside = checker.beside(History(past))
    row = ("nobody", "Nobody", "NI 19", "2010-11Q1", 0.3, None, None, None)
    *_, piece = checker.take_apart(Received("all.xlsx", workbook_of({"Data": flat_form([*FLAT_ROWS, row])})))
    assert found(beside.check(Received(piece.file_name, piece.data))) == [("partner-unknown", "A10")]


def test_a_missing_indicator_is_missing_in_its_own_return(apart):
    checked = apart([row for row in FLAT_ROWS if row[2] != "NI 111b"])
    assert [code for code, _ in found(checked["police", FIRST], Severity.ERROR)] == ["sub-indicator-missing"]
    assert checked["yos", FIRST].is_accepted


def test_the_pieces_are_the_same_each_time_and_change_only_with_their_rows(checker):
    def pieces(rows):
        data = workbook_of({"Data": flat_form(rows)})
        return {one.file_name: one.data for one in checker.take_apart(Received("all.xlsx", data))}

    first, again, changed = pieces(FLAT_ROWS), pieces(FLAT_ROWS), pieces(replaced(3, E=61))
    assert first == again
    assert [name for name in first if first[name] != changed[name]] == ["all.xlsx police 2010-11Q1 2.xlsx"]


def test_a_footnote_is_nobodys_row(apart):
    rows = [*FLAT_ROWS, ("Source: the authorities' own returns", *[None] * 7)]
    assert list(apart(rows)) == list(apart())


def test_in_a_partners_folder_rows_of_others_are_an_error(checker):
    data = workbook_of({"Data": flat_form()})
    checked = checker.check(Received("all.xlsx", data, "yos"))
    assert found(checked, Severity.ERROR) == [("returns-of-many", "A3")]
    of_others = workbook_of({"Data": flat_form([row for row in FLAT_ROWS if row[0] == "police"])})
    assert ("partner-not-folder", "A2") in found(checker.check(Received("p.xlsx", of_others, "yos")), Severity.ERROR)


def test_one_return_alone_is_no_collection(checker):
    data = workbook_of({"Data": flat_form([row for row in FLAT_ROWS if row[0] == "yos"])})
    assert checker.take_apart(Received("own.xlsx", data)) == ()
    checked = checker.check(Received("own.xlsx", data, "yos"))
    assert (checked.layout, checked.partner_code, checked.period) == ("flat", "yos", FIRST)
    assert found(checked, Severity.ERROR) == []


@pytest.mark.parametrize("data", [b"no workbook", workbook_of({"Data": {"A1": "Nothing"}})])
def test_what_is_no_flat_workbook_is_not_taken_apart(checker, data):
    assert checker.take_apart(Received("other.xlsx", data)) == ()


def test_at_home_without_what_writes_workbooks_it_is_checked_whole(checker, monkeypatch):
    received = Received("all.xlsx", workbook_of({"Data": flat_form()}))
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    assert checker.take_apart(received) == ()
    assert found(checker.check(received), Severity.ERROR) == [("returns-of-many", "A3")]
