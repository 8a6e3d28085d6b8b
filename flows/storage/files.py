"""Files that others may put anything in the place of: opened without waiting, and looked at once they are open."""

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path
from urllib.parse import unquote_to_bytes

UNFINISHED = ".unfinished-"
"""How the names of files begin that we are still writing."""

WORKBOOK_SUFFIXES = frozenset({".xlsx", ".xlsm", ".xls", ".xlsb", ".ods", ".xltx", ".xltm"})
"""How the names of workbooks end, where other files lie among them."""

ABANDONED_SECONDS = 3600
"""No file takes this long to write: what is older was left by a process that was killed."""


def open_regular(path: Path, *, follow_links: bool = False) -> BufferedReader:
    """Open an ordinary file for reading. A pipe is not waited for, and a link not followed unless it may be.

    Raises:
        OSError: it cannot be read, or is no ordinary file.
    """
    # A system without these flags has no pipes in folders either.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    flags |= 0 if follow_links else getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "no ordinary file", str(path))
    return os.fdopen(descriptor, "rb")


def path_as_text(path: Path) -> str:
    """A path as text that can be printed and stored: a `file:` URI where its bytes are not UTF-8."""
    text = str(path)
    return path.absolute().as_uri() if _has_stray_bytes(text) else text


def path_from_text(text: str) -> Path:
    """The path that `path_as_text` gave as text."""
    if not text.startswith("file://"):
        return Path(text)
    return Path(os.fsdecode(unquote_to_bytes(text.removeprefix("file://"))))


def _has_stray_bytes(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)
