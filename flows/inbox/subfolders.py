"""Folders that partners make in theirs: the workbooks in them are moved up, and taken like any other drop.

Nobody but the partner can make them, and any of them may be a link the next moment. So each is opened from the one
above it, as a folder and nothing else, and what is moved is moved out of what was opened.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from stat import S_ISDIR, S_ISLNK, S_ISREG

from flows.inbox.moves import move_up
from flows.inbox.partner_folder import FORMS, REPLIES
from flows.inbox.settling import ZIP_BEGINS, Patience, has_zip_end
from flows.storage.files import WORKBOOK_SUFFIXES

# Folders of our own, whatever their case: what lies in them was ours, and is no return.
_OURS = {REPLIES, FORMS}
# What systems and shares keep in people's folders: trash, previews, snapshots.
_SYSTEMS = {"recycler", "recycled", "system volume information", "lost+found"}
_SYSTEMS_BEGIN = (".", "~", "$", "#", "@")
_DEEPEST = 5
_PATIENCE = Patience()


def bring_up(folder: Path, now: float) -> Iterator[tuple[Path, str]]:
    """Move the workbooks in the folders below a partner's folder up into it; gives what is left there, with the reason.

    Our own folders and those of the system are passed over, as are locks and hidden files. Nothing takes the place of
    what lies in the folder already. `now` is in seconds since 1970.

    Raises:
        OSError: the partner's folder cannot be read or written to.
    """
    place = _open_folder(folder)
    try:
        for name in filter(_is_looked_at, _names(place)):
            # What leaves meanwhile, or is no folder any more, is nobody's fault.
            with suppress(FileNotFoundError):
                if S_ISDIR(os.stat(name, dir_fd=place, follow_symlinks=False).st_mode):
                    yield from _look_below(folder, Path(name), place, now)
    finally:
        os.close(place)


def _look_below(folder: Path, below: Path, above: int, now: float) -> Iterator[tuple[Path, str]]:
    if len(below.parts) > _DEEPEST:
        yield folder / below, f"it is more than {_DEEPEST} folders deep"
        return
    try:
        place = _open_folder(below.name, above)
    except OSError as fault:
        yield folder / below, f"the folder is skipped: {fault.strerror}"
        return
    try:
        for name in filter(_is_looked_at, _names(place)):
            try:
                yield from _look_at(folder, below / name, place, now)
            except FileNotFoundError:
                continue
            except OSError as fault:
                yield folder / below / name, f"it cannot be moved up: {fault.strerror}"
    finally:
        os.close(place)


def _look_at(folder: Path, path: Path, place: int, now: float) -> Iterator[tuple[Path, str]]:
    status = os.stat(path.name, dir_fd=place, follow_symlinks=False)
    if S_ISDIR(status.st_mode):
        yield from _look_below(folder, path, place, now)
    elif not S_ISREG(status.st_mode):
        yield folder / path, "it is a link" if S_ISLNK(status.st_mode) else "it is no ordinary file"
    elif path.suffix.casefold() not in WORKBOOK_SUFFIXES:
        yield folder / path, "it is no workbook, and lies in a folder of the partner's own"
    elif reason := _reason_to_wait(path.name, place, now - max(status.st_mtime, status.st_ctime)):
        yield folder / path, reason
    else:
        move_up(folder, place, path.name)


def _reason_to_wait(name: str, place: int, age: float) -> str:
    """Why a workbook is left for now, empty where it is not; `age` is for how many seconds it is as it is."""
    descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW, dir_fd=place)
    with os.fdopen(descriptor, "rb") as file:
        is_zip = file.read(len(ZIP_BEGINS)) == ZIP_BEGINS
        if is_zip and has_zip_end(file):
            return ""
    is_quiet = age >= (_PATIENCE.unfinished if is_zip else _PATIENCE.unknown)
    return "" if is_quiet else "it may still be being written"


def _names(place: int) -> list[str]:
    with os.scandir(place) as entries:
        return sorted(entry.name for entry in entries)


def _is_looked_at(name: str) -> bool:
    return not (name.startswith(_SYSTEMS_BEGIN) or name.casefold() in _OURS | _SYSTEMS)


def _open_folder(name: str | Path, above: int | None = None) -> int:
    return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=above)
