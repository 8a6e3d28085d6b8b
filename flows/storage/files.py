"""Opens files that others may replace with anything: without waiting, and checked after they are open."""

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path
from urllib.parse import unquote_to_bytes

UNFINISHED = ".unfinished-"
"""The prefix of files that are still being written."""

WORKBOOK_SUFFIXES = frozenset({".xlsx", ".xlsm", ".xls", ".xlsb", ".ods", ".xltx", ".xltm"})
"""How the names of workbooks end, where other files lie among them."""

ABANDONED_SECONDS = 3600
"""No file takes this long to write: an older one was left by a killed process."""


def open_regular(path: Path, *, follow_links: bool = False) -> BufferedReader:
    """Open an ordinary file for reading, without waiting for a pipe, and following links only if allowed.

    Raises:
        OSError: it cannot be read, or is not an ordinary file.
    """
    # A system without these flags has no named pipes either.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    flags |= 0 if follow_links else getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not an ordinary file", str(path))
    return os.fdopen(descriptor, "rb")


def path_as_text(path: Path) -> str:
    """A path as text that can be printed and stored: a `file:` URI if its bytes are not UTF-8."""
    text = str(path)
    return path.absolute().as_uri() if _has_stray_bytes(text) else text


def path_from_text(text: str) -> Path:
    """The path of a text from `path_as_text`."""
    if not text.startswith("file://"):
        return Path(text)
    return Path(os.fsdecode(unquote_to_bytes(text.removeprefix("file://"))))


def _has_stray_bytes(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)
