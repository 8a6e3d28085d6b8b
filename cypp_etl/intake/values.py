"""From a cell to a value: the one place where what was typed becomes a figure, a marker or a problem, never a guess."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import cache, lru_cache

from cypp_etl.caching import remembered
from cypp_etl.decimals import decimals_of
from cypp_etl.workbook.formats import has_calendar, is_date, is_percent, shown_currency
from cypp_etl.workbook.model import Cell, CellKind
from schemas.codes import Marker, Qualifier
from schemas.markers import MarkerSpelling, read_markers

_NUMBER = re.compile(r"([-+]?)(\d{1,3}(?:,\d{3})+|\d+)?(\.\d+)?\s?(%?)", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+\s?%?", re.ASCII)
_BOUND = re.compile(r"[<>\u2264\u2265]=?\s*[-+]?[\d.,]+\s?%?")
_SHOWN_DECIMALS = re.compile(r"\.(0+)")
# A longer text is not searched for suffixes: each search scans all of it.
_LONGEST_WITH_SUFFIX = 200
_DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2212"
_EXCEL_EPOCH = date(1899, 12, 30)
_LAST_SERIAL = 2_958_465  # 31 December 9999, where Excel's calendar ends

# The problems of cells that have neither a number nor a text.
_TROUBLES = {
    CellKind.DATE: "date-not-number",
    CellKind.ERROR: "error-value",
    CellKind.BLANK: "formula-not-calculated",
}

_NUMBERS = (float, int)

# A trillion, the largest figure that judgements can hold exactly with six decimals.
TOO_LARGE = Decimal(10) ** 12
"""The smallest size that no figure may have."""
_FIFTEEN_DIGITS = Context(prec=15, rounding=ROUND_HALF_UP)
_ZERO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a cell says.

    `value` is as displayed: 71.0 for a cell that shows 71.0%, with `is_percent` set. A blank has
    neither value, marker nor trouble. `trouble` is the code of a finding; there is no value with it, unless the
    finding is only a NOTE. `currency` is that which the cell's number format shows, as a symbol or a code.
    """

    typed: str = ""
    value: Decimal | None = None
    marker: Marker | None = None
    qualifiers: frozenset[Qualifier] = frozenset()
    is_percent: bool = False
    trouble: str = ""
    currency: str = ""

    @property
    def is_blank(self) -> bool:
        """Whether nothing was typed."""
        return not self.typed and not self.trouble

    @property
    def is_bare_qualifier(self) -> bool:
        """Whether there is a qualifier such as [p] without a figure that it could qualify."""
        return bool(self.qualifiers) and self.value is None and self.marker is None and not self.trouble


BLANK = Reading()


def read_figure(cell: Cell | None) -> Reading:
    """Read a cell that should have a figure or a marker."""
    if cell is None:
        return BLANK
    kind, value = cell.kind, cell.value
    if kind is CellKind.NUMBER and isinstance(value, _NUMBERS):
        # As `_read_number` says, without its call: most cells are such.
        return _read_known(value, cell.number_format) if value else _read_number(value, cell.number_format)
    if value is None and not cell.is_formula:
        return BLANK
    if kind is CellKind.TEXT:
        return _read_text(str(value))
    return Reading(as_typed(cell), trouble=_TROUBLES.get(cell.kind, "not-a-figure"))


def read_text(cell: Cell | None) -> str:
    """A cell as text, trimmed; a whole number without its decimal point, a date as 2010-12-31."""
    if cell is None:
        return ""
    # Most cells have text, and most checks use cells as text.
    return (cell.value if isinstance(cell.value, str) else as_typed(cell)).strip()


def read_date(cell: Cell | None) -> date | None:
    """The date of a date cell, or None if it is not in the calendar, or a time without one."""
    if cell is None or cell.kind is not CellKind.DATE or not isinstance(cell.value, float | int):
        return None
    if not 0 <= cell.value <= _LAST_SERIAL or is_time(cell):
        return None
    return _EXCEL_EPOCH + timedelta(days=int(cell.value))


def as_typed(cell: Cell) -> str:
    """The cell as people see it: `71.0%` for 0.71 formatted as percent, `15.20` for 15.2 as 0.00, `12:00` for 0.5."""
    value = cell.value
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, bool):
        return str(value).upper()
    if day := read_date(cell):
        return str(day)
    if is_time(cell):
        return _time_text(value)
    return _read_number(value, cell.number_format).typed


