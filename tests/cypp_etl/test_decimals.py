"""Figures are rounded and shown alike wherever they stand: halves away from zero, and no zero below nothing."""

from decimal import Decimal

import pytest

from cypp_etl.decimals import agrees, decimal_text, range_text, rounded, unit_words
from schemas.codes import Unit


@pytest.mark.parametrize(
    ("value", "decimals", "expected"),
    [("0.25", 1, "0.3"), ("-0.25", 1, "-0.3"), ("0.249", 1, "0.2"), ("2.5", 0, "3"), ("71.05", 1, "71.1")],
)
def test_halves_are_rounded_away_from_zero(value, decimals, expected):
    assert rounded(Decimal(value), decimals) == Decimal(expected)


def test_the_widest_numbers_are_rounded_too():
    assert rounded(Decimal("1e340"), 1) == Decimal("1e340")
    assert rounded(Decimal("1e-340"), 6) == 0


@pytest.mark.parametrize(
    ("value", "decimals", "unit", "expected"),
    [
        # What is judged as 70.3 must not be printed as 70.2: Python's own formatting rounds halves to even.
        (70.25, 1, Unit.PERCENT, "70.3%"),
        (Decimal("-70.25"), 1, Unit.PERCENT, "-70.3%"),
        (2.5, 0, Unit.NUMBER, "3"),
        (0.125, 2, Unit.RATE, "0.13"),
        (-0.04, 1, Unit.PERCENT, "0.0%"),
        (1406.0, 0, Unit.NUMBER, "1,406"),
        (1e16, 1, Unit.RATE, "10,000,000,000,000,000.0"),
    ],
)
def test_figures_are_shown_as_they_are_judged(value, decimals, unit, expected):
    assert decimal_text(value, decimals, unit) == expected


@pytest.mark.parametrize(
    ("typed", "exact", "is_right"),
    [
        ("40.85", "40.845", True),
        ("40.85", "40.8549", True),
        ("40.85", "40.8449", False),
        ("40.850", "40.8496", True),
        ("40.86", "40.845", False),
        ("40.84", "40.8", True),
        ("40.9", "40.845", False),
        ("40", "40.04", True),
        ("41", "40.845", False),
        ("-40.85", "-40.845", True),
    ],
)
def test_a_typed_figure_is_held_against_an_exact_one_at_the_decimals_of_either(typed, exact, is_right):
    assert agrees(Decimal(typed), Decimal(exact), 1) is is_right


def test_ranges_are_in_words():
    assert range_text(Decimal(0), None, Unit.NUMBER) == "0 or more"
    assert range_text(None, Decimal("2.5"), Unit.RATE) == "2.5 or less"
    assert range_text(Decimal(0), Decimal(100), Unit.PERCENT) == "between 0% and 100%"


@pytest.mark.parametrize(
    ("value", "decimals", "currency", "expected"),
    [
        ("1234.5", 0, "£", "£1,235"),
        ("-5.2", 2, "£", "-£5.20"),
        ("-0.004", 2, "£", "£0.00"),
        ("1406", 0, "CHF", "CHF 1,406"),
        ("-5", 0, "A$", "-A$5"),
    ],
)
def test_money_has_its_currency_before_it_and_its_minus_before_that(value, decimals, currency, expected):
    assert decimal_text(Decimal(value), decimals, Unit.MONEY, currency) == expected


def test_the_words_of_a_unit_are_its_label_or_days():
    assert unit_words(Unit.DAYS, "") == "days"
    assert unit_words(Unit.DAYS, "working days") == "working days"
    assert unit_words(Unit.SCORE, "") == unit_words(Unit.MONEY, "") == unit_words(Unit.PERCENT, "") == ""
    assert unit_words(Unit.MONEY, "per child") == "per child"
    assert range_text(Decimal(-5), Decimal(1000), Unit.MONEY, "£") == "between -£5 and £1,000"
