"""Remembers what was worked out of a text: returns by the thousand repeat headings, references and definitions."""

from collections.abc import Callable
from typing import TypeVar

_Answer = TypeVar("_Answer")

# A stranger's file could fill the memory with texts: so many are kept, with so many characters between them. Long ones
# are kept too, since thousands of cells may share one.
_MOST = 16_384
_MOST_CHARACTERS = 2_000_000


class _Answers(dict[str, _Answer]):
    """The answers so far; one that is there is given without a call of a function."""

    def __init__(self, work: Callable[[str], _Answer]) -> None:
        super().__init__()
        self._work = work
        self._characters = 0

    def __missing__(self, text: str) -> _Answer:
        answer = self._work(text)
        self._characters += len(text)
        if len(self) >= _MOST or self._characters > _MOST_CHARACTERS:
            # What is asked often is soon there again.
            self.clear()
            self._characters = len(text)
        self[text] = answer
        return answer


def remembered(work: Callable[[str], _Answer]) -> Callable[[str], _Answer]:
    """Keep the answers to texts, of which there may be only so many; the answer must not be changed."""
    return _Answers(work).__getitem__
