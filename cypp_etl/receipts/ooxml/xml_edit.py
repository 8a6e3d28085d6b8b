"""Changes single elements of an XML part, and leaves every other byte unchanged.

A parser that writes XML back renames prefixes, which breaks `mc:Ignorable`, and drops what it does not know. So the
part is only scanned, with expat, to find where its elements start and end; changes are then made to its bytes.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from cypp_etl.workbook.limits import damaged, unsafe

_START_TAG = re.compile(rb"""<([^\s/>]+)((?:\s+[^\s=>/]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*(/?)>""")
_ATTRIBUTE = re.compile(rb"""([^\s=]+)\s*=\s*("[^"]*"|'[^']*')""")
_OUR_TAG = re.compile(r"<(/?)(?=[A-Za-z])")
_DECLARATION = re.compile(r"\s*<\?xml[^>]*\?>")
_ENCODING = re.compile(rb"""\s*<\?xml[^>]*?\sencoding\s*=\s*["']([\w.-]+)["']""")
_MEASURE = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,20})?")
_HEAD = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_BOM = b"\xef\xbb\xbf"
_KNOWN_AS_UTF8 = frozenset({"utf-8", "utf8", "us-ascii"})
_OTHERS = frozenset({"utf-16", "utf-16le", "utf-16be", "iso-8859-1", "windows-1252"})
_DEEPEST = 256
# The small parts of a return have one to thirteen kilobytes, and workbooks of a template repeat them; longer ones of an
# untrusted file could fill the memory.
_REMEMBERED_BYTES = 1 << 14
_REMEMBERED_PARTS = 64

Attributes = dict[str, str]


@dataclass(slots=True)
class Node:
    """An element and its position: from `start` to `end`, its content from `inside` to `until`.

    `name` is its tag without the prefix.
    """

    tag: str
    name: str
    attributes: Attributes
    start: int
    inside: int = 0
    until: int = 0
    end: int = 0
    text: str = ""
    children: "list[Node]" = field(default_factory=list)

    @property
    def is_empty_tag(self) -> bool:
        """Whether it is written as one tag, `<name/>`."""
        return self.inside == self.end

    def child(self, name: str) -> "Node | None":
        """The first child with a name."""
        return next(self.named(name), None)

    def named(self, name: str) -> "filter[Node]":
        """The children with a name, in their order."""
        return filter(lambda child: child.name == name, self.children)

    @property
    def link(self) -> str:
        """The id of the element's relationship; the prefix of `r:id` may vary."""
        return next((value for key, value in self.attributes.items() if key.endswith(":id")), "")


Keep = Callable[[str, Attributes, int, Node | None], bool]


class _Scan:
    """Finds the elements of a part, from its `root`."""

    def __init__(self, data: bytes, keep: Keep | None) -> None:
        self._data = data
        self._keep = keep
        self._open: list[Node] = []
        self._skipped = 0
        self._roots: list[Node] = []
        self._parser = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        try:
            parser.Parse(data, True)
        except (expat.ExpatError, UnicodeDecodeError) as fault:
            raise damaged("its contents are not well-formed XML") from fault
        finally:
            # The two hold each other, and the part.
            del self._parser
        self.root = self._roots[0]

    def _start(self, tag: str, attributes: Attributes) -> None:
        if self._skipped:
            self._skipped += 1
            return
        if len(self._open) > _DEEPEST:
            raise unsafe("its contents are nested too deep")
        at = self._parser.CurrentByteIndex
        parent = self._open[-1] if self._open else None
        if self._keep is not None and not self._keep(tag, attributes, at, parent):
            self._skipped = 1
            return
        node = Node(tag, tag.rpartition(":")[2], attributes, at)
        (parent.children if parent else self._roots).append(node)
        self._open.append(node)

    def _end(self, _tag: str) -> None:
        if self._skipped:
            self._skipped -= 1
            return
        node = self._open.pop()
        tag = _start_tag(self._data, node.start)
        node.inside = tag.end()
        node.until = node.inside if tag[3] else self._parser.CurrentByteIndex
        node.end = node.inside if tag[3] else self._data.index(b">", node.until) + 1

    def _text(self, text: str) -> None:
        if not self._skipped and self._open and self._open[-1].name == "t":
            self._open[-1].text += text


@lru_cache(maxsize=_REMEMBERED_PARTS)
def _scanned(data: bytes) -> Node:
    """The root of a part, which is not scanned again for the same bytes: nothing changes what was found."""
    return _Scan(data, None).root


