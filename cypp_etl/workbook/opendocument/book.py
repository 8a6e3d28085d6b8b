"""Reads OpenDocument spreadsheets (`.ods`), as LibreOffice writes them: one part holds all the sheets."""

from collections.abc import Callable

from cypp_etl.workbook.limits import damaged
from cypp_etl.workbook.markup import find_elements
from cypp_etl.workbook.model import Sheet, UnreadableWorkbook, Workbook
from cypp_etl.workbook.opendocument.sheets import SheetsReader
from cypp_etl.workbook.opendocument.styles import STYLE_NAMES, OpenDocumentStyles
from cypp_etl.workbook.package import Package

_CONTENT, _STYLES = "content.xml", "styles.xml"
_MACROS = ("basic/", "scripts/")


class OpenDocumentBook:
    """A workbook whose sheets follow each other in one part, and are known only after they have been read."""

    def __init__(self, package: Package) -> None:
        if _CONTENT not in package:
            raise damaged("the part that holds its sheets is missing")
        self._package = package
        self._has_external_links = False

    def refuse_volume(self) -> None:
        """Refuse, at little cost, a workbook with more content than is read."""
        self._package.refuse_volume([_CONTENT])

    def head(self) -> Workbook:
        """The workbook without its sheets, after they have been read."""
        has_macros = any(part.startswith(_MACROS) for part in self._package)
        return Workbook("ods", [], has_macros=has_macros, has_external_links=self._has_external_links)

    def read(self, begin: Callable[[str, bool], Sheet], end: Callable[[Sheet], None]) -> None:
        """Read all sheets: each into the result of `begin` for its name and visibility, then call `end`."""
        styles = OpenDocumentStyles()
        if _STYLES in self._package:
            for _, name, attributes in find_elements(self._package.listing(_STYLES), self._package.spent, STYLE_NAMES):
                styles.start(name, attributes)
        reader = SheetsReader(styles, begin, end, self._package.spent)
        reader.read(self._package.chunks(_CONTENT))
        if not reader.names:
            raise UnreadableWorkbook("workbook-no-sheets")
        self._has_external_links = reader.has_external_links
