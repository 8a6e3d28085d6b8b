"""Reads the plan's CSV files as text and checks each by its schema, so that every fault has its cell."""

import csv
import io
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import overload

from cypp_etl.phrases import quoted
from cypp_etl.plan.reference_keys import reference_key
from schemas.plan import LAYOUT_SCHEMAS, SCHEMAS, Table

HEADER_ROW = 1
_Record = tuple[int, list[str]]
# What `csv` says, in words for people.
_CSV_FAULTS = {
    "unexpected end of data": "a double quote is opened here and never closed",
    "',' expected after '\"'": "text follows a closing double quote: one within a cell is written twice",
}
# The separators that spreadsheets use in other countries, or when saving as text.
_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs"}


@dataclass(frozen=True, slots=True)
class PlanFault:
    """Something in the plan to correct. `row` is the line as numbered in a spreadsheet, the header being 1.

    In a workbook `file` is the sheet's name and `cell` its address, empty for the sheet as a whole.
    """

    file: str
    row: int | None
    column: str | None
    message: str
    cell: str | None = None

    def __str__(self) -> str:
        if self.cell is not None:
            return f"{', '.join([f'sheet {self.file}', *([f'cell {self.cell}'] if self.cell else [])])}: {self.message}"
        row = [f"row {self.row}"] if self.row is not None else []
        column = [f"column {self.column}"] if self.column is not None else []
        return f"{', '.join([self.file, *row, *column])}: {self.message}"


class PlanError(ValueError):
    """The plan cannot be read. `file`, `row`, `column` and `message` are those of the first fault."""

    def __init__(self, *faults: PlanFault) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults
        self.file = faults[0].file
        self.row = faults[0].row
        self.column = faults[0].column
        self.message = faults[0].message


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file: its cells by column, without the spaces around them."""

    file: str
    number: int
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    def fault(self, column: str, message: str) -> PlanFault:
        """A fault in one cell of this row."""
        return PlanFault(self.file, self.number, column, message)


class TableRows(Sequence[Row]):
    """The rows of one file, kept as columns: a plan of many bodies has hundreds of thousands of figures.

    Whatever looks at every row of such a file does so column by column, and makes a `Row` only of those that are at
    fault; of a small file the rows may be gone through as they are.
    """

    def __init__(self, file: str, numbers: Sequence[int], columns: Mapping[str, Sequence[str]]) -> None:
        """`numbers` are those of the rows, and each column has as many cells."""
        self.file, self.numbers, self.columns = file, numbers, columns

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Row]: ...
    def __getitem__(self, place: int | slice) -> Row | Sequence[Row]:
        if isinstance(place, slice):
            return self._all[place]
        return Row(self.file, self.numbers[place], {name: cells[place] for name, cells in self.columns.items()})

    def __iter__(self) -> Iterator[Row]:
        return iter(self._all)

    @cached_property
    def _all(self) -> Sequence[Row]:
        return tuple(map(self.__getitem__, range(len(self))))

    def only(self, is_kept: Callable[[Row], bool]) -> "TableRows":
        """Some of the rows."""
        places = [place for place, row in enumerate(self) if is_kept(row)]
        columns = {name: [cells[place] for place in places] for name, cells in self.columns.items()}
        return TableRows(self.file, [self.numbers[place] for place in places], columns)

    def cells(self, *names: str) -> Iterable[tuple[str, ...]]:
        """What each row says in some columns, in their order."""
        return zip(*(self.columns[name] for name in names), strict=True)

    def saying(self, names: tuple[str, ...], said: Collection[tuple[str, ...]]) -> Iterator[Row]:
        """The rows that say one of some things in some columns."""
        if said:
            yield from (self[place] for place, cells in enumerate(self.cells(*names)) if cells in said)


@dataclass(frozen=True, slots=True)
class PlanTables:
    """The plan's files as text. A file without a usable table is not in `rows`, and `faults` says why.

    Nor are rows with too many or too few cells. `astray` has the texts of their cells by file: their columns are not
    known, and any of them may be the name that other rows refer to.
    """

    rows: Mapping[str, TableRows]
    astray: Mapping[str, frozenset[str]]
    faults: tuple[PlanFault, ...]
    files: Mapping[str, bytes]


def read_files(folder: Path | None) -> dict[str, bytes]:
    """The plan's files in a folder (the built-in plan without one), by name, as bytes; layouts by `layouts/` and name.

    Raises:
        PlanError: there is no such folder.
    """
    source: Traversable = files("cypp_etl").joinpath("plan", "data") if folder is None else folder
    if not source.is_dir():
        raise PlanError(PlanFault(str(folder), None, None, "there is no such folder to read a plan from"))
    found = {name: source.joinpath(name) for name in SCHEMAS}
    # Whatever stands there is meant for a layout, so that what is no table of one has to be told.
    layouts = source.joinpath("layouts")
    found |= {f"layouts/{file.name}": file for file in (layouts.iterdir() if layouts.is_dir() else ())}
    return {name: file.read_bytes() for name, file in found.items() if file.is_file()}


def tables_of(contents: Mapping[str, bytes], but_for: Collection[str] = ()) -> PlanTables:
    """The tables of a plan's files, given by name, each checked on its own; those of some files are left out."""
    rows: dict[str, TableRows] = {}
    astray: dict[str, frozenset[str]] = {}
    faults: list[PlanFault] = []
    brought = {name: schema for name, schema in LAYOUT_SCHEMAS.items() if name in contents}
    for name, schema in {**SCHEMAS, **brought}.items():
        if name in but_for:
            continue
        if schema.is_optional and name not in contents:
            rows[name], astray[name] = TableRows(name, (), dict.fromkeys(schema.columns, ())), frozenset()
            continue
        try:
            columns, records = _read_table(name, contents.get(name), schema)
        except PlanError as error:
            faults.extend(error.faults)
            continue
        rows[name] = _whole_rows(name, columns, records, schema)
        broken = list(_broken_records(records, len(columns)))
        astray[name] = frozenset(cell for _, record in broken for cell in record)
        faults.extend(_length_fault(name, number, record, len(columns)) for number, record in broken)
        faults.extend(_cell_faults(rows[name], schema))
    return PlanTables(rows, astray, tuple(faults), contents)


