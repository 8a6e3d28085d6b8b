"""Beside the bytes, the archive notes of each drop whose it is, under which name it came and when, and its number.

The warehouse knows all of this too. The notes are for the day on which it is lost and an older copy restored: what was
dropped since is found by them (`reconciliation`), and no submission's number is given twice.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path

from flows.storage.archive import Unnamed, flush_folder, make_private, name_together, open_new

DROPS = "drops"
"""The folder of notes in the archive; no two letters of a SHA-256 are called so."""

NUMBERS = "numbers"
"""The file in it that names the numbers that were given."""

_UNANSWERED, _TOGETHER = "unanswered", ".together"
_GIVEN = re.compile(rb"(\d{1,18}) ([0-9a-f]{64}|-)")
_WHOLE_LINE = re.compile(rb"^(\d{1,18}) (?:[0-9a-f]{64}|-)\n", re.MULTILINE)
# Some hundred lines; each is shorter than a hundred bytes.
_TAIL_BYTES = 10_000


@dataclass(frozen=True, slots=True)
class Drop:
    """A workbook as it came.

    `delivery` is what the warehouse knows it by. `size` is the original's, in bytes. `file` is its path as
    `path_as_text` gives it, and `partner_code` the partner whose folder it lay in, empty if nobody's. `is_answered`
    says that its partner gets a receipt: it lay in the inbox.
    """

    delivery: str
    sha256: str
    size: int
    file: str
    partner_code: str
    received_at: datetime
    is_answered: bool


@dataclass(frozen=True, slots=True)
class Noted:
    """Drops that were noted, and the notes that cannot be read."""

    drops: dict[str, Drop]
    unreadable: tuple[Path, ...]


def note_of_drops(archive: Path, drops: Sequence[Drop]) -> list[Unnamed]:
    """The note of drops, to be kept beside their bytes; none if they are noted: what was noted first stays.

    Drops that come together are noted in one file.

    Raises:
        OSError: the archive cannot be written.
    """
    if not drops:
        return []
    if len(drops) == 1:
        name = drops[0].delivery
    else:
        together = hashlib.sha256("".join(drop.delivery for drop in drops).encode())
        name = f"{together.hexdigest()}{_TOGETHER}"
    note = archive / DROPS / name[:2] / name
    if note.exists():
        return []
    _made(archive, name[:2])
    return [_written(archive, note, "".join(f"{json.dumps(_as_json(drop))}\n" for drop in drops))]


def read_drops(archive: Path, known: Callable[[Collection[str]], Collection[str]]) -> Noted:
    """Read the notes of the drops that are not `known`, which says which of some deliveries are.

    Raises:
        OSError: the archive cannot be read.
    """
    alone, together = _notes(archive)
    wanted = alone.keys() - set(known(alone.keys()))
    found: dict[str, Drop] = {}
    unreadable: list[Path] = []
    for note in [*(alone[delivery] for delivery in sorted(wanted)), *together]:
        try:
            for line in note.read_text("utf-8").splitlines():
                drop = _from_json(line)
                earlier = found.get(drop.delivery)
                if earlier is None or drop.received_at < earlier.received_at:
                    found[drop.delivery] = drop
        except (ValueError, KeyError, TypeError):
            unreadable.append(note)
    for delivery in known(found.keys()):
        del found[delivery]
    return Noted(found, tuple(unreadable))


def noted_hashes(archive: Path) -> set[str]:
    """The SHA-256 of every workbook that a note is about."""
    return {drop.sha256 for drop in read_drops(archive, lambda _: ()).drops.values()}


def drops_of(archive: Path, sha256: str) -> list[Drop]:
    """The drops of a workbook that were noted."""
    return [drop for drop in read_drops(archive, lambda _: ()).drops.values() if drop.sha256 == sha256]


def forget_drops(archive: Path, deliveries: Collection[str]) -> None:
    """Remove the notes of drops; of a note of several, their lines.

    Raises:
        OSError: the archive cannot be written.
    """
    alone, together = _notes(archive)
    for delivery in alone.keys() & set(deliveries):
        alone[delivery].unlink(missing_ok=True)
        flush_folder(alone[delivery].parent)
    for note in together:
        lines = note.read_text("utf-8").splitlines()
        left = [line for line in lines if not any(delivery in line for delivery in deliveries)]
        if left == lines:
            continue
        if not left:
            note.unlink()
        else:
            write_note(archive, note, "".join(f"{line}\n" for line in left))
            continue
        flush_folder(note.parent)


def given_by_hand(delivery: str, received_at: datetime) -> str:
    """The delivery of a file that is not the inbox's, and may be ingested as often as somebody likes."""
    return hashlib.sha256(f"{delivery} {received_at.isoformat()}".encode()).hexdigest()


