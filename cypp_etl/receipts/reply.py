"""Chooses how a partner is answered: with their own workbook, marked, or with a page; and what the answer is called."""

import re
from dataclasses import dataclass
from pathlib import PurePath

from cypp_etl.receipts.marking import mark_workbook
from cypp_etl.receipts.page import reply_page
from cypp_etl.receipts.parts import workbook_suffix
from cypp_etl.receipts.summary import ReceiptSummary
from cypp_etl.submission import CheckedReturn
from cypp_etl.workbook.model import UnreadableWorkbook
from schemas.codes import SubmissionStatus

_LONGEST_NAME = 255
_UNREADABLE = "workbook-"
# What Windows forbids in a name, and what hides the direction in which it is read.
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]')
_STATUSES = "|".join(sorted((status.value for status in SubmissionStatus), key=len, reverse=True))
_ALREADY = re.compile(rf"(?: - (?:{_STATUSES}))+$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to a partner: a file's name, without a folder, and its bytes."""

    file_name: str
    content: bytes


def reply_for(checked: CheckedReturn, data: bytes, summary: ReceiptSummary) -> Reply:
    """The answer to a return: the workbook marked where it is one that can be, a page where not.

    `data` are the bytes that were checked.
    """
    if not any(finding.code.startswith(_UNREADABLE) for finding in checked.findings):
        try:
            content = mark_workbook(data, checked.findings, summary)
            return Reply(reply_name(checked.file_name, summary.status, workbook_suffix(data)), content)
        except UnreadableWorkbook:
            # A kind that is read and not written, such as .xls, or a part that only marking looks at is broken.
            pass
    page = reply_page(summary, checked.findings).encode()
    return Reply(reply_name(checked.file_name, summary.status, ".html"), page)


def reply_name(file_name: str, status: SubmissionStatus, suffix: str) -> str:
    """What the answer to a file is called: its own name, what became of it, and the suffix that its content needs.

    A receipt that is sent again is not called ` - rejected - accepted`. The name is one that every system can hold.
    """
    # A name in another encoding than UTF-8 comes with half characters.
    readable = PurePath(file_name).name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    stem = _ALREADY.sub("", PurePath(_FORBIDDEN.sub("_", readable)).stem).lstrip(".~$ ").rstrip(". ") or "return"
    ending = f" - {status.value}{suffix}"
    room = _LONGEST_NAME - len(ending.encode())
    return stem.encode()[:room].decode("utf-8", "ignore") + ending
