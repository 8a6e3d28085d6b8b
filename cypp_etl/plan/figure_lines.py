"""The lines of a file of figures: a few are found without reading the hundreds of thousands of others."""

import re
from collections.abc import Iterable

_QUOTE = b'"'
_BEFORE_A_CELL = (b",", _QUOTE, b" ", b"\t", b"\r", b"\n")


def lines_about(content: bytes, indicator: str) -> bytes | None:
    """The header, and the records with a cell that may be an indicator's code.

    It is None where they cannot be told by their lines: a record goes on in the next line, or the code has a quote.
    """
    code = indicator.encode()
    if _QUOTE in code or not _are_lines_records(content):
        return None
    end_of_header = content.find(b"\n") + 1 or len(content)
    lines = {0: content[:end_of_header]}
    # The code comes first, so that the search goes from one place of it to the next.
    for found in re.finditer(re.escape(code) + rb'(?![^,"\s])', content):
        before = content[found.start() - 1 : found.start()]
        if found.start() >= end_of_header and before in _BEFORE_A_CELL:
            start = content.rfind(b"\n", 0, found.start()) + 1
            lines[start] = content[start : content.find(b"\n", found.end()) + 1 or len(content)]
    return b"".join(lines.values())


def lines_apart(before: bytes, after: bytes) -> tuple[bytes, bytes] | None:
    """Of each of two files the header, and the records that the other does not have as they are written.

    It is None where they cannot be told by their lines: the headers differ, or a record goes on in the next line.
    """
    then, now = (content.splitlines() for content in (before, after))
    if then[:1] != now[:1] or not (_are_lines_records(before) and _are_lines_records(after)):
        return None
    old, new = {*then[1:]}, {*now[1:]}
    return _file(then[:1], old - new), _file(now[:1], new - old)


def _are_lines_records(content: bytes) -> bool:
    """Whether each line is a record: none ends within double quotes."""
    return _QUOTE not in content or all(line.count(_QUOTE) % 2 == 0 for line in content.splitlines() if _QUOTE in line)


def _file(header: list[bytes], lines: Iterable[bytes]) -> bytes:
    return b"\n".join([*header, *lines, b""])
