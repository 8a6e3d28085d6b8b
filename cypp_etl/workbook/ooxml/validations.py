"""Skips a sheet's rules for input, which all workbooks of a template repeat and no cell depends on.

They are half of a return's largest part. The parser sees them once, separately; if the same bytes occur again in a
place where they have the same meaning, it skips them.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from cypp_etl.workbook.limits import Limits, Spent
from cypp_etl.workbook.markup import SHEET_NAMES, find_elements
from cypp_etl.workbook.model import UnreadableWorkbook

_BEGIN, _END = b"<dataValidations", b"</dataValidations>"
_SHEET = (b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">', b"</worksheet>")
# Complete tags and text, from the start of a tag: no comment, no value that ends elsewhere.
_TAGS = re.compile(rb"""(?:<[A-Za-z/][^<>"']*(?:"[^<"]*"[^<>"']*)*+>[^<]*)++""")
# Those of a form of a thousand rows.
_REMEMBERED_BYTES = 1 << 19
_REMEMBERED_ASIDES = 32


def without_asides(chunks: Iterable[bytes], is_below_root: Callable[[], bool], spent: Spent) -> Iterator[bytes]:
    """The chunks of a sheet's part without its rules for input, whose elements are counted in `spent`.

    When the parser has read what comes before them, `is_below_root` says whether they are the sheet's own.
    """
    rest = iter(chunks)
    for chunk in rest:
        before, begin, inside = chunk.partition(_BEGIN)
        if not begin or not _TAGS.fullmatch(before):
            yield chunk
            continue
        pieces = _up_to_the_end(begin + inside, rest)
        inside, end, after = pieces[-1].partition(_END)
        yield before
        aside = b"".join([*pieces[:-1], inside, end])
        is_kept = bool(end) and len(aside) <= _REMEMBERED_BYTES
        if is_kept and is_below_root() and (elements := _elements_in(aside, spent.limits)):
            spent.add_elements(elements)
            yield after
        else:
            yield from pieces


def _up_to_the_end(begun: bytes, rest: Iterator[bytes]) -> list[bytes]:
    """The chunks from the beginning of the rules up to that with their whole end tag, or to the most that is kept."""
    pieces = [begun]
    while _END not in pieces[-1] and sum(map(len, pieces)) <= _REMEMBERED_BYTES and (chunk := next(rest, b"")):
        # The end tag may be split between two chunks.
        pieces[-1:] = [pieces[-1][: -len(_END)], pieces[-1][-len(_END) :] + chunk]
    return pieces


@lru_cache(maxsize=_REMEMBERED_ASIDES)
def _elements_in(aside: bytes, limits: Limits) -> int:
    """The number of elements; 0 if the parser must see them, because they are damaged or contain used elements."""
    spent = Spent(limits)
    try:
        found = find_elements([_SHEET[0], aside, _SHEET[1]], spent, SHEET_NAMES)
    except UnreadableWorkbook:
        return 0
    # The sheet itself is the first.
    return spent.elements - 1 if len(found) == 1 else 0
