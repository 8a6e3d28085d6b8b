"""A bounded cache for functions of short strings: thousands of returns repeat headings, references and definitions."""

from collections.abc import Callable
from typing import TypeVar

_Answer = TypeVar("_Answer")

# An untrusted file could fill the memory with texts, so their number and total length are limited. Long texts are
# cached too, because thousands of cells may share one.
_MOST = 16_384
_MOST_CHARACTERS = 2_000_000


class _Answers(dict[str, _Answer]):
    """The results so far; a cached one is returned without a function call."""

    def __init__(self, work: Callable[[str], _Answer]) -> None:
        super().__init__()
        self._work = work
        self._characters = 0

    def __missing__(self, text: str) -> _Answer:
        answer = self._work(text)
        self._characters += len(text)
        if len(self) >= _MOST or self._characters > _MOST_CHARACTERS:
            # Frequent texts are soon cached again.
            self.clear()
            self._characters = len(text)
        self[text] = answer
        return answer


def remembered(work: Callable[[str], _Answer]) -> Callable[[str], _Answer]:
    """Cache a function of a text, up to a limit; its results must not be changed."""
    return _Answers(work).__getitem__
