"""The headings of a table: which row looks like them, what each column is, and what is wrong with them."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache, partial

from cypp_etl.findings import Finding, find
from cypp_etl.intake.values import read_text
from cypp_etl.layout import ColumnLayout, SheetKind, SheetLayout, normalise_heading
from cypp_etl.periods import Period, parse_year
from cypp_etl.workbook.model import Cell, CellKind, Sheet, column_letters

# How similar a heading must be to a missing one to count as a typing mistake: `Actaul` and `Actual` are 0.83.
_NEAR_MISS = 0.7
# A longer text is not a heading. A table has no more columns than this: anything further right is not read.
_LONGEST_HEADING = 200
_MOST_COLUMNS = 300
# How many unknown headings are checked for typing mistakes.
_MOST_SLIPS = 50

# The placeholders for years in headings, by their distance from the table's own year.
_YEAR_OFFSETS = {"previous": -1, "year": 0, "next": 1, "next_2": 2}


@dataclass(frozen=True, slots=True)
class Header:
    """A row (or two) that may be the headings: known ones by column name, those that occur twice, and unknown ones."""

    row: int
    depth: int
    year: Period | None
    known: dict[str, Cell]
    repeated: list[tuple[Cell, Cell]]
    strangers: list[Cell]

    @classmethod
    def read(cls, sheet: Sheet, row: int, depth: int, columns: tuple[ColumnLayout, ...]) -> "Header":
        """Read a row, or two, as if it were the headings."""
        cells = _heading_cells(sheet, row, depth)
        groups = {normalise_heading(column.group) for column in columns}
        headings = cells[:_MOST_COLUMNS]
        year = _year_of(columns, [read_text(cell) for cell in headings])
        known: dict[str, Cell] = {}
        repeated: list[tuple[Cell, Cell]] = []
        strangers: list[Cell] = cells[_MOST_COLUMNS:]
        unknown: list[Cell] = []
        for cell in headings:
            name = column_named(columns, read_text(cell), year)
            if name in known:
                repeated.append((cell, known[name]))
            elif name:
                known[name] = cell
            elif normalise_heading(read_text(cell)) not in groups:
                unknown.append(cell)
        return cls(row, depth, year, known, repeated, unknown + strangers)


def _heading_cells(sheet: Sheet, row: int, depth: int) -> list[Cell]:
    """The cells with the columns' headings: of two rows, the lower one unless it is blank."""
    cells = (cell for line in range(row, row + depth) for cell in sheet.rows.get(line, {}).values())
    by_column = {cell.column: cell for cell in cells if read_text(cell)}
    return [by_column[column] for column in sorted(by_column)]


def column_named(columns: tuple[ColumnLayout, ...], heading: str, year: Period | None) -> str:
    """The name of the column with a heading, empty if there is none; years in it must fit the table's year."""
    return _column_named(columns, heading, year) if len(heading) <= _LONGEST_HEADING else ""


@lru_cache(maxsize=4096)
def _column_named(columns: tuple[ColumnLayout, ...], heading: str, year: Period | None) -> str:
    for column in columns:
        years = column.match(heading)
        if years is not None and all(_fits(text, year, _YEAR_OFFSETS[place]) for place, text in years.items()):
            return column.column
    return ""


def _fits(text: str, year: Period | None, offset: int) -> bool:
    """Whether a year in a heading has the right distance from the table's year; 09/11 is not a year."""
    try:
        return year is not None and parse_year(text) == year.years_later(offset)
    except ValueError:
        return False


def _year_of(columns: tuple[ColumnLayout, ...], headings: list[str]) -> Period | None:
    """The table's year: the one that fits most of the headings with a year, even if some are misspelt."""
    short = [heading for heading in headings if len(heading) <= _LONGEST_HEADING]
    votes = Counter(year for heading in short for year in _years_spoken_for(columns, heading))
    return max(votes, key=lambda year: (votes[year], year), default=None)


@lru_cache(maxsize=4096)
def _years_spoken_for(columns: tuple[ColumnLayout, ...], heading: str) -> frozenset[Period]:
    """Every possible year of the table, according to one heading: `10/11 Target` is next year's, or this year's."""
    spoken_for = set()
    for column in columns:
        for place, text in (column.match(heading) or {}).items():
            with suppress(ValueError):
                spoken_for.add(parse_year(text).years_later(-_YEAR_OFFSETS[place]))
    return frozenset(spoken_for)


def judge_headings(sheet: Sheet, header: Header, layout: SheetLayout, places: dict[str, int]) -> Iterator[Finding]:
    """Report what is wrong with the headings.

    Unknown headings are paired with similar missing ones, so that one mistake is one finding; such a
    column is added to `places` and read anyway, so that its other errors are found in the same round.
    """
    for cell, first in header.repeated:
        yield find("heading-twice", sheet=sheet.name, cell=cell.address, value=read_text(cell), first=first.address)
    missing = {_written(column, header.year): column for column in layout.columns if column.column not in places}
    for number, cell in enumerate(header.strangers):
        typed = read_text(cell)
        may_be_slip = number < _MOST_SLIPS and len(typed) <= _LONGEST_HEADING
        nearest = max(missing, key=partial(_likeness, typed), default="") if may_be_slip else ""
        if nearest and _likeness(typed, nearest) >= _NEAR_MISS:
            places[missing.pop(nearest).column] = cell.column
            yield find("heading-misspelt", sheet=sheet.name, cell=cell.address, value=typed, expected=nearest)
        else:
            yield find("heading-unknown", sheet=sheet.name, cell=cell.address, value=typed)
    lost = [heading for heading, column in missing.items() if column.is_required]
    for heading in lost:
        yield find("heading-missing", sheet=sheet.name, cell=f"A{header.row}", expected=heading)
    # A column without a heading is already reported as a missing heading.
    if not lost and layout.kind is not SheetKind.BANDED:
        yield from _judge_unheaded(sheet, header)


def _judge_unheaded(sheet: Sheet, header: Header) -> Iterator[Finding]:
    """Ask about figures in columns without a heading: they are not read, but may be meant for the return."""
    headed = {cell.column for cell in _heading_cells(sheet, header.row, header.depth)}
    first: dict[int, Cell] = {}
    for row in sorted(row for row in sheet.rows if row >= header.row + header.depth):
        line = sheet.rows[row]
        for column in line.keys() - headed:
            if line[column].kind is CellKind.NUMBER:
                first.setdefault(column, line[column])
    for column, cell in sorted(first.items()):
        words = {"value": read_text(cell), "column": column_letters(column)}
        yield find("column-without-heading", sheet=sheet.name, cell=cell.address, **words)


def _written(column: ColumnLayout, year: Period | None) -> str:
    """A column's correct heading in this table, with its years filled in."""
    if year is None:
        return column.heading
    years = {place: year.years_later(offset).label[2:] for place, offset in _YEAR_OFFSETS.items()}
    return column.heading.format_map(years)


def _likeness(typed: str, heading: str) -> float:
    return SequenceMatcher(None, normalise_heading(typed), normalise_heading(heading)).ratio()
