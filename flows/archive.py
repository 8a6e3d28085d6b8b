"""The archive: every workbook's bytes, kept by their SHA-256 before anything else happens to them."""

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

# More than any workbook may have: a larger file is refused by its size, and never held in memory whole.
READ_BYTES = 64 << 20
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Kept:
    """A workbook in the archive, and what of the original tells whether it has been replaced since."""

    path: Path
    sha256: str
    identity: tuple[int, int, int]


def keep(source: Path, archive: Path) -> Kept:
    """Copy a file into the archive, where its name is its SHA-256; bytes that are there already are not kept twice.

    The copy is on disk before it gets its name, so that a crash leaves no half a workbook under a whole one's name. All
    later reading is of the copy: what is checked is what was kept, even if the original is replaced meanwhile.

    Raises:
        OSError: the file cannot be read, or the archive not written.
    """
    archive.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with source.open("rb") as original, tempfile.NamedTemporaryFile(dir=archive, delete=False) as copy:
        temporary = Path(copy.name)
        try:
            identity = _identity(os.fstat(original.fileno()))
            while chunk := original.read(_CHUNK_BYTES):
                digest.update(chunk)
                copy.write(chunk)
            copy.flush()
            os.fsync(copy.fileno())
            path = archive_path(archive, digest.hexdigest())
            path.parent.mkdir(exist_ok=True)
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
    _flush_folder(path.parent)
    return Kept(path, digest.hexdigest(), identity)


def archive_path(archive: Path, sha256: str) -> Path:
    """Where the archive keeps the workbook with a SHA-256."""
    return archive / sha256[:2] / sha256


def remove_original(source: Path, kept: Kept) -> bool:
    """Take a file out of the inbox once it is recorded, unless it has been replaced since; say whether it is gone."""
    try:
        if _identity(source.stat()) != kept.identity:
            return False
        source.unlink()
    except FileNotFoundError:
        return True
    return True


def _identity(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_ino, status.st_size, status.st_mtime_ns


def _flush_folder(folder: Path) -> None:
    """Make a new name survive a power cut, where the system can."""
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
