"""Cell addresses as numbers: `C7` is row 7 and column 3; also both ends of `A1:C7`."""

import re

from cypp_etl.caching import remembered
from cypp_etl.workbook.limits import Limits, damaged

_MOST_DIGITS = 9
_ADDRESS = re.compile(r"\$?([A-Za-z]{1,3})\$?([0-9]{1,7})")


@remembered
def column_number(letters: str) -> int:
    """The number of a column that counts from 1: A is 1, AA is 27."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def parse_address(address: str, limits: Limits) -> tuple[int, int]:
    """The row and column of an address, which must be on the sheet."""
    match = _ADDRESS.fullmatch(address)
    if match is None:
        raise damaged("a cell has an invalid address")
    row, column = int(match[2]), column_number(match[1])
    if not (1 <= row <= limits.rows and column <= limits.columns):
        raise damaged("a cell has an address beyond the end of the sheet")
    return row, column


def parse_area(area: str, limits: Limits) -> tuple[int, int, int, int]:
    """The first row, first column, last row and last column of an area; a single cell is an area too."""
    first, _, last = area.partition(":")
    first_row, first_column = parse_address(first, limits)
    last_row, last_column = parse_address(last or first, limits)
    return (
        min(first_row, last_row),
        min(first_column, last_column),
        max(first_row, last_row),
        max(first_column, last_column),
    )


def whole_number(digits: str) -> int:
    """A count of rows, columns or texts."""
    if len(digits) > _MOST_DIGITS or not (digits.isascii() and digits.isdecimal()):
        raise damaged("a count is not a number")
    return int(digits)
