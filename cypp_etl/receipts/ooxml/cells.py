"""Gives cells of a sheet another style, and adds missing cells in their right places."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cypp_etl.receipts.ooxml.xml_edit import Attributes, Markup, Node, measure, whole
from cypp_etl.workbook.addresses import column_number
from cypp_etl.workbook.model import column_letters

_DIGITS = "0123456789"
# A row that says its number, or the rules for input, with nothing that a parser would read in another way.
_FULL = re.compile(rb'<(?:(row) r="([0-9]{1,7})"|(dataValidations))(?: [A-Za-z0-9:]+="[^<>"]*")*>')
# A cell that says its address, or one that does not.
_CELL = re.compile(rb'<c(?: r="([A-Z]{1,3})([0-9]{1,7})"|[\s/>])')
_TRUE = frozenset({"1", "true"})
_LOOKED_INTO = frozenset({"worksheet", "chartsheet", "dialogsheet", "sheetViews", "cols", "row"})
_DEFAULT_WIDTH = 9.14
_DEFAULT_HEIGHT = 15.0
_ROWS_MEASURED = 200_000

Place = tuple[int, int]
Restyle = Callable[[Place, int], int]


@dataclass(slots=True)
class _Rows:
    """Selects the elements of a sheet that are needed: the wanted rows, and the places of missing ones."""

    wanted: Mapping[int, list[int]]
    pending: list[int]
    found: dict[int, int] = field(default_factory=dict)
    gaps: dict[int, int] = field(default_factory=dict)
    heights: dict[int, float] = field(default_factory=dict)
    row: int = 0

    def keep(self, tag: str, attributes: Attributes, at: int, parent: Node | None) -> bool:
        """Whether an element is to be a node."""
        if parent is None:
            return True
        name = tag.rpartition(":")[2]
        if parent.name == "sheetData":
            return name == "row" and self._start_row(attributes, at)
        return parent.name in _LOOKED_INTO

    def _start_row(self, attributes: Attributes, at: int) -> bool:
        self.row = whole(attributes.get("r"), self.row + 1)
        while self.pending and self.pending[0] < self.row:
            self.gaps[self.pending.pop(0)] = at
        if self.pending and self.pending[0] == self.row:
            self.pending.pop(0)
        if "ht" in attributes and len(self.heights) < _ROWS_MEASURED:
            self.heights[self.row] = measure(attributes["ht"], _DEFAULT_HEIGHT)
        is_kept = self.row in self.wanted and self.row not in self.gaps and self.row not in self.found
        if is_kept:
            self.found[self.row] = at
        return is_kept


class SheetCells:
    """One sheet, whose cells at the given places will be marked."""

    def __init__(self, data: bytes, places: set[Place]) -> None:
        self._wanted: dict[int, list[int]] = {}
        for row, column in sorted(places):
            self._wanted.setdefault(row, []).append(column)
        self._rows = _Rows(self._wanted, sorted(self._wanted))
        self.markup = Markup(data, self._rows.keep, self._hollowed)
        self._data = self.markup.root.child("sheetData")
        columns = self.markup.root.child("cols")
        self._columns = [
            (whole(node.attributes.get("min")), whole(node.attributes.get("max")), node)
            for node in (columns.named("col") if columns else ())
        ]
        nodes = {node.start: node for node in self._data.named("row")} if self._data else {}
        self._found = {row: nodes[at] for row, at in self._rows.found.items()}

    def _hollowed(self, data: bytes) -> bytes:
        """The sheet with spaces for rules for input, and for the cells that get no mark, which nearly all are."""
        # In comments and the like, what looks like a row is none.
        if b"<!" in data or data.find(b"<?", 2) != -1:
            return data
        pieces: list[bytes] = []
        at = 0
        for full in _FULL.finditer(data):
            if full.start() < at:
                continue
            name = full[1] or full[3]
            inside, until = full.end(), data.find(b"</" + name + b">", full.end())
            # A row in a row, which no sheet has, is left to the parser.
            if until > inside and data.find(b"<" + name, inside, until) == -1:
                for start, end in self._marked(data, int(full[2] or 0), inside, until):
                    pieces += data[at:inside], b" " * (start - inside)
                    at, inside = start, end
                pieces += data[at:inside], b" " * (until - inside)
                at = until
        return b"".join((*pieces, data[at:]))

    def _marked(self, data: bytes, row: int, inside: int, until: int) -> list[tuple[int, int]]:
        """Where the cells of a row are that get a mark; all of it where one of them is missing, or not as usual."""
        wanted = self._wanted.get(row)
        if not wanted:
            return []
        cells = list(_CELL.finditer(data, inside, until))
        ends = [*(cell.start() for cell in cells[1:]), until]
        spans = {cell[1]: (cell.start(), end) for cell, end in zip(cells, ends, strict=True)}
        is_usual = len(spans) == len(cells) and all(cell[1] and int(cell[2]) == row for cell in cells)
        letters = [column_letters(column).encode() for column in wanted]
        if not is_usual or not spans.keys() >= set(letters):
            return [(inside, until)]
        found = sorted(spans[one] for one in letters)
        return found if all(_is_alone(data[start:end].rstrip()) for start, end in found) else [(inside, until)]

    def restyle(self, style_of: Restyle) -> None:
        """Give each cell the style derived from its own; cells without a row get one."""
        missing: list[str] = []
        for row, columns in self._wanted.items():
            if row in self._found:
                self._restyle_row(self._found[row], row, columns, style_of)
                continue
            xml = f'<row r="{row}">{self._made(row, columns, style_of)}</row>'
            if row in self._rows.gaps:
                self.markup.replace(self._rows.gaps[row], self._rows.gaps[row], xml)
            else:
                missing.append(xml)
        if missing and self._data:
            self.markup.append(self._data, "".join(missing))

    def _restyle_row(self, node: Node, row: int, columns: list[int], style_of: Restyle) -> None:
        cells = _numbered(node)
        inherited = node.attributes.get("s") if node.attributes.get("customFormat") in _TRUE else None
        at_end: list[str] = []
        for column in columns:
            cell = cells.get(column)
            if cell is not None:
                style = style_of((row, column), whole(cell.attributes.get("s")))
                self.markup.change(cell, {"s": str(style)})
                continue
            xml = self._made(row, [column], style_of, inherited)
            after = min((number for number in cells if number > column), default=None)
            if after is None:
                at_end.append(xml)
            else:
                self.markup.replace(cells[after].start, cells[after].start, xml)
        # A row's spans are a hint to readers; a wrong one is worse than none.
        span = {"spans": None} if at_end and "spans" in node.attributes else {}
        if at_end:
            self.markup.change(node, dict(span), self.markup.written("".join(at_end)))

    def _made(self, row: int, columns: list[int], style_of: Restyle, inherited: str | None = None) -> str:
        styles = [
            style_of((row, column), whole(self._column_style(column) if inherited is None else inherited))
            for column in columns
        ]
        pairs = zip(columns, styles, strict=True)
        return "".join(f'<c r="{column_letters(column)}{row}" s="{style}"/>' for column, style in pairs)

    def _column_style(self, column: int) -> str:
        node = self._column(column)
        return node.attributes.get("style", "0") if node else "0"

    def _column(self, column: int) -> Node | None:
        return next((node for first, last, node in self._columns if first <= column <= last), None)

    def width(self, column: int) -> int:
        """A column's width on the screen, in pixels."""
        node = self._column(column)
        if node is None:
            return int(_DEFAULT_WIDTH * 7)
        if node.attributes.get("hidden") in _TRUE:
            return 0
        return int(measure(node.attributes.get("width"), _DEFAULT_WIDTH) * 7) + 5

    def height(self, row: int) -> int:
        """A row's height on the screen, in pixels."""
        return int(self._rows.heights.get(row, _DEFAULT_HEIGHT) * 4 / 3)


def _is_alone(text: bytes) -> bool:
    """Whether a text that begins with a cell is that cell, and neither its parts nor something around it."""
    tag_ends = text.find(b">")
    if text[tag_ends - 1 : tag_ends] == b"/":
        return tag_ends == len(text) - 1
    return text.endswith(b"</c>") and text.count(b"</c>") == 1


def _numbered(row: Node) -> dict[int, Node]:
    """The cells of a row by column; one without an address follows the one before it."""
    cells: dict[int, Node] = {}
    column = 0
    for node in row.named("c"):
        address = node.attributes.get("r", "")
        column = column_number(address.rstrip(_DIGITS)) if address else column + 1
        cells.setdefault(column, node)
    return cells
