"""Periods and days as people type them: read where they can mean one thing, asked about where they can mean two.

The words are data (`layouts/words.csv`); what is longer than any of these is not looked at.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date

from cypp_etl.caching import remembered
from cypp_etl.intake.values import read_date, read_text
from cypp_etl.layout import normalise_heading, read_words
from cypp_etl.periods import LAST_PERIOD, Period, period_or_none
from cypp_etl.phrases import date_text, in_list
from cypp_etl.workbook.model import Cell, CellKind

_LONGEST = 80
_CENTURY = 2000
_DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212/", "-"))
_TOKEN = re.compile(r"\d+(?:\.\d+)*|[^\W\d_]+|-")
_PARTING = re.compile(r"[ -]*-[ -]*")

# Days in digits, in the order of this country, and in that of the standard.
_DAY_FIRST = re.compile(r"(?<![\d.-])(\d{1,2})[.-](\d{1,2})[.-](\d{4}|\d{2})(?![\d.])(?!-\d)", re.ASCII)
_YEAR_FIRST = re.compile(r"(?<![\d.-])(\d{4})-(\d{1,2})-(\d{1,2})(?![\d.])(?!-\d)", re.ASCII)

# In a text of known words `q` is the word quarter, `e` the word ending, `m4` April, and `-` whatever parts two.
_YEARS = re.compile(r"(?<!\d)(\d{4}|\d{2})-(\d{4}|\d{2})(?!\d)")
_ENDS_WITH_MONTH = re.compile(r"m\d{1,2} \Z")
_QUARTER = re.compile(r"\bq[ -]?([1-4])(?!\d)|(?<!\d)([1-4])[ -]?q\b")
_LIST = re.compile(r"m(\d+)[ -]m(\d+)[ -]m(\d+)")
_RANGE = re.compile(r"(?:(?<![\d])(\d{1,2}) )?m(\d+)(?:[ -](\d{4}|\d{2}))?-(?:(\d{1,2}) )?m(\d+)")
_QUARTER_END = re.compile(r"(?:\bq e\b|\bq-|\be\b)[ -]?(?:(\d{1,2}) )?m(\d+)")
_ONE_YEAR = re.compile(r"\d{4}|\d{2}")
_DAY = re.compile(r"(\d{1,2}) ?m(\d+) ?(\d{4}|\d{2})|m(\d+) (\d{1,2}) (\d{4})")

_FIRST_MONTHS = {4: 1, 7: 2, 10: 3, 1: 4}
_LAST_DAYS = {3: "31", 6: "30", 9: "30", 12: "31"}
_APRIL, _MARCH = 4, 3


@dataclass(frozen=True, slots=True)
class PeriodReading:
    """What a cell says of a period: the period, or the code of the finding that says why there is none.

    `words` fill in the finding.
    """

    period: Period | None = None
    trouble: str = ""
    words: dict[str, str] = field(default_factory=dict)


def read_period(cell: Cell | None) -> PeriodReading:
    """Read a cell where a period belongs."""
    typed = read_text(cell)
    if cell is None or not typed:
        return PeriodReading()
    if cell.kind is CellKind.DATE:
        return _read_dated(cell)
    meanings = periods_meant(typed)
    if len(meanings) == 1:
        return PeriodReading(meanings[0])
    if meanings:
        labels = in_list([period.label for period in meanings], "or")
        return PeriodReading(trouble="period-ambiguous", words={"meanings": labels})
    return PeriodReading(trouble="period-is-number" if cell.kind is CellKind.NUMBER else "period-unreadable")


def _read_dated(cell: Cell) -> PeriodReading:
    """A date, which Excel makes of `2010-11`, the first of November, and of `10/11`, the tenth."""
    day = read_date(cell)
    if day is None:
        # A time of day is no number to anybody.
        return PeriodReading(trouble="period-unreadable" if ":" in read_text(cell) else "period-is-number")
    made_of = "what was typed"
    if day.day == 1 and (day.year + 1) % 100 == day.month:
        made_of = f"{day.year}-{day.month:02}"
    elif day.day + 1 == day.month:
        made_of = f"{day.day:02}/{day.month:02}"
    return PeriodReading(trouble="period-is-date", words={"made_of": made_of, "day": date_text(day)})


@remembered
def periods_meant(text: str) -> tuple[Period, ...]:
    """Every period that a text can mean, in order: none, the one that it says, or those that have to be asked about.

    `Q1 2010/11`, `2010-11 Quarter 1`, `10/11 Q1`, `Apr-Jun 2010`, `April, May and June 2010`, `quarter ending 30 June
    2010` can mean one period; `Q1 2010` three, since neither whose first quarter nor which year is said.
    """
    if (period := period_or_none(text)) is not None:
        return (period,)
    known = _known_words(text) if len(text) <= _LONGEST else None
    meanings = set(_Said.of(known).meanings()) if known else set()
    return tuple(sorted(meaning for meaning in meanings if Period(1) <= meaning <= LAST_PERIOD))


def read_day(cell: Cell | None) -> date | None:
    """The day that a cell says, as a date or in words or digits; None where it says none."""
    if cell is None or bare_year(cell):
        return None
    if cell.kind is not CellKind.TEXT:
        return read_date(cell)
    text = read_text(cell)
    match = _DAY.fullmatch(_known_words(text) or "") if len(text) <= _LONGEST else None
    if match is None:
        return None
    day, month, year = (match[1], match[2], match[3]) if match[1] else (match[5], match[4], match[6])
    return _date(_year(year), int(month), int(day))


def bare_year(cell: Cell) -> str:
    """The year that was typed where a date belongs, empty where it was more: Excel takes it for a day long past."""
    is_number = cell.kind in (CellKind.NUMBER, CellKind.DATE) and isinstance(cell.value, float | int)
    year = f"{cell.value:.15g}" if is_number else ""
    return year if len(year) == 4 and year.isdecimal() else ""


def _known_words(text: str) -> str | None:
    """The text in the few words that periods are made of; None where it has others."""
    folded = unicodedata.normalize("NFKC", text).translate(_DASHES).casefold()
    folded = _YEAR_FIRST.sub(lambda match: _spelt(match[3], match[2], match[1]), folded)
    folded = _DAY_FIRST.sub(lambda match: _spelt(match[1], match[2], match[3]), folded)
    tokens = [_known_word(token) for token in _TOKEN.findall(folded)]
    if None in tokens:
        return None
    joined = " ".join(token for token in tokens if token)
    return _PARTING.sub("-", joined).strip("- ")


def _spelt(day: str, month: str, year: str) -> str:
    name = next((name for name, number in read_words()["month"].items() if number == str(int(month))), "no such month")
    return f" {day} {name} {year} "


def _known_word(typed: str) -> str | None:
    """A number or a word as patterns have it; empty for a word that says nothing, None for one that is not known."""
    if typed == "-" or (typed.isascii() and typed.isdecimal()):
        return typed
    word, words = normalise_heading(typed), read_words()
    if word in words["month"]:
        return f"m{words['month'][word]}"
    if word in words["number"]:
        return words["number"][word]
    signs = {"quarter": "q", "range": "-", "end": "e", "filler": ""}
    return next((sign for kind, sign in signs.items() if word in words[kind]), None)


@dataclass(slots=True)
class _Said:
    """What a text says of a period, in parts, each None where it does not say it; `rest` is what is no part.

    `months` are the first and the last month, `year` is one of the calendar, `first_year` that of the first month.
    """

    rest: str
    financial_year: int | None = None
    quarter: int | None = None
    months: tuple[int, int] | None = None
    first_year: int | None = None
    year: int | None = None

    @classmethod
    def of(cls, known: str) -> "_Said":
        """Take a text of known words apart."""
        said = cls(known)
        if match := _YEARS.search(said.rest):
            start, end = _year(match[1]), match[2]
            # In `1 April 2029 to 30 June 2029` there is no year 2029-30.
            is_day = said.rest.startswith(" m", match.end()) and _ENDS_WITH_MONTH.search(said.rest[: match.start()])
            if not is_day and end in (str(start + 1), str(start + 1)[-2:]):
                said.financial_year = start
                said._take(match)
        if match := _QUARTER.search(said.rest):
            said.quarter = int(match[1] or match[2])
            said._take(match)
        said._take_months()
        if _ONE_YEAR.fullmatch(said.rest):
            said.year, said.rest = _year(said.rest), ""
        return said

    def _take(self, match: re.Match[str]) -> None:
        rest = f"{self.rest[: match.start()]} {self.rest[match.end() :]}"
        self.rest = _PARTING.sub("-", " ".join(rest.split())).strip("- ")

    def _take_months(self) -> None:
        if match := _LIST.search(self.rest):
            first, middle, last = (int(month) for month in match.groups())
            if (middle, last) == (first + 1, first + 2):
                self.months = first, last
                self._take(match)
        elif match := _RANGE.search(self.rest):
            first, last = int(match[2]), int(match[5])
            if match[1] in (None, "1", "01") and match[4] in (None, _LAST_DAYS.get(last)):
                self.months, self.first_year = (first, last), _year(match[3]) if match[3] else None
                self._take(match)
        elif match := _QUARTER_END.search(self.rest):
            last = int(match[2])
            is_quarters = match[0].startswith("q") or self.quarter is not None
            if is_quarters and last % 3 == 0 and match[1] in (None, _LAST_DAYS.get(last)):
                self.months = last - 2, last
                self._take(match)

    def meanings(self) -> list[Period]:
        """The periods that the parts can mean together."""
        if self.rest or (self.financial_year is not None and (self.year or self.first_year) is not None):
            return []
        if self.months is not None:
            return self._meanings_of_months(*self.months)
        if self.financial_year is not None:
            return [Period(self.financial_year, self.quarter or 0)]
        if self.year is None:
            return []
        years = [Period(self.year - 1), Period(self.year)]
        if self.quarter is None:
            return years
        # Of the financial year that begins or ends then, or of the calendar's.
        of_calendar = _quarter_from({1: 1, 2: 4, 3: 7, 4: 10}[self.quarter], self.year)
        return [*(year._replace(quarter=self.quarter) for year in years), of_calendar]

    def _meanings_of_months(self, first: int, last: int) -> list[Period]:
        if (first, last) == (_APRIL, _MARCH) and self.quarter is None:
            return self._meanings_of_whole_year()
        if first not in _FIRST_MONTHS or last != first + 2:
            return []
        if self.financial_year is not None:
            meant = Period(self.financial_year, _FIRST_MONTHS[first])
        elif self.year is not None and self.first_year in (None, self.year):
            meant = _quarter_from(first, self.year)
        else:
            return []
        # Months and a quarter that contradict each other have to be asked about.
        return [meant] if self.quarter in (None, meant.quarter) else [meant, meant._replace(quarter=self.quarter)]

    def _meanings_of_whole_year(self) -> list[Period]:
        if self.financial_year is not None:
            return [Period(self.financial_year)]
        if self.year is None:
            return []
        if self.first_year is None:
            return [Period(self.year - 1), Period(self.year)]
        return [Period(self.first_year)] if self.year == self.first_year + 1 else []


def _quarter_from(first_month: int, year: int) -> Period:
    """The quarter that begins with a month of a year of the calendar."""
    return Period(year - (first_month < _APRIL), _FIRST_MONTHS[first_month])


def _year(digits: str) -> int:
    """A year by four digits, or by the last two of this century."""
    return int(digits) if len(digits) == 4 else _CENTURY + int(digits)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
