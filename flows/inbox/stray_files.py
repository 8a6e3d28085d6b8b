"""What lies beside the partners' folders and in none: whose it is cannot be told, and a note beside it says so.

A note is written once for each, and goes when what it speaks of has gone, if it is still as it was written.
"""

import os
import stat
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from flows.inbox.own_files import has_file

_ENDING = " - not taken.txt"
_LONGEST_NAME = 255
# Who drops a file in the wrong place may see it at once, and move it. A copy changes as long as it is written.
_QUIET_SECONDS = 2.0
_MOST_BYTES = 1 << 16

_BEGIN = b"The file or folder that this note is named after was not taken.\r\n"
_END = b"\r\nThis note is removed once that file or folder has gone.\r\n"
# Notes that a former version wrote end so.
_ENDS = (_END, b"\r\nThis note goes by itself once what it speaks of has gone.\r\n")


def is_note(name: str) -> bool:
    """Whether a file in the inbox has the name of a note."""
    return name.endswith(_ENDING)


def answer_strays(inbox: Path, strays: Collection[Path], partner_codes: Collection[str], now: float) -> None:
    """Write the notes of what lies in the inbox itself, and remove those whose file or folder has gone.

    `now` is in seconds since 1970. What is there for less than two seconds is not answered yet. Nothing of another's is
    written over or removed.

    Raises:
        OSError: the inbox cannot be written to.
    """
    place = os.open(inbox, os.O_RDONLY | os.O_DIRECTORY)
    try:
        notes = {_note_of(path.name): path.name for path in strays}
        for note, stray in notes.items():
            # It may leave meanwhile, or another process come first.
            with suppress(FileNotFoundError, FileExistsError):
                status = os.stat(stray, dir_fd=place, follow_symlinks=False)
                if not 0 <= now - status.st_ctime < _QUIET_SECONDS and not has_file(note, place):
                    _write(note, place, partner_codes)
        with os.scandir(place) as entries:
            gone = [entry.name for entry in entries if is_note(entry.name) and entry.name not in notes]
        for note in gone:
            with suppress(FileNotFoundError):
                if _is_as_written(note, place):
                    os.unlink(note, dir_fd=place)
    finally:
        os.close(place)


def _note_of(name: str) -> str:
    while len(os.fsencode(name + _ENDING)) > _LONGEST_NAME:
        name = name[:-1]
    return name + _ENDING


def _write(note: str, place: int, partner_codes: Collection[str]) -> None:
    folders = ", ".join(sorted(partner_codes))
    lines = [
        "It lies beside the partners' folders, and in none of them, so that we cannot tell whose it is.",
        f"Move it into your own folder, and it is taken within seconds. The folders are: {folders}.",
    ]
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(note, flags, 0o644, dir_fd=place), "wb") as stream:
        os.fchmod(stream.fileno(), 0o644)
        stream.write(_BEGIN + "".join(f"{line}\r\n" for line in lines).encode() + _END)


def _is_as_written(note: str, place: int) -> bool:
    """Whether a note is one of ours, to which nobody has added anything."""
    if not stat.S_ISREG(os.stat(note, dir_fd=place, follow_symlinks=False).st_mode):
        return False
    descriptor = os.open(note, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW, dir_fd=place)
    with os.fdopen(descriptor, "rb") as file:
        text = file.read(_MOST_BYTES)
    # One that is empty was being written when its process was killed.
    return not text or (text.startswith(_BEGIN) and text.endswith(_ENDS))
