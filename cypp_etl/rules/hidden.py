"""What is hidden in a workbook is read all the same, and a note says so; what is not read is said too."""

from collections.abc import Iterator

from cypp_etl.findings import Finding, find
from cypp_etl.intake.rows import ParsedReturn
from cypp_etl.intake.tables import find_sheet
from cypp_etl.intake.values import read_text
from cypp_etl.layout import Layout
from cypp_etl.receipts.recognise import is_receipt
from cypp_etl.workbook.model import Sheet, Workbook, column_letters


def judge_hidden(workbook: Workbook, layout: Layout, parsed: ParsedReturn) -> Iterator[Finding]:
    """Note hidden sheets, rows and columns that hold something, sheets that no layout knows, macros and links."""
    for sheet in workbook.sheets:
        if is_receipt(sheet):
            continue
        part = next((part for part in layout.sheets if part.is_named(sheet.name)), None)
        if part is None and not sheet.is_hidden and _holds_anything(sheet):
            yield find("sheet-not-read", sheet=sheet.name)
        elif sheet.is_hidden and (part is None or not part.is_hidden) and _holds_anything(sheet):
            yield find("hidden-sheet", sheet=sheet.name)
        elif part is not None and not part.is_hidden:
            yield from _judge_hidden_lines(sheet)
    yield from _judge_doubles(workbook, layout)
    if workbook.has_macros:
        yield find("macros")
    if workbook.has_external_links:
        yield find("external-links")
    if not workbook.has_formats and parsed.figures:
        yield find("formats-unknown", kind=workbook.kind)


def _judge_doubles(workbook: Workbook, layout: Layout) -> Iterator[Finding]:
    """Two sheets that go by the same name: only one of them was read."""
    for part in layout.sheets:
        read = find_sheet(workbook, part)
        for sheet in workbook.sheets:
            if read is not None and sheet is not read and part.is_named(sheet.name) and _holds_anything(sheet):
                yield find("sheet-twice", sheet=sheet.name, read=read.name)


def _judge_hidden_lines(sheet: Sheet) -> Iterator[Finding]:
    for row in sorted(sheet.hidden_rows & sheet.rows.keys()):
        if any(read_text(cell) for cell in sheet.rows[row].values()):
            yield find("hidden-row", sheet=sheet.name, cell=f"A{row}", row=row)
    used = {cell.column for cells in sheet.rows.values() for cell in cells.values() if read_text(cell)}
    for column in sorted(sheet.hidden_columns & used):
        yield find("hidden-column", sheet=sheet.name, cell=f"{column_letters(column)}1", column=column_letters(column))


def _holds_anything(sheet: Sheet) -> bool:
    return any(read_text(cell) for cells in sheet.rows.values() for cell in cells.values())
