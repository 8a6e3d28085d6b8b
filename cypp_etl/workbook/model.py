"""A workbook after reading: sheets of sparse cells, each with what is needed to interpret what was typed."""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from itertools import chain
from typing import NamedTuple


class CellKind(StrEnum):
    """The type of a cell, as stated in the file."""

    NUMBER = "number"
    DATE = "date"
    TEXT = "text"
    BOOLEAN = "boolean"
    ERROR = "error"
    BLANK = "blank"


class Cell(NamedTuple):
    """One cell that is not blank; `row` and `column` count from 1.

    A tuple because a workbook has many: it is created in a third of the time of a frozen dataclass.

    `value` is a float for numbers (a percent-formatted 71.0% is 0.71) and dates (the serial, in days of the 1900
    system), text for text and error codes, a bool, or None for a blank or a formula that was never calculated.
    `number_format` is the Excel format code, `General` where none is set.
    """

    row: int
    column: int
    kind: CellKind
    value: float | str | bool | None
    number_format: str = "General"
    is_formula: bool = False

    @property
    def address(self) -> str:
        """The cell's address, such as `G7`."""
        return f"{column_letters(self.column)}{self.row}"


class Columns(NamedTuple):
    """The cells of a sheet, row by row and in the order of their columns: each tuple has one part of every cell."""

    rows: tuple[int, ...] = ()
    columns: tuple[int, ...] = ()
    kinds: tuple[CellKind, ...] = ()
    values: tuple[float | str | bool | None, ...] = ()
    number_formats: tuple[str, ...] = ()
    are_formulas: tuple[bool, ...] = ()


# Columns of a larger sheet are not kept: it is no return.
_MOST_KEPT_CELLS = 50_000
# Columns are made of so many rows at once.
_ROWS_AT_ONCE = 1_000


@dataclass(slots=True)
class Sheet:
    """A sheet's cells by row and column, its hidden and merged parts, and what is attached to its cells.

    A merge is its first row, first column, last row and last column. `comments` has the text of each cell's comment by
    the cell's address, `links` the targets of links out of the workbook.
    """

    name: str
    is_hidden: bool = False
    rows: dict[int, dict[int, Cell]] = field(default_factory=dict)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)
    comments: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    _columns: Columns | None = field(default=None, init=False, repr=False, compare=False)

    def columns(self) -> Columns:
        """The cells as columns. They are kept: whoever changes the rows does so before."""
        if self._columns is not None:
            return self._columns
        columns = self._as_columns()
        if len(columns.rows) <= _MOST_KEPT_CELLS:
            self._columns = columns
        return columns

    def _as_columns(self) -> Columns:
        lines = [self.rows[number] for number in sorted(self.rows)]
        # Nearly every file has them in their order.
        if any(list(numbers) != sorted(numbers) for numbers in set(map(tuple, lines))):
            lines = [dict(sorted(line.items())) for line in lines]
        blocks = (lines[at : at + _ROWS_AT_ONCE] for at in range(0, len(lines), _ROWS_AT_ONCE))
        cells = (chain.from_iterable(map(dict.values, block)) for block in blocks)
        pieces = [Columns(*zip(*block, strict=True)) for block in cells]
        return pieces[0] if len(pieces) == 1 else Columns(*(tuple(chain(*each)) for each in zip(*pieces, strict=True)))

    def cell(self, row: int, column: int) -> Cell | None:
        """The cell at a row and column, or None if the file has none."""
        return self.rows.get(row, {}).get(column)


@dataclass(slots=True)
class Workbook:
    """A workbook's sheets in their order; `kind` is its file format (`xlsx`, `xls`, `ods` ...).

    `has_formats` is false if the format was read without number formats, so that percent cannot be recognised.
    """

    kind: str
    sheets: list[Sheet]
    has_formats: bool = True
    has_macros: bool = False
    has_external_links: bool = False
    has_pivot_caches: bool = False


class UnreadableWorkbook(Exception):  # noqa: N818 - it says what the file is, and is no program error
    """The bytes cannot be read as a workbook because of the file itself: bad data, not a broken program.

    `code` is the code of a finding; `words` are filled into its message.
    """

    def __init__(self, code: str, **words: object) -> None:
        super().__init__(code)
        self.code = code
        self.words = words


@lru_cache(maxsize=16_384)
def column_letters(column: int) -> str:
    """The letters of a column that counts from 1: 1 is A, 27 is AA."""
    letters = ""
    while column:
        column, remainder = divmod(column - 1, 26)
        letters = chr(ord("A") + remainder) + letters
    return letters
