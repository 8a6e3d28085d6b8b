"""The content of a cell: a figure, a marker, nothing, or a specific problem, and never a guess."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cypp_etl.intake.values import BLANK, as_typed, read_date, read_figure, read_text
from cypp_etl.workbook.model import Cell, CellKind
from schemas.codes import Marker, Qualifier

# Decimals that fit a double, as in Excel: fifteen digits in all, and below a trillion.
DECIMALS = st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(-exponent), st.integers(-(10**11), 10**11), st.integers(0, 6)
)


def text(value: str) -> Cell:
    return Cell(1, 1, CellKind.TEXT, value)


def number(value: float, number_format: str = "General") -> Cell:
    return Cell(1, 1, CellKind.NUMBER, value, number_format)


@pytest.mark.parametrize(
    ("typed", "value", "is_percent"),
    [
        ("71", "71", False),
        ("71.0", "71.0", False),
        ("+71", "71", False),
        (".5", "0.5", False),
        ("-10.1%", "-10.1", True),
        ("\u221210.1%", "-10.1", True),
        ("71.0 %", "71.0", True),
        ("0.01%", "0.01", True),
        ("0.00%", "0", True),
        ("1,406", "1406", False),
        ("1425", "1425", False),
        ("1,234,567.5", "1234567.5", False),
        ("0.123456789012345678", "0.123456789012346", False),
    ],
)
def test_figures_typed_as_text(typed, value, is_percent):
    reading = read_figure(text(typed))
    assert (reading.value, reading.is_percent, reading.trouble) == (Decimal(value), is_percent, "")
    assert reading.typed == typed


@pytest.mark.parametrize(
    ("typed", "trouble"),
    [
        ("awaiting data", "not-a-figure"),
        ("n.k.", "not-a-figure"),
        ("nil", "not-a-figure"),
        ("None", "not-a-figure"),
        ("not", "not-a-figure"),
        ("about 70", "text-with-digits"),
        ("212 (provisional)", "text-with-digits"),
        ("1 406", "text-with-digits"),
        ("12,34,567", "text-with-digits"),
        ("1e5", "text-with-digits"),
        ("£5", "text-with-digits"),
        ("5.", "text-with-digits"),
        ("71%%", "text-with-digits"),
        ("<5", "number-with-bound"),
        ("≤ 5%", "number-with-bound"),
        (">1,000", "number-with-bound"),
        ("７１", "unusual-digits"),
        ("٧١", "unusual-digits"),
        ("²", "unusual-digits"),
        ("71,5", "decimal-comma"),
        ("12,34%", "decimal-comma"),
        ("1000000000000", "figure-too-large"),
        ("-" + "9" * 400, "figure-too-large"),
        ("nan", "not-a-figure"),
        ("inf", "not-a-figure"),
        ("TRUE", "not-a-figure"),
        ("%", "not-a-figure"),
    ],
)
def test_texts_that_are_no_figure_have_a_trouble_of_their_own(typed, trouble):
    reading = read_figure(text(typed))
    assert (reading.trouble, reading.value, reading.marker) == (trouble, None, None)
    assert reading.typed == typed


@pytest.mark.parametrize(
    "typed", [" 71.0%", "71.0% ", "\u00a071.0%", "71.0%\n", "\t71.0%", "71.0%\u200b", "71.0\u00a0%"]
)
def test_stray_spaces_are_said_and_ignored(typed):
    reading = read_figure(text(typed))
    assert (reading.value, reading.is_percent, reading.trouble) == (Decimal("71.0"), True, "stray-spaces")


@pytest.mark.parametrize(
    ("cell", "trouble", "typed"),
    [
        (Cell(1, 1, CellKind.ERROR, "#DIV/0!"), "error-value", "#DIV/0!"),
        (Cell(1, 1, CellKind.BLANK, None, is_formula=True), "formula-not-calculated", ""),
        (Cell(1, 1, CellKind.DATE, 40454.0, "d mmm yyyy"), "date-not-number", "2010-10-03"),
        # Times of day and elapsed times: `12:00`, `36:00`, with seconds; and a day with its time.
        (Cell(1, 1, CellKind.DATE, 0.5, "h:mm"), "date-not-number", "12:00"),
        (Cell(1, 1, CellKind.DATE, 1.5, "[h]:mm"), "date-not-number", "36:00"),
        (Cell(1, 1, CellKind.DATE, 0.0, "h:mm"), "date-not-number", "0:00"),
        (Cell(1, 1, CellKind.DATE, 0.5 + 5 / 86400, "h:mm:ss"), "date-not-number", "12:00:05"),
        (Cell(1, 1, CellKind.DATE, 0.5), "date-not-number", "12:00"),
        (Cell(1, 1, CellKind.DATE, 40454.5, "d mmm yyyy h:mm"), "date-not-number", "2010-10-03"),
        (Cell(1, 1, CellKind.DATE, 1.0, "d mmm yyyy"), "date-not-number", "1899-12-31"),
        (Cell(1, 1, CellKind.DATE, 1e300, "d mmm yyyy"), "date-not-number", f"{Decimal('1e300'):f}"),
        (Cell(1, 1, CellKind.BOOLEAN, True), "not-a-figure", "TRUE"),
        (number(1e12), "figure-too-large", "1000000000000"),
        (number(-1e300), "figure-too-large", f"{Decimal('-1e300'):f}"),
        (number(1e10, "0.0%"), "figure-too-large", "1000000000000.0%"),
    ],
)
def test_cells_of_other_kinds_are_troubles(cell, trouble, typed):
    reading = read_figure(cell)
    assert (reading.trouble, reading.value, reading.typed) == (trouble, None, typed)


@pytest.mark.parametrize(
    "cell", [None, Cell(1, 1, CellKind.BLANK, None), text(""), text("  "), text("\u00a0\n\u200b")], ids=repr
)
def test_a_blank_is_neither_zero_nor_trouble(cell):
    assert read_figure(cell) == BLANK
    assert read_figure(cell).is_blank


@pytest.mark.parametrize(
    ("spellings", "marker"),
    [
        (("N/A", "n/a", " N / A ", "[z]", "[Z]", "[ z ]", "not applicable", "Not  applicable"), Marker.NOT_APPLICABLE),
        (("-", "\u2013", "\u2014", "\u2212", "[x]", "..", " . . ", "Not available"), Marker.NOT_AVAILABLE),
        (("[c]", "[C]", "*", "Suppressed"), Marker.SUPPRESSED),
        (("[low]", "[LOW]", "[ Low ]"), Marker.LOW),
        (("TBC", "tbc", "T B C", "To be confirmed"), Marker.TO_BE_CONFIRMED),
    ],
)
def test_markers_are_known_in_any_case_and_spacing(spellings, marker):
    for spelling in spellings:
        reading = read_figure(text(spelling))
        assert (reading.marker, reading.value, reading.trouble) == (marker, None, ""), spelling


@pytest.mark.parametrize(
    ("typed", "value", "qualifiers"),
    [
        ("71.0% [p]", "71.0", {Qualifier.PROVISIONAL}),
        ("71.0[P]", "71.0", {Qualifier.PROVISIONAL}),
        ("71.0 [ p ]", "71.0", {Qualifier.PROVISIONAL}),
        ("1,406 [r] [b]", "1406", {Qualifier.REVISED, Qualifier.BREAK}),
        ("212 [e]", "212", {Qualifier.ESTIMATED}),
    ],
)
def test_suffixes_qualify_a_figure(typed, value, qualifiers):
    reading = read_figure(text(typed))
    assert (reading.value, reading.qualifiers, reading.trouble) == (Decimal(value), qualifiers, "")


def test_a_marker_can_be_qualified():
    assert read_figure(text("- [p]")).marker is Marker.NOT_AVAILABLE
    assert read_figure(text("- [p]")).qualifiers == {Qualifier.PROVISIONAL}


def test_a_qualifier_alone_says_nothing():
    reading = read_figure(text("[p]"))
    assert reading.is_bare_qualifier
    assert not reading.is_blank


def test_an_unknown_suffix_is_text():
    assert read_figure(text("71 [q]")).trouble == "text-with-digits"
    assert read_figure(text("71 [c]")).trouble == "text-with-digits"


@pytest.mark.parametrize(
    ("cell", "typed"),
    [
        (number(0.71, "0.0%"), "71.0%"),
        (number(0.715, "0%"), "71.5%"),
        (number(15.2, "0.00"), "15.20"),
        (number(1406, "#,##0"), "1406"),
        (number(0.1 + 0.2), "0.3"),
        (number(-0.011, "0.00%"), "-1.10%"),
        (number(0), "0"),
        (Cell(1, 1, CellKind.BOOLEAN, False), "FALSE"),
        (Cell(1, 1, CellKind.DATE, 0.5, "h:mm"), "12:00"),
        (text(" as it stands "), " as it stands "),
    ],
)
def test_what_was_typed_is_what_a_person_would_say_stands_there(cell, typed):
    assert as_typed(cell) == typed


@pytest.mark.parametrize("number", [0.0, -0.0, 0.0])
def test_each_zero_keeps_its_sign(number):
    reading = read_figure(Cell(1, 1, CellKind.NUMBER, number))
    assert (reading.typed, str(reading.value)) == (f"{number:.0f}", f"{number:.0f}")


def test_texts_are_trimmed_and_missing_cells_are_empty():
    assert read_text(text(" NI 43\n")) == "NI 43"
    assert read_text(number(43.0)) == "43"
    assert read_text(None) == ""


def test_days_are_read_from_date_cells_alone():
    assert read_date(Cell(1, 1, CellKind.DATE, 40454.75, "d mmm")) == date(2010, 10, 3)
    assert read_date(number(40454.0)) is None
    assert read_date(Cell(1, 1, CellKind.DATE, -1.0, "d mmm")) is None
    assert read_date(Cell(1, 1, CellKind.DATE, 0.5, "d mmm")) is None
    assert read_date(Cell(1, 1, CellKind.DATE, 40454.75, "h:mm")) is None
    assert read_date(Cell(1, 1, CellKind.DATE, 1e9, "d mmm")) is None


@given(DECIMALS)
def test_any_decimal_typed_as_text_reads_back_exactly(value):
    assert read_figure(text(f"{value:f}")).value == value
    assert read_figure(text(f"{value:,f}")).value == value


@given(DECIMALS)
def test_any_decimal_typed_as_a_number_reads_back_exactly(value):
    assert read_figure(number(float(value))).value == value


@given(DECIMALS)
def test_any_percentage_reads_back_in_points_however_it_was_typed(value):
    as_number = read_figure(number(float(value / 100), "0.0%"))
    as_text = read_figure(text(f"{value:f}%"))
    assert as_number.value == as_text.value == value
    assert as_number.is_percent
    assert as_text.is_percent


@given(DECIMALS)
def test_what_was_typed_reads_back_as_it_was(value):
    typed = as_typed(number(float(value), "#,##0.00"))
    assert read_figure(text(typed)).value == value


@given(st.text())
def test_no_text_is_both_a_figure_and_an_error(typed):
    reading = read_figure(text(typed))
    assert reading.value is None or reading.trouble in ("", "stray-spaces")
    assert (reading.value is None) or reading.marker is None


@given(
    st.sampled_from(CellKind),
    st.one_of(st.none(), st.booleans(), st.floats(allow_nan=False, allow_infinity=False), st.text()),
    st.sampled_from(["General", "0.0%", "d mmm yyyy", "#,##0.00"]),
    st.booleans(),
)
def test_no_cell_whatsoever_stops_the_reading(kind, value, number_format, is_formula):
    cell = Cell(1, 1, kind, value, number_format, is_formula)
    reading, words = read_figure(cell), read_text(cell)
    # Figures and other content are distinguished: nothing is both, and no content is ignored.
    assert reading.trouble in ("", "stray-spaces") or reading.value is None
    assert words == words.strip()
    if value is None and not is_formula:
        assert reading.is_blank
