"""Percent is recognised by a sign or a format; without either, points are assumed only if unambiguous."""

from decimal import Decimal

import pytest

from cypp_etl.findings import find
from cypp_etl.intake.units import to_unit
from cypp_etl.intake.values import read_figure
from cypp_etl.workbook.model import Cell, CellKind
from schemas.codes import Unit


@pytest.fixture
def read(make_leaf):
    def read(typed, known=(), **leaf):
        cell = Cell(1, 1, CellKind.TEXT, typed)
        return to_unit(read_figure(cell), make_leaf(**leaf), [Decimal(value) for value in known])

    return read


@pytest.mark.parametrize("typed", ["0.01%", "0.71%", "71.0%", "100%"])
def test_a_sign_settles_it_whatever_the_size(read, typed):
    assert read(typed, ["71.0"]) == (Decimal(typed.rstrip("%")), "")


def test_a_format_settles_it_whatever_the_size(make_leaf):
    reading = read_figure(Cell(1, 1, CellKind.NUMBER, 0.0001, "0.00%"))
    assert to_unit(reading, make_leaf(), [Decimal("71")]) == (Decimal("0.01"), "")


@pytest.mark.parametrize("number_format", ["0.000", '0.0"%"'])
def test_a_sign_that_a_format_only_shows_settles_nothing(make_leaf, number_format):
    reading = read_figure(Cell(1, 1, CellKind.NUMBER, 0.986, number_format))
    assert to_unit(reading, make_leaf(), [Decimal("97.9")]) == (None, "percent-or-points")
    finding = find("percent-or-points", value=reading.typed)
    assert finding.message.startswith("0.986 is not held as a percentage, whatever the cell shows.")
    assert "the format Percentage" in finding.fix, "its sign typed into that cell would be lost again"


@pytest.mark.parametrize(
    ("typed", "known", "value", "trouble"),
    [
        ("15.20", ["12.9"], "15.20", "percent-assumed"),
        ("71", [], "71", "percent-assumed"),
        ("1.01", [], "1.01", "percent-assumed"),
        ("1", [], None, "percent-or-points"),
        ("0.71", [], None, "percent-or-points"),
        ("0.71", ["71.0"], None, "percent-or-points"),
        ("0.71", ["0.70"], "0.71", "percent-assumed"),
        ("0.71", ["7.0"], "0.71", "percent-assumed"),
        ("0.71", ["7.1"], None, "percent-or-points"),
        ("0.71", ["7.2"], None, "percent-or-points"),
        ("0.71", ["0.70", "71.0"], None, "percent-or-points"),
        ("0.71", ["0"], None, "percent-or-points"),
        ("0.71", ["-0.71"], None, "percent-or-points"),
        ("0", ["71.0"], "0", ""),
        ("0.00", [], "0", ""),
        ("101", [], "101", ""),
        ("-3", [], "-3", ""),
    ],
)
def test_without_a_sign_history_decides_or_the_partner_is_asked(read, typed, known, value, trouble):
    assert read(typed, known) == (None if value is None else Decimal(value), trouble)


def test_a_change_may_be_negative(read):
    assert read("-10.1", ["-9.8"], minimum=-100, maximum=None) == (Decimal("-10.1"), "percent-assumed")
    assert read("-1.10", ["-10.1"], minimum=-100, maximum=None) == (Decimal("-1.10"), "percent-assumed")


@pytest.mark.parametrize("unit", [Unit.NUMBER, Unit.RATE])
def test_a_percentage_is_no_number(read, unit):
    assert read("28%", unit=unit, decimals=2, maximum=None) == (None, "percent-not-expected")
    assert read("0.28", unit=unit, decimals=2, maximum=None) == (Decimal("0.28"), "")


@pytest.mark.parametrize(
    ("typed", "trouble"),
    [
        ("1.406", "thousands-point"),
        ("-1.406", "thousands-point"),
        ("1.400 [p]", "thousands-point"),
        (" 12.345", "thousands-point"),
        ("1.40", ""),
        ("1.4065", ""),
        ("0.406", ""),
        ("1406.125", ""),
        ("1,406", ""),
    ],
)
def test_a_point_between_thousands_is_told_where_no_decimals_are_kept(read, typed, trouble):
    assert read(typed, unit=Unit.NUMBER, decimals=0, maximum=None)[1] == trouble


def test_three_decimals_are_decimals_where_decimals_are_kept(read):
    assert read("1.406", unit=Unit.RATE, decimals=2, maximum=None) == (Decimal("1.406"), "")
    assert read("1.406%", decimals=0) == (Decimal("1.406"), "")


def test_markers_and_troubles_have_no_value(read):
    assert read("N/A") == (None, "")
    assert read("about 70") == (None, "")
