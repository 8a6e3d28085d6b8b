"""Room on a disk: whether something failed for want of it, and where."""

import errno
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile

# PostgreSQL's code.
_DISK_FULL = "53100"
# Without room for its log or its index, SQLite says that it cannot read, write or open its file.
_PERHAPS_FULL = ("SQLITE_IOERR", "SQLITE_CANTOPEN")
_LITTLE = 1 << 16


def is_full(fault: BaseException) -> bool:
    """Whether something failed because a disk is full, or all that an account may have of it."""
    if isinstance(fault, OSError):
        return fault.errno in (errno.ENOSPC, errno.EDQUOT)
    cause = getattr(fault, "orig", None)
    return getattr(cause, "sqlite_errorname", "") == "SQLITE_FULL" or getattr(cause, "sqlstate", "") == _DISK_FULL


def full_place(fault: BaseException, warehouse: str, folders: Sequence[Path]) -> str:
    """The place of a fault that a full disk caused: a file, the warehouse or a folder; empty if it had another cause.

    `warehouse` is the place of the database, and `folders` are those that may have been written to: the last of them is
    given if nobody can tell.
    """
    if isinstance(fault, OSError):
        if not is_full(fault):
            return ""
        return str(fault.filename or next((each for each in folders if not has_room(each)), folders[-1]))
    name = str(getattr(getattr(fault, "orig", None), "sqlite_errorname", ""))
    if is_full(fault) or (name.startswith(_PERHAPS_FULL) and not has_room(Path(warehouse).parent)):
        return warehouse
    return ""


def has_room(folder: Path, size: int = _LITTLE) -> bool:
    """Whether so many bytes can be written to a folder, or to that in which it would be made.

    A folder that cannot be written to for another reason is not full.
    """
    there = next(each for each in (folder, *folder.absolute().parents) if each.is_dir())
    try:
        with TemporaryFile(dir=there) as trial:
            trial.write(bytes(size))
            trial.flush()
    except OSError as fault:
        return not is_full(fault)
    return True
