"""Writes receipts to the partners' folders."""

import os
import secrets
import stat
import time
from contextlib import suppress
from pathlib import Path

from cypp_etl.receipts.reply import Reply, numbered_names
from flows.inbox.moves import remove_receipt
from flows.inbox.own_files import give_name, make_folder, open_folder, remove_quietly, write_new
from flows.inbox.partner_folder import FORMS, REPLIES
from flows.inbox.written_receipts import WrittenReceipts, sha256_in
from flows.storage.archive import identity_of
from flows.storage.files import ABANDONED_SECONDS, UNFINISHED

# A working day, and the night after it.
_LOCKED_SECONDS = 86_400


# Each look that finds another machine's work is one of its receipts: there are not so many.
_MOST_LOOKS = 100


def write_reply(folder: Path, reply: Reply, written: WrittenReceipts) -> Path:
    """Write an answer into the replies of a partner's folder, whole or not at all, and give its path.

    An answer of the same name is replaced if it is still as it was written. One that the partner changed or has open
    stays, and the new one has a number in its name.

    Neither the folder nor a file in it may be a link: partners can create links in their folder, but must not
    decide where we write.

    Raises:
        OSError: `replies` is a link or not a folder, or it cannot be written to.
    """
    replies = folder / REPLIES
    make_folder(replies, folder.stat())
    temporary = f"{UNFINISHED}{secrets.token_hex(8)}"
    place = open_folder(replies)
    try:
        written.begin(place)
        with written.noting(reply.content):
            write_new(temporary, reply.content, place)
        name = next(name for name in numbered_names(reply.file_name) if _put(temporary, name, folder, place, written))
        os.fsync(place)
    except OSError:
        remove_quietly(temporary, place)
        raise
    finally:
        os.close(place)
    return replies / name


def is_open(name: str, place: int, now: float) -> bool:
    """Whether somebody has a file of an open folder open in Excel or LibreOffice, which put a lock beside it.

    A lock is left behind by a program that crashed: after a day it locks nothing. `now` is in seconds since 1970.
    """
    for lock in (f"~${name}", f".~lock.{name}#"):
        with suppress(FileNotFoundError):
            if now - os.stat(lock, dir_fd=place, follow_symlinks=False).st_mtime < _LOCKED_SECONDS:
                return True
    return False


def remove_unfinished_replies(folder: Path, now: float) -> int:
    """Remove what killed processes left unfinished of ours in a partner's folder, and return its number.

    `now` is in seconds since 1970. Other processes may be using the folder: recent files are left alone.
    """
    return sum(_remove_unfinished(place, now) for place in (folder, folder / REPLIES, folder / FORMS))


def _remove_unfinished(folder: Path, now: float) -> int:
    if folder.is_symlink() or not folder.is_dir():
        return 0
    place = open_folder(folder)
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


def _put(temporary: str, name: str, folder: Path, place: int, written: WrittenReceipts) -> bool:
    """Give an answer its name, unless somebody else's file has it; say whether it has it now."""
    # Another machine that works on the same drop may put its receipt there, or take ours away, between any two steps.
    for _ in range(_MOST_LOOKS):
        if is_open(name, place, time.time()):
            return False
        try:
            there = os.stat(name, dir_fd=place, follow_symlinks=False)
        except FileNotFoundError:
            if give_name(temporary, name, place):
                return True
            continue
        if not stat.S_ISREG(there.st_mode):
            # A link is replaced, not followed.
            os.replace(temporary, name, src_dir_fd=place, dst_dir_fd=place)
            return True
        sha256 = sha256_in(place, name)
        if sha256 is not None and not written.are_ours(sha256):
            return False
        is_gone = sha256 is not None and remove_receipt(folder, place, name, identity_of(there), sha256)
        if is_gone and give_name(temporary, name, place):
            return True
    return False
