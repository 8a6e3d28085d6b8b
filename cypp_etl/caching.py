"""Caches: a bounded one for functions of short strings, which thousands of returns repeat, and one for each plan."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar
from weakref import finalize

_Answer = TypeVar("_Answer")
_Owner = TypeVar("_Owner")

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


def once_for_each(work: Callable[[_Owner], _Answer]) -> Callable[[_Owner], _Answer]:
    """Cache a function of an object that never changes, while the object lives.

    A plan is large, and cannot be hashed. A result must not hold the object, which would then live as long as the
    process.
    """
    answers: dict[int, _Answer] = {}

    @wraps(work)
    def answer(owner: _Owner) -> _Answer:
        key = id(owner)
        if key not in answers:
            answers[key] = work(owner)
            finalize(owner, answers.pop, key, None).atexit = False
        return answers[key]

    return answer
