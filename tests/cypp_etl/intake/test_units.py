"""Percent is recognised by a sign or a format; without either, points are assumed only if unambiguous."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cypp_etl.decimals import decimal_text, rounded
from cypp_etl.findings import catalogue, find
from cypp_etl.intake.units import read_in_unit, to_unit
from cypp_etl.intake.values import read_figure
from cypp_etl.templates.openpyxl_styles import number_format
from cypp_etl.workbook.model import Cell, CellKind
from schemas.codes import Marker, Qualifier, Severity, Unit


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


@pytest.fixture(scope="session")
def read_in(make_leaf):
    """Read a text, or a number with a format, in a unit; as what it is read as and the code of a finding."""

    def read_in(typed, unit, number_format="General", *, decimals=2, minimum=None, **leaf):
        kind = CellKind.TEXT if isinstance(typed, str) else CellKind.NUMBER
        described = replace(make_leaf(unit, decimals, minimum, None), **leaf)
        reading = read_in_unit(Cell(1, 1, kind, typed, number_format), described)
        value, trouble = to_unit(reading, described, [])
        return value, reading.trouble or trouble

    return read_in


@pytest.mark.parametrize(
    ("typed", "value", "trouble"),
    [
        ("1,234", "1234", ""),
        ("£1,234", "1234", ""),
        ("£ 1,234.50", "1234.50", ""),
        ("1,234 GBP", "1234", ""),
        ("gbp 5", "5", ""),
        ("5 pounds", "5", ""),
        ("£.50", "0.50", ""),
        ("-£5", "-5", ""),
        ("£-5", "-5", ""),
        ("\u2212£5", "-5", ""),
        ("+£5", "5", ""),
        ("(£5)", "-5", "amount-assumed"),
        ("£(5)", "-5", "amount-assumed"),
        ("(5)", "-5", "amount-assumed"),
        ("-(5)", None, "text-with-digits"),
        ("(5", None, "text-with-digits"),
        ("((5))", None, "text-with-digits"),
        ("£1.2m", "1200000", "amount-assumed"),
        ("1.2 million", "1200000", "amount-assumed"),
        ("(£5k)", "-5000", "amount-assumed"),
        ("£999bn", "999000000000", "amount-assumed"),
        ("£1000bn", None, "figure-too-large"),
        ("£1.234", None, "thousands-point"),
        ("£1.23", "1.23", ""),
        ("£1.2345", "1.2345", ""),
        ("£1.234m", "1234000", "amount-assumed"),
        ("£1,5", None, "decimal-comma"),
        ("£1 406", None, "text-with-digits"),
        ("€5", None, "currency-differs"),
        ("5 euros", None, "currency-differs"),
        ("$5", None, "currency-differs"),
        ("£5%", None, "percent-not-expected"),
        ("5%", None, "percent-not-expected"),
        ("about £5", None, "text-with-digits"),
        ("£5 (provisional)", None, "text-with-digits"),
        ("£5-£7", None, "text-with-digits"),
        ("£5 per child", None, "text-with-digits"),
        ("£", None, "not-a-figure"),
    ],
)
def test_money_is_read_where_it_can_mean_one_amount(read_in, typed, value, trouble):
    expected = None if value is None else Decimal(value)
    assert read_in(typed, Unit.MONEY, currency="£") == (expected, trouble)


@pytest.mark.parametrize(
    ("number_format", "trouble"),
    [
        ("#,##0.00", ""),
        ('"£"#,##0.00', ""),
        ("[$£-809]#,##0.00;[Red]-[$£-809]#,##0.00", ""),
        ("[$GBP] #,##0.00", ""),
        ('"$"#,##0_);("$"#,##0)', ""),
        ("[$$-409]#,##0.00", "currency-differs"),
        ("€#,##0", "currency-differs"),
    ],
)
def test_a_format_may_show_the_currency_of_the_plan(read_in, number_format, trouble):
    value = None if trouble else Decimal("-5.25")
    assert read_in(-5.25, Unit.MONEY, number_format, currency="£") == (value, trouble)
    assert read_in(-5.25, Unit.NUMBER, number_format) == (Decimal("-5.25"), ""), "a format changes no number"


@pytest.mark.parametrize(
    ("minimum", "expected"),
    [("-1", (Decimal(-5), "amount-assumed")), ("0", (None, "brackets-unclear")), ("1", (None, "brackets-unclear"))],
)
def test_brackets_are_a_minus_only_where_there_can_be_one(read_in, minimum, expected):
    assert read_in("(£5)", Unit.MONEY, minimum=minimum, currency="£") == expected


def test_an_amount_is_not_multiplied_where_the_unit_may_have_been_already(read_in):
    thousands = {"currency": "£", "unit_label": "thousand"}
    assert read_in("£1.2m", Unit.MONEY, **thousands) == (None, "scale-unclear")
    assert read_in("£1,234 thousand", Unit.MONEY, **thousands) == (Decimal(1234), "")
    assert read_in("£1.2m", Unit.MONEY, currency="£", unit_label="per child") == (Decimal(1_200_000), "amount-assumed")
    assert read_in("£1.2m per child", Unit.MONEY, currency="£", unit_label="per child")[0] == Decimal(1_200_000)


def test_a_currency_is_the_plans_whichever_it_is(read_in):
    assert read_in("CHF 5", Unit.MONEY, currency="CHF") == (Decimal(5), "")
    assert read_in("5 kr", Unit.MONEY, currency="kr") == (Decimal(5), "")
    assert read_in("£5", Unit.MONEY, currency="GBP") == (Decimal(5), "")
    assert read_in("£5", Unit.MONEY, currency="€") == (None, "currency-differs")


@pytest.mark.parametrize("unit", [Unit.NUMBER, Unit.RATE, Unit.PERCENT, Unit.DAYS, Unit.SCORE])
def test_money_is_no_other_unit(read_in, unit):
    assert read_in("£5", unit) == (None, "currency-not-expected")
    assert read_in("(5)", unit) == (None, "text-with-digits")
    assert read_in("5k", unit) == (None, "text-with-digits")


@pytest.mark.parametrize(
    ("typed", "unit", "label", "value", "trouble"),
    [
        ("12 days", Unit.DAYS, "", "12", ""),
        ("1 day", Unit.DAYS, "", "1", ""),
        ("-3 days [p]", Unit.DAYS, "", "-3", ""),
        ("2 weeks", Unit.DAYS, "", None, "text-with-digits"),
        ("12 working days", Unit.DAYS, "", None, "text-with-digits"),
        ("12 Working  Days", Unit.DAYS, "working days", "12", ""),
        ("12 days", Unit.NUMBER, "", None, "text-with-digits"),
        ("28%", Unit.DAYS, "", None, "percent-not-expected"),
        ("7 points", Unit.SCORE, "", "7", ""),
        ("-7.5", Unit.SCORE, "", "-7.5", ""),
        ("7/10", Unit.SCORE, "", None, "text-with-digits"),
        ("28%", Unit.SCORE, "", None, "percent-not-expected"),
        ("71 percent", Unit.PERCENT, "", "71", ""),
        ("0.71 per cent", Unit.PERCENT, "", "0.71", ""),
        ("71% of pupils", Unit.PERCENT, "of pupils", "71", ""),
        ("71 percent", Unit.RATE, "", None, "text-with-digits"),
        ("5.2 per 1,000 births", Unit.RATE, "per 1,000 births", "5.2", ""),
        ("5.2 per 100 births", Unit.RATE, "per 1,000 births", None, "text-with-digits"),
        ("3.5 full-time equivalents", Unit.NUMBER, "full-time equivalents", "3.5", ""),
    ],
)
def test_the_words_of_the_unit_may_stand_behind_a_figure(read_in, *, typed, unit, label, value, trouble):
    assert read_in(typed, unit, unit_label=label) == (None if value is None else Decimal(value), trouble)


@pytest.mark.parametrize("currency", ["£", "€", "CHF", "kr", "A$", "US$"])
def test_the_format_of_our_own_forms_has_the_plans_currency(read_in, currency):
    shown = number_format(Unit.MONEY, 2, currency)
    assert read_in(-1234.5, Unit.MONEY, shown, currency=currency) == (Decimal("-1234.5"), "")
    assert read_in(-1234.5, Unit.MONEY, shown.replace(currency, "¥"), currency=currency) == (None, "currency-differs")


def test_what_stands_beside_an_amount_is_kept(make_leaf):
    leaf = replace(make_leaf(Unit.MONEY, 0, None, None), currency="£")
    reading = read_in_unit(Cell(1, 1, CellKind.TEXT, "£1.2m [p]"), leaf)
    assert (reading.typed, reading.value, reading.qualifiers) == ("£1.2m [p]", 1_200_000, {Qualifier.PROVISIONAL})
    assert catalogue()[reading.trouble].severity is Severity.NOTE
    assert read_in_unit(Cell(1, 1, CellKind.TEXT, "[c]"), leaf).marker is Marker.SUPPRESSED
    assert read_in_unit(None, leaf).is_blank


@given(
    value=st.decimals(-(10**9), 10**9, places=6),
    decimals=st.integers(0, 6),
    unit=st.sampled_from(list(Unit)),
    currency=st.sampled_from(["£", "CHF", "kr", "A$"]),
    label=st.sampled_from(["", "per child", "full-time equivalents"]),
)
def test_a_figure_as_we_write_it_is_read_as_itself(make_leaf, *, value, decimals, unit, currency, label):
    """With the words of its unit behind it, as in a receipt, and without them, as in a table."""
    currency = currency if unit is Unit.MONEY else ""
    leaf = replace(make_leaf(unit, decimals, None, None), currency=currency, unit_label=label)
    shown = decimal_text(value, decimals, unit, currency)
    for text in (shown, f"{shown} {leaf.unit_words}".strip()):
        reading = read_in_unit(Cell(1, 1, CellKind.TEXT, text), leaf)
        assert to_unit(reading, leaf, []) == (rounded(value, decimals), ""), text
