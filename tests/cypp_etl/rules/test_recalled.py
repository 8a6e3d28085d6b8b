"""An earlier figure that somebody changed in a form: nothing is taken from it, and a note says so."""

import io
from datetime import date
from decimal import Decimal

import openpyxl
import pytest

from cypp_etl.checked_return import History, KnownFigure
from cypp_etl.checking.checker import Checker, Received
from cypp_etl.figure_keys import FigureKey
from cypp_etl.periods import Period
from cypp_etl.samples.returns import fill_template, sample_answers
from cypp_etl.templates.workbook import write_template
from schemas.codes import Marker, Measure

PERIOD = Period(2010, 2)


def known(value, period="2010-11Q1", indicator="NI 43"):
    figure = KnownFigure(None, value) if isinstance(value, Marker) else KnownFigure(Decimal(value), None)
    return {FigureKey("yos", indicator, Measure.ACTUAL, period): figure}


PAST = History(figures=known("5.0") | known("6.245", "2009-10Q2"))


@pytest.fixture(scope="module")
def notes(plan):
    """The notes about a return after something was typed over what NI 43's row shows of earlier ones."""
    form = fill_template(write_template(plan, "yos", PERIOD, PAST), sample_answers(plan, "yos", PERIOD))

    def check(cells, history=PAST):
        book, written = openpyxl.load_workbook(io.BytesIO(form)), io.BytesIO()
        for cell, value in cells.items():
            book["Indicators"][cell] = value
        book.save(written)
        checked = Checker(plan, history, date(2010, 10, 12)).check(Received("r.xlsx", written.getvalue(), "yos"))
        assert checked.is_accepted
        return [one.cell for one in checked.findings if one.code == "last-figure-differs"]

    return check


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({}, []),
        ({"H3": 0.055}, ["H3"]),
        ({"G3": 0.06, "H3": "5.1%"}, ["G3", "H3"]),
        # What rounds to the same, what is blank, a marker, a word.
        ({"H3": 0.05049}, []),
        # 6.245 with the two decimals that were typed, which would be 6.3 if it were rounded again.
        ({"G3": 0.0625}, []),
        ({"G3": 0.0626}, ["G3"]),
        ({"H3": None, "G3": "N/A"}, []),
        ({"H3": "as before"}, []),
    ],
)
def test_another_figure_is_noted(notes, cells, expected):
    assert notes(cells) == expected


def test_where_nothing_is_in_force_there_is_nothing_to_compare(notes):
    assert notes({"H3": 0.055}, History()) == []
    assert notes({"H3": 0.055}, History(figures=known(Marker.NOT_AVAILABLE))) == []


def test_a_form_from_before_a_correction_is_a_note_and_no_query(notes):
    assert notes({}, History(figures=known("5.4"))) == ["H3"]
