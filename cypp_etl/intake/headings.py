"""The headings of a table: which row looks like them, what each column is, and what is wrong with them."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache, partial

from cypp_etl.findings import Finding, find
from cypp_etl.intake.values import read_text
from cypp_etl.layout import LEFT_OUT, RELATIVE_YEARS, ColumnLayout, SheetLayout, normalise_heading
from cypp_etl.periods import Period, parse_year
from cypp_etl.workbook.model import Cell, CellKind, Sheet, column_letters
from schemas.codes import SheetKind

# How similar a heading must be to a missing one to count as a typing mistake: `Actaul` and `Actual` are 0.83.
_NEAR_MISS = 0.7
# A longer text is not a heading. A table has no more columns than this: anything further right is not read.
_LONGEST_HEADING = 200
_MOST_COLUMNS = 300
# How many unknown headings are checked for typing mistakes.
_MOST_SLIPS = 50


@dataclass(frozen=True, slots=True)
class DatedColumn:
    """A column of one period among others: the name of its field, its heading, and the heading that says the year."""

    name: str
    period: Period
    heading: Cell
    said_at: Cell

    @property
    def key(self) -> str:
        """Its name in a row of the table, which no column of the return's own period has."""
        return f"{self.name} {self.period.code}"


@dataclass(frozen=True, slots=True)
class Header:
    """Rows that may be the headings: known ones by column name, those that occur twice, and unknown ones.

    `dated` are the columns of other periods than that of the return, `left_out` those that are known and not read.
    """

    row: int
    depth: int
    year: Period | None
    known: dict[str, Cell]
    repeated: list[tuple[Cell, Cell]]
    strangers: list[Cell]
    dated: tuple[DatedColumn, ...] = ()
    left_out: tuple[Cell, ...] = ()

    @property
    def size(self) -> int:
        """How many of its headings are known."""
        return len(self.known) + len(self.dated)

    @classmethod
    def read(cls, sheet: Sheet, row: int, depth: int, layout: SheetLayout, period: Period | None = None) -> "Header":
        """Read a row, or several, as if they were the headings; `period` is that of the return, if it is known."""
        if layout.is_dated:
            return _read_dated(sheet, row, depth, layout.columns, period)
        columns = layout.columns
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


def _read_dated(sheet: Sheet, row: int, depth: int, columns: tuple[ColumnLayout, ...], period: Period | None) -> Header:
    """Read headings that may say their period: those of the return's own are known, the others dated."""
    known: dict[str, Cell] = {}
    dated: dict[tuple[str, Period], DatedColumn] = {}
    repeated: list[tuple[Cell, Cell]] = []
    cells = _heading_cells(sheet, row, depth)
    strangers: list[Cell] = []
    left_out: list[Cell] = []
    ends = {(top, left): last for top, left, _, last in sheet.merges if row <= top < row + depth - 1}
    for cell in cells[:_MOST_COLUMNS]:
        group = _group_above(sheet, row, cell, ends)
        name, year, quarter = _dated_column(columns, read_text(cell), read_text(group))
        said = _period_said(year, quarter, period)
        if not name:
            if not any(column.group and _is_group(column, read_text(cell)) for column in columns):
                strangers.append(cell)
        elif name == LEFT_OUT:
            left_out.append(cell)
        elif not (year or quarter) or (said is not None and said == period):
            if known.setdefault(name, cell) is not cell:
                repeated.append((cell, known[name]))
        else:
            # Without the return's period the column's is not known either, but it is none of another name.
            column = DatedColumn(name, said or Period(1, len(dated)), cell, group if group and year else cell)
            first = dated.setdefault((name, column.period), column)
            if first is not column:
                repeated.append((cell, first.heading))
    return Header(
        row, depth, None, known, repeated, strangers + cells[_MOST_COLUMNS:], tuple(dated.values()), tuple(left_out)
    )


def _group_above(sheet: Sheet, row: int, cell: Cell, ends: dict[tuple[int, int], int]) -> Cell | None:
    """The heading of the group of a heading: the nearest above and to the left, unless its merge ends before.

    `ends` has the last column of each merge of the headings, by its first cell.
    """
    for line in range(cell.row - 1, row - 1, -1):
        cells = sheet.rows.get(line, {})
        for column in range(cell.column, max(0, cell.column - _MOST_COLUMNS), -1):
            if (group := cells.get(column)) is not None and read_text(group):
                if ends.get((line, column), cell.column) >= cell.column:
                    return group
                break
    return None


def _is_group(column: ColumnLayout, text: str) -> bool:
    return bool(column.match_group(text)) or normalise_heading(column.group) == normalise_heading(text)


