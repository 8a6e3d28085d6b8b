"""The report's Excel edition, following the Government Analysis Function's guidance on accessible spreadsheets.

A cover, contents, notes, then one table per sheet: no merged cells, no empty rows within a table, every symbol with its
word (a screen reader may not know the shape), shorthand explained, each table marked as a table.
"""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from typing import IO

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font
from openpyxl.worksheet._write_only import WriteOnlyWorksheet
from openpyxl.worksheet.filters import AutoFilter
from openpyxl.worksheet.table import Table, TableColumn, TableStyleInfo

from cypp_etl.phrases import date_text
from cypp_etl.report.folder import Report, report_of
from cypp_etl.report.model import BoardData
from cypp_etl.report.moments import moment_words
from cypp_etl.report.symbols import LEGEND
from cypp_etl.report.tables import DATA_QUALITY, Figure, SheetTable, groups_table, tables, tables_of_all
from cypp_etl.templates.openpyxl_styles import (
    BOLD,
    DATE_FORMAT,
    LINK,
    PLAIN,
    Content,
    cell_number,
    describe,
    looks_like_a_formula,
    put_value,
    row_height,
    save_to,
    set_order,
    set_up_page,
    style_text,
)
from cypp_etl.templates.openpyxl_styles import number_format as figure_format
from cypp_etl.workbook.model import column_letters
from schemas.codes import Unit
from schemas.markers import read_markers

_HEADER_ROW = 4
_PLAIN_HEIGHT = row_height([])


def render_workbook(data: BoardData, written_on: date) -> bytes:
    """The Excel edition; the date of writing is in one cell of the cover, and changes nothing else."""
    report = report_of(data)
    workbook = ReportWorkbook(report, written_on)
    for batch in report.batches:
        workbook.add(batch.data)
    for standings in report.standings:
        workbook.add_groups(standings)
    written = BytesIO()
    workbook.save(written)
    return written.getvalue()


class ReportWorkbook:
    """The Excel edition, written batch after batch; rows are on the disk once they are written."""

    def __init__(self, report: Report, written_on: date) -> None:
        """Begin with the cover, and with sheets without rows, which have no file yet."""
        frame = report.frame
        self._report, self._frame = report, frame
        self._workbook = Workbook(write_only=True)
        self._cover, self._contents, self._notes = (
            self._workbook.create_sheet(title) for title in ("Cover", "Contents", "Notes")
        )
        _write_cover(self._cover, frame, frame.title, written_on)
        _write_notes(self._notes)
        self._sheets = {table.sheet: TableSheet(self._workbook, table) for table in tables(frame)}
        self._groups = TableSheet(self._workbook, groups_table(frame))
        self._findings: set[int] = set()

    def add(self, data: BoardData) -> None:
        """Write the rows of a batch."""
        for sheet in self._sheets.values():
            sheet.add(data)
        self._findings.update(row["finding_id"] for row in data.findings)

    def add_groups(self, standings: BoardData) -> None:
        """Write the rows of groups and of their members."""
        self._groups.add(standings)

    def save(self, file: IO[bytes]) -> None:
        """Write what belongs to no batch, and the workbook into a file."""
        rest, frame = self._report.rest(), self._frame
        self._sheets[DATA_QUALITY].add(
            replace(rest, findings=[row for row in rest.findings if row["finding_id"] not in self._findings])
        )
        indicators, *of_series, quality = self._sheets.values()
        of_all = [TableSheet(self._workbook, table) for table in tables_of_all(frame)]
        for sheet in of_all:
            sheet.add(frame)
        filled = [sheet for sheet in (indicators, self._groups, *of_series, *of_all, quality) if sheet.finish()]
        _write_contents(self._contents, [sheet.table for sheet in filled])
        set_order(self._workbook, ["Cover", "Contents", "Notes", *(sheet.table.sheet for sheet in filled)])
        describe(self._workbook, frame.title)
        save_to(self._workbook, file, datetime.combine(frame.at.date(), frame.at.time().replace(microsecond=0)))


class TableSheet:
    """A sheet with one table, which is made with its first row."""

    def __init__(self, workbook: Workbook, table: SheetTable) -> None:
        """Nothing is written yet."""
        self.table = table
        self._workbook = workbook
        self._pen: Pen | None = None
        self._last = _HEADER_ROW
        self._widths = [width for _, width in table.headings]

    def add(self, data: BoardData) -> None:
        """Write the rows of a report, or of a part."""
        for row in self.table.rows_of(data):
            pen = self._pen = self._pen or self._begin()
            self._last += 1
            texts = (content if isinstance(content, str) else "" for content in row)
            pen.write_row(row, row_height(zip(texts, self._widths, strict=True)))

    def finish(self) -> bool:
        """Mark what was written as a table; whether there is any."""
        if self._pen is None:
            return False
        # The headings of the table are said here, since a sheet that is written row by row cannot be asked for them.
        ref = f"A{_HEADER_ROW}:{column_letters(len(self.table.headings))}{self._last}"
        columns = [TableColumn(id=number, name=name) for number, (name, _) in enumerate(self.table.headings, start=1)]
        style = TableStyleInfo("TableStyleLight1", showRowStripes=True)
        name = self.table.sheet.replace(" ", "_")
        made = Table(
            id=1,
            displayName=name,
            ref=ref,
            tableColumns=columns,
            autoFilter=AutoFilter(ref=ref),
            tableStyleInfo=style,
        )
        with warnings.catch_warnings():
            # It warns that columns must be named here, even where they are.
            warnings.simplefilter("ignore", UserWarning)
            self._pen.sheet.add_table(made)
        return True

    def _begin(self) -> "Pen":
        sheet = self._workbook.create_sheet(self.table.sheet)
        for column, width in enumerate(self._widths, start=1):
            sheet.column_dimensions[column_letters(column)].width = width
        sheet.freeze_panes = f"A{_HEADER_ROW + 1}"
        set_up_page(sheet, self.table.title)
        sheet.print_title_rows = f"{_HEADER_ROW}:{_HEADER_ROW}"
        pen = Pen(sheet)
        pen.write_row([self.table.title], _PLAIN_HEIGHT, font=BOLD, is_wrapped=False)
        for line in ("This sheet has one table.", "Shorthand is explained in the sheet Notes."):
            pen.write_row([line], _PLAIN_HEIGHT, is_wrapped=False)
        names = [name for name, _ in self.table.headings]
        pen.write_row(names, row_height(self.table.headings), font=BOLD)
        return pen


