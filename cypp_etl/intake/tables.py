"""Finds a table in a sheet by its headings, even if its columns have moved."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from cypp_etl.findings import Finding, bounded, find
from cypp_etl.intake.headings import DatedColumn, Header, column_named, judge_headings
from cypp_etl.intake.values import read_text
from cypp_etl.layout import ColumnLayout, SheetLayout, normalise_heading
from cypp_etl.periods import Period
from cypp_etl.workbook.model import Cell, CellKind, Sheet, Workbook, column_letters

# How many rows are searched for the headings, which may be below a title or a logo.
_SEARCHED_ROWS = 25
# How many rows of a table, and of a sheet of labels, are read: no plan has a tenth of them.
_MOST_ROWS = 10_000
_MOST_LABELS = 1_000


class TableRow(NamedTuple):
    """One row below the headings: its cells by their columns in the sheet, and the column of each of the table's.

    `places` are those of the columns that the table has, `columns` those at which findings stand, which may be more.
    `has_formulas` is false only where none of its cells holds a formula. A tuple, because returns have many.
    """

    sheet: str
    row: int
    line: dict[int, Cell]
    places: Mapping[str, int]
    columns: Mapping[str, int]
    has_formulas: bool = True

    def cell(self, column: str) -> Cell | None:
        """The row's cell in a column, or None if there is none."""
        # No column of a sheet has the number 0.
        return self.line.get(self.places.get(column, 0))

    def cells(self) -> dict[str, Cell]:
        """The row's cells by the table's columns."""
        return {name: self.line[place] for name, place in self.places.items() if place in self.line}

    def address(self, column: str) -> str:
        """The address of the row's cell in a column, or of its first cell if the column is missing."""
        return f"{column_letters(self.columns.get(column, 1))}{self.row}"

    def text(self, column: str) -> str:
        """The text of the row's cell in a column, empty if there is none."""
        cell = self.cell(column)
        return "" if cell is None else read_text(cell)

    def is_filled(self, column: str) -> bool:
        """Whether the row's cell in a column is not blank; an uncalculated formula counts."""
        cell = self.cell(column)
        if cell is None or cell.is_formula:
            return cell is not None
        return bool(cell.value.strip()) if isinstance(cell.value, str) else cell.value is not None

    def known_text(self, column: str) -> str | None:
        """The text of the row's cell in a column; None where the column is missing, or its formula came to nothing."""
        cell = self.cell(column)
        if cell is None:
            return "" if column in self.columns else None
        text = read_text(cell)
        return None if not text and cell.is_formula else text

    def is_blank_formula(self, column: str) -> bool:
        """Whether the row's cell in a column holds a formula that came to nothing, or was never worked out."""
        cell = self.cell(column)
        return cell is not None and cell.is_formula and not read_text(cell)

    def is_uncalculated(self, column: str) -> bool:
        """Whether the row's cell in a column holds a formula that was never worked out."""
        cell = self.cell(column)
        return cell is not None and cell.is_formula and cell.value is None

    def uncalculated(self) -> list[str]:
        """The columns with an uncalculated formula, whose result is not in the file."""
        # As `is_uncalculated` says, without a call for every cell of a return.
        if not self.has_formulas:
            return []
        return [name for name, cell in self.cells().items() if cell.is_formula and cell.value is None]

    def first_filled(self, *columns: str) -> str:
        """The first of some columns whose cell is not blank; empty if all are."""
        for column in columns:
            if self.is_filled(column):
                return column
        return ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table in a sheet.

    `columns` has the position of each column, and `places` too, as `TableRow` says; `year` is the year in the headings,
    if there is one. `dated` are the columns of other periods than the return's, which rows have by their keys.
    `headings` are the cells of the headings by column, and `left_out` those of columns that the layout leaves out.
    """

    sheet: Sheet
    header_row: int
    places: Mapping[str, int]
    columns: dict[str, int]
    year: Period | None
    rows: tuple[TableRow, ...]
    findings: tuple[Finding, ...]
    dated: tuple[DatedColumn, ...] = ()
    headings: Mapping[str, Cell] = field(default_factory=dict)
    left_out: tuple[Cell, ...] = ()

    @property
    def is_of_other_period(self) -> bool:
        """Whether its headings are for another period than the return: then no figure's period is known."""
        return any(finding.code == "heading-of-other-period" for finding in self.findings)


