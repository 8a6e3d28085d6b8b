"""Writes the source document's table of performance indicators as an Excel workbook: the first input of the demo.

The table is stored as printed, column for column, because reading depends on how a figure was typed.
"""

import csv
import re
from collections.abc import Sequence
from decimal import Decimal
from importlib.resources import files
from itertools import groupby
from typing import Literal

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from cypp_etl.layout import ColumnLayout, SheetLayout, published_table
from cypp_etl.templates.openpyxl_styles import (
    describe,
    fit_row,
    put,
    set_up_page,
    style_heading,
    style_printed,
    to_bytes,
)
from cypp_etl.workbook.model import column_letters

Table = Sequence[Sequence[str]]
Typing = Literal["text", "number"]

_HEADER_ROWS = 2
_NUMBER = re.compile(r"-?\d{1,3}(?:,\d{3})+(?:\.\d+)?%?|-?\d+(?:\.\d+)?%?")


def read_sample_table() -> Table:
    """The table as printed: a row of headings, a row for each band, parent and indicator."""
    text = files("cypp_etl").joinpath("samples", "published-table.csv").read_text("utf-8")
    return tuple(tuple(row) for row in csv.reader(text.splitlines()))


def write_published_table(table: Table, typing: Typing) -> bytes:
    """A published table as a workbook, its header in two rows and its bands merged across.

    `typing` says how the figures are entered in Excel: as the `text` that was printed, or as a `number` with a format
    that shows it as printed.

    Raises:
        ValueError: a heading is not in the layout.
    """
    layout = published_table()
    workbook = Workbook()
    sheet = workbook.active
    sheet.title = layout.sheet
    headings, *rows = table
    columns = [_known_column(layout, heading) for heading in headings]
    _write_header(sheet, headings, columns)
    for row, texts in enumerate(rows, start=_HEADER_ROWS + 1):
        if any(texts[1:]):
            _write_row(sheet, row, texts, columns, typing)
        else:
            _write_band(sheet, row, texts)
    set_up_page(sheet, layout.sheet)
    sheet.print_title_rows = f"1:{_HEADER_ROWS}"
    sheet.freeze_panes = f"{column_letters(layout.position('definition'))}{_HEADER_ROWS + 1}"
    describe(workbook, layout.sheet)
    return to_bytes(workbook)


def typed_number(text: str) -> tuple[Decimal, str] | None:
    """Excel's interpretation of a typed figure: its value and format, or None if it is text."""
    if not _NUMBER.fullmatch(text):
        return None
    digits = text.rstrip("%").replace(",", "")
    value = Decimal(digits)
    places = "0." + "0" * len(digits.partition(".")[2]) if "." in digits else "0"
    if text.endswith("%"):
        return value.scaleb(-2), f"{places}%"
    if "," in text:
        return value, f"#,##{places}"
    is_shown_without_format = str(value.normalize()) == digits or "." not in digits
    return value, "General" if is_shown_without_format else places


def _known_column(layout: SheetLayout, heading: str) -> ColumnLayout:
    for column in layout.columns:
        if column.match(heading) is not None:
            return column
    raise ValueError(f"{heading!r} is not a heading of a published table")


def _write_header(sheet: Worksheet, headings: Sequence[str], columns: Sequence[ColumnLayout]) -> None:
    """Write the headings, each over both rows, except those with a shared group heading above them."""
    position = 0
    for group, members in groupby(columns, key=lambda column: column.group):
        width = len(list(members))
        if group:
            put(sheet.cell(1, position + 1), group)
            sheet.merge_cells(start_row=1, end_row=1, start_column=position + 1, end_column=position + width)
        for column in range(position + 1, position + width + 1):
            put(sheet.cell(2 if group else 1, column), headings[column - 1])
            style_heading(sheet.cell(1, column), is_entry=False)
            style_heading(sheet.cell(2, column), is_entry=False)
            if not group:
                sheet.merge_cells(start_row=1, end_row=2, start_column=column, end_column=column)
        position += width
    for number, layout in enumerate(columns, start=1):
        sheet.column_dimensions[column_letters(number)].width = layout.width
    fit_row(sheet, 2, [(text, layout.width) for text, layout in zip(headings, columns, strict=True)])


def _write_band(sheet: Worksheet, row: int, texts: Sequence[str]) -> None:
    put(sheet.cell(row, 1), texts[0])
    for column in range(1, len(texts) + 1):
        style_heading(sheet.cell(row, column), is_entry=False)
    sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=len(texts))


def _write_row(
    sheet: Worksheet, row: int, texts: Sequence[str], columns: Sequence[ColumnLayout], typing: Typing
) -> None:
    for number, text in enumerate(texts, start=1):
        cell = sheet.cell(row, number)
        typed = typed_number(text) if typing == "number" else None
        put(cell, typed[0] if typed else text or None)
        if typed:
            cell.number_format = typed[1]
        style_printed(cell, is_centred=columns[number - 1].column != "definition")
    fit_row(sheet, row, [(text, column.width) for text, column in zip(texts, columns, strict=True)])