class Pen:
    """Writes the rows of a sheet one after the other. Cells of one look share an object, which is styled once."""

    def __init__(self, sheet: WriteOnlyWorksheet) -> None:
        """Begin at the first row."""
        self.sheet = sheet
        self._row = 0
        self._cells: dict[tuple[object, ...], WriteOnlyCell] = {}

    def write_row(
        self,
        row: Sequence[Content | Figure],
        height: float,
        *,
        font: Font = PLAIN,
        is_wrapped: bool = True,
        link: str = "",
    ) -> None:
        """Write a row of a height."""
        self._row += 1
        self.sheet.row_dimensions[self._row].height = height
        self.sheet.append([] if not row else (self._cell(content, font, is_wrapped, link) for content in row))
        # It is written: of thousands of rows, nothing is kept.
        del self.sheet.row_dimensions[self._row]

    def _cell(self, content: Content | Figure, font: Font, is_wrapped: bool, link: str) -> WriteOnlyCell:
        number_format = "General"
        if isinstance(content, Figure):
            unit, currency = Unit(content.row["unit"]), content.row["currency"] or ""
            number_format = figure_format(unit, content.row["decimals"], currency)
            value = None if content.value is None else cell_number(Decimal(repr(content.value)), unit)
            content = content.instead if value is None else value
        elif isinstance(content, date):
            number_format = DATE_FORMAT
        is_quoted = isinstance(content, str) and looks_like_a_formula(content)
        look = (font is PLAIN, font is LINK, is_wrapped, number_format, is_quoted)
        cell = None if link else self._cells.get(look)
        if cell is None:
            cell = self._cells[look] = WriteOnlyCell(self.sheet)
            style_text(cell, font=font, is_wrapped=is_wrapped)
            if number_format == DATE_FORMAT:
                # At the right edge it would run into the text beside it.
                cell.alignment = Alignment(horizontal="left", vertical="top")
            cell.number_format = number_format
            cell.quotePrefix = is_quoted
        put_value(cell, content)
        if link:
            del self._cells[look]
            cell.hyperlink = link
            cell.font = font
        return cell


_TEXT_WIDTH = 100


def _write_lines(sheet: WriteOnlyWorksheet, lines: Sequence[str], links: Sequence[str] = ()) -> None:
    """Text in column A, a heading first; the last lines lead to sheets."""
    sheet.column_dimensions["A"].width = _TEXT_WIDTH
    sheet.sheet_view.showGridLines = False
    set_up_page(sheet, lines[0])
    pen, plain = Pen(sheet), len(lines) - len(links)
    for place, line in enumerate(lines):
        link = f"#'{links[place - plain]}'!A1" if place >= plain else ""
        font = BOLD if not place else LINK if link else PLAIN
        pen.write_row([line], row_height([(line, _TEXT_WIDTH)]), font=font, link=link)


def _write_cover(sheet: WriteOnlyWorksheet, data: BoardData, title: str, written_on: date) -> None:
    lines = [
        title,
        *([data.body.body] if data.body.body else []),
        f"As it was known at {moment_words(data.at)}.",
        f"Written on {date_text(written_on)}.",
        "Each table is on its own sheet, listed in Contents. Notes explains symbols and shorthand.",
        "Percentages are shown as percentages; other figures are in the indicator's own unit.",
    ]
    _write_lines(sheet, lines)


def _write_contents(sheet: WriteOnlyWorksheet, tables: Sequence[SheetTable]) -> None:
    names = ["Notes: symbols and shorthand", *(f"{table.sheet}: {table.title}" for table in tables)]
    lines = ["Contents", "This sheet lists the others; each line links to one.", *names]
    _write_lines(sheet, lines, ["Notes", *(table.sheet for table in tables)])


def _write_notes(sheet: WriteOnlyWorksheet) -> None:
    symbols = [f"{symbol}: {meaning} ({name})" for name, meanings in LEGEND for symbol, meaning in meanings]
    shorthand = [f"{known.spelling}: {known.meaning}" for known in read_markers() if known.meaning]
    extra = ["[z]: not applicable", "[x]: not available"]
    _write_lines(sheet, ["Notes", "What symbols and shorthand mean.", *symbols, *shorthand, *extra])