class Markup:
    """One part: its elements, and the changes to make.

    `keep` selects the elements that become nodes, by tag, attributes, place and parent; the content of others
    is skipped. `hollowed` may blank some of that content beforehand, to save the parser the way through it; every byte
    keeps its place. Raises UnreadableWorkbook if the part is not well-formed.
    """

    def __init__(self, data: bytes, keep: Keep | None = None, hollowed: Callable[[bytes], bytes] | None = None) -> None:
        self.data = as_utf8(data)
        self._edits: list[tuple[int, int, bytes]] = []
        self._grown: dict[int, tuple[Node, list[bytes]]] = {}
        is_small = keep is None and len(self.data) <= _REMEMBERED_BYTES
        scanned = hollowed(self.data) if hollowed else self.data
        self.root = _scanned(self.data) if is_small else _Scan(scanned, keep).root
        self.prefix = self.root.tag.rpartition(":")[0]

    @property
    def namespace(self) -> str:
        """The namespace of the part's own elements."""
        return self.root.attributes.get(f"xmlns:{self.prefix}" if self.prefix else "xmlns", "")

    @property
    def is_changed(self) -> bool:
        """Whether there are changes to make."""
        return bool(self._edits or self._grown)

    def source(self, node: Node) -> bytes:
        """An element as text."""
        return self.data[node.start : node.end]

    def written(self, xml: str) -> bytes:
        """Our XML, which has no prefixes, with the prefix that this part uses for its own elements."""
        return (_OUR_TAG.sub(rf"<\1{self.prefix}:", xml) if self.prefix else xml).encode()

    def replace(self, start: int, end: int, xml: str | bytes) -> None:
        """Replace some bytes by our XML; several insertions in one place keep their order."""
        self._edits.append((start, end, self.written(xml) if isinstance(xml, str) else xml))

    def remove(self, node: Node) -> None:
        """Remove an element."""
        self.replace(node.start, node.end, b"")

    def change(self, node: Node, attributes: dict[str, str | None], added: bytes = b"") -> None:
        """Set attributes of an element, or remove those that are None, and add to its content. Once per element."""
        tag = rewrite(self.data[node.start : node.inside], attributes)
        if not added:
            self.replace(node.start, node.inside, tag)
        elif node.is_empty_tag:
            opened = tag.rstrip()[:-2] + b">"
            self.replace(node.start, node.end, opened + added + f"</{node.tag}>".encode())
        else:
            self.replace(node.start, node.inside, tag)
            self.replace(node.until, node.until, added)

    def append(self, node: Node, xml: str) -> None:
        """Add to the end of an element's content."""
        if node.is_empty_tag:
            self._grown.setdefault(node.start, (node, []))[1].append(self.written(xml))
        else:
            self.replace(node.until, node.until, xml)

    def insert_child(self, xml: str | bytes, order: tuple[str, ...]) -> None:
        """Add a child to the root at its place in the schema's order, which must contain its name."""
        content = self.written(xml) if isinstance(xml, str) else xml
        name = _start_tag(content, 0)[1].decode().rpartition(":")[2]
        if self.root.is_empty_tag:
            self._grown.setdefault(self.root.start, (self.root, []))[1].append(content)
            return
        before = set(order[: order.index(name)])
        earlier = [child for child in self.root.children if child.name in before]
        at = earlier[-1].end if earlier else self.root.inside
        self.replace(at, at, content)

    def result(self) -> bytes:
        """The part with its changes."""
        for node, added in self._grown.values():
            self.change(node, {}, b"".join(added))
        self._grown.clear()
        pieces: list[bytes] = []
        at = 0
        for start, end, content in sorted(self._edits, key=lambda edit: (edit[0], edit[1])):
            pieces += self.data[at:start], content
            at = end
        return b"".join((*pieces, self.data[at:]))


def rewrite(tag: bytes, attributes: dict[str, str | None]) -> bytes:
    """A start tag with attributes set, or removed if they are None; the others are unchanged."""
    match = _start_tag(tag, 0)
    kept = {found[1].decode(): found[0] for found in _ATTRIBUTE.finditer(match[2])}
    for name, value in attributes.items():
        kept.pop(name, None) if value is None else kept.update({name: f"{name}={quoteattr(value)}".encode()})
    return b" ".join((b"<" + match[1], *kept.values())) + match[3] + b">" + tag[match.end() :]


def attributes_of(element: bytes) -> Attributes:
    """The attributes of an element's start tag that need no unescaping: numbers and flags."""
    found = _ATTRIBUTE.finditer(_start_tag(element, 0)[2])
    return {match[1].decode(): match[2][1:-1].decode() for match in found}


def whole(text: str | None, default: int = 0) -> int:
    """An attribute as a whole number, or the default if it is not one, which is not the partner's error."""
    return int(text) if text and len(text) < 10 and text.isascii() and text.isdecimal() else default


def measure(text: str | None, default: float) -> float:
    """An attribute as a width or height, or the default if it is not one."""
    return float(text) if text and _MEASURE.fullmatch(text) else default


def as_utf8(data: bytes) -> bytes:
    """A part in UTF-8, from any encoding; the same bytes if it already was."""
    named = _ENCODING.match(data)
    encoding = named[1].decode().lower() if named else "utf-8"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    if encoding in _KNOWN_AS_UTF8:
        return data.removeprefix(_BOM)
    if encoding not in _OTHERS:
        raise damaged("its contents are in an encoding that workbooks do not use")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as fault:
        raise damaged("its contents are in an encoding that workbooks do not use") from fault
    return _HEAD + _DECLARATION.sub("", text, count=1).encode()


def _start_tag(data: bytes, at: int) -> re.Match[bytes]:
    match = _START_TAG.match(data, at)
    if match is None:
        raise damaged("its contents are not well-formed XML")
    return match


def _refuse_doctype(*_: object) -> None:
    raise unsafe("it declares a document type, as entity attacks do and workbooks never do")


_ESCAPE_LIKE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_TO_ESCAPE = re.compile("[&<>]|_x")


def escape_text(text: str) -> str:
    """A text escaped for XML; anything that looks like one of Excel's own escapes is escaped too."""
    # Few texts have any of it.
    return escape(_ESCAPE_LIKE.sub("_x005F_", text)) if _TO_ESCAPE.search(text) else text
