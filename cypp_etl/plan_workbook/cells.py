"""A cell of a plan's workbook as the text that a CSV file would have, and what a spreadsheet has made of it.

What can mean one thing only is read, with a note that says how; what can mean two is a fault that says what to type.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from cypp_etl.intake.typed_periods import bare_year, periods_meant, read_day, read_period
from cypp_etl.intake.values import as_typed, is_time, read_date, read_figure
from cypp_etl.layout import normalise_heading, read_words
from cypp_etl.phrases import date_text, in_list, quoted
from cypp_etl.workbook.model import Cell, CellKind
from cypp_etl.workbook.values import serial_of
from schemas.codes import Unit
from schemas.plan import YES_NO, Column, ColumnKind, is_date, is_period

_TYPED_DAY = re.compile(r"(\d{1,2})\s*[-./]\s*(\d{1,2})\s*[-./]\s*(\d{4})", re.ASCII)
_MONTH_OF_YEAR = re.compile(r"([^\W\d_]+)[-. ](\d\d)")
_EIGHT_DIGITS = re.compile(r"(\d{4})(\d\d)(\d\d)", re.ASCII)
# A format that only adds zeros in front, as for codes of three digits.
_ZEROS = re.compile("0+")
_DECEMBER = 12
_AS_TEXT = "with an apostrophe in front, which keeps it as it is typed"
# Between the years of 1980 and of 2100, as days of the 1900 system.
_LIKELY_DAYS = range(int(serial_of(date(1980, 1, 1))), int(serial_of(date(2101, 1, 1))))


@dataclass(frozen=True, slots=True)
class CellText:
    """What a cell says: its text, with a fault in it, or a note on how it was read."""

    text: str
    fault: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Around:
    """What a cell may be understood by: the codes that the workbook has as text, without zeros in front, and its row.

    `unit` is that of the indicator in the row.
    """

    codes: Mapping[str, Sequence[str]]
    unit: str = ""


def cell_text(cell: Cell, column: Column, around: Around) -> CellText:
    """What a cell of a column says."""
    shown = as_typed(cell).strip()
    if cell.is_formula:
        return CellText(shown, "the cell holds a formula, whose result may change: type its value")
    if cell.kind is CellKind.ERROR:
        return _fault(shown, "is an error: type what belongs here, or clear it")
    return _text_of_kind(cell, shown, column, around)


def _text_of_kind(cell: Cell, shown: str, column: Column, around: Around) -> CellText:
    match column.kind:
        case ColumnKind.DATE:
            return _day_text(cell, shown)
        case ColumnKind.PERIOD:
            return _period_text(cell, shown)
        case ColumnKind.NUMBER | ColumnKind.PERCENT | ColumnKind.FIGURE:
            return _number_text(cell, shown, column.kind, around.unit)
        case ColumnKind.CHOICE:
            return _choice_text(cell, shown, column)
        case ColumnKind.CODE | ColumnKind.TEXT:
            return _plain_text(cell, shown, column.kind, around.codes)


def _plain_text(cell: Cell, shown: str, kind: ColumnKind, codes: Mapping[str, Sequence[str]]) -> CellText:
    if cell.kind is CellKind.DATE:
        return _fault(shown, f"is {_the_day(cell)}, which Excel makes of other things: type it again, {_AS_TEXT}")
    if kind is ColumnKind.CODE and cell.kind is CellKind.NUMBER:
        return _code_text(cell, shown, codes)
    return CellText(shown)


def _the_day(cell: Cell) -> str:
    if is_time(cell):
        return "a time"
    day = read_date(cell)
    return f"a date, {date_text(day)}" if day else "a date beyond the calendar"


def _day_text(cell: Cell, shown: str) -> CellText:
    if not shown or (cell.kind is CellKind.TEXT and is_date(shown)):
        return CellText(shown)
    if year := bare_year(cell):
        return _fault(year, f"is a year alone: type a date such as {year}-03-31")
    if cell.kind is CellKind.DATE:
        day = read_date(cell)
        what = "a time" if is_time(cell) else "no day of the calendar"
        return CellText(day.isoformat()) if day else _fault(shown, f"is {what}: type a date such as 2011-03-31")
    if (typed := _EIGHT_DIGITS.fullmatch(shown)) and is_date("-".join(typed.groups())):
        return _read_as(shown, "-".join(typed.groups()))
    if cell.kind is CellKind.NUMBER:
        return _fault(shown, f"is a number{_as_day(cell)}: type a date such as 2011-03-31")
    return _typed_day(cell, shown)


def _as_day(cell: Cell) -> str:
    """What a number is where it is taken for a day, if that is likely."""
    if not isinstance(cell.value, float | int) or int(cell.value) not in _LIKELY_DAYS:
        return ""
    day = read_date(cell._replace(kind=CellKind.DATE))
    return f", which as a day is {date_text(day)}" if day else ""


def _typed_day(cell: Cell, shown: str) -> CellText:
    """A day in words, or in digits that can be a day of one month only."""
    typed = _TYPED_DAY.fullmatch(shown)
    if typed and max(int(typed[1]), int(typed[2])) <= _DECEMBER and int(typed[1]) != int(typed[2]):
        first, second, year = int(typed[1]), int(typed[2]), typed[3]
        days = f"{year}-{second:02}-{first:02} or {year}-{first:02}-{second:02}"
        return _fault(shown, f"can mean two days: type {days}")
    if day := read_day(cell):
        return _read_as(shown, day.isoformat())
    if typed and is_date(written := f"{typed[3]}-{int(typed[1]):02}-{int(typed[2]):02}"):
        return _read_as(shown, written)
    return CellText(shown)


def _period_text(cell: Cell, shown: str) -> CellText:
    if not shown or is_period(shown):
        return CellText(shown)
    if cell.kind is CellKind.DATE:
        return _dated_period(cell, shown)
    if cell.kind is CellKind.NUMBER:
        day = _as_day(cell)
        return _fault(shown, f"is a number{day}: type a period such as 2010-11 or 2010-11Q1, {_AS_TEXT}")
    meant = [period.code for period in periods_meant(shown)]
    if len(meant) > 1:
        return _fault(shown, f"can mean {in_list(meant, 'or')}: type one of them")
    if meant or (meant := _year_of_month(shown)):
        return _read_as(shown, meant[0])
    return CellText(shown)


def _dated_period(cell: Cell, shown: str) -> CellText:
    """A date, which Excel makes of `2010-11`: one that shows `Nov-10`, without a day, can be nothing else."""
    day, made_of = read_date(cell), read_period(cell).words.get("made_of", "")
    is_month = "d" not in cell.number_format.casefold()
    if is_period(made_of) and is_month and day is not None:
        return _read_as(f"{day:%b-%y}", made_of)
    hint = f", which Excel makes of {made_of}" if is_period(made_of) else ""
    example = made_of if is_period(made_of) else "2010-11 or 2010-11Q1"
    return _fault(shown, f"is {_the_day(cell)}{hint}: type a period such as {example}, {_AS_TEXT}")


def _year_of_month(shown: str) -> list[str]:
    """The year that was `2010-11` before a spreadsheet saved it as `Nov-10`; empty for any other text."""
    found = _MONTH_OF_YEAR.fullmatch(shown)
    month = read_words()["month"].get(normalise_heading(found[1])) if found else None
    written = f"20{found[2]}-{int(month):02}" if found and month else ""
    return [written] if is_period(written) else []


def _number_text(cell: Cell, shown: str, kind: ColumnKind, unit: str) -> CellText:
    if cell.kind is CellKind.DATE:
        return _fault(shown, f"is {_the_day(cell)}, which Excel makes of numbers: type the number again")
    # What currency a format shows is checked with the figure's indicator, as is one that is typed.
    if kind is ColumnKind.FIGURE and (currency := read_figure(cell).currency):
        return CellText(f"{currency}{shown}")
    # A figure may have the sign: whether it is one of percent is checked with its indicator.
    if not shown.endswith("%") or kind is ColumnKind.FIGURE:
        return CellText(shown)
    if kind is ColumnKind.PERCENT or unit == Unit.PERCENT:
        return CellText(shown.removesuffix("%").rstrip())
    if cell.kind is not CellKind.NUMBER:
        return CellText(shown)
    plain = f"{(Decimal(shown.removesuffix('%')) / 100).normalize():f}"
    return _fault(
        shown, f"is a percentage: type {shown.removesuffix('%')} or {plain}, whichever it is, as a plain number"
    )


def _choice_text(cell: Cell, shown: str, column: Column) -> CellText:
    if cell.kind is CellKind.BOOLEAN and column.choices == YES_NO:
        return _read_as(shown, YES_NO[0] if cell.value else YES_NO[1])
    if shown in column.choices:
        return CellText(shown)
    alike = [choice for choice in column.choices if choice.casefold() == " ".join(shown.split()).casefold()]
    return _read_as(shown, alike[0]) if alike else CellText(shown)


def _code_text(cell: Cell, shown: str, codes: Mapping[str, Sequence[str]]) -> CellText:
    """A number in place of a code: a spreadsheet drops zeros in front, and at the end after a point."""
    if shown.isdecimal() and _ZEROS.fullmatch(cell.number_format):
        return CellText(shown.zfill(len(cell.number_format)))
    known = codes.get(shown.lstrip("0"), ()) if shown.isdecimal() else ()
    if len(known) == 1:
        return CellText(known[0]) if known[0] == shown else _read_as(shown, known[0])
    meant = in_list([f"'{code}" for code in known], "or") if known else f"'{shown}, or '0{shown} if that is the code"
    return _fault(shown, f"is a number, which has lost any zeros in front: type {meant}, {_AS_TEXT}")


def _fault(shown: str, what: str) -> CellText:
    return CellText(shown, f"{quoted(shown)} {what}")


def _read_as(shown: str, text: str) -> CellText:
    return CellText(text, note=f"{quoted(shown)} is read as {text}")