def find_sheet(workbook: Workbook, layout: SheetLayout) -> Sheet | None:
    """The sheet with the layout's name or, failing that, with another accepted spelling."""
    named = [sheet for sheet in workbook.sheets if layout.is_named(sheet.name)]
    return min(named, key=lambda sheet: normalise_heading(sheet.name) != normalise_heading(layout.sheet), default=None)


def find_sheets(workbook: Workbook, layout: SheetLayout) -> list[Sheet]:
    """The sheets of a part: the one with its name, or every one that fits a pattern of the layout."""
    if (named := find_sheet(workbook, layout)) is not None:
        return [named]
    return [sheet for sheet in workbook.sheets if layout.fit(sheet.name) is not None]


def read_table(
    sheet: Sheet, layout: SheetLayout, period: Period | None = None, most_rows: int = _MOST_ROWS
) -> Table | None:
    """Find the row of headings and read every row below it that is not blank; None if there are no headings.

    `period` is that of the return, against which headings with a period are held.
    """
    header = find_header(sheet, layout, period)
    if header is None or header.size < 2:
        return None
    places = {name: cell.column for name, cell in header.known.items()}
    findings = [*bounded(judge_headings(sheet, header, layout, places, period if layout.is_dated else None))]
    # What a typing mistake hid is in its place by now.
    places |= {column.key: column.heading.column for column in header.dated}
    columns = dict(places)
    below = _rows_below(sheet, header, places, columns)
    rows = tuple(islice(below, most_rows))
    if further := next(below, None):
        words = {"first": further.row, "last": max(sheet.rows), "most": f"{most_rows:,}"}
        findings.append(find("rows-not-read", sheet=sheet.name, cell=f"A{further.row}", **words))
    found = places, columns, header.year, rows, tuple(findings)
    return Table(sheet, header.row, *found, header.dated, header.known, header.left_out)


def find_header(sheet: Sheet, layout: SheetLayout, period: Period | None = None) -> "Header | None":
    """The row that is most like the headings, the first of equals; a row with all of them ends the search."""
    depths = range(layout.header_rows, 0, -1)
    is_one_row = layout.header_rows == 1 and not layout.is_dated
    best: Header | None = None
    for row in sorted(sheet.rows)[:_SEARCHED_ROWS]:
        # A row has no more headings than cells. Below those of an older form, which lacks some, none is looked at.
        if is_one_row and best is not None and len(sheet.rows[row]) <= best.size:
            continue
        for depth in depths:
            header = Header.read(sheet, row, depth, layout, period)
            if best is None or header.size > best.size:
                best = header
            if len(best.known) == len(layout.columns):
                return best
    return best


def _rows_below(
    sheet: Sheet, header: Header, places: Mapping[str, int], columns: Mapping[str, int]
) -> Iterator[TableRow]:
    may_have_formulas, numbers = any(sheet.columns().are_formulas), [*places.values()]
    for row in sorted(row for row in sheet.rows if row >= header.row + header.depth):
        line = sheet.rows[row]
        found = TableRow(sheet.name, row, line, places, columns, has_formulas=False)
        if may_have_formulas and any(cell.is_formula for cell in found.cells().values()):
            yield found._replace(has_formulas=True)
        elif any(read_text(line[place]) for place in numbers if place in line):
            yield found


def read_labels(sheet: Sheet, columns: tuple[ColumnLayout, ...]) -> dict[str, Cell]:
    """Read the labels in the first column and the values beside them; a label without a value has a blank cell."""
    labelled: dict[str, Cell] = {}
    for row in sorted(sheet.rows)[:_MOST_LABELS]:
        label = sheet.cell(row, 1)
        name = column_named(columns, read_text(label), None) if label else ""
        if name:
            labelled.setdefault(name, sheet.cell(row, 2) or Cell(row, 2, CellKind.BLANK, None))
    return labelled
