"""Detects which files in the inbox have settled: as far as can be seen, nothing is writing to them any more.

It uses only this process's clock, and changes between two scans, because a share's file times are its server's.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from flows.storage.archive import identity_of
from flows.storage.files import open_regular

ZIP_BEGINS = b"PK\x03\x04"
"""The first bytes of a zip, which a workbook of today's is."""

_ZIP_ENDS = b"PK\x05\x06"
_END_RECORD_BYTES = 22
# A zip may end with a comment, but office programs do not write one.
_LONGEST_COMMENT = 65_535


@dataclass(frozen=True, slots=True)
class Patience:
    """For how many seconds a file must not have changed, depending on whether it is known to be complete."""

    whole: float = 0.25
    unknown: float = 2.0
    unfinished: float = 30.0


@dataclass
class Settling:
    """The last seen state of each waiting file, and since when it has been the same."""

    patience: Patience = field(default_factory=Patience)
    _seen: dict[Path, tuple[tuple[int, int, int], float]] = field(default_factory=dict)

    def seconds_left(self, path: Path, now: float) -> float:
        """For how many more seconds a file must not change; 0 or less once it has settled.

        Raises:
            OSError: it cannot be read.
        """
        identity = identity_of(path.lstat())
        seen, since = self._seen.get(path, (None, now))
        if seen != identity:
            since = now
            self._seen[path] = identity, since
        quiet = now - since
        if quiet < self.patience.whole:
            return self.patience.whole - quiet
        return self._patience_with(path) - quiet

    def since(self, path: Path) -> float | None:
        """Since when a file has been as it was last seen; None if it was never asked about."""
        seen = self._seen.get(path)
        return seen[1] if seen else None

    def forget_all_but(self, waiting: set[Path]) -> None:
        """Forget the files that are no longer there."""
        for path in self._seen.keys() - waiting:
            del self._seen[path]

    def _patience_with(self, path: Path) -> float:
        with open_regular(path) as file:
            beginning = file.read(len(ZIP_BEGINS))
            if not beginning:
                return self.patience.unfinished
            if beginning != ZIP_BEGINS:
                return self.patience.unknown
            return self.patience.whole if has_zip_end(file) else self.patience.unfinished


def has_zip_end(file: BinaryIO) -> bool:
    """Whether a zip has its complete end record, which is written last."""
    size = file.seek(0, os.SEEK_END)
    for length in (_END_RECORD_BYTES, _END_RECORD_BYTES + _LONGEST_COMMENT):
        file.seek(max(0, size - length))
        end = file.read(length)
        record = end[end.rfind(_ZIP_ENDS) :] if _ZIP_ENDS in end else b""
        # Its last two bytes are the length of the comment that follows.
        if len(record) >= _END_RECORD_BYTES:
            comment = int.from_bytes(record[_END_RECORD_BYTES - 2 : _END_RECORD_BYTES], "little")
            return len(record) >= _END_RECORD_BYTES + comment
    return False
