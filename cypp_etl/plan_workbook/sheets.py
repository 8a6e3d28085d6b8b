"""Reads the plan's tables from a workbook, with what is wrong or was understood in each cell.

The tables become the CSV files that the plan's own reader checks, with the same rows: whatever it finds there is
in the cell of that row and column.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from cypp_etl.findings import find
from cypp_etl.intake.values import as_typed
from cypp_etl.layout import normalise_heading
from cypp_etl.phrases import quoted
from cypp_etl.plan.model import Plan
from cypp_etl.plan.reader import FIGURES, faults_of, plan_of
from cypp_etl.plan.tables import HEADER_ROW, PlanError, PlanFault, PlanTables, Row, tables_of
from cypp_etl.plan_workbook.cells import Around, cell_text
from cypp_etl.plan_workbook.figures import typed_figures
from cypp_etl.plan_workbook.guidance import GUIDANCE_SHEET
from cypp_etl.receipts.recognise import is_receipt
from cypp_etl.workbook.limits import refuse_size
from cypp_etl.workbook.model import Cell, CellKind, Sheet, UnreadableWorkbook, Workbook, column_letters
from cypp_etl.workbook.reader import read_workbook
from schemas.plan import TABLES, Column, ColumnKind

_OTHER_TEXT = Column(lambda _: True)
_FILE_NAMES = re.compile(rf"\b(?:{'|'.join(map(re.escape, TABLES))})\b")


@dataclass(frozen=True, slots=True)
class PlanReading:
    """A plan's workbook after reading: the plan, or all its faults; the notes say what was understood, not guessed."""

    plan: Plan | None
    faults: tuple[PlanFault, ...]
    notes: tuple[PlanFault, ...]


@dataclass(frozen=True, slots=True)
class _Filled:
    """One sheet as the text of a CSV file, whose rows are numbered as in the sheet, and the heading of each column."""

    sheet: Sheet
    columns: Mapping[int, str]
    content: bytes
    faults: tuple[PlanFault, ...]
    notes: tuple[PlanFault, ...]

    def locate(self, fault: PlanFault) -> PlanFault:
        """A fault of the CSV file as one of the sheet."""
        number = next((number for number, name in self.columns.items() if name == fault.column), None)
        message = _FILE_NAMES.sub(lambda named: f"the sheet {Path(named[0]).stem}", fault.message)
        message = message.replace("of this file", "of this sheet")
        if fault.column is not None and number is None:
            message = f"the column {fault.column} {message}"
        cell = f"{column_letters(number or 1)}{fault.row or HEADER_ROW}"
        return replace(fault, file=self.sheet.name, message=message, cell=cell)


def read_plan_workbook(data: bytes, name: str) -> PlanReading:
    """Read a plan's workbook, of any format that returns may have.

    Args:
        data: the workbook's bytes.
        name: the file's name, for messages.
    """
    try:
        refuse_size(len(data))
        workbook = read_workbook(data, name)
    except UnreadableWorkbook as unreadable:
        words = {key: str(word) for key, word in unreadable.words.items()}
        return PlanReading(None, (PlanFault(name, None, None, find(unreadable.code, **words).message),), ())
    sheets = dict(_sheets(workbook))
    codes = _codes(sheets)
    filled = _with_typed_figures({file: _fill(sheet, file, codes) for file, sheet in sheets.items()})
    tables = tables_of({file: each.content for file, each in filled.items()})
    own = [fault for each in filled.values() for fault in each.faults]
    found = [*_of_other_sheets(workbook, sheets), *own, *_located(tables, filled, own)]
    notes = tuple(note for each in filled.values() for note in each.notes)
    if found:
        order = {sheet.name: place for place, sheet in enumerate(workbook.sheets)}
        faults = sorted(found, key=lambda fault: (order.get(fault.file, -1), fault.row or 0))
        return PlanReading(None, tuple(faults), notes)
    return PlanReading(plan_of(csv_files(tables.rows)), (), notes)


