"""Adds a receipt's formats to a workbook's styles, and removes the marks of an earlier receipt.

A marked cell gets a copy of its own style with a fill and a border. The copy's parent is a named style with the
cell's original format, and named styles survive a save in Excel or LibreOffice: so the next receipt can restore the
styles, whichever cells have them by then. If the name was lost, a mark is recognised by its colours, which nothing
else has.
"""

import re
from dataclasses import dataclass, field
from xml.sax.saxutils import quoteattr

from cypp_etl.receipts.ooxml.xml_edit import Markup, Node, attributes_of, rewrite, whole
from schemas.codes import Severity

_ORDER = (
    *("numFmts", "fonts", "fills", "borders", "cellStyleXfs", "cellXfs", "cellStyles", "dxfs", "tableStyles"),
    *("colors", "extLst"),
)
_FIRST = {
    "fonts": ['<font><sz val="11"/><name val="Calibri"/><family val="2"/></font>'],
    "fills": ['<fill><patternFill patternType="none"/></fill>', '<fill><patternFill patternType="gray125"/></fill>'],
    "borders": ["<border><left/><right/><top/><bottom/><diagonal/></border>"],
    "cellStyleXfs": ['<xf numFmtId="0" fontId="0" fillId="0" borderId="0"/>'],
    "cellXfs": ['<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'],
    "cellStyles": ['<cellStyle name="Normal" xfId="0" builtinId="0"/>'],
}
_BEFORE = "Before receipt"
_NAME = re.compile(rf"{_BEFORE} \d+(?:: (.*))?", re.DOTALL)
_NORMAL = "Normal"
_COLOUR = re.compile(rb"""\srgb\s*=\s*["']([0-9A-Fa-f]{8})["']""")
_ROLES = ("numFmtId", "fontId", "fillId", "borderId")
_APPLIED = {f"apply{what}": "1" for what in ("NumberFormat", "Font", "Fill", "Border", "Alignment", "Protection")}


@dataclass(frozen=True, slots=True)
class Mark:
    """The fill and border of a severity: they differ in colour and in line style, for people who cannot see colours."""

    fill: str
    line: str
    border: str

    def fill_xml(self) -> str:
        """The fill of a marked cell."""
        return solid(self.fill)

    def border_xml(self) -> str:
        """The border of a marked cell."""
        return edges(self.border, self.line)


MARKS = {
    Severity.ERROR: Mark("FFFFC9CE", "FFB00A21", "medium"),
    Severity.QUERY: Mark("FFFFE7A1", "FF8F5E02", "mediumDashed"),
    Severity.NOTE: Mark("FFD9E8FB", "FF1B5FA9", "thin"),
}
_FILLS = frozenset(mark.fill for mark in MARKS.values())
_LINES = frozenset(mark.line for mark in MARKS.values())


@dataclass(slots=True)
class _Items:
    """The children of one collection of styles, by index, in their final form."""

    node: Node | None
    nodes: list[Node]
    items: list[bytes]
    changed: set[int] = field(default_factory=set)
    _places: dict[bytes, int] | None = None

    def add(self, item: bytes) -> int:
        """The index of an item, which is added if there is no equal one."""
        if self._places is None:
            # Of equal ones, the first.
            self._places = {one: index for index, one in reversed(list(enumerate(self.items)))}
        place = self._places.get(item)
        return self.add_new(item) if place is None else place

    def add_new(self, item: bytes) -> int:
        """The index of an item that is added even if there is an equal one."""
        self.items.append(item)
        if self._places is not None:
            self._places.setdefault(item, len(self.items) - 1)
        return len(self.items) - 1

    def set(self, index: int, item: bytes) -> None:
        """Replace an item."""
        if self.items[index] != item:
            self.items[index] = item
            self.changed.add(index)
            self._places = None


