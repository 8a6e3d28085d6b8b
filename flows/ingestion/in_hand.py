"""Which workbooks are in hand, noted on disk, so that one that brings its process down is known at the next start.

Each has a note of its own for as long as somebody is at work on it, who holds the note's lock. A note that nobody
holds was left by a process that was killed.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from flows.storage.archive import identity_of

# The first time may have been bad luck: a power cut, or an impatient hand. The second is not.
MOST_DEATHS = 2


class InHand:
    """The notes in a folder."""

    def __init__(self, folder: Path) -> None:
        """The folder is made when it is needed."""
        self._folder = folder

    @contextmanager
    def holding(self, name: str, path: Path) -> Iterator[int]:
        """Note that a workbook is in hand, for as long as it is; gives how many processes died while they had it.

        `name` is what `note_of` gave. Where somebody else has it in hand, nothing is noted, and it is
        for them to be counted.

        Raises:
            OSError: nothing can be noted.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        note = self._folder / name
        descriptor = os.open(note, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                is_ours = os.fstat(descriptor).st_nlink > 0
            except BlockingIOError:
                is_ours = False
            if not is_ours:
                yield 0
                return
            deaths = _deaths_in(os.pread(descriptor, 1000, 0))
            # If this process dies too, that is one more.
            words = json.dumps({"file": str(path.absolute()), "deaths": deaths + 1}).encode()
            os.pwrite(descriptor, words, 0)
            os.ftruncate(descriptor, len(words))
            os.fsync(descriptor)
            try:
                yield deaths
            finally:
                # Whatever was raised, it killed nobody.
                note.unlink(missing_ok=True)
        finally:
            os.close(descriptor)

    def forget_gone(self) -> None:
        """Remove the notes of workbooks that have left the inbox since."""
        for note in self._folder.glob("*") if self._folder.is_dir() else ():
            with suppress(OSError, ValueError, KeyError, TypeError):
                if not os.path.lexists(json.loads(note.read_bytes())["file"]):
                    note.unlink()


def note_of(path: Path) -> str:
    """What the note of a file is called, as it is now: one that replaced it has another.

    Raises:
        FileNotFoundError: it has left.
    """
    what = (os.fsencode(path.absolute()), *identity_of(path.lstat()))
    return hashlib.sha256(repr(what).encode()).hexdigest()[:40]


def _deaths_in(words: bytes) -> int:
    try:
        return int(json.loads(words)["deaths"])
    except (ValueError, KeyError, TypeError):
        # An empty one is new. One cut short was being written when its process died, before the workbook was touched.
        return 0
