"""What waits to be sent by e-mail: a file for each receipt in `$CYPP_HOME/.outbox`, until it is sent or given up.

`cypp serve` makes the folder if its settings have a mail server, and removes it if they have none: whoever ingests a
workbook, on any machine, looks for the folder and needs no settings of its own.
"""

import json
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from flows.storage.archive import flush_folder
from flows.storage.files import ABANDONED_SECONDS, UNFINISHED, write_whole

_DONE, _ENDING = "done", ".json"
# By then no process comes back to a drop that it had answered.
_DONE_FOR_SECONDS = 90 * 86_400


@dataclass(frozen=True, slots=True)
class Letter:
    """A receipt to be sent: `delivery` names the drop that it answers, `address` is as typed on the cover.

    `receipt` is the receipt's path, as `path_as_text` gives it, and `sha256` that of its bytes. `queued_at` and
    `not_before` are in seconds since 1970; `attempts` counts those that failed.
    """

    delivery: str
    partner_code: str
    period: str
    file: str
    address: str
    subject: str
    text: str
    receipt: str
    sha256: str
    may_be_attached: bool
    queued_at: float
    attempts: int = 0
    not_before: float = 0.0


class Outbox:
    """The letters in a folder; only one process may send them, and any may add."""

    def __init__(self, folder: Path) -> None:
        """Nothing is made: `open` does."""
        self._folder = folder
        self._done = folder / _DONE

    def open(self) -> None:
        """Make the folder, and forget what killed processes left unfinished and what was done long ago."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._done.mkdir(mode=0o700, exist_ok=True)
        now = time.time()
        _remove_older(self._folder.glob(f"{UNFINISHED}*"), now - ABANDONED_SECONDS)
        _remove_older(self._done.iterdir(), now - _DONE_FOR_SECONDS)

    def close(self) -> None:
        """Remove the folder, with whatever waits in it: nothing is sent any more."""
        if self._folder.is_dir():
            shutil.rmtree(self._folder)

    @property
    def is_open(self) -> bool:
        """Whether receipts are sent by e-mail."""
        return self._done.is_dir()

    def add(self, letter: Letter) -> None:
        """Queue a letter, once for each drop, whoever adds it and whether or not it was sent.

        Raises:
            OSError: the folder cannot be written to.
        """
        # Two processes that come to one drop add the same letter, and what is done with is not read again.
        if not (self._done / letter.delivery).exists() and not self._path(letter.delivery).exists():
            self._write(letter)

    def due(self, now: float) -> Iterator[Letter]:
        """The letters whose time has come, the oldest first.

        Raises:
            OSError: the folder cannot be read.
        """
        letters = [letter for path in self._folder.glob(f"*{_ENDING}") if (letter := self._read(path))]
        yield from sorted((one for one in letters if one.not_before <= now), key=lambda one: one.queued_at)

    def postpone(self, letter: Letter, until: float) -> None:
        """Note that an attempt failed, and when the next is due."""
        self._write(replace(letter, attempts=letter.attempts + 1, not_before=until))

    def end(self, letter: Letter) -> None:
        """Note that a letter is done with, sent or not: it is not sent again, even if this process is killed now."""
        (self._done / letter.delivery).touch(mode=0o600)
        flush_folder(self._done)
        self._path(letter.delivery).unlink(missing_ok=True)

    def _path(self, delivery: str) -> Path:
        return self._folder / f"{delivery}{_ENDING}"

    def _read(self, path: Path) -> Letter | None:
        """A letter; None if it is done with, or cannot be read and is removed."""
        if (self._done / path.stem).exists():
            path.unlink(missing_ok=True)
            return None
        try:
            return Letter(**json.loads(path.read_bytes()))
        except (ValueError, TypeError):
            # Of an older version: it has its name only once it is whole.
            path.unlink(missing_ok=True)
            return None

    def _write(self, letter: Letter) -> None:
        """Write a letter, whole or not at all."""
        write_whole(self._path(letter.delivery), json.dumps(asdict(letter)).encode())
        flush_folder(self._folder)


def _remove_older(paths: Iterable[Path], moment: float) -> None:
    for path in paths:
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < moment:
                path.unlink()
