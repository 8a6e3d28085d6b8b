"""Notes hidden parts of a workbook, which are read anyway, and parts that are not read."""

from collections.abc import Iterator

from cypp_etl.findings import Finding, find
from cypp_etl.intake.rows import ParsedReturn
from cypp_etl.intake.values import read_text
from cypp_etl.layout import Layout
from cypp_etl.personal import without_personal
from cypp_etl.phrases import shorten
from cypp_etl.receipts.recognise import without_receipt_notes
from cypp_etl.workbook.model import Sheet, Workbook, column_letters


def judge_hidden(workbook: Workbook, layout: Layout, parsed: ParsedReturn) -> Iterator[Finding]:
    """Note what is invisible in the file, and what was not read.

    That is hidden sheets, rows and columns with content, comments, links, pivot caches and macros; and sheets
    that are not part of the return.
    """
    parts = parsed.parts_by_sheet
    personal = {finding.sheet for finding in parsed.findings if finding.code == "personal-data-sheet"}
    for sheet in filter(_holds_anything, workbook.sheets):
        part = parts.get(sheet.name) or next((part.part for part in layout.sheets if part.is_named(sheet.name)), "")
        if part and layout.part(part).is_hidden:
            continue
        if sheet.is_hidden:
            yield find("hidden-sheet", sheet=sheet.name)
        elif part and sheet.name not in parts:
            yield find("sheet-twice", sheet=sheet.name, read=parsed.sheets.get(part, layout.part(part).sheet))
        elif part:
            yield from _judge_hidden_lines(sheet)
            yield from _judge_attached(sheet)
        elif sheet.name not in personal and sheet.name not in parsed.second_sheets:
            yield find("sheet-not-read", sheet=sheet.name)
    if workbook.has_macros:
        yield find("macros")
    if workbook.has_external_links:
        yield find("external-links")
    if workbook.has_pivot_caches:
        yield find("pivot-cache")
    if not workbook.has_formats and parsed.figures:
        yield find("formats-unknown", kind=workbook.kind)


def _judge_hidden_lines(sheet: Sheet) -> Iterator[Finding]:
    for row in sorted(sheet.hidden_rows & sheet.rows.keys()):
        if any(read_text(cell) for cell in sheet.rows[row].values()):
            yield find("hidden-row", sheet=sheet.name, cell=f"A{row}", row=row)
    hidden = (cells[column] for cells in sheet.rows.values() for column in cells.keys() & sheet.hidden_columns)
    for column in sorted({cell.column for cell in hidden if read_text(cell)}):
        yield find("hidden-column", sheet=sheet.name, cell=f"{column_letters(column)}1", column=column_letters(column))


def _judge_attached(sheet: Sheet) -> Iterator[Finding]:
    for address, comment in sheet.comments.items():
        if without_receipt_notes(comment):
            yield find("cell-comment", sheet=sheet.name, cell=address)
    linked = [cell for cells in sheet.rows.values() for cell in cells.values()] if sheet.links else []
    shown = {cell.address: read_text(cell) for cell in linked if cell.address in sheet.links}
    for address, target in sheet.links.items():
        # Excel makes a link from each address that is typed: it hides nothing.
        if target.removeprefix("mailto:") != shown.get(address):
            yield find("cell-link", sheet=sheet.name, cell=address, target=shorten(without_personal(target)))


def _holds_anything(sheet: Sheet) -> bool:
    return any(read_text(cell) for cells in sheet.rows.values() for cell in cells.values())
