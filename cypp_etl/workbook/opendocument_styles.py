"""What the styles of an OpenDocument spreadsheet say: how numbers are shown, and which sheets are hidden."""

from cypp_etl.workbook.formats import GENERAL
from cypp_etl.workbook.markup import Attributes

_PERCENTAGE = "datastyle:percentage-style"
STYLE_NAMES = frozenset(
    {"datastyle:number-style", _PERCENTAGE, "datastyle:number", "style:style", "style:table-properties"}
)
_MOST_DECIMALS = 20


class OpenDocumentStyles:
    """Hears the styles of a document in their order: a way of showing numbers comes before the style that uses it."""

    def __init__(self) -> None:
        self.hidden_sheets: set[str] = set()
        self._number_formats: dict[str, str] = {}
        self._of_cells: dict[str, str] = {}
        self._way = self._style = ""
        self._is_percentage = False

    def start(self, name: str, attributes: Attributes) -> None:
        """Hear the start tag of one of STYLE_NAMES."""
        if name == "datastyle:number":
            self._number_formats[self._way] = self._format(attributes.get("datastyle:decimal-places", "0"))
        elif name == "style:style":
            self._style = attributes.get("style:name", "")
            self._of_cells[self._style] = self._number_formats.get(attributes.get("style:data-style-name", ""), GENERAL)
        elif name == "style:table-properties":
            if attributes.get("table:display") == "false":
                self.hidden_sheets.add(self._style)
        else:
            self._way, self._is_percentage = attributes.get("style:name", ""), name == _PERCENTAGE

    def number_format(self, style: str) -> str:
        """The format, in Excel's terms, in which cells of a style show their numbers."""
        return self._of_cells.get(style, GENERAL)

    def _format(self, decimals: str) -> str:
        count = int(decimals) if decimals.isascii() and decimals.isdecimal() and len(decimals) <= 2 else 0
        shown = "0." + "0" * min(count, _MOST_DECIMALS) if count else "0"
        return shown + "%" if self._is_percentage else shown
