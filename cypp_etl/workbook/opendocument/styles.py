"""Reads the styles of an OpenDocument spreadsheet: number formats, and hidden sheets."""

from cypp_etl.workbook.formats import GENERAL
from cypp_etl.workbook.markup import Attributes

_PERCENTAGE = "datastyle:percentage-style"
_WAYS = frozenset(
    {
        *("datastyle:number-style", _PERCENTAGE, "datastyle:currency-style", "datastyle:text-style"),
        *("datastyle:date-style", "datastyle:time-style", "datastyle:boolean-style"),
    }
)
STYLE_NAMES = _WAYS | {"datastyle:number", "style:map", "style:style", "style:table-properties"}
_OF_CELLS = "table-cell"
_MOST_DECIMALS = 20


class OpenDocumentStyles:
    """Handles the styles of a document in their order: a number style comes before the style that uses it.

    A style without a number style inherits its parent's, wherever the parent is defined.
    """

    def __init__(self) -> None:
        self.hidden_sheets: set[str] = set()
        self._number_formats: dict[str, str] = {}
        self._of_cells: dict[str, str] = {}
        self._parents: dict[str, str] = {}
        self._way = self._style = ""
        self._is_percentage = self._has_sections = False

    def start(self, name: str, attributes: Attributes) -> None:
        """Handle the start tag of one of STYLE_NAMES."""
        if name == "datastyle:number":
            self._number_formats[self._way] = self._format(attributes)
        elif name == "style:map":
            self._start_section(attributes.get("style:apply-style-name", ""))
        elif name == "style:style":
            self._start_style(attributes)
        elif name == "style:table-properties":
            if attributes.get("table:display") == "false":
                self.hidden_sheets.add(self._style)
        else:
            self._way, self._is_percentage = attributes.get("style:name", ""), name == _PERCENTAGE
            self._has_sections = False

    def number_format(self, style: str) -> str:
        """The number format of a style's cells, as in Excel."""
        found = self._of_cells.get(style)
        return self._inherited(style) if found is None else found

    def _start_section(self, way: str) -> None:
        """Handle a conditional number style; Excel puts the one for most numbers first."""
        if self._way and not self._has_sections:
            self._has_sections = True
            self._number_formats[self._way] = self._number_formats.get(way, GENERAL)

    def _start_style(self, attributes: Attributes) -> None:
        # Later maps of a style are conditions on cells.
        self._way, self._style = "", attributes.get("style:name", "")
        if attributes.get("style:family", _OF_CELLS) != _OF_CELLS:
            return
        way = attributes.get("style:data-style-name", "")
        if way:
            self._of_cells[self._style] = self._number_formats.get(way, GENERAL)
        else:
            self._of_cells.pop(self._style, None)
            self._parents[self._style] = attributes.get("style:parent-style-name", "")

    def _inherited(self, style: str) -> str:
        """The number format of the nearest ancestor that has one, cached for its descendants."""
        heirs: list[str] = []
        while style in self._parents and style not in self._of_cells:
            # A cycle of ancestors ends where it started.
            self._of_cells[style] = GENERAL
            heirs.append(style)
            style = self._parents[style]
        found = self._of_cells.get(style, GENERAL)
        self._of_cells.update(dict.fromkeys(heirs, found))
        return found

    def _format(self, attributes: Attributes) -> str:
        # Of a number's possible decimals, only those count that are shown even if they are zero.
        decimals = attributes.get("datastyle:min-decimal-places", attributes.get("datastyle:decimal-places", "0"))
        count = int(decimals) if decimals.isascii() and decimals.isdecimal() and len(decimals) <= 2 else 0
        shown = "0." + "0" * min(count, _MOST_DECIMALS) if count else "0"
        return shown + "%" if self._is_percentage else shown
