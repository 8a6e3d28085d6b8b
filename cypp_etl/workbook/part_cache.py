"""Caches the result of parsing parts that workbooks repeat byte for byte, such as a template's styles and links."""

from collections.abc import Callable, Hashable, Iterable
from functools import lru_cache
from itertools import chain
from typing import TypeVar

from cypp_etl.workbook.limits import Limits, Spent

_Answer = TypeVar("_Answer")

# The small parts of a return have one to six kilobytes; longer ones of an untrusted file could fill the memory.
_REMEMBERED_BYTES = 1 << 16
_REMEMBERED_PARTS = 64


def work_out(work: Callable[..., _Answer], chunks: Iterable[bytes], spent: Spent, *args: Hashable) -> _Answer:
    """The result of `work(chunks, spent, *args)` for a part; it is not called again for the same bytes.

    `work` is a module-level function, and its result must not be changed. The part is counted in `spent`
    every time.
    """
    part, rest = b"", iter(chunks)
    for chunk in rest:
        part += chunk
        if len(part) > _REMEMBERED_BYTES:
            return work(chain([part], rest), spent, *args)
    answer: _Answer
    answer, elements = _remembered(work, part, spent.limits, *args)
    spent.add_elements(elements)
    return answer


@lru_cache(maxsize=_REMEMBERED_PARTS)
def _remembered(work: Callable[..., _Answer], part: bytes, limits: Limits, *args: Hashable) -> tuple[_Answer, int]:
    spent = Spent(limits)
    answer: _Answer = work([part], spent, *args)
    return answer, spent.elements
