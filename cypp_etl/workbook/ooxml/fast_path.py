"""Takes plain elements out of a part before the parser sees it: most rows and texts are written in a single way.

A regular expression reads a run of them in a fraction of the time. It knows a narrow form alone, in which nothing can
mean anything else; what is not of that form, and all that stands around, goes to the parser as it came
(docs/decisions/0015-plain-rows.md).
"""

import re
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass

# In UTF-8, with nothing but tags before the first plain element: no comment, and no document type.
_HEAD = re.compile(
    rb'(?:\xef\xbb\xbf)?(?:<\?xml version="1\.0"(?: encoding="(?i:utf-8)")?(?: standalone="(?:yes|no)")? ?\?>)?'
    rb"\s*(?:<[A-Za-z/][^<]*)*"
)
# What makes mere text of what looks like elements.
_ASIDES = ("<!", "<?")
_MOST_HELD_BYTES = 1 << 16

PLAIN_CHARACTERS = "[^<>&\x00-\x08\x0b-\x1f\ufffe\uffff]*+"
"""Text that is what it looks like: no markup, no reference, no end of a line that a parser would change."""


@dataclass(frozen=True, slots=True)
class PlainElements:
    """Elements of a plain form, with the tags that each begins and ends with.

    `run` gives, for what stands before the first, the pattern of as many as follow one another, or None where they
    would not mean what they say. When the parser has heard all that stands before, `may_follow` says whether one may
    stand there; `take` is given the run.
    """

    begin: str
    end: str
    run: Callable[[bytes], re.Pattern[str] | None]
    may_follow: Callable[[], bool]
    take: Callable[[str], None]


def set_apart(chunks: Iterable[bytes], plain: PlainElements) -> Iterator[bytes]:
    """The chunks of a part without its plain elements, which are taken instead, each when its turn has come."""
    rest = iter(chunks)
    before, begin, chunk = next(rest, b"").partition(plain.begin.encode())
    yield before
    chunk = begin + chunk
    if begin and _HEAD.fullmatch(before) and (run := plain.run(before)):
        end, held = plain.end.encode(), b""
        while chunk:
            whole, ended, held = (held + chunk).rpartition(end)
            goes_on = yield from _pieces(whole + ended, run, plain)
            # What is held is looked through again with each chunk.
            chunk = next(rest, b"") if goes_on and len(held) <= _MOST_HELD_BYTES else b""
        chunk = held
    yield chunk
    yield from rest


def _pieces(whole: bytes, run: re.Pattern[str], plain: PlainElements) -> Generator[bytes, None, bool]:
    """What is left of some whole elements; tells whether plain ones may still come."""
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
