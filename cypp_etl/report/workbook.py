"""The report's Excel edition, following the Government Analysis Function's guidance on accessible spreadsheets.

A cover, contents, notes, then one table per sheet: no merged cells, no empty rows within a table, every symbol with its
word (a screen reader may not know the shape), shorthand explained, each table marked as a table.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from openpyxl import Workbook
from openpyxl.worksheet.table import Table, TableStyleInfo
from openpyxl.worksheet.worksheet import Worksheet

from cypp_etl.findings import in_words
from cypp_etl.report.model import BoardData
from cypp_etl.report.moments import moment_words
from cypp_etl.report.symbols import LEGEND
from cypp_etl.report.tables import Figure, SheetTable, tables
from cypp_etl.templates.openpyxl_styles import (
    BOLD,
    DATE_FORMAT,
    LINK,
    PLAIN,
    Content,
    cell_number,
    describe,
    fit_row,
    number_format,
    put,
    set_up_page,
    style_text,
    to_bytes,
)
from cypp_etl.workbook.model import column_letters
from schemas.codes import Unit
from schemas.markers import read_markers

_HEADER_ROW = 4


def render_workbook(data: BoardData, written_on: date) -> bytes:
    """The Excel edition; the date of writing is in one cell of the cover, and changes nothing else."""
    workbook = Workbook()
    filled = [table for table in tables(data) if table.rows]
    title = data.title
    _write_cover(workbook.active, data, title, written_on)
    _write_contents(workbook.create_sheet("Contents"), filled)
    _write_notes(workbook.create_sheet("Notes"))
    for number, table in enumerate(filled, start=1):
        _write_table(workbook.create_sheet(table.sheet), table, number)
    describe(workbook, title)
    return to_bytes(workbook, datetime.combine(data.at.date(), data.at.time().replace(microsecond=0)))


def _write_lines(sheet: Worksheet, lines: Sequence[str], width: float = 100) -> None:
    """Text in column A, a heading first."""
    sheet.column_dimensions["A"].width = width
    sheet.sheet_view.showGridLines = False
    for row, line in enumerate(lines, start=1):
        put(sheet.cell(row, 1), line)
        style_text(sheet.cell(row, 1), font=BOLD) if row == 1 else style_text(sheet.cell(row, 1))
        fit_row(sheet, row, [(line, width)])
    set_up_page(sheet, lines[0])


def _write_cover(sheet: Worksheet, data: BoardData, title: str, written_on: date) -> None:
    sheet.title = "Cover"
    lines = [
        title,
        *([data.body.body] if data.body.body else []),
        f"As it was known at {moment_words(data.at)}.",
        f"Written on {in_words(written_on)}.",
        "Each table is on its own sheet, listed in Contents. Notes explains symbols and shorthand.",
        "Percentages are shown as percentages; other figures are in the indicator's own unit.",
    ]
    _write_lines(sheet, lines)


def _write_contents(sheet: Worksheet, tables: Sequence[SheetTable]) -> None:
    _write_lines(sheet, ["Contents", "This sheet lists the others; each line links to one.", "Notes"])
    targets = ["Notes", *(table.sheet for table in tables)]
    for row, (target, table) in enumerate(zip(targets, [None, *tables], strict=True), start=3):
        cell = sheet.cell(row, 1)
        put(cell, f"{row - 3}. {table.title}" if table else "Notes: symbols and shorthand")
        cell.hyperlink = f"#'{target}'!A1"
        cell.font = LINK


def _write_notes(sheet: Worksheet) -> None:
    symbols = [f"{symbol}: {meaning} ({name})" for name, meanings in LEGEND for symbol, meaning in meanings]
    shorthand = [f"{known.spelling}: {known.meaning}" for known in read_markers() if known.meaning]
    extra = ["[z]: not applicable", "[x]: not available"]
    _write_lines(sheet, ["Notes", "What symbols and shorthand mean.", *symbols, *shorthand, *extra])


def _write_table(sheet: Worksheet, table: SheetTable, number: int) -> None:
    lines = (f"{number}. {table.title}", "This sheet has one table.", "Shorthand is explained in the sheet Notes.")
    for place, line in enumerate(lines, start=1):
        put(sheet.cell(place, 1), line)
        sheet.cell(place, 1).font = BOLD if place == 1 else PLAIN
    for column, (heading, width) in enumerate(table.headings, start=1):
        put(sheet.cell(_HEADER_ROW, column), heading)
        style_text(sheet.cell(_HEADER_ROW, column), font=BOLD)
        sheet.column_dimensions[column_letters(column)].width = width
    fit_row(sheet, _HEADER_ROW, table.headings)
    widths = [width for _, width in table.headings]
    for place, row in enumerate(table.rows, start=_HEADER_ROW + 1):
        for column, content in enumerate(row, start=1):
            _write_content(sheet, place, column, content)
        texts = [content if isinstance(content, str) else "" for content in row]
        fit_row(sheet, place, zip(texts, widths, strict=True))
    last = f"{column_letters(len(table.headings))}{_HEADER_ROW + len(table.rows)}"
    excel_table = Table(displayName=table.sheet.replace(" ", "_"), ref=f"A{_HEADER_ROW}:{last}")
    excel_table.tableStyleInfo = TableStyleInfo("TableStyleLight1", showRowStripes=True)
    sheet.add_table(excel_table)
    sheet.freeze_panes = f"A{_HEADER_ROW + 1}"
    set_up_page(sheet, table.title)
    sheet.print_title_rows = f"{_HEADER_ROW}:{_HEADER_ROW}"


def _write_content(sheet: Worksheet, row: int, column: int, content: Content | Figure) -> None:
    cell = sheet.cell(row, column)
    style_text(cell)
    if isinstance(content, Figure):
        unit = Unit(content.row["unit"])
        value = None if content.value is None else cell_number(Decimal(repr(content.value)), unit)
        put(cell, content.instead if value is None else value)
        cell.number_format = number_format(unit, content.row["decimals"], content.row["currency"] or "")
        return
    put(cell, content)
    if isinstance(content, date):
        cell.number_format = DATE_FORMAT
