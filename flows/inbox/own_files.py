"""Files of ours in the partners' folders: each is there whole or not at all, and no link leads it elsewhere.

Partners can put anything into their folder, and links too, but do not decide where we write: each of our folders is
opened as a folder and nothing else, and everything is done in what was opened.
"""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from flows.storage.files import UNFINISHED

_FOLLOW_NO_LINK = getattr(os, "O_NOFOLLOW", 0)


def open_folder(folder: Path) -> int:
    """Open a folder that is no link; whoever opens it closes it.

    Raises:
        OSError: it is a link or no folder, or cannot be read.
    """
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | _FOLLOW_NO_LINK)


def make_folder(ours: Path, folder: os.stat_result) -> None:
    """Create a folder of ours with the permissions of the partner's folder; an existing one is not changed."""
    if ours.is_dir():
        return
    try:
        ours.mkdir(mode=0o700)
    except FileExistsError:
        return
    place = open_folder(ours)
    try:
        _share(place, folder, 0o700 | folder.st_mode & stat.S_ISGID)
    finally:
        os.close(place)


def has_file(name: str, place: int) -> bool:
    """Whether anything in the open folder has a name, a link included."""
    try:
        os.stat(name, dir_fd=place, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def write_new(name: str, content: bytes, place: int) -> None:
    """Write a file of a name that nothing has, for those who may read the open folder, and have it on the disk.

    Raises:
        OSError: something has the name, or it cannot be written.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FOLLOW_NO_LINK
    with os.fdopen(os.open(name, flags, 0o600, dir_fd=place), "wb") as stream:
        _share(stream.fileno(), os.fstat(place), 0o600)
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


@contextmanager
def unfinished(content: bytes, place: int) -> Iterator[str]:
    """Write a file into the open folder under a temporary name, and give that: the `with` block gives it its own.

    What has no other name by the end is removed.

    Raises:
        OSError: it cannot be written.
    """
    temporary = f"{UNFINISHED}{secrets.token_hex(8)}"
    try:
        write_new(temporary, content, place)
        yield temporary
    finally:
        remove_quietly(temporary, place)


def give_name(temporary: str, name: str, place: int) -> bool:
    """Give a file a name that nothing has; say whether nothing had it."""
    try:
        # Unlike a rename, a link never takes the place of what is there.
        os.link(temporary, name, src_dir_fd=place, dst_dir_fd=place, follow_symlinks=False)
    except FileExistsError:
        return False
    except OSError:
        # A share without links: nothing had the name a moment ago.
        os.rename(temporary, name, src_dir_fd=place, dst_dir_fd=place)
        return True
    os.unlink(temporary, dir_fd=place)
    return True


def remove_quietly(name: str, place: int) -> None:
    """Remove a file of an open folder, if it is there."""
    # It may never have been created, or have another name.
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=place)


def _share(descriptor: int, folder: os.stat_result, mode: int) -> None:
    """Make a new file or folder readable for those who can drop workbooks in its parent folder, and for no one else."""
    for bits, may_drop in ((stat.S_IRWXG, stat.S_IWGRP), (stat.S_IRWXO, stat.S_IWOTH)):
        if folder.st_mode & may_drop:
            # The same as for the owner.
            mode |= ((mode & stat.S_IRWXU) | (mode & stat.S_IRWXU) >> 3 | (mode & stat.S_IRWXU) >> 6) & bits
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        os.chown(descriptor, folder.st_uid, folder.st_gid)
    if hasattr(os, "fchmod"):
        os.fchmod(descriptor, mode)
