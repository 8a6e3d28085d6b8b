"""Reads untrusted XML: in one pass, with limits on depth, size and names, and without document types."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple
from xml.parsers import expat

from cypp_etl.workbook.limits import Spent, damaged, text_too_long, too_complex, too_large, unsafe

Attributes = dict[str, str]

_NO_MEMORY = expat.errors.codes[expat.errors.XML_ERROR_NO_MEMORY]
_TRANSITIONAL = "http://schemas.openxmlformats.org/"
_STRICT = "http://purl.oclc.org/ooxml/"
SHEET_NAMES = frozenset(
    (
        *("workbook", "workbookPr", "calcPr", "sheets", "sheet"),
        *("styleSheet", "numFmts", "numFmt", "cellXfs", "xf"),
        *("sst", "si", "t", "r", "rPh"),
        *("worksheet", "cols", "col", "sheetData", "row", "c", "f", "v", "is", "mergeCells", "mergeCell"),
        *("hyperlinks", "hyperlink", "comments", "commentList", "comment", "text"),
    )
)
"""The elements of a workbook's parts that are used, by their local names."""
_OPEN_DOCUMENT = "urn:oasis:names:tc:opendocument:xmlns:"
_OPEN_DOCUMENT_NAMES = {
    "office": ("annotation", "boolean-value", "date-value", "string-value", "time-value", "value", "value-type"),
    "table": (
        *("table", "table-column", "table-row", "table-cell", "covered-table-cell", "table-properties"),
        *("name", "style-name", "visibility", "display", "formula"),
        *("number-columns-repeated", "number-rows-repeated", "number-columns-spanned", "number-rows-spanned"),
        "default-cell-style-name",
    ),
    "text": ("p", "a", "s", "c", "tab", "line-break"),
    "style": (
        *("style", "name", "family", "data-style-name", "parent-style-name", "table-properties"),
        *("map", "apply-style-name"),
    ),
    "datastyle": (
        *("number-style", "percentage-style", "currency-style", "date-style", "time-style", "boolean-style"),
        *("text-style", "number", "decimal-places", "min-decimal-places"),
    ),
}
# The elements of a cell's own text, even if they are also listed above.
TEXT_OF_OPEN_DOCUMENT = ("text:", f"{_OPEN_DOCUMENT}text:1.0 ")
_ENCODINGS = frozenset({"utf-8", "utf-16", "utf-16le", "utf-16be", "us-ascii", "iso-8859-1"})
_PLAIN_NAMES = {
    **{f"{_TRANSITIONAL}spreadsheetml/2006/main {name}": name for name in SHEET_NAMES},
    **{f"{_STRICT}spreadsheetml/main {name}": name for name in SHEET_NAMES},
    f"{_TRANSITIONAL}package/2006/relationships Relationship": "Relationship",
    f"{_TRANSITIONAL}officeDocument/2006/relationships id": "r:id",
    f"{_STRICT}officeDocument/relationships id": "r:id",
    "http://www.w3.org/XML/1998/namespace space": "xml:space",
    **{
        f"{_OPEN_DOCUMENT}{space}:1.0 {name}": f"{space}:{name}"
        for space, names in _OPEN_DOCUMENT_NAMES.items()
        for name in names
    },
    "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0 value-type": "calcext:value-type",
    "http://www.w3.org/1999/xlink href": "xlink:href",
}


@dataclass(frozen=True, slots=True)
class Handlers:
    """The handler of one part.

    `start` must empty `texts`, to which the parser adds, so that it has the text since the last start tag. `counts`
    returns how many elements were opened and closed: counting them again here would cost a call for each.
    """

    start: Callable[[str, Attributes], None]
    end: Callable[[str], None]
    texts: list[str]
    counts: Callable[[], tuple[int, int]]


class Element(NamedTuple):
    """An element's plain name, its parent's, and its attributes."""

    parent: str
    name: str
    attributes: Attributes


def parse(chunks: Iterable[bytes], handlers: Handlers, spent: Spent) -> None:
    """Parse a part with its handlers, in chunks, and check the limits after each."""
    parser = _parser(handlers)
    fed = opened_before = 0
    try:
        for chunk in chunks:
            parser.Parse(chunk, False)
            fed += len(chunk)
            opened, closed = handlers.counts()
            spent.add_elements(opened - opened_before)
            opened_before = opened
            _check(parser, handlers, spent, fed, opened - closed)
        parser.Parse(b"", True)
    except (expat.ExpatError, UnicodeDecodeError) as fault:
        if isinstance(fault, expat.ExpatError) and fault.code == _NO_MEMORY:
            raise too_complex("reading it took more memory than a workbook needs") from fault
        raise damaged("its contents are not well-formed XML") from fault


def _parser(handlers: Handlers) -> expat.XMLParserType:
    # The parser looks up each name in this table before it passes it on, so both namespaces of a workbook become
    # the same short names without any work in Python; a name of another namespace keeps its URI, and does not match.
    parser = expat.ParserCreate(None, " ", dict(_PLAIN_NAMES))
    parser.buffer_text = True
    parser.XmlDeclHandler = _refuse_rare_encoding
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = handlers.start
    parser.EndElementHandler = handlers.end
    parser.CharacterDataHandler = handlers.texts.append
    return parser


def _check(parser: expat.XMLParserType, handlers: Handlers, spent: Spent, fed: int, depth: int) -> None:
    limits = spent.limits
    if depth > limits.depth:
        raise too_complex(f"its contents are nested more than {limits.depth} deep")
    if fed - parser.CurrentByteIndex > limits.token_bytes:
        raise too_complex("a single tag or comment never ends")
    if len(parser.intern) > limits.names:
        raise too_complex(f"it uses more than {limits.names:,} names of its own")
    if sum(map(len, handlers.texts)) > limits.text_length:
        raise text_too_long(limits)


def _refuse_doctype(*_: object) -> None:
    raise unsafe("it declares a document type, as entity attacks do and workbooks never do")


def _refuse_rare_encoding(_version: str, encoding: str | None, _standalone: int) -> None:
    if encoding is not None and encoding.lower() not in _ENCODINGS:
        raise damaged("its contents are in an encoding that workbooks do not use")


def find_elements(chunks: Iterable[bytes], spent: Spent, names: frozenset[str]) -> list[Element]:
    """The elements with the given local names, in their order; for the small parts of a workbook."""
    found: list[Element] = []
    path: list[str] = [""]
    texts: list[str] = []
    opened = 0

    def start(name: str, attributes: Attributes) -> None:
        nonlocal opened
        opened += 1
        texts.clear()
        if name in names:
            found.append(Element(path[-1], name, attributes))
            if len(found) > spent.limits.listed_elements:
                raise too_large(f"it lists more than {spent.limits.listed_elements:,} styles, sheets or parts")
        path.append(name)

    def end(_name: str) -> None:
        path.pop()

    parse(chunks, Handlers(start, end, texts, lambda: (opened, opened - len(path) + 1)), spent)
    return found
