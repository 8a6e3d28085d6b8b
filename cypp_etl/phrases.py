"""Words that messages, pages and reports are put together from: days, lists, and what somebody typed."""

from collections.abc import Collection, Sequence
from datetime import date
from functools import cache

LONGEST_REPEATED = 80
"""How many characters of what was typed a message repeats."""

_FEW = 10


@cache
def date_text(day: date) -> str:
    """A day as people write it, such as 30 June 2010; strftime cannot leave out the zero of a first day on Windows."""
    return f"{day.day} {day:%B %Y}"


def in_list(words: Sequence[str], conjunction: str = "and") -> str:
    """Words as a sentence lists them: `a, b and c`."""
    return f" {conjunction} ".join([", ".join(words[:-1]), *words[-1:]] if len(words) > 1 else words)


def short_list(codes: Collection[str]) -> str:
    """Codes in a line of text: all of a few, or the first of many and how many more there are."""
    shown = ", ".join([*codes][:_FEW])
    return f"{shown} and {len(codes) - _FEW:,} more" if len(codes) > _FEW else shown or "none"


def shorten(text: str) -> str:
    """A text that fits into a sentence: on one line, and shortened."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_REPEATED else line[: LONGEST_REPEATED - 1] + "…"


def quoted(cell: str) -> str:
    """How a message shows a cell."""
    return f'"{cell}"' if cell else "blank"
