"""Reads the old and binary formats with libraries that trust their input; to be run only in a child process.

xlrd reads `.xls` with its number formats. python-calamine reads `.xlsb`, without number formats, error codes or
formulas; a file that claims a huge range can make it abort the process, which nothing in Python can prevent.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from io import BytesIO, StringIO
from typing import TYPE_CHECKING, Any

from cypp_etl.workbook.limits import Limits, Spent, damaged
from cypp_etl.workbook.model import Cell, CellKind, Sheet, UnreadableWorkbook, Workbook, column_letters
from cypp_etl.workbook.sniff import Encoding
from cypp_etl.workbook.styles import GENERAL_STYLE, Style, style_of
from cypp_etl.workbook.values import Value, is_finite, serial_of

if TYPE_CHECKING:
    from python_calamine import CalamineSheet


def read_legacy(data: bytes, encoding: Encoding, limits: Limits) -> Workbook:
    """The workbook in bytes that are known to be in one of the old or binary formats."""
    spent = Spent(limits)
    workbook = _read_xls(data, spent) if encoding is Encoding.XLS else _read_calamine(data, encoding, spent)
    if not workbook.sheets:
        raise UnreadableWorkbook("workbook-no-sheets")
    return workbook


def _read_xls(data: bytes, spent: Spent) -> Workbook:
    import xlrd  # noqa: PLC0415 - most programs that import this package never meet such a file
    from xlrd.compdoc import CompDocError  # noqa: PLC0415

    try:
        book = xlrd.open_workbook(file_contents=data, formatting_info=True, ragged_rows=True, logfile=StringIO())
        return Workbook("xls", [_xls_sheet(book, sheet, spent) for sheet in book.sheets()])
    except (UnreadableWorkbook, MemoryError):
        raise
    except CompDocError as fault:
        try:
            # Excel and calamine can often read a container that xlrd cannot.
            return _read_calamine(data, Encoding.XLS, Spent(spent.limits))
        except UnreadableWorkbook:
            raise damaged("it was cut short, or its records do not hold together") from fault
    except Exception as fault:
        if isinstance(fault, xlrd.XLRDError) and "encrypted" in str(fault):
            raise UnreadableWorkbook("workbook-password") from fault
        # xlrd does not read everything that Excel opens: odd formulas in names, wrong counts, missing records.
        return _read_calamine(data, Encoding.XLS, Spent(spent.limits))


def _xls_sheet(book: Any, source: Any, spent: Spent) -> Sheet:
    sheet = Sheet(source.name, is_hidden=source.visibility != 0)
    sheet.hidden_rows.update(row + 1 for row, info in source.rowinfo_map.items() if info.hidden)
    sheet.hidden_columns.update(column + 1 for column, info in source.colinfo_map.items() if info.hidden)
    for first_row, end_row, first_column, end_column in source.merged_cells:
        spent.add_merge()
        sheet.merges.append((first_row + 1, first_column + 1, end_row, end_column))
    for (row, column), note in source.cell_note_map.items():
        spent.add_text(note.text)
        sheet.comments[f"{column_letters(column + 1)}{row + 1}"] = note.text
    for link in source.hyperlink_list:
        # A link to a place in the workbook has no address.
        if isinstance(link.url_or_path, str):
            sheet.links[f"{column_letters(link.fcolx + 1)}{link.frowx + 1}"] = link.url_or_path
    for row in range(source.nrows):
        cells = (_xls_cell(book, row, column, cell) for column, cell in enumerate(source.row(row)))
        _keep(sheet, row + 1, cells, spent)
    return sheet


def _xls_cell(book: Any, row: int, column: int, source: Any) -> Cell:
    number_format = book.format_map[book.xf_list[source.xf_index].format_key].format_str
    style = style_of(number_format, is_1904=book.datemode == 1)
    kind, value = _xls_value(source.ctype, source.value, style)
    return Cell(row + 1, column + 1, kind, value, number_format)


def _xls_value(cell_type: int, value: Any, style: Style) -> Value:
    from xlrd import biffh  # noqa: PLC0415 - as above

    if cell_type in (biffh.XL_CELL_NUMBER, biffh.XL_CELL_DATE):
        return _number(value, style)
    if cell_type == biffh.XL_CELL_TEXT:
        return CellKind.TEXT, value
    if cell_type == biffh.XL_CELL_BOOLEAN:
        return CellKind.BOOLEAN, bool(value)
    if cell_type == biffh.XL_CELL_ERROR:
        return CellKind.ERROR, biffh.error_text_from_code.get(value, f"#{value}")
    return CellKind.BLANK, None


def _read_calamine(data: bytes, encoding: Encoding, spent: Spent) -> Workbook:
    import python_calamine as calamine  # noqa: PLC0415 - as above

    try:
        book = calamine.CalamineWorkbook.from_filelike(BytesIO(data))
        listed = [entry for entry in book.sheets_metadata if entry.typ == calamine.SheetTypeEnum.WorkSheet]
        sheets = []
        for entry in listed:
            is_hidden = entry.visible != calamine.SheetVisibleEnum.Visible
            sheets.append(_calamine_sheet(book.get_sheet_by_name(entry.name), spent, is_hidden=is_hidden))
    except calamine.PasswordError as fault:
        raise UnreadableWorkbook("workbook-password") from fault
    except (UnreadableWorkbook, MemoryError):
        raise
    except BaseException as fault:
        raise damaged("its contents do not hold together") from fault
    return Workbook(encoding.value, sheets, has_formats=False)


def _calamine_sheet(source: "CalamineSheet", spent: Spent, *, is_hidden: bool) -> Sheet:
    sheet = Sheet(source.name, is_hidden=is_hidden)
    for (first_row, first_column), (last_row, last_column) in source.merged_cell_ranges or ():
        spent.add_merge()
        sheet.merges.append((first_row + 1, first_column + 1, last_row + 1, last_column + 1))
    top, left = source.start or (0, 0)
    for row, values in enumerate(source.to_python(skip_empty_area=True), top + 1):
        cells = (Cell(row, column, *_plain_value(value)) for column, value in enumerate(values, left + 1))
        _keep(sheet, row, cells, spent)
    return sheet


def _plain_value(value: float | str | bool | date | time | timedelta) -> Value:
    if isinstance(value, str):
        return (CellKind.TEXT, value) if value else (CellKind.BLANK, None)
    if isinstance(value, bool):
        return CellKind.BOOLEAN, value
    if isinstance(value, timedelta):
        return CellKind.DATE, value / timedelta(days=1)
    if isinstance(value, datetime | date | time):
        return CellKind.DATE, serial_of(value)
    return _number(value, GENERAL_STYLE)


def _number(value: float, style: Style) -> Value:
    if not is_finite(value):
        return CellKind.ERROR, str(value)
    return style.kind, float(value) + style.shift


def _keep(sheet: Sheet, row: int, cells: Iterator[Cell], spent: Spent) -> None:
    kept = {cell.column: cell for cell in cells if cell.kind is not CellKind.BLANK}
    if not kept:
        return
    spent.add_cells(len(kept))
    for cell in kept.values():
        if isinstance(cell.value, str):
            spent.add_text(cell.value)
    sheet.rows[row] = kept
