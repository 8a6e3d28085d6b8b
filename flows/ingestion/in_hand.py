"""Notes on disk of the workbooks being processed, so that one that kills its process is known at the next start.

Each has a note while a process is working on it, which holds the note's lock. A note without a lock was left by a
process that was killed.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from flows.storage.archive import identity_of

# The first time may have been bad luck: a power cut, or an impatient user. The second is not.
MOST_DEATHS = 2


class InHand:
    """The notes in a folder."""

    def __init__(self, folder: Path) -> None:
        """The folder is created when it is needed."""
        self._folder = folder

    @contextmanager
    def holding(self, name: str, path: Path) -> Iterator[int]:
        """Note that a workbook is being processed, for the `with` block; yields how many processes have died of it.

        `name` is the result of `note_of`. If another process is working on it, nothing is noted, and the death of
        that process would be counted.

        Raises:
            OSError: the note cannot be written.
        """
        if not self._folder.is_dir():
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
                # An exception is not a killed process.
                note.unlink(missing_ok=True)
        finally:
            os.close(descriptor)

    def forget_gone(self) -> None:
        """Remove the notes of workbooks that are no longer in the inbox."""
        for note in self._folder.glob("*") if self._folder.is_dir() else ():
            with suppress(OSError, ValueError, KeyError, TypeError):
                if not os.path.lexists(json.loads(note.read_bytes())["file"]):
                    note.unlink()


def note_of(path: Path) -> str:
    """The name of a file's note, for its current content: a replacement has a different one.

    Raises:
        FileNotFoundError: it no longer exists.
    """
    what = (os.fsencode(path.absolute()), *identity_of(path.lstat()))
    return hashlib.sha256(repr(what).encode()).hexdigest()[:40]


def _deaths_in(words: bytes) -> int:
    try:
        return int(json.loads(words)["deaths"])
    except (ValueError, KeyError, TypeError):
        # An empty one is new. A truncated one was being written when its process died, before the workbook was opened.
        return 0
