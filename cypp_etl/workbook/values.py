"""Converts a cell's `<v>`, with its type, to a value."""

from datetime import date, datetime, time, timedelta
from sys import float_info

from cypp_etl.workbook.model import CellKind
from cypp_etl.workbook.styles import Style

Value = tuple[CellKind, float | str | bool | None]

_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - a workbook's dates have no time zone
_LAST_DAY_BEFORE_THE_MISTAKE = 60
_ONE_DAY = timedelta(days=1)
_BOOLEANS = {"0": False, "1": True, "false": False, "true": True}
_LARGEST = float_info.max


def is_finite(number: float) -> bool:
    """Whether a cell can hold a number: not `nan` or an infinity."""
    return -_LARGEST <= number <= _LARGEST


def number_value(raw: str, style: Style) -> Value:
    """A number or a date, in days of the 1900 system; an error if Excel could not have written it.

    Python also reads `1_000`, full-width digits, `nan` and `inf` as numbers.
    """
    try:
        number = float(raw)
    except ValueError:
        return (CellKind.ERROR, raw) if raw.strip() else (CellKind.BLANK, None)
    if not -_LARGEST <= number <= _LARGEST or not raw.isascii() or "_" in raw:
        return CellKind.ERROR, raw
    return style.kind, number + style.shift


def boolean_value(raw: str, _style: Style) -> Value:
    """A boolean, stored as 0 or 1."""
    if not raw:
        return CellKind.BLANK, None
    value = _BOOLEANS.get(raw.strip())
    return (CellKind.ERROR, raw) if value is None else (CellKind.BOOLEAN, value)


def error_value(raw: str, _style: Style) -> Value:
    """An error code such as `#DIV/0!`, or the content of a cell of an unknown type."""
    return CellKind.ERROR, raw


def iso_date_value(raw: str, _style: Style) -> Value:
    """An ISO 8601 date, as the strict standard allows."""
    if not raw:
        return CellKind.BLANK, None
    try:
        moment = _moment(raw.strip())
    except ValueError:
        return CellKind.ERROR, raw
    return CellKind.DATE, serial_of(moment)


def _moment(raw: str) -> datetime:
    if "-" in raw:
        return datetime.fromisoformat(raw).replace(tzinfo=None)
    return datetime.combine(_EPOCH, time.fromisoformat(raw).replace(tzinfo=None))


def serial_of(moment: datetime | date | time) -> float:
    """A date and time in days of the 1900 system, which treats 1900 as a leap year."""
    if isinstance(moment, time):
        moment = datetime.combine(_EPOCH, moment)
    elif not isinstance(moment, datetime):
        moment = datetime.combine(moment, time())
    days = (moment - _EPOCH) / _ONE_DAY
    return days - 1 if 1 < days <= _LAST_DAY_BEFORE_THE_MISTAKE else days
