"""Removes recorded workbooks from the inbox, without losing a replacement that a partner drops meanwhile.

Between a check of a file and its removal it may be replaced, and the replacement would be lost. So it is moved
first, into a hidden folder whose name says which bytes were recorded, then checked, then removed or moved back.
"""

import contextlib
import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from flows.ingestion.archive import Kept, identity_of
from flows.ingestion.files import open_regular

ASIDE, REPLIES = ".taken", "replies"


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
        aside.mkdir(exist_ok=True)
        if aside.is_symlink():
            raise NotADirectoryError(f"{aside} is a link, which is not followed")
        # Another sweep may remove the file, or the folder while it is empty, between any two steps.
        with contextlib.suppress(FileNotFoundError):
            moved = Path(tempfile.mkdtemp(prefix=f"{kept.sha256}.", dir=aside)) / source.name
            return source.rename(moved)
    _tidy(aside)
    return None


def finish_taking(folder: Path) -> None:
    """Finish a killed process's removals in a partner's folder: recorded files are deleted, others are moved back.

    Another process may be doing the same: the second one finds nothing to do.
    """
    for moved in _moved_aside(folder / ASIDE):
        with contextlib.suppress(FileNotFoundError):
            if _sha256(moved) == moved.parent.name.partition(".")[0]:
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


def _give_back(moved: Path, folder: Path) -> None:
    """Move a file back to its own name, or to a similar one if another file has taken it meanwhile."""
    place = folder / moved.name
    number = 1
    while True:
        try:
            # Unlike a rename, a link never replaces an existing file.
            place.hardlink_to(moved)
        except FileExistsError:
            number += 1
            place = folder / f"{number} {moved.name}"
        except OSError:
            # A share without links: the best that is possible is a check and a rename.
            if place.exists():
                number += 1
                place = folder / f"{number} {moved.name}"
                continue
            shutil.move(moved, place)
            return
        else:
            moved.unlink()
            return


def _sha256(path: Path) -> str:
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
