"""What a partner's folder says of itself: README.txt, written once, and status.html, written over as things change.

Neither is a return. What a partner puts in the place of either stays.
"""

import os
import stat
from pathlib import Path

from cypp_etl.receipts.status_page import MARK
from flows.inbox.own_files import give_name, open_folder, unfinished
from flows.inbox.partner_folder import README, STATUS

_HEAD_BYTES = 200
# A page lists a partner's returns and queries.
_MOST_BYTES = 1 << 24


def write_readme(folder: Path, partner: str, partner_code: str, contact: str) -> bool:
    """Write README.txt into a partner's folder, unless something has that name; say whether it was written.

    Raises:
        OSError: the folder is a link or not a folder, or it cannot be written to.
    """
    place = open_folder(folder)
    try:
        if _status(README, place) is not None:
            return False
        return _put_new(README, readme(partner, partner_code, contact).encode(), place)
    finally:
        os.close(place)


def readme(partner: str, partner_code: str, contact: str) -> str:
    """What a partner's folder is for, in five lines, as Notepad shows them."""
    whom = f"the data team: {contact}" if contact else "the data team that gave you this folder"
    lines = (
        f"This is the folder for the returns of {partner} ({partner_code}).",
        'Put your finished return, an Excel workbook, here. Your form is in the folder "forms": save it here.',
        'It is collected within a minute. The answer is in the folder "replies": your workbook, any errors marked.',
        "Open status.html to see which returns we have, which are missing or due, and what we ask you to explain.",
        f"If you need help, ask {whom}.",
    )
    return "".join(f"{' '.join(line.split())}\r\n" for line in lines)


def write_status(folder: Path, page: str) -> bool:
    """Write status.html into a partner's folder, whole or not at all; say whether it was written.

    It is not where it says so already, or where the partner has put something else in its place.

    Raises:
        OSError: the folder is a link or not a folder, or it cannot be written to.
    """
    content = page.encode()
    place = open_folder(folder)
    try:
        there = _status(STATUS, place)
        if there is None:
            return _put_new(STATUS, content, place)
        if not stat.S_ISREG(there.st_mode) or there.st_size > _MOST_BYTES:
            return False
        before = _read(STATUS, place)
        if before == content or MARK.encode() not in before[:_HEAD_BYTES]:
            return False
        with unfinished(content, place) as temporary:
            os.replace(temporary, STATUS, src_dir_fd=place, dst_dir_fd=place)
        return True
    finally:
        os.close(place)


def _put_new(name: str, content: bytes, place: int) -> bool:
    with unfinished(content, place) as temporary:
        return give_name(temporary, name, place)


def _status(name: str, place: int) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=place, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _read(name: str, place: int) -> bytes:
    descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW, dir_fd=place)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(_MOST_BYTES)
