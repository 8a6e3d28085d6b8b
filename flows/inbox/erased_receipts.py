"""Removes the receipts of a workbook whose content is erased: they repeat it, and name it by its SHA-256."""

import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from flows.inbox.own_files import open_folder
from flows.inbox.partner_folder import REPLIES
from flows.inbox.written_receipts import WrittenReceipts, names_in, sha256_in
from flows.storage.archive import READ_BYTES
from flows.storage.files import open_regular

_CHUNK_BYTES = 1 << 20
# More than any receipt says of itself: what is larger was changed, and is none of ours.
_MOST_BYTES = 4 * READ_BYTES


@dataclass(slots=True)
class RemovedReceipts:
    """The receipts that were removed, and those that are left since their partner changed them."""

    removed: list[Path] = field(default_factory=list)
    changed: list[Path] = field(default_factory=list)


def remove_receipts_of(inbox: Path, notes: Path, partner_code: str, sha256: str) -> RemovedReceipts:
    """Remove the receipts of a workbook from its partner's replies.

    Args:
        inbox: the folder of the partners' folders.
        notes: where it is noted which receipts were written.
        partner_code: the partner; empty if nobody's folder has a receipt.
        sha256: the workbook's.

    Raises:
        OSError: a receipt cannot be read or removed.
    """
    done = RemovedReceipts()
    replies = inbox / partner_code / REPLIES
    if not partner_code or replies.is_symlink() or not replies.is_dir():
        return done
    written = WrittenReceipts(notes, partner_code)
    place = open_folder(replies)
    try:
        for name in sorted(names_in(place)):
            # A link, a pipe or a lock is no receipt.
            with suppress(FileNotFoundError):
                if not _names(replies / name, sha256.encode()):
                    continue
                own = sha256_in(place, name)
                if own is None or not written.are_known(own):
                    done.changed.append(replies / name)
                else:
                    os.unlink(name, dir_fd=place)
                    done.removed.append(replies / name)
        os.fsync(place)
    finally:
        os.close(place)
    return done


def _names(path: Path, wanted: bytes) -> bool:
    """Whether a file, or a part of it if it is a package, has the wanted text."""
    if path.is_symlink() or not path.is_file():
        return False
    with open_regular(path) as file:
        if _has(file, wanted):
            return True
        # A package that others damaged names nothing.
        with suppress(zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError):
            return _package_has(file, wanted)
    return False


def _package_has(file: IO[bytes], wanted: bytes) -> bool:
    with zipfile.ZipFile(file) as package:
        for member in package.infolist():
            with package.open(member) as part:
                if _has(part, wanted):
                    return True
    return False


def _has(file: IO[bytes], wanted: bytes) -> bool:
    end = b""
    for chunk in _chunks(file):
        if wanted in end + chunk:
            return True
        end = chunk[-len(wanted) :]
    return False


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    for _ in range(_MOST_BYTES // _CHUNK_BYTES):
        if not (chunk := file.read(_CHUNK_BYTES)):
            return
        yield chunk
