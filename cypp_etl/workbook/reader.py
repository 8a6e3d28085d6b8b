"""Reads a workbook from untrusted bytes: the only entry point for reading returns."""

import hashlib
from functools import lru_cache
from itertools import chain

from cypp_etl.caching import remembered
from cypp_etl.workbook.limits import DEFAULT_LIMITS, Limits
from cypp_etl.workbook.model import CellKind, Columns, Sheet, UnreadableWorkbook, Workbook
from cypp_etl.workbook.ooxml.book import OoxmlBook
from cypp_etl.workbook.sandbox.parent import read_isolated
from cypp_etl.workbook.sniff import Encoding, sniff

# What is said of so many cells is in memory at once: of all of a large sheet's, it would be as much as the cells.
_CELLS_AT_ONCE = 20_000
_KIND_WORDS = {kind: f"{kind.value!r}, " for kind in CellKind}


def read_workbook(data: bytes, name: str = "", limits: Limits = DEFAULT_LIMITS) -> Workbook:
    """The workbook in these bytes, whatever they claim to be; raises only UnreadableWorkbook, if there is none.

    Office Open XML of the size of a return is read here. Larger files are read in a child process, and so are files
    that may be larger than they look (OpenDocument stores repetitions once) or that other libraries read. `name` is
    the file's name, used only in the words of the finding.
    """
    try:
        encoding, package = sniff(data, limits)
        if encoding is Encoding.XLSX and package is not None:
            book = OoxmlBook(package)
            if book.size <= limits.apart_from_bytes:
                return _whole(book)
        return read_isolated(data, name, limits)
    except UnreadableWorkbook as fault:
        fault.words.setdefault("name", name)
        raise


def _whole(book: OoxmlBook) -> Workbook:
    """The whole workbook."""
    sheets: list[Sheet] = []
    book.read(Sheet, sheets.append)
    workbook = book.head()
    workbook.sheets = sheets
    return workbook


def content_sha256(workbook: Workbook) -> str:
    """A digest of the workbook's content, to recognise the same content in different bytes.

    Two workbooks share it if their sheets have the same names, in the same order, and cells that agree in address,
    kind, value, number format and in whether they are formulas.
    """
    digest = hashlib.sha256()
    for sheet in workbook.sheets:
        digest.update(repr((sheet.name, sheet.is_hidden)).encode("utf-8", "backslashreplace"))
        cells = sheet.columns()
        for at in range(0, len(cells.rows), _CELLS_AT_ONCE):
            few = Columns._make(each[at : at + _CELLS_AT_ONCE] for each in cells)
            digest.update(_said_of_cells(few).encode("utf-8", "backslashreplace"))
    return digest.hexdigest()


def _said_of_cells(cells: Columns) -> str:
    """The cells, each like the `repr` of a tuple of its parts; of pieces, in three quarters of the time."""
    begins = {number: f"({number}, " for number in set(cells.rows)}
    columns = {column: f"{column}, " for column in set(cells.columns)}
    pieces = zip(
        map(begins.__getitem__, cells.rows),
        map(columns.__getitem__, cells.columns),
        map(_KIND_WORDS.__getitem__, cells.kinds),
        [_said_of_text(value) if isinstance(value, str) else repr(value) for value in cells.values],
        map(_end_of_cell, cells.number_formats, cells.are_formulas),
        strict=True,
    )
    return "".join(chain.from_iterable(pieces))


_said_of_text = remembered(repr)


@lru_cache(maxsize=4096)
def _end_of_cell(number_format: str, is_formula: bool) -> str:
    return f", {number_format!r}, {is_formula})"
