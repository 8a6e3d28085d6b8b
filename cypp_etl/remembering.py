"""Remembers what was worked out of a text: returns by the thousand repeat headings, references and definitions."""

from collections.abc import Callable
from typing import TypeVar

_Answer = TypeVar("_Answer")

# Longer texts are rarely repeated, and a stranger's file could fill the memory with them.
_LONGEST = 200
_MOST = 16_384


class _Answers(dict[str, _Answer]):
    """The answers so far; one that is there is given without a call of a function."""

    def __init__(self, work: Callable[[str], _Answer]) -> None:
        super().__init__()
        self._work = work

    def __missing__(self, text: str) -> _Answer:
        answer = self._work(text)
        if len(text) <= _LONGEST:
            if len(self) >= _MOST:
                # What is asked often is soon there again.
                self.clear()
            self[text] = answer
        return answer


def remembered(work: Callable[[str], _Answer]) -> Callable[[str], _Answer]:
    """Keep the answers to short texts, of which there may be only so many; the answer must not be changed."""
    return _Answers(work).__getitem__