def _with_typed_figures(filled: Mapping[str, _Filled]) -> dict[str, _Filled]:
    """The sheets with the figures as plain numbers."""
    if FIGURES not in filled:
        return {**filled}
    typed, sheet = typed_figures({file: each.content for file, each in filled.items()}), filled[FIGURES]
    faults, notes = (tuple(map(sheet.locate, said)) for said in (typed.faults, typed.notes))
    taken = {fault.cell for fault in sheet.faults}
    faults = tuple(fault for fault in faults if fault.cell not in taken)
    own = replace(sheet, content=typed.content, faults=sheet.faults + faults, notes=sheet.notes + notes)
    return {**filled, FIGURES: own}


def csv_files(rows: Mapping[str, Sequence[Row]]) -> dict[str, bytes]:
    """A plan's rows as its CSV files, without what is optional and says nothing."""
    files: dict[str, bytes] = {}
    for file, table in TABLES.items():
        if table.is_optional and not rows.get(file):
            continue
        columns = [
            name
            for name, column in table.columns.items()
            if column.default is None or any(row[name] != column.default for row in rows[file])
        ]
        files[file] = _csv([columns, *([row[name] for name in columns] for row in rows[file])])
    return files


def _csv(lines: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue().encode()


def _sheets(workbook: Workbook) -> Iterator[tuple[str, Sheet]]:
    """The sheet of each table, by file; an empty one of a table that a plan may lack is none."""
    for file, table in TABLES.items():
        name = normalise_heading(Path(file).stem)
        for sheet in workbook.sheets:
            if normalise_heading(sheet.name) == name and (sheet.rows or not table.is_optional):
                yield file, sheet
                break


def _codes(sheets: Mapping[str, Sheet]) -> dict[str, list[str]]:
    """The codes of digits that the tables have as text, by what is left of them without zeros in front."""
    codes: dict[str, dict[str, None]] = {}
    for file, sheet in sheets.items():
        kinds = {number: _column(file, name).kind for number, name in _columns(sheet).items()}
        texts = (
            str(cell.value).strip()
            for row in sheet.rows.values()
            for number, cell in row.items()
            if cell.kind is CellKind.TEXT and kinds.get(number) is ColumnKind.CODE
        )
        for code in texts:
            if code.isdecimal():
                codes.setdefault(code.lstrip("0"), {})[code] = None
    return {stripped: list(known) for stripped, known in codes.items()}


def _column(file: str, name: str) -> Column:
    return TABLES[file].columns.get(name, _OTHER_TEXT)


def _columns(sheet: Sheet) -> dict[int, str]:
    """The headings by column, those of empty columns left out."""
    headings = {number: as_typed(cell).strip() for number, cell in sheet.rows.get(HEADER_ROW, {}).items()}
    return {number: heading for number, heading in sorted(headings.items()) if heading}


def _fill(sheet: Sheet, file: str, codes: Mapping[str, Sequence[str]]) -> _Filled:
    columns = _columns(sheet)
    unit_at = next((number for number, name in columns.items() if name == "unit"), 0)
    faults, notes, lines = list(_shape_faults(sheet, columns)), [], [list(columns.values())]
    for row in sorted(row for row in sheet.rows if row > HEADER_ROW):
        cells = {number: cell for number, cell in sheet.rows[row].items() if number in columns and _is_filled(cell)}
        if not cells:
            continue
        unit = as_typed(cells[unit_at]).strip() if unit_at in cells else ""
        # A blank cell says what the file says that does not have its column.
        texts = {name: _column(file, name).default or "" for name in columns.values()}
        for number, cell in cells.items():
            name = columns[number]
            if name not in TABLES[file].columns:
                # The heading's own fault.
                continue
            said = cell_text(cell, _column(file, name), Around(codes, unit))
            texts[name] = said.text
            place = PlanFault(sheet.name, row, name, "", cell.address)
            if said.fault:
                faults.append(replace(place, message=said.fault))
            if said.note:
                notes.append(replace(place, message=said.note))
        # Rows keep their numbers.
        lines.extend([] for _ in range(row - len(lines) - 1))
        lines.append(list(texts.values()))
    return _Filled(sheet, columns, _csv(lines), tuple(faults), tuple(notes))


def _is_filled(cell: Cell) -> bool:
    return cell.is_formula or (cell.value is not None and bool(as_typed(cell).strip()))


def _shape_faults(sheet: Sheet, columns: Mapping[int, str]) -> Iterator[PlanFault]:
    """What a table must not have: hidden or merged parts, and cells below no heading."""
    if sheet.is_hidden:
        yield PlanFault(sheet.name, None, None, "the sheet is hidden: show it, or delete it", "")
    filled = {row for row, cells in sheet.rows.items() if any(_is_filled(cell) for cell in cells.values())}
    for first, last in _runs(filled & sheet.hidden_rows):
        rows, them = (f"row {first} is", "it") if first == last else (f"rows {first} to {last} are", "them")
        yield PlanFault(sheet.name, first, None, f"{rows} hidden: show {them}, or delete {them}", f"A{first}")
    for number in sorted(set(columns) & sheet.hidden_columns):
        address = f"{column_letters(number)}{HEADER_ROW}"
        yield PlanFault(sheet.name, HEADER_ROW, None, f"the column {columns[number]} is hidden: show it", address)
    for first_row, first_column, last_row, last_column in sheet.merges:
        if first_row in filled or last_row in filled:
            left = f"{column_letters(first_column)}{first_row}"
            right = f"{column_letters(last_column)}{last_row}"
            message = f"{left} to {right} are merged, and only the first of them says something: unmerge them"
            yield PlanFault(sheet.name, first_row, None, message, left)
    for row in sorted(filled):
        for number, cell in sorted(sheet.rows[row].items()):
            if number not in columns and _is_filled(cell):
                message = f"{quoted(as_typed(cell).strip())} is below no heading: give its column one, or clear it"
                yield PlanFault(sheet.name, row, None, message, cell.address)


def _runs(numbers: set[int]) -> Iterator[tuple[int, int]]:
    """The first and the last of each run of consecutive numbers."""
    for _, run in groupby(enumerate(sorted(numbers)), key=lambda pair: pair[1] - pair[0]):
        members = [number for _, number in run]
        yield members[0], members[-1]


def _of_other_sheets(workbook: Workbook, sheets: Mapping[str, Sheet]) -> Iterator[PlanFault]:
    """Sheets that would be ignored, and those that are missing."""
    known = {sheet.name for sheet in sheets.values()}
    for sheet in workbook.sheets:
        ours = (
            sheet.name in known
            or is_receipt(sheet)
            or normalise_heading(sheet.name) == normalise_heading(GUIDANCE_SHEET)
        )
        if not ours and sheet.rows:
            names = ", ".join(Path(file).stem for file in TABLES)
            message = f"the sheet is not a table of the plan, which has {names}: rename it, or delete it"
            yield PlanFault(sheet.name, None, None, message, "")
    for file, table in TABLES.items():
        if file not in sheets and not table.is_optional:
            yield PlanFault(Path(file).stem, None, None, "there is no such sheet in the workbook", "")


def _located(tables: PlanTables, filled: Mapping[str, _Filled], own: Sequence[PlanFault]) -> Iterator[PlanFault]:
    """The faults that the plan's own reader finds, in the sheets, but for cells that have one already."""
    taken = {(fault.file, fault.cell) for fault in own}
    for fault in faults_of(tables):
        if fault.file in filled:
            located = filled[fault.file].locate(fault)
            if (located.file, located.cell) not in taken:
                yield located


def must_be_plan(reading: PlanReading) -> Plan:
    """The plan of a reading.

    Raises:
        PlanError: it has faults.
    """
    if reading.plan is None:
        raise PlanError(*reading.faults)
    return reading.plan
