"""Marks a partner's own workbook: every finding in its cell, and a first sheet that lists them all."""

from collections.abc import Mapping, Sequence

from cypp_etl.findings import Finding, most_important_first
from cypp_etl.receipts.marked_sheet import SheetMarks
from cypp_etl.receipts.ooxml.cells import Place
from cypp_etl.receipts.ooxml.package import Parts
from cypp_etl.receipts.ooxml.sheet_list import Book, Listed
from cypp_etl.receipts.ooxml.styles import StyleBook
from cypp_etl.receipts.ooxml.vml import highest_block
from cypp_etl.receipts.ooxml.xml_edit import Markup
from cypp_etl.receipts.receipt_sheet import ReceiptSheet
from cypp_etl.receipts.receipt_styles import add_looks
from cypp_etl.receipts.recognise import is_receipt, is_receipt_name
from cypp_etl.receipts.summary import ReceiptSummary
from cypp_etl.workbook.addresses import parse_address
from cypp_etl.workbook.limits import DEFAULT_LIMITS
from cypp_etl.workbook.model import UnreadableWorkbook
from cypp_etl.workbook.reader import read_workbook

_STYLES_PART = "xl/styles.xml"
_STYLES_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"


def mark_workbook(
    data: bytes, findings: Sequence[Finding], summary: ReceiptSummary, sheet_names: Mapping[str, str] | None = None
) -> bytes:
    """The workbook in these bytes, marked as by `mark_parts`.

    Raises:
        UnreadableWorkbook: it is not an Office Open XML workbook, or cannot be marked.
    """
    return mark_parts(Parts(data), findings, summary, sheet_names)


def mark_parts(
    parts: Parts, findings: Sequence[Finding], summary: ReceiptSummary, sheet_names: Mapping[str, str] | None = None
) -> bytes:
    """A workbook with a first sheet that lists the findings, and a coloured, commented cell for each.

    The marks of an earlier receipt are removed first. Everything else stays as it is, byte for byte: sheets, formulas
    with their results, charts, images, macros. `sheet_names` are the real names of sheets with another displayed name.

    Raises:
        UnreadableWorkbook: it cannot be marked.
    """
    book = Book(parts)
    old = _old_receipts(parts.data, book)
    sheets = {sheet.name: sheet for sheet in reversed(book.sheets) if sheet.part and sheet not in old}
    styles = _open_styles(parts)
    styles.take_marks_off()
    shown = {name: stands_for for stands_for, name in (sheet_names or {}).items()}
    places = _places(findings)
    block = max((highest_block(parts.read(drawing)) for drawing in parts.named(".vml")), default=0)
    for sheet in sheets.values():
        block += 1
        SheetMarks(parts, styles, sheet.part, places.get(shown.get(sheet.name, sheet.name), {})).write(block)
    receipt = ReceiptSheet(add_looks(styles, summary.status), {shown.get(name, name): name for name in sheets})
    receipt.write(summary, findings)
    styles.write()
    book.add_first(old, receipt.title_row, receipt.to_bytes(book.markup.namespace, summary))
    return parts.to_bytes()


def _old_receipts(data: bytes, book: Book) -> list[Listed]:
    """The sheets of earlier receipts; the workbook is read for them only if a name makes them likely."""
    if not any(is_receipt_name(sheet.name) for sheet in book.sheets):
        return []
    ours = {sheet.name for sheet in read_workbook(data).sheets if is_receipt(sheet)}
    return [sheet for sheet in book.sheets if sheet.name in ours and sheet.part]


def _open_styles(parts: Parts) -> StyleBook:
    links = parts.relationships(parts.workbook).values()
    found = next((link.target for link in links if link.kind == "styles" and link.target in parts), None)
    if found is None:
        # Some programs, including openpyxl, look for styles only under this name.
        found = _STYLES_PART if _STYLES_PART not in parts else parts.free_name("xl/cyppStyles{}.xml")
        namespace = parts.markup(parts.workbook).namespace
        parts.put(found, b"")
        parts.open(found, Markup(f'<styleSheet xmlns="{namespace}"></styleSheet>'.encode()))
        parts.declare(found, _STYLES_TYPE)
        parts.relate(parts.workbook, "styles", found)
    return StyleBook(parts.markup(found))


def _places(findings: Sequence[Finding]) -> dict[str, dict[Place, list[Finding]]]:
    """The findings by sheet and cell, most important first; those without a cell are listed but not marked."""
    places: dict[str, dict[Place, list[Finding]]] = {}
    for finding in most_important_first(findings):
        if finding.sheet and (place := _place(finding.cell)):
            places.setdefault(finding.sheet, {}).setdefault(place, []).append(finding)
    return places


def _place(cell: str) -> Place | None:
    try:
        return parse_address(cell, DEFAULT_LIMITS)
    except UnreadableWorkbook:
        return None
