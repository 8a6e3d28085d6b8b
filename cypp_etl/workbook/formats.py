"""Interprets number formats: whether a value is shown as a percentage, with a currency, or as a date or time."""

import re
import unicodedata
from functools import lru_cache

GENERAL = "General"

# The codes behind the numbers below 164, which files do not spell out (ECMA-376 part 1, 18.8.30). Those from 27 to 36
# and from 50 to 58 are East Asian dates, which elsewhere are shown as plain dates or times.
BUILTIN_FORMATS: dict[int, str] = {
    0: GENERAL,
    1: "0",
    2: "0.00",
    3: "#,##0",
    4: "#,##0.00",
    5: '"$"#,##0_);("$"#,##0)',
    6: '"$"#,##0_);[Red]("$"#,##0)',
    7: '"$"#,##0.00_);("$"#,##0.00)',
    8: '"$"#,##0.00_);[Red]("$"#,##0.00)',
    9: "0%",
    10: "0.00%",
    11: "0.00E+00",
    12: "# ?/?",
    13: "# ??/??",
    14: "mm-dd-yy",
    15: "d-mmm-yy",
    16: "d-mmm",
    17: "mmm-yy",
    18: "h:mm AM/PM",
    19: "h:mm:ss AM/PM",
    20: "h:mm",
    21: "h:mm:ss",
    22: "m/d/yy h:mm",
    37: "#,##0_);(#,##0)",
    38: "#,##0_);[Red](#,##0)",
    39: "#,##0.00_);(#,##0.00)",
    40: "#,##0.00_);[Red](#,##0.00)",
    41: r'_(* #,##0_);_(* \(#,##0\);_(* "-"_);_(@_)',
    42: r'_("$"* #,##0_);_("$"* \(#,##0\);_("$"* "-"_);_(@_)',
    43: r'_(* #,##0.00_);_(* \(#,##0.00\);_(* "-"??_);_(@_)',
    44: r'_("$"* #,##0.00_)_("$"* \(#,##0.00\)_("$"* "-"??_)_(@_)',
    45: "mm:ss",
    46: "[h]:mm:ss",
    47: "mmss.0",
    48: "##0.0E+0",
    49: "@",
    **dict.fromkeys((*range(27, 32), 36, *range(50, 55), 57, 58), "m/d/yyyy"),
    **dict.fromkeys((32, 33, 34, 35, 55, 56), "h:mm:ss"),
}

# Literal text (quoted, escaped, padding, fill) or a colour, a condition or a locale; elapsed time in
# brackets, such as [h], is none of these. An unclosed quote or bracket extends to the end.
_LITERAL = re.compile(r'"[^"]*(?:"|$)|[\\_*].|\[(?!(?:h+|m+|s+)\])[^\]]*(?:\]|$)', re.IGNORECASE | re.DOTALL)
# The dollars of these are the currency of whoever opens the file: only its country's Excel knows which.
_OF_ANY_COUNTRY = frozenset(BUILTIN_FORMATS[number] for number in (*range(5, 9), 42, 44))
_CURRENCY = re.compile(r"\[\$([^\]-]+)")
_NOT_SHOWN = re.compile(r"[_*].|\[[^\]]*(?:\]|$)", re.DOTALL)
_QUOTED = re.compile(r'"([^"]*)"')
_CURRENCY_SYMBOLS = "Sc"
_DATE_PART = re.compile(r"[dmyhs]", re.IGNORECASE)
_CALENDAR_PART = re.compile(r"[dy]|mmm", re.IGNORECASE)


def _without_literals(number_format: str) -> str:
    return _LITERAL.sub("", number_format)


@lru_cache(maxsize=4096)
def is_percent(number_format: str) -> bool:
    """Whether a value is shown times a hundred: `0.0%` is, `0.0"%"` only looks like it."""
    return "%" in number_format and "%" in _without_literals(number_format)


@lru_cache(maxsize=4096)
def is_date(number_format: str) -> bool:
    """Whether a number is shown as a date, a time of day or an elapsed time."""
    return number_format != GENERAL and _DATE_PART.search(_without_literals(number_format)) is not None


@lru_cache(maxsize=4096)
def has_calendar(number_format: str) -> bool:
    """Whether a date format shows a day, month or year, not only hours and minutes."""
    return is_date(number_format) and _CALENDAR_PART.search(_without_literals(number_format)) is not None


@lru_cache(maxsize=4096)
def shown_currency(number_format: str) -> str:
    """The currency that stands beside a number: its symbol, or the code that the format has; empty where none is said.

    A word in quotation marks is no currency, since it may be any other, unless it has a symbol: `"A$"`.
    """
    if number_format == GENERAL or number_format in _OF_ANY_COUNTRY:
        return ""
    if stated := _CURRENCY.search(number_format):
        return stated[1].strip()
    shown = _NOT_SHOWN.sub("", number_format)
    texts = [*_QUOTED.findall(shown), *_QUOTED.sub("", shown)]
    return next((text.strip() for text in texts if _has_symbol(text)), "")


def _has_symbol(text: str) -> bool:
    return any(unicodedata.category(one) == _CURRENCY_SYMBOLS for one in text)
