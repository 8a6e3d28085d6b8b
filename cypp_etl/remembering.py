"""Remembers what was worked out of a text: returns by the thousand repeat headings, references and definitions."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

_Answer = TypeVar("_Answer")

# Longer texts are rarely repeated, and a stranger's file could fill the memory with them.
_LONGEST = 200
_MOST = 16_384


def remembered(work: Callable[[str], _Answer]) -> Callable[[str], _Answer]:
    """Keep the answers to short texts, of which there may be only so many; the answer must not be changed."""
    remembering = lru_cache(maxsize=_MOST)(work)

    @wraps(work)
    def answer(text: str) -> _Answer:
        return remembering(text) if len(text) <= _LONGEST else work(text)

    return answer
