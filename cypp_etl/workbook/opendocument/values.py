"""Converts the attributes of an OpenDocument cell to its value and number format."""

import re
from collections.abc import Callable

from cypp_etl.workbook.formats import is_percent
from cypp_etl.workbook.limits import damaged
from cypp_etl.workbook.markup import Attributes
from cypp_etl.workbook.model import CellKind
from cypp_etl.workbook.opendocument.styles import OpenDocumentStyles
from cypp_etl.workbook.styles import GENERAL_STYLE, Style
from cypp_etl.workbook.values import Value, boolean_value, iso_date_value, number_value

_DURATION = re.compile(r"(-?)PT(\d{1,9})H(\d{1,9})M(\d{1,9}(?:\.\d{1,20})?)S", re.ASCII)
_MOST_DIGITS = 9
_PERCENTAGE = "percentage"
_PERCENT_FORMAT = "0%"


def value_of(attributes: Attributes, text: str) -> Value:
    """A cell's kind and value; `text` is its displayed text."""
    if attributes.get("calcext:value-type") == "error":
        return CellKind.ERROR, text
    read = _READERS.get(attributes.get("office:value-type", ""))
    if read is not None:
        attribute, value = read
        return value(attributes.get(attribute, ""), GENERAL_STYLE)
    said = attributes.get("office:string-value", text)
    # The result of a formula can be an empty text.
    is_text = bool(said) or ("table:formula" in attributes and "office:value-type" in attributes)
    return (CellKind.TEXT, said) if is_text else (CellKind.BLANK, None)


def number_format_of(attributes: Attributes, style: str, styles: OpenDocumentStyles) -> str:
    """A cell's number format, as in Excel: a value of type percentage is one, whatever its style says."""
    number_format = styles.number_format(style)
    is_percentage = attributes.get("office:value-type") == _PERCENTAGE
    return _PERCENT_FORMAT if is_percentage and not is_percent(number_format) else number_format


def count_of(attributes: Attributes, name: str) -> int:
    """A repetition or a span: 1 if it is missing."""
    digits = attributes.get(name, "1")
    if len(digits) > _MOST_DIGITS or not (digits.isascii() and digits.isdecimal()) or not int(digits):
        raise damaged("a count is not a number")
    return int(digits)


def _time_value(raw: str, _style: Style) -> Value:
    """A time or a duration such as `PT06H30M00S`, in days."""
    match = _DURATION.fullmatch(raw)
    if match is None:
        return CellKind.ERROR, raw
    days = (int(match[2]) + int(match[3]) / 60 + float(match[4]) / 3600) / 24
    return CellKind.DATE, -days if match[1] else days


# By cell type: the attribute with the value, and the function that reads it.
_READERS: dict[str, tuple[str, Callable[[str, Style], Value]]] = {
    "float": ("office:value", number_value),
    "currency": ("office:value", number_value),
    _PERCENTAGE: ("office:value", number_value),
    "date": ("office:date-value", iso_date_value),
    "time": ("office:time-value", _time_value),
    "boolean": ("office:boolean-value", boolean_value),
}