class StyleBook:
    """The styles of a workbook."""

    def __init__(self, markup: Markup) -> None:
        self._markup = markup
        self._collections = {name: self._collect(name) for name in _FIRST}
        self._marked: dict[tuple[int, Severity], int] = {}
        self._bases: dict[int, int] = {}

    def _collect(self, name: str) -> _Items:
        node = self._markup.root.child(name)
        nodes = [child for child in node.children if child.name != "extLst"] if node else []
        items = [self._markup.source(child) for child in nodes]
        collected = _Items(node, nodes, items)
        for first in _FIRST[name] if not items else ():
            collected.add(self._markup.written(first))
        return collected

    def take_marks_off(self) -> None:
        """Restore the fill and border of every style that an earlier receipt marked."""
        names = self._collections["cellStyles"]
        bases: dict[str, str] = {}
        styles = {node.attributes.get("name", ""): node.attributes.get("xfId", "0") for node in names.nodes}
        for name, base in styles.items():
            if found := _NAME.fullmatch(name):
                bases[base] = styles.get(found[1] or _NORMAL, "0")
        cells = self._collections["cellXfs"]
        filled, lined = self._having(_FILLS, "fills"), self._having(_LINES, "borders")
        # In a workbook that was never marked there is nothing to look for.
        for index, xf in enumerate(cells.items) if bases or (filled and lined) else ():
            cells.set(index, self._unmarked(xf, bases, filled, lined))
        for index, node in enumerate(names.nodes):
            if _NAME.fullmatch(node.attributes.get("name", "")):
                names.set(index, b"")

    def _unmarked(self, xf: bytes, bases: dict[str, str], filled: set[int], lined: set[int]) -> bytes:
        given = attributes_of(xf)
        is_filled = whole(given.get("fillId")) in filled
        is_lined = whole(given.get("borderId")) in lined
        parent = given.get("xfId", "0")
        if parent in bases:
            looks = self._collections["cellStyleXfs"].items
            before = attributes_of(looks[whole(parent)]) if whole(parent) < len(looks) else {}
            fill = before.get("fillId", "0") if is_filled else given.get("fillId")
            border = before.get("borderId", "0") if is_lined else given.get("borderId")
            return rewrite(xf, {"fillId": fill, "borderId": border, "xfId": bases[parent]})
        if is_filled and is_lined:
            return rewrite(xf, {"fillId": "0", "borderId": "0"})
        return xf

    def _having(self, colours: frozenset[str], collection: str) -> set[int]:
        """The indexes of the items in which there is one of some colours."""
        return {
            index
            for index, item in enumerate(self._collections[collection].items)
            if any(found.decode().upper() in colours for found in _COLOUR.findall(item))
        }

    def mark(self, style: int, severity: Severity) -> int:
        """The index of a copy of a style with the fill and border of a severity."""
        cells = self._collections["cellXfs"]
        style = style if style < len(cells.items) else 0
        if (style, severity) not in self._marked:
            mark = MARKS[severity]
            look = {"fillId": self._add("fills", mark.fill_xml()), "borderId": self._add("borders", mark.border_xml())}
            given = dict.fromkeys(_ROLES, "0") | attributes_of(cells.items[style])
            changed = given | look | _APPLIED | {"xfId": str(self._base(style))}
            self._marked[style, severity] = cells.add(rewrite(cells.items[style], dict(changed)))
        return self._marked[style, severity]

    def _base(self, style: int) -> int:
        """The named style that keeps a style's original format."""
        if style in self._bases:
            return self._bases[style]
        names, looks = self._collections["cellStyles"], self._collections["cellStyleXfs"]
        xf = self._collections["cellXfs"].items[style]
        parent = attributes_of(xf).get("xfId", "0")
        self._bases[style] = looks.add_new(rewrite(xf, {"xfId": None}))
        named = (node.attributes.get("name", "") for node in names.nodes if node.attributes.get("xfId") == parent)
        origin = next((name for name in named if name != _NORMAL), "")
        name = f"{_BEFORE} {len(self._bases)}" + (f": {origin}" if origin else "")
        xml = f'<cellStyle name={quoteattr(name)} xfId="{self._bases[style]}"/>'
        names.add_new(self._markup.written(xml))
        return self._bases[style]

    def look(self, font: str, fill: str = "", border: str = "", alignment: str = "", *, is_quoted: bool = False) -> int:
        """The index of a style of our own. `is_quoted` keeps text as text when it is edited."""
        fill, border = fill or _FIRST["fills"][0], border or _FIRST["borders"][0]
        ids = (self._add("fonts", font), self._add("fills", fill), self._add("borders", border))
        quote = ' quotePrefix="1"' if is_quoted else ""
        xml = (
            f'<xf numFmtId="0" fontId="{ids[0]}" fillId="{ids[1]}" borderId="{ids[2]}" xfId="0" applyFont="1" '
            f'applyFill="1" applyBorder="1" applyAlignment="1"{quote}>{alignment}</xf>'
        )
        return self._collections["cellXfs"].add(self._markup.written(xml))

    def _add(self, collection: str, xml: str) -> str:
        return str(self._collections[collection].add(self._markup.written(xml)))

    def write(self) -> None:
        """Make the changes in the part."""
        for name, collected in self._collections.items():
            added = collected.items[len(collected.nodes) :]
            for index in collected.changed:
                node = collected.nodes[index]
                self._markup.replace(node.start, node.end, collected.items[index])
            count = str(sum(1 for item in collected.items if item))
            content = b"".join(added)
            if collected.node is None:
                opened, closed = (self._markup.written(tag) for tag in (f'<{name} count="{count}">', f"</{name}>"))
                self._markup.insert_child(opened + content + closed, _ORDER)
            elif added or collected.changed:
                self._markup.change(collected.node, {"count": count}, content)


def solid(colour: str) -> str:
    """A fill of one colour."""
    pattern = f'<fgColor rgb="{colour}"/><bgColor indexed="64"/>'
    return f'<fill><patternFill patternType="solid">{pattern}</patternFill></fill>'


def edges(style: str, colour: str) -> str:
    """A border of one line on all sides."""
    sides = ("left", "right", "top", "bottom")
    lines = "".join(f'<{side} style="{style}"><color rgb="{colour}"/></{side}>' for side in sides)
    return f"<border>{lines}<diagonal/></border>"
