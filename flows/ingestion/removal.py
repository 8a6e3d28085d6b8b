"""Taking recorded workbooks out of the inbox, without losing what a partner puts in their place meanwhile.

Between a look at a file and its removal it may be replaced, and the replacement would be lost. So it is moved aside
first, into a hidden folder whose name says which bytes were recorded, then looked at, then removed or given back.
"""

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from flows.ingestion.archive import Kept, identity_of
from flows.ingestion.files import open_regular

ASIDE, REPLIES = ".taken", "replies"
# How the holder of a workbook is named that is on its way up: no SHA-256 is, so that it is given back.
_FROM_BELOW = "below"


def take_away(source: Path, kept: Kept) -> bool:
    """Take a file out of the inbox once it is recorded, unless it has been replaced since; say whether it is gone.

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
            # The archive has only its beginning: the partner has it back, where nothing is taken from.
            _give_back(moved, source.parent / REPLIES)
    except FileNotFoundError:
        # Another sweep finished it.
        return True
    finally:
        _tidy(source.parent / ASIDE)
    return True


def _move_aside(source: Path, kept: Kept) -> Path | None:
    """Where the file lies now, in a folder of its own; None if another sweep or the partner took it."""
    aside = source.parent / ASIDE
    while source.exists():
        aside.mkdir(exist_ok=True)
        if aside.is_symlink():
            raise NotADirectoryError(f"{aside} is a link: nothing of a partner's is put where it leads")
        # Another sweep may take the file, or tidy away the folder that is still empty, between any two steps.
        with contextlib.suppress(FileNotFoundError):
            moved = Path(tempfile.mkdtemp(prefix=f"{kept.sha256}.", dir=aside)) / source.name
            return source.rename(moved)
    _tidy(aside)
    return None


def finish_taking(folder: Path) -> None:
    """Finish what a killed process began in a partner's folder: what was recorded goes, what was not is given back.

    Another process may be in the midst of the same: whichever comes second finds nothing to do.
    """
    for moved in _moved_aside(folder / ASIDE):
        with contextlib.suppress(FileNotFoundError):
            if _sha256(moved) == moved.parent.name.partition(".")[0]:
                moved.unlink()
            else:
                _give_back(moved, folder)
    _tidy(folder / ASIDE)


def _tidy(aside: Path) -> None:
    """Remove what is empty: nothing is left in a partner's folder but what is the partner's."""
    if aside.is_dir() and not aside.is_symlink():
        # Whatever another sweep is using is not empty, or is gone.
        with contextlib.suppress(OSError):
            for holder in aside.iterdir():
                with contextlib.suppress(OSError):
                    holder.rmdir()
            aside.rmdir()


def _moved_aside(aside: Path) -> Iterator[Path]:
    # Whoever can write to the folder can put a link here, which must not reach what is not theirs.
    if aside.is_dir() and not aside.is_symlink():
        for holder in sorted(aside.iterdir()):
            if holder.is_dir() and not holder.is_symlink():
                yield from (path for path in sorted(holder.iterdir()) if path.is_file() and not path.is_symlink())


def _give_back(moved: Path, folder: Path) -> None:
    """Put a file back under its own name, or under one beside it if a third has come meanwhile."""
    place = folder / moved.name
    number = 1
    while True:
        try:
            # Unlike a rename, a link never takes the place of what is there.
            place.hardlink_to(moved)
        except FileExistsError:
            if identity_of(place.lstat()) == identity_of(moved.lstat()):
                # A process was killed between the next two steps.
                moved.unlink()
                return
            number += 1
            place = folder / f"{number} {moved.name}"
        except OSError:
            # A share without links: nothing better is to be had than a look and a rename.
            if place.exists():
                number += 1
                place = folder / f"{number} {moved.name}"
                continue
            shutil.move(moved, place)
            return
        else:
            moved.unlink()
            return


def move_up(folder: Path, place: int, name: str) -> None:
    """Move a workbook from a folder below a partner's folder up into it, under a name that is free.

    Args:
        folder: the partner's.
        place: the folder that it lies in, open.
        name: the workbook's.

    Raises:
        OSError: the folder cannot be written to.
    """
    aside = folder / ASIDE
    aside.mkdir(exist_ok=True)
    if aside.is_symlink():
        raise NotADirectoryError(f"{aside} is a link: nothing of a partner's is put where it leads")
    # Whatever lies there at that moment moves, and nothing that comes later is touched; another sweep may have
    # moved it, or have finished this.
    try:
        with contextlib.suppress(FileNotFoundError):
            moved = Path(tempfile.mkdtemp(prefix=f"{_FROM_BELOW}.", dir=aside)) / name
            os.rename(name, moved, src_dir_fd=place)
            _give_back(moved, folder)
    finally:
        _tidy(aside)


def _sha256(path: Path) -> str:
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
