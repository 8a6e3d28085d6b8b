"""Texts in workbooks: plain or in formatted runs, shared between cells, and with escapes."""

import re
from collections.abc import Iterable

from cypp_etl.caching import remembered
from cypp_etl.workbook.limits import Spent, damaged, too_large
from cypp_etl.workbook.markup import Attributes, Handlers, parse
from cypp_etl.workbook.ooxml.fast_path import PLAIN_CHARACTERS, PlainElements, set_apart

_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
BLANKS = " \t\r\n"
"""The characters that Excel trims from a text without `xml:space="preserve"`."""
_LIST = re.compile(rb"<sst(?: [^<>]*)?>\s*\Z")
_PLAIN_TEXTS = re.compile(rf'(?:<si><t(?: xml:space="preserve")?>{PLAIN_CHARACTERS}</t></si>)++')
_PLAIN_TEXT = re.compile(r"<t([^>]*)>([^<]*)")


# Returns repeat the texts of their form: one object for all of them is in the processor's caches when it is needed.
_known = remembered(str)


def unescape(text: str) -> str:
    """A text with its `_x000D_` escapes decoded; lone surrogates are replaced."""
    if "_x" not in text:
        return text
    # Databases do not store NUL in a text.
    text = _ESCAPE.sub(lambda match: chr(int(match[1], 16) or 0xFFFD), text)
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


class RichText:
    """Joins the runs of one text, without phonetic hints."""

    __slots__ = ("_is_kept", "_pieces", "_pronunciations")

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._pronunciations = 0
        self._is_kept = False

    def start(self, name: str, attributes: Attributes) -> None:
        """Handle a start tag within the text."""
        if name == "rPh":
            self._pronunciations += 1
        elif name == "t":
            self._is_kept = attributes.get("xml:space") == "preserve"

    def end(self, name: str, texts: list[str]) -> None:
        """Handle an end tag within the text."""
        if name == "rPh":
            self._pronunciations -= 1
        elif name == "t" and not self._pronunciations:
            piece = "".join(texts)
            # Excel trims text without `xml:space="preserve"`.
            self._pieces.append(piece if self._is_kept else piece.strip(BLANKS))

    def take(self) -> str:
        """The whole text, with undecoded escapes; the next one starts empty."""
        text = "".join(self._pieces)
        self._pieces.clear()
        self._pronunciations = 0
        return text


def read_shared_strings(chunks: Iterable[bytes], spent: Spent) -> list[str]:
    """The texts that cells refer to by their index in this list."""
    found: list[str] = []
    texts: list[str] = []
    rich = RichText()
    opened = closed = 0

    def start(name: str, attributes: Attributes) -> None:
        nonlocal opened
        opened += 1
        if name == "si":
            # Text between the shared texts is not part of them.
            rich.take()
        texts.clear()
        rich.start(name, attributes)

    def end(name: str) -> None:
        nonlocal closed
        closed += 1
        if name != "si":
            rich.end(name, texts)
            return
        keep([unescape(rich.take())])

    def take(plain: str) -> None:
        nonlocal opened, closed
        runs = _PLAIN_TEXT.findall(plain)
        opened, closed = opened + 2 * len(runs), closed + 2 * len(runs)
        texts = [text if is_kept else text.strip(BLANKS) for is_kept, text in runs]
        keep(list(map(unescape, texts)) if "_x" in plain else texts)

    def keep(some: list[str]) -> None:
        spent.add_texts(some)
        found.extend(map(_known, some))
        if len(found) > spent.limits.strings:
            raise too_large(f"it holds more than {spent.limits.strings:,} texts")

    plain = PlainElements("<si>", "</si>", _plain_texts, lambda: opened - closed == 1, take)
    parse(set_apart(chunks, plain), Handlers(start, end, texts, lambda: (opened, closed)), spent)
    return found


def text_at(texts: list[str], place: int) -> str:
    """The shared text that a cell refers to."""
    try:
        return texts[place]
    except IndexError as fault:
        raise damaged("a cell refers to a text that is not there") from fault


def _plain_texts(before: bytes) -> re.Pattern[str] | None:
    """The pattern of plain texts after the beginning of their list, whose namespace they must share."""
    return _PLAIN_TEXTS if _LIST.search(before) else None
