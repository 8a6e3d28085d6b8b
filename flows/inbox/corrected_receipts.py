"""Receipts that their partners changed where they lie: each is that partner's next return.

Correcting the receipt and saving it is the most natural thing to do. It is told by its bytes, which differ from those
of every receipt that was written (`written_receipts`), and taken once nobody has it open any more.
"""

import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from flows.inbox.moves import bring_in
from flows.inbox.own_files import open_folder
from flows.inbox.partner_folder import REPLIES
from flows.inbox.receipt_files import is_open
from flows.inbox.written_receipts import WrittenReceipts, sha256_in
from flows.storage.archive import READ_BYTES, identity_of
from flows.storage.files import WORKBOOK_SUFFIXES

_SUFFIXES = tuple(WORKBOOK_SUFFIXES)
_Identity = tuple[int, int, int]


class CorrectedReceipts:
    """Finds the workbooks among partners' receipts that are not as they were written, and brings them into the inbox.

    It remembers what it has looked at: a receipt is read once, and again when it is written to.
    """

    def __init__(self, notes: Path) -> None:
        """`notes` is where it is noted which receipts were written."""
        self._notes = notes
        self._as_written: dict[tuple[str, str], _Identity] = {}

    def lying_in(self, folder: Path, now: float) -> Iterator[tuple[Path, os.stat_result]]:
        """The changed receipts in a partner's folder that nobody has open, each with its status.

        `now` is in seconds since 1970.

        Raises:
            OSError: the folder of replies is a link, or cannot be read.
        """
        written = WrittenReceipts(self._notes, folder.name)
        with _open_replies(folder) as replies:
            written.begin(replies)
            if replies is not None:
                with os.scandir(replies) as entries:
                    for entry in entries:
                        # There may be thousands: whatever is not a workbook is not looked at twice.
                        if not _is_workbook(entry.name):
                            continue
                        # It may leave meanwhile.
                        with suppress(FileNotFoundError):
                            status = entry.stat(follow_symlinks=False)
                            if self._is_to_come(entry.name, status, replies, written, now):
                                yield folder / REPLIES / entry.name, status

    def bring_in(self, path: Path) -> Path | None:
        """Bring a receipt into its partner's folder; gives where it lies now, None if it is not, or no more, to come.

        Raises:
            OSError: it cannot be read, or the folder not be written to.
        """
        folder = path.parent.parent
        written = WrittenReceipts(self._notes, folder.name)
        with _open_replies(folder) as replies:
            if replies is None or not _is_workbook(path.name):
                return None
            written.begin(replies)
            try:
                status = os.stat(path.name, dir_fd=replies, follow_symlinks=False)
            except FileNotFoundError:
                return None
            if not self._is_to_come(path.name, status, replies, written, time.time()):
                return None
            return bring_in(folder, replies, path.name, identity_of(status))

    def _is_to_come(
        self, name: str, status: os.stat_result, replies: int, written: WrittenReceipts, now: float
    ) -> bool:
        return (
            stat.S_ISREG(status.st_mode)
            # One that is too large for a return was put there for its partner to have it back.
            and status.st_size <= READ_BYTES
            and self._is_changed(name, status, replies, written)
            and not is_open(name, replies, now)
        )

    def _is_changed(self, name: str, status: os.stat_result, replies: int, written: WrittenReceipts) -> bool:
        identity = identity_of(status)
        if self._as_written.get((written.partner_code, name)) == identity:
            return False
        try:
            sha256 = sha256_in(replies, name)
        except PermissionError:
            # None of ours: it is said of it what is said of any file in the inbox that cannot be read.
            return True
        if sha256 is None or not written.are_known(sha256):
            return sha256 is not None
        self._as_written[written.partner_code, name] = identity
        return False


def is_receipt_path(path: Path) -> bool:
    """Whether a path in a partner's folder is that of a file among the receipts."""
    return path.parent.name == REPLIES


def _is_workbook(name: str) -> bool:
    return name.casefold().endswith(_SUFFIXES) and not name.startswith((".", "~$"))


@contextmanager
def _open_replies(folder: Path) -> Iterator[int | None]:
    """A partner's folder of replies, open; None if there is none yet."""
    try:
        replies = open_folder(folder / REPLIES)
    except FileNotFoundError:
        yield None
        return
    try:
        yield replies
    finally:
        os.close(replies)
