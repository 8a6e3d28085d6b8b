"""The archive: every workbook's bytes, stored by their SHA-256 before anything else happens to them."""

import hashlib
import os
import secrets
import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from flows.storage.files import ABANDONED_SECONDS, UNFINISHED, open_regular

# More than any valid workbook: a larger file is refused by its size, and is never read into memory as a whole.
READ_BYTES = 64 << 20
# How much of such a file is archived: it is not a return, and a sparse file takes no space until it is copied.
_KEPT_OF_LARGE = 1 << 20
_CHUNK_BYTES = 1 << 20
# Enough to need a block of its own on a disk that is full.
_TRIED_BYTES = 4096
_FLUSHED_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Kept:
    """A workbook in the archive.

    `identity` shows whether the original has been replaced since. `delivery` identifies this drop, even among drops of
    the same bytes: a file that is found again, because its process was killed before removing it, has the same one. It
    includes nothing that two machines see differently on one share. `size` is the original's, in bytes: if it is
    larger than any valid workbook, only the beginning is archived, and `sha256` is that of the archived bytes.
    """

    path: Path
    sha256: str
    identity: tuple[int, int, int]
    delivery: str
    size: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether the whole file was archived."""
        return self.size <= READ_BYTES


def keep(
    source: Path,
    archive: Path,
    *,
    follow_links: bool = True,
    beside: Callable[[list[Kept]], Iterable["Unnamed"]] = lambda _: (),
) -> Kept:
    """Copy a file into the archive, where its name is its SHA-256; the same bytes are not stored twice.

    The copy is on disk before it gets its name, so that a crash never leaves half a workbook under that name. Only
    the copy is read later: what is checked is what was archived, even if the original is replaced meanwhile.

    Args:
        source: an ordinary file.
        archive: the folder of the archive.
        follow_links: whether the file may be a link: in the inbox, a partner could link to any file.
        beside: writes what is to be kept with it, and gets its name after it.

    Raises:
        OSError: the file cannot be read or is not an ordinary file, or the archive cannot be written.
    """
    (kept,) = keep_together([source], archive, follow_links=follow_links, beside=beside)
    return kept


class Unnamed(NamedTuple):
    """A file that is written, and has a temporary name until it is on disk; and its path then."""

    temporary: Path
    path: Path


def keep_together(
    sources: Sequence[Path],
    archive: Path,
    *,
    follow_links: bool = True,
    beside: Callable[[list[Kept]], Iterable[Unnamed]] = lambda _: (),
) -> list[Kept]:
    """Archive files as `keep` does, each step for all of them: flushing one to disk flushes most of the others too.

    So it does for what is to be kept `beside` them, which gets its name after them.

    Raises:
        OSError: a file cannot be read, or the archive cannot be written; files archived by then stay in it.
    """
    make_private(archive)
    all_kept: list[Kept] = []
    files: list[Unnamed] = []
    others: list[Unnamed] = []
    try:
        for source in sources:
            temporary, kept = _copy(source, archive, follow_links=follow_links)
            all_kept.append(kept)
            files.append(Unnamed(temporary, kept.path))
            make_private(kept.path.parent)
        others += beside(all_kept)
    except OSError:
        _remove(files)
        raise
    name_together(files, others)
    return all_kept


def name_together(*groups: Sequence[Unnamed]) -> None:
    """Give files their names once all of them are on disk, so that none is there without its content.

    The names of a group are on disk before the next group has any: what speaks of a file is not there without it.

    Raises:
        OSError: the archive cannot be written; those that have their names by then stay.
    """
    files = list(chain.from_iterable(groups))
    try:
        _flush_all(flush, [file.temporary for file in files])
        for group in groups:
            for file in group:
                file.temporary.replace(file.path)
            _flush_all(flush_folder, list(dict.fromkeys(file.path.parent for file in group)))
    except OSError:
        _remove(files)
        raise


def _flush_all(flush_one: Callable[[Path], None], paths: Sequence[Path]) -> None:
    """Flush files or folders; many of them a few at a time, which wait for the disk together."""
    if len(paths) <= _FLUSHED_AT_ONCE:
        # A thread takes as long to start as a file to flush.
        for path in paths:
            flush_one(path)
        return
    with ThreadPoolExecutor(_FLUSHED_AT_ONCE) as flushing:
        # After an error, those that have not begun are left out.
        for _ in flushing.map(flush_one, paths):
            pass


def open_new(archive: Path) -> tuple[int, Path]:
    """A new file of the archive for its owner alone, open, and its temporary name."""
    temporary = archive / f"{UNFINISHED}{secrets.token_hex(8)}"
    return os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600), temporary


def _remove(files: Iterable[Unnamed]) -> None:
    for file in files:
        file.temporary.unlink(missing_ok=True)


def make_private(folder: Path) -> None:
    """Make a folder for its owner alone, if it is not there: to try and be refused takes longer than to look.

    Raises:
        OSError: it cannot be made.
    """
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def require_writable(archive: Path) -> None:
    """Write a few bytes to the archive and remove them; it is created if it is missing, as by the first drop.

    Raises:
        OSError: it cannot be written.
    """
    make_private(archive)
    with tempfile.NamedTemporaryFile(dir=archive, prefix=UNFINISHED) as tried:
        tried.write(bytes(_TRIED_BYTES))
        tried.flush()


def delivery_of(source: Path) -> str:
    """The `delivery` that a file would have if it were archived now.

    Raises:
        OSError: the file cannot be read.
    """
    with open_regular(source, follow_links=True) as original:
        status = os.fstat(original.fileno())
        kept = original.read(READ_BYTES if status.st_size <= READ_BYTES else _KEPT_OF_LARGE)
        return _delivery(source, status, hashlib.sha256(kept).hexdigest())


def _copy(source: Path, archive: Path, *, follow_links: bool) -> tuple[Path, Kept]:
    digest = hashlib.sha256()
    with open_regular(source, follow_links=follow_links) as original:
        status = os.fstat(original.fileno())
        left = READ_BYTES if status.st_size <= READ_BYTES else _KEPT_OF_LARGE
        descriptor, temporary = open_new(archive)
        try:
            with os.fdopen(descriptor, "wb") as copy:
                while left and (chunk := original.read(min(_CHUNK_BYTES, left))):
                    digest.update(chunk)
                    copy.write(chunk)
                    left -= len(chunk)
                # It may have grown since it was opened.
                size = max(status.st_size, os.fstat(original.fileno()).st_size)
        except OSError:
            temporary.unlink()
            raise
    sha256 = digest.hexdigest()
    kept = Kept(archive_path(archive, sha256), sha256, identity_of(status), _delivery(source, status, sha256), size)
    return temporary, kept


def archive_path(archive: Path, sha256: str) -> Path:
    """The archive's path for a workbook with a SHA-256."""
    return archive / sha256[:2] / sha256


