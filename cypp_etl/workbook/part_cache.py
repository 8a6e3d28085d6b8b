"""Works out once what workbooks repeat byte for byte: those of one template share their styles, lists and links."""

from collections.abc import Callable, Hashable, Iterable
from functools import lru_cache
from itertools import chain
from typing import TypeVar

from cypp_etl.workbook.limits import Limits, Spent

_Answer = TypeVar("_Answer")

# The small parts of a return have a kilobyte or six; a stranger's longer ones could fill the memory.
_REMEMBERED_BYTES = 1 << 16
_REMEMBERED_PARTS = 64


def work_out(work: Callable[..., _Answer], chunks: Iterable[bytes], spent: Spent, *args: Hashable) -> _Answer:
    """What `work(chunks, spent, *args)` makes of a part; it is not asked again for the same bytes.

    `work` is a function of a module, and its answer must not be changed. The part counts towards what is `spent`
    whenever it is met.
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