class Unanswered:
    """The drops that are being taken from the archive, whose receipts are still to be written."""

    def __init__(self, archive: Path) -> None:
        """The folder is made when it is needed."""
        self._archive = archive
        self._folder = archive / DROPS / _UNANSWERED

    def add(self, delivery: str) -> None:
        """Remember a drop until it is answered, however this process ends."""
        _made(self._archive, _UNANSWERED)
        (self._folder / delivery).touch(mode=0o600)
        flush_folder(self._folder)

    def remove(self, delivery: str) -> None:
        """It is answered."""
        (self._folder / delivery).unlink(missing_ok=True)

    def deliveries(self) -> set[str]:
        """The drops that are not answered yet."""
        return {path.name for path in self._folder.iterdir()} if self._folder.is_dir() else set()


class GivenNumbers:
    """The numbers that submissions were given, each on a line with its delivery, in the order in which they were given.

    A number is noted before it is committed: one that the warehouse then refused is not given again either. A line
    that a crash cut short has no number that anybody saw, and is passed over.
    """

    def __init__(self, archive: Path) -> None:
        """The file is made with the first number."""
        self._archive = archive
        self._path = archive / DROPS / NUMBERS

    def highest(self) -> int:
        """The highest number that was given, 0 if none was."""
        try:
            with self._path.open("rb") as stream:
                stream.seek(max(0, stream.seek(0, os.SEEK_END) - _TAIL_BYTES))
                tail = _WHOLE_LINE.findall(stream.read())
        except FileNotFoundError:
            return 0
        return max(map(int, tail), default=0) or max((number for number, _ in self.all()), default=0)

    def note(self, given: Iterable[tuple[int, str | None]]) -> None:
        """Note numbers with the deliveries that have them; they are on disk when it returns.

        Call it in the writer's turn: two that write at once could write into each other's lines.

        Raises:
            OSError: the archive cannot be written.
        """
        lines = "".join(f"{number} {delivery or '-'}\n" for number, delivery in given)
        is_new = not self._path.exists()
        if is_new:
            _made(self._archive)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "r+b", buffering=0) as stream:
            end = stream.seek(0, os.SEEK_END)
            if end and os.pread(stream.fileno(), 1, end - 1) != b"\n":
                lines = f"\n{lines}"
            _write_all(stream.fileno(), lines.encode())
            os.fsync(stream.fileno())
        if is_new:
            flush_folder(self._path.parent)

    def all(self) -> Iterator[tuple[int, str]]:
        """Every number with its delivery, `-` where it had none."""
        if self._path.exists():
            with self._path.open("rb") as stream:
                for number, delivery in _given(stream):
                    yield int(number), delivery.decode()

    def by_delivery(self) -> dict[str, int]:
        """The number that each delivery was given; the last, where the warehouse refused an earlier one."""
        return {delivery: number for number, delivery in self.all()}


def write_note(archive: Path, note: Path, lines: str) -> None:
    """Write a note that is on disk whole before it has its name.

    Raises:
        OSError: the archive cannot be written.
    """
    name_together([_written(archive, note, lines)])


def _written(archive: Path, note: Path, lines: str) -> Unnamed:
    descriptor, temporary = open_new(archive)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(lines.encode())
    except OSError:
        temporary.unlink()
        raise
    return Unnamed(temporary, note)


def _made(archive: Path, *names: str) -> Path:
    """A folder of notes, made for its owner alone where it is not there: `parents` would leave that to the umask."""
    folder = archive.joinpath(DROPS, *names)
    if not folder.is_dir():
        for each in (archive, *(archive.joinpath(DROPS, *names[:count]) for count in range(len(names) + 1))):
            make_private(each)
    return folder


def _write_all(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]


def _given(lines: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
    for line in lines:
        if line.endswith(b"\n") and (found := _GIVEN.fullmatch(line[:-1])):
            yield found[1], found[2]


def _notes(archive: Path) -> tuple[dict[str, Path], list[Path]]:
    """The notes of single drops by their delivery, and those of drops that came together."""
    alone: dict[str, Path] = {}
    together: list[Path] = []
    folder = archive / DROPS
    for holder in sorted(folder.iterdir()) if folder.is_dir() else ():
        # The folders are named after two digits of a hash.
        if len(holder.name) == 2:
            for note in sorted(holder.iterdir()):
                if note.name.endswith(_TOGETHER):
                    together.append(note)
                else:
                    alone[note.name] = note
    return alone, together


def _as_json(drop: Drop) -> dict[str, object]:
    words = {one.name: getattr(drop, one.name) for one in fields(drop)}
    return words | {"received_at": drop.received_at.isoformat()}


def _from_json(line: str) -> Drop:
    words = json.loads(line)
    return Drop(**(words | {"received_at": datetime.fromisoformat(words["received_at"])}))