def remove_unfinished(archive: Path, now: float) -> int:
    """Remove unfinished copies of killed processes, and return their number; the originals are still in the inbox.

    `now` is in seconds since 1970. Other processes may be using the archive: recent files are left alone.
    """
    removed = 0
    for path in archive.glob(f"{UNFINISHED}*"):
        try:
            if now - path.stat().st_mtime > ABANDONED_SECONDS:
                path.unlink()
                removed += 1
        except FileNotFoundError:
            continue
    return removed


def identity_of(status: os.stat_result) -> tuple[int, int, int]:
    """Values that change when a file is written to or replaced."""
    return status.st_ino, status.st_size, status.st_mtime_ns


def _delivery(source: Path, status: os.stat_result, sha256: str) -> str:
    # The ctime is new even if a copy preserves the file's time of writing.
    what = (source.parent.name, source.name, sha256, status.st_mtime_ns, status.st_ctime_ns)
    return hashlib.sha256(repr(what).encode()).hexdigest()


def flush_folder(folder: Path) -> None:
    """Make a new name survive a power cut, if the system supports it."""
    if hasattr(os, "O_DIRECTORY"):
        flush(folder, os.O_RDONLY | os.O_DIRECTORY)


def flush(path: str | Path, flags: int = os.O_RDWR) -> None:
    """Make what was written to a file survive a power cut."""
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
