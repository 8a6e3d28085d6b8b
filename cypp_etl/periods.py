"""Reporting periods: a financial year (April to March) or a quarter of it."""

import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from schemas.codes import YearType

_PERIOD = re.compile(r"\s*+(\d{4})\s*+[-/\u2013]\s*+(\d{2}|\d{4})\s*+(?:-?\s*+Q\s*+([1-4]))?\s*+", re.IGNORECASE)


class Period(NamedTuple):
    """A financial year, or a quarter of it.

    `quarter` is 1 to 4, or 0 for the whole year. Periods sort by year, the whole year first. A tuple, because it is
    used for lookups: it is hashed in a fifth of the time of a frozen dataclass.
    """

    start_year: int
    quarter: int = 0

    @property
    def financial_year(self) -> str:
        """The year's code, such as `2010-11`."""
        return f"{self.start_year}-{(self.start_year + 1) % 100:02}"

    @property
    def code(self) -> str:
        """The code of the period in storage, such as `2010-11` or `2010-11Q1`."""
        return _code(self)

    @property
    def label(self) -> str:
        """The label for people, such as `2010/11` or `2010/11 Q1`."""
        label = self.financial_year.replace("-", "/")
        return f"{label} Q{self.quarter}" if self.quarter else label

    @property
    def year(self) -> "Period":
        """The whole financial year that this period is, or is part of."""
        return Period(self.start_year)

    @property
    def first_day(self) -> date:
        """The day on which the period begins."""
        return date(self.start_year + (self.quarter == 4), {2: 7, 3: 10, 4: 1}.get(self.quarter, 4), 1)

    @property
    def last_day(self) -> date:
        """The day on which the period ends."""
        return _last_day(self)

    @property
    def order(self) -> int:
        """A number that sorts periods by their last day, a whole year after its quarters."""
        return 5 * self.start_year + (self.quarter or 5)

    @property
    def quarters(self) -> "tuple[Period, ...]":
        """The quarters of the period's financial year."""
        return tuple(Period(self.start_year, quarter) for quarter in range(1, 5))

    def years_later(self, years: int) -> "Period":
        """The same period of a later (or, with a negative number, an earlier) year."""
        return Period(self.start_year + years, self.quarter)

    @property
    def previous(self) -> "Period":
        """The period of the same length just before this one."""
        if self.quarter > 1:
            return Period(self.start_year, self.quarter - 1)
        return Period(self.start_year - 1, 4 if self.quarter else 0)

    @property
    def next(self) -> "Period":
        """The period of the same length just after this one."""
        if 0 < self.quarter < 4:
            return Period(self.start_year, self.quarter + 1)
        return Period(self.start_year + 1, 1 if self.quarter else 0)

    def __str__(self) -> str:
        return self.code


YEAR_LABELS: Mapping[YearType, str] = {
    YearType.FINANCIAL: "{label}",
    YearType.ACADEMIC: "academic year {label}",
    YearType.CALENDAR: "calendar year {start_year}",
}
"""What people read for a year of each type: `{label}` is such as 2010/11, `{start_year}` such as 2010.

The code of a year is that of the financial year that begins in it: 2010-11 is the academic year from September 2010 to
August 2011, and the calendar year 2010.
"""


def label_of(period: Period, year_type: YearType) -> str:
    """The label for people of a period of an indicator with such years; quarters are those of the financial year."""
    if period.quarter:
        return period.label
    return YEAR_LABELS[year_type].format(label=period.label, start_year=period.start_year)


def quarter_of(day: date) -> Period:
    """The quarter in which a day lies."""
    # January to March are the last quarter of the financial year that began the year before.
    return Period(day.year - (day.month <= 3), (day.month - 4) % 12 // 3 + 1)


LAST_PERIOD = Period(9998, 4)
"""Later than any period that will be returned, and the last one whose days are valid dates."""


@lru_cache(maxsize=4096)
def _code(period: Period) -> str:
    return period.financial_year + (f"Q{period.quarter}" if period.quarter else "")


@lru_cache(maxsize=4096)
def _last_day(period: Period) -> date:
    month, day = {1: (6, 30), 2: (9, 30), 3: (12, 31)}.get(period.quarter, (3, 31))
    return date(period.start_year + (month == 3), month, day)


@lru_cache(maxsize=4096)
def parse_period(text: str) -> Period:
    """Read a period's code or label: `2010-11`, `2010/11 Q1`, `2010-11q1`.

    Raises:
        ValueError: the text is not a period, or its two years are not consecutive.
    """
    match = _PERIOD.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a period such as 2010-11 or 2010-11Q1")
    start, end, quarter = match.groups()
    if (int(start) + 1) % 100 != int(end) % 100 or (len(end) == 4 and int(end) != int(start) + 1):
        raise ValueError(f"{text!r} is not a financial year: its second year must follow its first")
    return Period(int(start), int(quarter or 0))


def period_or_none(text: str) -> Period | None:
    """The period of a code or label, or None if the text is neither."""
    try:
        return parse_period(text)
    except ValueError:
        return None


def parse_year(text: str) -> Period:
    """Read a year as in headings: `09/10`, `2009/10`, `09-10`; two digits mean this century.

    Raises:
        ValueError: the text is not a financial year.
    """
    start, _, end = text.replace("-", "/").partition("/")
    return parse_period(f"{start if len(start) == 4 else '20' + start}-{end}")
