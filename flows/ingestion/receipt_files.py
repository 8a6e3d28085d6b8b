"""Writes receipts to the partners' folders."""

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from cypp_etl.receipts.reply import Reply
from flows.ingestion.files import ABANDONED_SECONDS, UNFINISHED
from flows.ingestion.removal import REPLIES

_FOLLOW_NO_LINK = getattr(os, "O_NOFOLLOW", 0)


def write_reply(folder: Path, reply: Reply) -> Path:
    """Write a receipt to a partner's folder `replies`, completely or not at all; one of the same name is replaced.

    Neither the folder nor a file in it may be a link: partners can create links in their folder, but must not
    decide where we write.

    Raises:
        OSError: `replies` is a link or not a folder, or it cannot be written to.
    """
    replies = folder / REPLIES
    _make(replies, folder.stat())
    temporary = f"{UNFINISHED}{secrets.token_hex(8)}"
    place = _open_folder(replies)
    try:
        _write(temporary, reply.content, place)
        # A link with the receipt's name is replaced, not followed.
        os.replace(temporary, reply.file_name, src_dir_fd=place, dst_dir_fd=place)
        os.fsync(place)
    except OSError:
        _remove(temporary, place)
        raise
    finally:
        os.close(place)
    return replies / reply.file_name


def remove_unfinished_replies(folder: Path, now: float) -> int:
    """Remove unfinished receipts of killed processes from a partner's folder, and return their number.

    `now` is in seconds since 1970. Other processes may be using the folder: recent files are left alone.
    """
    replies = folder / REPLIES
    if replies.is_symlink() or not replies.is_dir():
        return 0
    place = _open_folder(replies)
    removed = 0
    try:
        with os.scandir(place) as entries:
            for entry in (one for one in entries if one.name.startswith(UNFINISHED)):
                # Another sweep may be doing the same.
                with suppress(FileNotFoundError):
                    if now - entry.stat(follow_symlinks=False).st_mtime > ABANDONED_SECONDS:
                        os.unlink(entry.name, dir_fd=place)
                        removed += 1
    finally:
        os.close(place)
    return removed


def _make(replies: Path, folder: os.stat_result) -> None:
    """Create `replies` with the permissions of the partner's folder; an existing one is not changed."""
    try:
        replies.mkdir(mode=0o700)
    except FileExistsError:
        return
    place = _open_folder(replies)
    try:
        _share(place, folder, 0o700 | folder.st_mode & stat.S_ISGID)
    finally:
        os.close(place)


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


def _open_folder(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | _FOLLOW_NO_LINK)


def _write(name: str, content: bytes, place: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FOLLOW_NO_LINK
    with os.fdopen(os.open(name, flags, 0o600, dir_fd=place), "wb") as stream:
        _share(stream.fileno(), os.fstat(place), 0o600)
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _remove(name: str, place: int) -> None:
    # It may never have been created.
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=place)
