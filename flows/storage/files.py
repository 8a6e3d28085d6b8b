"""Files: opened without waiting, though others may replace them with anything, and written whole or not at all."""

import errno
import hashlib
import os
import secrets
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


def sha256_of(path: Path) -> str:
    """The SHA-256 of an ordinary file.

    Raises:
        OSError: as `open_regular`.
    """
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_whole(path: Path, content: bytes) -> None:
    """Write a file for its owner alone, which is on disk whole before it has its name; another of the name is replaced.

    The name itself survives a power cut once the folder is flushed.

    Raises:
        OSError: it cannot be written.
    """
    temporary = path.with_name(f"{UNFINISHED}{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


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