def sound_rows(name: str, content: bytes) -> TableRows:
    """The rows of one file, checked on their own.

    Raises:
        PlanError: they have faults.
    """
    tables = tables_of({name: content}, but_for=SCHEMAS.keys() - {name})
    if tables.faults:
        raise PlanError(*tables.faults)
    return tables.rows[name]


def _whole_rows(name: str, header: list[str], records: list[list[str]], schema: Table) -> TableRows:
    """The rows with as many cells as the header, without blank ones.

    A cell that is blank, or whose column is not there, says the column's default.
    """
    numbers: Sequence[int] = range(HEADER_ROW + 1, HEADER_ROW + 1 + len(records))
    if not _are_whole(records, len(header)):
        numbers = [number for number, record in zip(numbers, records, strict=True) if len(record) == len(header)]
        records = [record for record in records if len(record) == len(header)]
    columns: list[Sequence[str]] = [*map(_stripped, zip(*records, strict=True))] or [()] * len(header)
    # A spreadsheet saves blank rows below a table as commas, and people leave lines between blocks.
    if all("" in column for column in columns):
        filled = [place for place, cells in enumerate(zip(*columns, strict=True)) if any(cells)]
        numbers = [numbers[place] for place in filled]
        columns = [[column[place] for place in filled] for column in columns]
    said: dict[str, Sequence[str]] = {
        column: (each.default,) * len(numbers) for column, each in schema.columns.items() if each.default is not None
    }
    for column, cells in zip(header, columns, strict=True):
        default = schema.columns[column].default
        said[column] = [cell or default for cell in cells] if default else cells
    return TableRows(name, numbers, said)


def _are_whole(records: list[list[str]], length: int) -> bool:
    return {length}.issuperset(map(len, records))


def _stripped(cells: Sequence[str]) -> Sequence[str]:
    """Cells without the spaces around them.

    Those that say the same are one object from here on: whatever goes through hundreds of thousands is twice as fast.
    """
    said = {cell: cell.strip() for cell in set(cells)}
    return [said[cell] for cell in cells]


def _broken_records(records: list[list[str]], length: int) -> Iterator[_Record]:
    """The records that are not blank and have more or fewer cells than the header, without the spaces around them."""
    if _are_whole(records, length):
        return
    for number, record in enumerate(records, start=HEADER_ROW + 1):
        if len(record) != length and any(map(str.strip, record)):
            yield number, [cell.strip() for cell in record]


