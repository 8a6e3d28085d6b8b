"""Which receipts were written, noted on disk, so that one that a partner changed is told from one that nobody did.

A receipt's note is an empty file, named after the SHA-256 of the receipt, in a folder for each partner. Making it needs
no lock, on any share, and it stays: a receipt that is put back from a backup is a receipt still.
"""

import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from flows.storage.archive import READ_BYTES, flush_folder
from flows.storage.files import ABANDONED_SECONDS, UNFINISHED

# What lay among the receipts when the first note was made: nobody knows any more whether it was changed.
_FOUND = ".found"


class WrittenReceipts:
    """The notes of one partner's receipts."""

    def __init__(self, notes: Path, partner_code: str) -> None:
        """The folder of the notes is made when it is needed."""
        self.partner_code = partner_code
        self._notes = notes
        self._own = notes / partner_code

    def begin(self, replies: int | None) -> None:
        """Note what lies in the open folder of replies as found there, if no note was ever made for this partner.

        So are the receipts that an earlier version wrote. `replies` is None where there is no such folder yet.

        Raises:
            OSError: nothing can be noted.
        """
        if self._own.is_dir():
            return
        self._notes.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=self._notes))
        try:
            for sha256 in _contents(replies) if replies is not None else ():
                (made / f"{sha256}{_FOUND}").touch(mode=0o600)
            # All at once: half of the notes would make the other half look changed.
            made.rename(self._own)
        except OSError:
            shutil.rmtree(made)
            # Another process came first.
            if not self._own.is_dir():
                raise

    @contextmanager
    def noting(self, content: bytes) -> Iterator[None]:
        """Note that a receipt of this content is written; it must be, before anybody can see the receipt.

        The receipt itself is written meanwhile, so that one flush serves both; the note is on disk afterwards.

        Raises:
            OSError: it cannot be noted.
        """
        os.close(os.open(self._own / hashlib.sha256(content).hexdigest(), os.O_WRONLY | os.O_CREAT, 0o600))
        yield
        flush_folder(self._own)

    def are_ours(self, sha256: str) -> bool:
        """Whether bytes are those of a receipt as it was written."""
        return (self._own / sha256).exists()

    def are_known(self, sha256: str) -> bool:
        """Whether bytes are those of a receipt as it was written, or as it was found when the first note was made."""
        return self.are_ours(sha256) or (self._own / f"{sha256}{_FOUND}").exists()


def names_in(folder: int) -> list[str]:
    """The names of what lies in an open folder."""
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries]


def sha256_in(folder: int, name: str) -> str | None:
    """The SHA-256 of a file in an open folder; None where it is no ordinary file, has left, or is too large.

    Raises:
        OSError: it cannot be read.
    """
    with suppress(FileNotFoundError):
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISREG(status.st_mode) and status.st_size <= READ_BYTES:
            flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW
            with os.fdopen(os.open(name, flags, dir_fd=folder), "rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
    return None


def _contents(replies: int) -> Iterator[str]:
    for name in names_in(replies):
        # What cannot be read is nobody's reason to answer no more.
        with suppress(PermissionError):
            if (sha256 := sha256_in(replies, name)) is not None:
                yield sha256


def remove_unfinished_notes(notes: Path, now: float) -> None:
    """Remove the notes that killed processes left unfinished; `now` is in seconds since 1970."""
    for folder in notes.glob(f"{UNFINISHED}*"):
        with suppress(FileNotFoundError):
            if now - folder.stat().st_mtime > ABANDONED_SECONDS:
                shutil.rmtree(folder)
