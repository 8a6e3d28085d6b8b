"""Moves files within a partner's folder and out of it, without losing what the partner puts there meanwhile.

Recorded workbooks leave the inbox, and receipts make room for others; receipts that were changed come into the inbox,
and so do workbooks in folders of the partner's own.
Between a check of a file and its removal it may be replaced, and the replacement would be lost. So it is moved
first, into a hidden folder whose name says which bytes may go, then looked at, then removed or given back.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cypp_etl.receipts.reply import answered_name
from flows.inbox.partner_folder import ASIDE, REPLIES
from flows.storage.archive import Kept, identity_of
from flows.storage.files import sha256_of

# How the holder of a receipt is named that a partner changed: it is on its way from the replies to the inbox.
_MENDED = "mended"
# How the holder of a workbook is named that is on its way up: no SHA-256 is, so that it is given back.
_FROM_BELOW = "below"


def take_away(source: Path, kept: Kept) -> bool:
    """Remove a recorded file from the inbox, unless it has been replaced since; return whether it is gone.

    Raises:
        OSError: the folder cannot be written to.
    """
    moved = _move_aside(source, kept)
    if moved is None:
        return True
    try:
        if identity_of(moved.lstat()) != kept.identity:
            _give_back(moved, source.parent)
            return False
        if kept.is_whole:
            moved.unlink()
        else:
            # The archive has only its beginning: the partner gets it back, in a folder that is not swept.
            _give_back(moved, source.parent / REPLIES)
    except FileNotFoundError:
        # Another sweep finished it.
        return True
    finally:
        _tidy(source.parent / ASIDE)
    return True


def _move_aside(source: Path, kept: Kept) -> Path | None:
    """The file's new path, in a separate folder; None if another sweep or the partner removed it."""
    aside = source.parent / ASIDE
    while source.exists():
        _make_aside(source.parent)
        # Another sweep may remove the file, or the folder while it is empty, between any two steps.
        with contextlib.suppress(FileNotFoundError):
            moved = Path(tempfile.mkdtemp(prefix=f"{kept.sha256}.", dir=aside)) / source.name
            return source.rename(moved)
    _tidy(aside)
    return None


def _make_aside(folder: Path) -> Path:
    aside = folder / ASIDE
    aside.mkdir(exist_ok=True)
    if aside.is_symlink():
        raise NotADirectoryError(f"{aside} is a link: nothing of a partner's is put where it leads")
    return aside


def bring_in(folder: Path, replies: int, name: str, identity: tuple[int, int, int]) -> Path | None:
    """Bring a receipt that its partner changed into the partner's folder, under the name of the file that it answers.

    Args:
        folder: the partner's.
        replies: its folder of replies, open.
        name: the receipt's.
        identity: the receipt's when it was seen to be changed.

    Returns:
        Where it lies now; None if another process brought it in, or it was written to meanwhile and lies there still.

    Raises:
        OSError: the folder cannot be written to.
    """
    moved = _move_receipt(folder, replies, name, _MENDED)
    if moved is None:
        return None
    try:
        if identity_of(moved.lstat()) != identity:
            _give_back(moved, folder / REPLIES)
            return None
        return _give_back(moved, folder, answered_name(name))
    except FileNotFoundError:
        # Another sweep finished it.
        return None
    finally:
        _tidy(folder / ASIDE)


def move_up(folder: Path, place: int, name: str) -> None:
    """Move a workbook from a folder below a partner's folder up into it, under a name that is free.

    Args:
        folder: the partner's.
        place: the folder that it lies in, open.
        name: the workbook's.

    Raises:
        OSError: the folder cannot be written to.
    """
    aside = _make_aside(folder)
    # Whatever lies there at that moment moves, and nothing that comes later is touched; another sweep may have
    # moved it, or have finished this.
    try:
        with contextlib.suppress(FileNotFoundError):
            moved = Path(tempfile.mkdtemp(prefix=f"{_FROM_BELOW}.", dir=aside)) / name
            os.rename(name, moved, src_dir_fd=place)
            _give_back(moved, folder)
    finally:
        _tidy(aside)


def remove_receipt(folder: Path, replies: int, name: str, identity: tuple[int, int, int], sha256: str) -> bool:
    """Remove a receipt that is still as it was written, to make room for another; say whether there is room now.

    The arguments are those of `bring_in`; `sha256` is that of the receipt as it was written.

    Raises:
        OSError: the folder cannot be written to.
    """
    moved = _move_receipt(folder, replies, name, sha256)
    if moved is None:
        return True
    try:
        if identity_of(moved.lstat()) != identity:
            _give_back(moved, folder / REPLIES)
            return False
        moved.unlink()
    except FileNotFoundError:
        # Another sweep finished it.
        return True
    finally:
        _tidy(folder / ASIDE)
    return True


def _move_receipt(folder: Path, replies: int, name: str, holder: str) -> Path | None:
    """Where a receipt lies now, in a folder of its own; None if it has left."""
    while True:
        aside = _make_aside(folder)
        # Another sweep may tidy the folder away that is still empty.
        with contextlib.suppress(FileNotFoundError):
            moved = Path(tempfile.mkdtemp(prefix=f"{holder}.", dir=aside)) / name
            try:
                os.rename(name, moved, src_dir_fd=replies)
            except FileNotFoundError:
                if moved.parent.exists():
                    _tidy(aside)
                    return None
                raise
            return moved


def finish_taking(folder: Path) -> None:
    """Finish a killed process's removals in a partner's folder: recorded files are deleted, others are moved back.

    A receipt that its partner changed goes on its way into the folder. Another process may be in the midst of the
    same: whichever comes second finds nothing to do.
    """
    for moved in _moved_aside(folder / ASIDE):
        with contextlib.suppress(FileNotFoundError):
            holder = moved.parent.name.partition(".")[0]
            if holder == _MENDED:
                _give_back(moved, folder, answered_name(moved.name))
            elif sha256_of(moved) == holder:
                moved.unlink()
            else:
                _give_back(moved, folder)
    _tidy(folder / ASIDE)


def _tidy(aside: Path) -> None:
    """Remove empty folders, so that only the partner's own files stay in the partner's folder."""
    if aside.is_dir() and not aside.is_symlink():
        # A folder that another sweep is using is not empty, or is gone.
        with contextlib.suppress(OSError):
            for holder in aside.iterdir():
                with contextlib.suppress(OSError):
                    holder.rmdir()
            aside.rmdir()


def _moved_aside(aside: Path) -> Iterator[Path]:
    # Anyone who can write to the folder can put a link here, which must not reach other people's files.
    if aside.is_dir() and not aside.is_symlink():
        for holder in sorted(aside.iterdir()):
            if holder.is_dir() and not holder.is_symlink():
                yield from (path for path in sorted(holder.iterdir()) if path.is_file() and not path.is_symlink())


def _give_back(moved: Path, folder: Path, name: str = "") -> Path:
    """Put a file into a folder under its own name or another, or under one beside that if a third has come meanwhile.

    Gives where it lies now.
    """
    name = name or moved.name
    place = folder / name
    number = 1
    while True:
        try:
            # Unlike a rename, a link never replaces an existing file.
            place.hardlink_to(moved)
        except FileExistsError:
            if identity_of(place.lstat()) == identity_of(moved.lstat()):
                # A process was killed between the next two steps.
                moved.unlink()
                return place
            number += 1
            place = folder / f"{number} {name}"
        except OSError:
            # A share without links: the best that is possible is a check and a rename.
            if place.exists():
                number += 1
                place = folder / f"{number} {name}"
                continue
            shutil.move(moved, place)
            return place
        else:
            moved.unlink()
            return place