def _read_table(name: str, content: bytes | None, schema: Table) -> tuple[list[str], list[list[str]]]:
    """The columns of a file in its order, and its other records, of any length and as they are written."""
    if content is None:
        raise PlanError(PlanFault(name, None, None, "there is no such file in the plan's folder"))
    records, broken_off = _records(name, content)
    # Of a file that is no CSV file from some row on, the header is looked at first.
    if records or broken_off is None:
        columns = [cell.strip() for cell in records[0]] if records else []
        if faults := list(_header_faults(name, columns, schema)):
            raise PlanError(*faults)
    if broken_off is not None:
        raise PlanError(broken_off)
    return columns, records[1:]


def _length_fault(name: str, number: int, record: list[str], length: int) -> PlanFault:
    message = f"has {len(record)} cell{'s' if len(record) > 1 else ''}, but the header has {length}"
    if len(record) > length:
        message += ": a cell with a comma must be between double quotes"
    return PlanFault(name, number, None, message)


def _records(name: str, content: bytes) -> tuple[list[list[str]], PlanFault | None]:
    """The records of a CSV file, even if cells contain line breaks, and the fault at which they break off."""
    records: list[list[str]] = []
    try:
        # utf-8-sig, because Excel starts its CSV files with a byte order mark.
        text = content.decode("utf-8-sig")
        for record in csv.reader(io.StringIO(text, newline=""), strict=True):
            records.append(record)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + HEADER_ROW
        message = 'is not in UTF-8: save it as "CSV UTF-8 (comma delimited)"'
        return records, PlanFault(name, line, None, message)
    except csv.Error as error:
        # The messages of csv are for programmers, and the cause is nearly always one of two things.
        words = _CSV_FAULTS.get(str(error), str(error))
        # Numbered as in a spreadsheet, where the header is row 1.
        return records, PlanFault(name, HEADER_ROW + len(records), None, f"is not CSV: {words}")
    return records, None


def _header_faults(name: str, header: list[str], schema: Table) -> Iterator[PlanFault]:
    columns = list(schema.columns)
    if separator := _other_separator(header, columns):
        message = f'has {separator} between its cells instead of commas: save it as "CSV UTF-8 (comma delimited)"'
        yield PlanFault(name, HEADER_ROW, None, message)
        return
    written = {reference_key(column): column for column in header}
    # A column that is optional is only missing where one of nearly its name stands instead.
    missing = {
        reference_key(column): column
        for column in columns
        if column not in header and (column in schema.required or reference_key(column) in written)
    }
    for key, column in missing.items():
        hint = f": {quoted(written[key])} differs from it in case or spacing" if key in written else ""
        yield PlanFault(name, HEADER_ROW, column, f"is missing{hint}")
    for place, column in enumerate(header):
        if not column:
            yield PlanFault(name, HEADER_ROW, None, f"cell {place + 1} is blank: delete the columns without a heading")
        elif column not in columns and reference_key(column) not in missing:
            message = f"{quoted(column)} is not a column of this file: it has {', '.join(columns)}"
            yield PlanFault(name, HEADER_ROW, column, message)
        elif column in columns and column in header[:place]:
            yield PlanFault(name, HEADER_ROW, column, "occurs twice")


def _other_separator(header: list[str], columns: list[str]) -> str | None:
    """The separator that is used instead of commas, if it finds a column that commas do not find."""
    if not set(columns).isdisjoint(header):
        return None
    cells = ",".join(header)
    found = (name for mark, name in _OTHER_SEPARATORS.items() if {c.strip() for c in cells.split(mark)} & set(columns))
    return next(found, None)


def _cell_faults(rows: TableRows, schema: Table) -> list[PlanFault]:
    """The faults of single cells, and of rows that repeat the key of an earlier one, in the order of the rows."""
    faults = []
    for name, column in schema.columns.items():
        # Most rows repeat the same words and numbers: each is looked at once.
        wrong = {(cell,) for cell in set(rows.columns[name]) if not column.allows(cell)}
        faults += [row.fault(name, f"{quoted(row[name])} {column.error}") for row in rows.saying((name,), wrong)]
    return sorted([*faults, *_repeated_keys(rows, schema)], key=lambda fault: fault.row or 0)


def _repeated_keys(rows: TableRows, schema: Table) -> Iterator[PlanFault]:
    if len(set(rows.cells(*schema.key))) == len(rows):
        return
    seen: set[tuple[str, ...]] = set()
    for place, values in enumerate(rows.cells(*schema.key)):
        if values in seen:
            row = rows[place]
            named = [column for column in schema.key if row[column] or schema.columns[column].default is None]
            message = f"{quoted(row[named[-1]])} repeats an earlier row with the same {', '.join(named)}"
            yield row.fault(named[-1], message)
        seen.add(values)
