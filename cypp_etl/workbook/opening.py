"""Opens the workbooks that are read without anybody else's library: their sheets are listed, or read one by one."""

from collections.abc import Callable
from typing import Protocol

from cypp_etl.workbook.model import Sheet, Workbook
from cypp_etl.workbook.ooxml import OoxmlBook
from cypp_etl.workbook.opendocument import OpenDocumentBook
from cypp_etl.workbook.package import Package
from cypp_etl.workbook.sniff import Encoding


class Book(Protocol):
    """A workbook whose sheets are read one by one: what they hold need not be in memory all at once."""

    @property
    def size(self) -> int:
        """How many bytes the parts unpack to that take the time."""

    def refuse_volume(self) -> None:
        """Refuse, at little cost, what holds more than is read."""

    def head(self) -> Workbook:
        """The workbook without its sheets, once they have been read."""

    def read(self, begin: Callable[[str, bool], Sheet], end: Callable[[Sheet], None]) -> None:
        """Read all sheets, each into what `begin` gives for its name and whether it is hidden, and `end` it."""


def open_book(encoding: Encoding, package: Package | None) -> Book | None:
    """The workbook in an archive, or None where it is of a kind that a library reads."""
    if package is None or encoding not in (Encoding.XLSX, Encoding.ODS):
        return None
    return OoxmlBook(package) if encoding is Encoding.XLSX else OpenDocumentBook(package)


def read_book(book: Book) -> Workbook:
    """The whole workbook."""
    sheets: list[Sheet] = []
    book.read(Sheet, sheets.append)
    workbook = book.head()
    workbook.sheets = sheets
    return workbook
