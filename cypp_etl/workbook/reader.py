"""Reads a workbook from bytes that anyone may have sent: the one way in for all that reads returns."""

import hashlib
from collections.abc import Iterator

from cypp_etl.workbook.guards import DEFAULT_LIMITS, Limits
from cypp_etl.workbook.isolated import read_isolated
from cypp_etl.workbook.model import Sheet, UnreadableWorkbook, Workbook
from cypp_etl.workbook.opening import open_book, read_book
from cypp_etl.workbook.sniff import sniff


def read_workbook(data: bytes, name: str = "", limits: Limits = DEFAULT_LIMITS) -> Workbook:
    """The workbook in these bytes, whatever they claim to be; UnreadableWorkbook, and nothing else, if there is none.

    Office Open XML and OpenDocument of the size of a return are read here; what is larger, and what other libraries
    read, goes through a child process. `name` is what the file is called, for the words of the finding alone.
    """
    try:
        encoding, package = sniff(data, limits)
        book = open_book(encoding, package)
        if book is not None and book.size <= limits.apart_from_bytes:
            return read_book(book)
        return read_isolated(data, name, limits)
    except UnreadableWorkbook as fault:
        fault.words.setdefault("name", name)
        raise


def content_sha256(workbook: Workbook) -> str:
    """A digest of what the workbook says, for telling the same content in other bytes.

    Two workbooks share it if their sheets have the same names, in the same order, and cells that agree in address,
    kind, value, number format and in whether they are formulas.
    """
    digest = hashlib.sha256()
    for sheet in workbook.sheets:
        digest.update(repr((sheet.name, sheet.is_hidden)).encode("utf-8", "backslashreplace"))
        for line in _content_lines(sheet):
            digest.update(line)
    return digest.hexdigest()


def _content_lines(sheet: Sheet) -> Iterator[bytes]:
    for _, row in sorted(sheet.rows.items()):
        for _, cell in sorted(row.items()):
            yield repr((*cell[:2], cell.kind.value, *cell[3:])).encode("utf-8", "backslashreplace")