@lru_cache(maxsize=4096)
def _dated_column(columns: tuple[ColumnLayout, ...], heading: str, group: str) -> tuple[str, str, str]:
    """The name of the column with a heading under a group's, and the year and the quarter that they say."""
    if len(heading) <= _LONGEST_HEADING and len(group) <= _LONGEST_HEADING:
        for column in columns:
            if (said := column.match(heading, group)) is not None:
                return column.column, said.get("year", ""), said.get("quarter", "")
    return "", "", ""


def _period_said(year: str, quarter: str, period: Period | None) -> Period | None:
    """The period of a column: what its headings leave open is as in the return's; None if neither says it."""
    try:
        of_year = parse_year(year) if year else period.year if period else None
    except ValueError:
        return None
    if of_year is None or not (year or quarter):
        return None
    return of_year._replace(quarter=int(quarter) if quarter else period.quarter if period else 0)


def _heading_cells(sheet: Sheet, row: int, depth: int) -> list[Cell]:
    """The cells with the columns' headings: of several rows, the lowest that is not blank."""
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
        if years is not None and all(_fits(text, year, RELATIVE_YEARS[place]) for place, text in years.items()):
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
                spoken_for.add(parse_year(text).years_later(-RELATIVE_YEARS[place]))
    return frozenset(spoken_for)


def judge_headings(
    sheet: Sheet, header: Header, layout: SheetLayout, places: dict[str, int], period: Period | None = None
) -> Iterator[Finding]:
    """Report what is wrong with the headings.

    Unknown headings are paired with similar missing ones, so that one mistake is one finding; such a
    column is added to `places` and read anyway, so that its other errors are found in the same round.
    """
    for cell, first in header.repeated:
        yield find("heading-twice", sheet=sheet.name, cell=cell.address, value=read_text(cell), first=first.address)
    present = places.keys() | {column.name for column in header.dated} | {LEFT_OUT}
    missing = {
        _written(column, header.year, period): column for column in layout.columns if column.column not in present
    }
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
    yield from _judge_periods(sheet, header, period)
    for heading in lost:
        yield find("heading-missing", sheet=sheet.name, cell=f"A{header.row}", expected=heading)
    # A column without a heading is already reported as a missing heading.
    if not lost and layout.kind is not SheetKind.BANDED:
        yield from _judge_unheaded(sheet, header)


def _judge_periods(sheet: Sheet, header: Header, period: Period | None) -> Iterator[Finding]:
    """The headings are for the return's period: one of a later year, or none of its own, is another period's form."""
    figures = [column for column in header.dated if column.name == "actual"]
    if period is None or not figures:
        return
    latest = max(figures, key=lambda column: column.period.order)
    if "actual" not in header.known or latest.period.start_year > period.start_year:
        # The first of its group is where the year is typed.
        at = next(column.said_at for column in figures if column.period.year == latest.period.year)
        said = latest.period if latest.period.year == period.year else latest.period.year
        words = {"period": period.label, "headed": said.label}
        yield find("heading-of-other-period", sheet=sheet.name, cell=at.address, value=read_text(at), **words)


def _judge_unheaded(sheet: Sheet, header: Header) -> Iterator[Finding]:
    """Ask about figures in columns without a heading: they are not read, but may be meant for the return."""
    headed = {cell.column for cell in _heading_cells(sheet, header.row, header.depth)}
    first: dict[int, Cell] = {}
    below = sorted(row for row in sheet.rows if row >= header.row + header.depth)
    if set().union(*map(sheet.rows.__getitem__, below)) <= headed:
        return
    for row in below:
        line = sheet.rows[row]
        for column in line.keys() - headed:
            if line[column].kind is CellKind.NUMBER:
                first.setdefault(column, line[column])
    for column, cell in sorted(first.items()):
        words = {"value": read_text(cell), "column": column_letters(column)}
        yield find("column-without-heading", sheet=sheet.name, cell=cell.address, **words)


def _written(column: ColumnLayout, year: Period | None, period: Period | None) -> str:
    """A column's correct heading in this table, with its years and quarters filled in."""
    if period is not None:
        return column.heading.format(year=period.year.label[2:], quarter=period.quarter or 1)
    if year is None:
        return column.heading
    years = {place: year.years_later(offset).label[2:] for place, offset in RELATIVE_YEARS.items()}
    return column.heading.format_map(years)


def _likeness(typed: str, heading: str) -> float:
    return SequenceMatcher(None, normalise_heading(typed), normalise_heading(heading)).ratio()