def is_time(cell: Cell) -> bool:
    """Whether a date cell holds a time of day, or an elapsed time: days begin at 1, and a format may show none."""
    serial, number_format = cell.value, cell.number_format
    if cell.kind is not CellKind.DATE or not isinstance(serial, float | int) or not 0 <= serial <= _LAST_SERIAL:
        return False
    return serial < 1 or (is_date(number_format) and not has_calendar(number_format))


def _time_text(serial: float) -> str:
    """Hours and minutes, which may be those of several days, and the seconds where there are some."""
    minutes, seconds = divmod(round(serial * 86_400), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}" + (f":{seconds:02}" if seconds else "")


def _read_number(value: float, number_format: str) -> Reading:
    # Two zeros are equal, and only one has a sign.
    return _read_known(value, number_format) if value else _read_digits(f"{value:.15g}", number_format)


# The same cell is read as a text and as a figure, and populations repeat every quarter.
@lru_cache(maxsize=16_384)
def _read_known(value: float, number_format: str) -> Reading:
    return _read_digits(f"{value:.15g}", number_format)


@lru_cache(maxsize=1024)
def _read_digits(digits: str, number_format: str) -> Reading:
    """Read a number by its first 15 digits, as many as Excel shows, so that 0.1+0.2 is 0.3."""
    percent = is_percent(number_format)
    number = Decimal(digits) * (100 if percent else 1)
    shown, decimals = _SHOWN_DECIMALS.search(number_format), decimals_of(number)
    typed = f"{number:.{max(len(shown[1]) if shown else 0, decimals)}f}" + ("%" if percent else "")
    if abs(number) >= TOO_LARGE:
        return Reading(typed, trouble="figure-too-large")
    return Reading(typed, number, is_percent=percent, currency=shown_currency(number_format))


@remembered
def _read_text(text: str) -> Reading:
    cleaned = "".join(" " if character.isspace() else character for character in text if character not in _ZERO_WIDTH)
    trimmed = cleaned.strip()
    if not trimmed:
        return BLANK
    body, qualifiers = _split_suffixes(trimmed)
    marker = _marker_of(body)
    if marker is not None:
        return Reading(text, marker=marker.marker, qualifiers=qualifiers | _as_set(marker.qualifier))
    number = _number_of(body)
    if number is None:
        return Reading(text, trouble=_trouble_of(body))
    if abs(number) >= TOO_LARGE:
        return Reading(text, trouble="figure-too-large")
    stray = "stray-spaces" if cleaned != trimmed or text != cleaned else ""
    return Reading(text, number, qualifiers=qualifiers, is_percent=body.endswith("%"), trouble=stray)


def _number_of(text: str) -> Decimal | None:
    match = _NUMBER.fullmatch(text.replace("\u2212", "-"))
    if match is None or not (match[2] or match[3]):
        return None
    # Fifteen digits, as for a typed number: more would not survive the warehouse's doubles.
    return _FIFTEEN_DIGITS.create_decimal(match[1] + (match[2] or "0").replace(",", "") + (match[3] or ""))


def _trouble_of(text: str) -> str:
    """Identify the problem of a text that is neither a number nor a marker."""
    if _BOUND.fullmatch(text):
        return "number-with-bound"
    if any(character.isdigit() and not character.isascii() for character in text):
        return "unusual-digits"
    if _DECIMAL_COMMA.fullmatch(text):
        return "decimal-comma"
    return "text-with-digits" if any(c.isdigit() for c in text) else "not-a-figure"


def _split_suffixes(text: str) -> tuple[str, frozenset[Qualifier]]:
    """Split a figure from suffixes such as [p]; a suffix alone is kept, because it may be a marker."""
    qualifiers: set[Qualifier] = set()
    if len(text) > _LONGEST_WITH_SUFFIX:
        return text, frozenset()
    while text.endswith("]") and (start := text.rfind("[")) > 0:
        spelling = _marker_of(text[start:])
        if spelling is None or spelling.qualifier is None:
            break
        qualifiers.add(spelling.qualifier)
        text = text[:start].rstrip()
    return text, frozenset(qualifiers)


def _marker_of(text: str) -> MarkerSpelling | None:
    if len(text) == 1 and text in _DASHES:
        text = "-"
    return _markers().get("".join(text.split()).casefold())


@cache
def _markers() -> dict[str, MarkerSpelling]:
    """The markers in the form in which they are compared: case- and whitespace-insensitive."""
    return {"".join(known.spelling.split()).casefold(): known for known in read_markers()}


def _as_set(qualifier: Qualifier | None) -> frozenset[Qualifier]:
    return frozenset() if qualifier is None else frozenset((qualifier,))
