"""Reads plain elements of a part before the parser sees it: most rows and texts are written in the same way.

A regular expression reads a run of them in a fraction of the time. It only matches a narrow, unambiguous form;
everything else goes to the parser unchanged (docs/decisions/0015-plain-rows.md).
"""

import re
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass

# In UTF-8, with only tags before the first plain element: no comment, and no document type.
_HEAD = re.compile(
    rb'(?:\xef\xbb\xbf)?(?:<\?xml version="1\.0"(?: encoding="(?i:utf-8)")?(?: standalone="(?:yes|no)")? ?\?>)?'
    rb"\s*(?:<[A-Za-z/][^<]*)*"
)
# Markup in which apparent elements are only text.
_ASIDES = ("<!", "<?")
_MOST_HELD_BYTES = 1 << 16

PLAIN_CHARACTERS = "[^<>&\x00-\x08\x0b-\x1f\ufffe\uffff]*+"
"""Literal text: no markup, no reference, no line ending that a parser would change."""


@dataclass(frozen=True, slots=True)
class PlainElements:
    """Elements of a plain form, with the tags at the start and end of each.

    `run` returns, for what comes before the first, the pattern of a run of them, or None if they
    could have another meaning. When the parser has read everything before, `may_follow` says whether one may be
    there; `take` receives the run.
    """

    begin: str
    end: str
    run: Callable[[bytes], re.Pattern[str] | None]
    may_follow: Callable[[], bool]
    take: Callable[[str], None]


def set_apart(chunks: Iterable[bytes], plain: PlainElements) -> Iterator[bytes]:
    """The chunks of a part without its plain elements, which are passed to `take` in their order."""
    rest = iter(chunks)
    before, begin, chunk = next(rest, b"").partition(plain.begin.encode())
    yield before
    chunk = begin + chunk
    if begin and _HEAD.fullmatch(before) and (run := plain.run(before)):
        end, held = plain.end.encode(), b""
        while chunk:
            whole, ended, held = (held + chunk).rpartition(end)
            goes_on = yield from _pieces(whole + ended, run, plain)
            # The buffer is scanned again with each chunk.
            chunk = next(rest, b"") if goes_on and len(held) <= _MOST_HELD_BYTES else b""
        chunk = held
    yield chunk
    yield from rest


def _pieces(whole: bytes, run: re.Pattern[str], plain: PlainElements) -> Generator[bytes, None, bool]:
    """The rest of some complete elements, and whether plain ones may follow."""
    try:
        text = whole.decode()
    except UnicodeDecodeError:
        yield whole
        return False
    at = 0
    while at < len(text):
        if plain.may_follow() and (found := run.match(text, at)):
            plain.take(found[0])
            at = found.end()
            continue
        end = text.find(plain.end, at) + len(plain.end)
        piece = text[at:end]
        yield piece.encode()
        at = end
        if any(aside in piece for aside in _ASIDES):
            yield text[at:].encode()
            return False
    return True
