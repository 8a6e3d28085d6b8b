"""The boxes in which comments are shown: a VML drawing, which every spreadsheet program still requires.

Real VML is not always well-formed XML, so it is edited as text.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cypp_etl.receipts.ooxml.cells import Place, SheetCells

_COLUMNS, _ROWS = 16_384, 1_048_576
_WIDTH = 340
_LETTERS_A_LINE = 54
_LINE_HEIGHT = 15
_MOST_LINES = 40
_GAP = 14
_TYPE = (
    '<v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe">'
    '<v:stroke joinstyle="miter"/><v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>'
)
_HEAD = (
    '<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" '
    'xmlns:x="urn:schemas-microsoft-com:office:excel">'
    '<o:shapelayout v:ext="edit"><o:idmap v:ext="edit" data="{block}"/></o:shapelayout></xml>'
)
_NAMESPACES = {"v": "vml", "o": "office:office", "x": "office:excel"}
_OUR_NAME = re.compile(r"(?<=[</ ])([vox]):(?=[a-z]+\b)", re.IGNORECASE)
_ID = re.compile(r"_x0000_s(\d{1,8})")
_BLOCK = re.compile(r"""<\w+:idmap\b[^>]*\bdata\s*=\s*["'](\d{1,6})""")


@dataclass(frozen=True, slots=True)
class Balloon:
    """A comment's box: its cell and its position."""

    place: Place
    anchor: str


def measure_balloon(cells: SheetCells, place: Place, text: str) -> Balloon:
    """A box beside a cell, large enough for a text."""
    lines = sum(1 + len(line) // _LETTERS_A_LINE for line in text.split("\n"))
    row, column = place
    # There is no space beside the last column or below the last row.
    left = min(column, _COLUMNS - 12)
    top = min(max(row - 2, 0), _ROWS - 60)
    right, right_offset = _walk(left, _GAP + _WIDTH, cells.width, _COLUMNS - 1)
    bottom, bottom_offset = _walk(top, 8 + _LINE_HEIGHT * min(lines + 1, _MOST_LINES), cells.height, _ROWS - 1)
    numbers = (left, _GAP, top, 4, right, right_offset, bottom, bottom_offset)
    return Balloon(place, ", ".join(map(str, numbers)))


def new_drawing(block: int) -> bytes:
    """An empty drawing; `block` is its thousand of the workbook's shape numbers."""
    return _HEAD.format(block=block).encode()


def highest_block(drawing: bytes) -> int:
    """The highest block of shape numbers that a drawing uses."""
    return max(map(int, _BLOCK.findall(drawing.decode("utf-8", "replace"))), default=0)


def draw(drawing: bytes, balloons: Iterable[Balloon], vanished: Iterable[Place]) -> bytes:
    """A drawing with a box for each comment, old boxes made large enough, and boxes of removed comments dropped."""
    text = drawing.decode("utf-8", "surrogateescape")
    names = _Names(text)
    gone, wanted = set(vanished), {balloon.place: balloon for balloon in balloons}
    text = names.shape.sub(lambda match: _redrawn(match[0], names, wanted, gone), text)
    first = 1024 * max(highest_block(drawing), 1)
    number = max((int(found) for found in _ID.findall(text)), default=first)
    shapes = [_shape(max(number, first) + count, balloon) for count, balloon in enumerate(wanted.values(), 1)]
    if shapes and 'id="_x0000_t202"' not in text:
        shapes.insert(0, _TYPE)
    before, end, after = text.rpartition("</xml")
    return (before + names.translate("".join(shapes)) + end + after).encode("utf-8", "surrogateescape")


class _Names:
    """The prefixes of VML, Office and Excel in a drawing, which differ between openpyxl and Excel."""

    def __init__(self, text: str) -> None:
        self._prefixes = {ours: _prefix(text, ours) for ours in _NAMESPACES}
        v, x = re.escape(self._prefixes["v"]), re.escape(self._prefixes["x"])
        self.shape = re.compile(rf"<{v}:shape\b(?:[^>]*[^>/])?>.*?</{v}:shape\s*>", re.DOTALL)
        self.row = re.compile(rf"<{x}:Row>\s*(\d{{1,7}})\s*</{x}:Row>")
        self.column = re.compile(rf"<{x}:Column>\s*(\d{{1,5}})\s*</{x}:Column>")
        self.anchor = re.compile(rf"<{x}:Anchor\b[^<]*</{x}:Anchor\s*>")

    def translate(self, markup: str) -> str:
        """Our markup with the drawing's own prefixes."""
        if all(ours == theirs for ours, theirs in self._prefixes.items()):
            return markup
        return _OUR_NAME.sub(lambda match: f"{self._prefixes[match[1]]}:", markup)


def _prefix(text: str, ours: str) -> str:
    found = re.search(rf"""xmlns:([\w.-]+)\s*=\s*["']urn:schemas-microsoft-com:{_NAMESPACES[ours]}["']""", text)
    return found[1] if found else ours


def _redrawn(shape: str, names: _Names, wanted: dict[Place, Balloon], gone: set[Place]) -> str:
    row, column = names.row.search(shape), names.column.search(shape)
    if row is None or column is None:
        return shape
    place = (int(row[1]) + 1, int(column[1]) + 1)
    if place not in wanted:
        return "" if place in gone else shape
    anchor = names.translate(f"<x:Anchor>{wanted.pop(place).anchor}</x:Anchor>")
    return names.anchor.sub("", shape[: row.start()]) + anchor + names.anchor.sub("", shape[row.start() :])


def _walk(start: int, distance: int, size_of: Callable[[int], int], last: int) -> tuple[int, int]:
    """The column or row, counting from 0, that is some pixels further, and the pixels into it."""
    at = start
    while at < last and distance >= size_of(at + 1):
        distance -= size_of(at + 1)
        at += 1
    return at, distance


def _shape(number: int, balloon: Balloon) -> str:
    row, column = balloon.place
    return (
        f'<v:shape id="_x0000_s{number}" type="#_x0000_t202" style="position:absolute;margin-left:60pt;margin-top:2pt;'
        f'width:255pt;height:80pt;z-index:1;visibility:hidden" fillcolor="#ffffe1" o:insetmode="auto">'
        '<v:fill color2="#ffffe1"/><v:shadow on="t" color="black" obscured="t"/><v:path o:connecttype="none"/>'
        '<v:textbox style="mso-direction-alt:auto"><div style="text-align:left"></div></v:textbox>'
        '<x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/>'
        f"<x:Anchor>{balloon.anchor}</x:Anchor><x:AutoFill>False</x:AutoFill>"
        f"<x:Row>{row - 1}</x:Row><x:Column>{column - 1}</x:Column></x:ClientData></v:shape>"
    )
