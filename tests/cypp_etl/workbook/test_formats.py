import pytest
from openpyxl.styles.numbers import BUILTIN_FORMATS as OPENPYXL_FORMATS

from cypp_etl.workbook.formats import BUILTIN_FORMATS, has_calendar, is_date, is_percent, shown_currency


@pytest.mark.parametrize(
    ("number_format", "expected"),
    [
        ("0%", True),
        ("0.0%", True),
        ("[>=1]0;0.0%", True),
        ("[Red]0%", True),
        ("0.0 %;[Red]-0.0 %", True),
        ('0.0"%"', False),
        ('0.0"%', False),
        (r"0.0\%", False),
        ("0.0_%", False),
        ("0*%", False),
        ("[$%-809]0", False),
        ("General", False),
        ("", False),
    ],
)
def test_percent_is_told_by_the_format_alone(number_format: str, expected: bool) -> None:
    assert is_percent(number_format) is expected


@pytest.mark.parametrize(
    ("number_format", "expected"),
    [
        ("dd/mm/yyyy", True),
        ("[$-809]dd mmmm yyyy;@", True),
        ("[h]:mm", True),
        ("[ss].00", True),
        ("h:mm AM/PM", True),
        ("YYYY-MM-DD", True),
        ("General", False),
        ("0.00E+00", False),
        ('0 "days"', False),
        (r"0 \d\a\y\s", False),
        ("[Red]0.0", False),
        ("[Yellow]0;[Magenta]0", False),
        ("[$USD] #,##0", False),
        ("_d0", False),
        ("@", False),
        ("", False),
    ],
)
def test_dates_are_told_by_the_format_alone(number_format: str, expected: bool) -> None:
    assert is_date(number_format) is expected


def test_only_dates_with_a_day_month_or_year_have_an_epoch() -> None:
    assert has_calendar("d mmm")
    assert has_calendar("mmm")
    assert not has_calendar("h:mm:ss")
    assert not has_calendar("[h]:mm")
    assert not has_calendar("0.0")


def test_builtin_formats_mean_what_openpyxl_takes_them_to_mean() -> None:
    for number, theirs in OPENPYXL_FORMATS.items():
        assert is_percent(BUILTIN_FORMATS[number]) is is_percent(theirs)
        assert is_date(BUILTIN_FORMATS[number]) is is_date(theirs)


@pytest.mark.parametrize(
    ("number_format", "expected"),
    [
        ("£#,##0", "£"),
        ('"£"#,##0.00;-"£"#,##0.00', "£"),
        ("[$£-809]#,##0.00", "£"),
        ("[$£-en-GB]#,##0", "£"),
        ("[$GBP] #,##0", "GBP"),
        (r"_-[$€-2]\ * #,##0.00_-;\-[$€-2]\ * #,##0.00_-", "€"),
        ('_-"£"* #,##0_-', "£"),
        ('"A$"#,##0', "A$"),
        ("\\$#,##0", "$"),
        # Space as wide as a sign is no sign, a locale no currency, and a word may be anything.
        ("_£#,##0", ""),
        ("[$-809]#,##0", ""),
        ('#,##0 "per child"', ""),
        ("#,##0.00", ""),
        ("General", ""),
        # Excel shows the currency of its own country for these.
        (BUILTIN_FORMATS[44], ""),
        (BUILTIN_FORMATS[5], ""),
    ],
)
def test_the_currency_of_a_format(number_format: str, expected: str) -> None:
    assert shown_currency(number_format) == expected
