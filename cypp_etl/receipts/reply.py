"""Chooses how a partner is answered: with their own workbook, marked, or with a page; and what the answer is called."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import chain, count
from pathlib import PurePath

from cypp_etl.checked_return import CheckedReturn
from cypp_etl.receipts.marking import mark_workbook
from cypp_etl.receipts.ooxml.package import workbook_suffix
from cypp_etl.receipts.page import reply_page
from cypp_etl.receipts.summary import ReceiptSummary
from cypp_etl.workbook.model import UnreadableWorkbook
from schemas.codes import DEVICES_OF_WINDOWS, SubmissionStatus

_LONGEST_NAME = 255
_PARTING = " - "
_UNREADABLE = "workbook-"
# What Windows forbids in a name, and what hides the direction in which it is read.
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]')
# Whatever follows the first dot: "aux.xls - rejected.html" is the device too.
_DEVICE = re.compile(rf"{DEVICES_OF_WINDOWS} *\.", re.IGNORECASE)
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
    if may_be_marked(checked):
        try:
            content = mark_workbook(data, checked.findings, summary, checked.sheet_names)
            return Reply(_named(checked, summary, workbook_suffix(data)), content)
        except UnreadableWorkbook:
            # A kind that is read and not written, such as .xls, or a part that only marking looks at is broken.
            pass
    return page_for(checked, summary)


def may_be_marked(checked: CheckedReturn) -> bool:
    """Whether the return could be read, so that it is worth looking whether it can be marked."""
    return not any(finding.code.startswith(_UNREADABLE) for finding in checked.findings)


def page_for(checked: CheckedReturn, summary: ReceiptSummary) -> Reply:
    """The answer to a return as a page, for which its workbook is not opened."""
    page = reply_page(summary, checked.findings).encode()
    return Reply(_named(checked, summary, ".html"), page)


def _named(checked: CheckedReturn, summary: ReceiptSummary, suffix: str) -> str:
    # It lies beside the partner's own file: whatever its name holds, they know it.
    return reply_name(PurePath(checked.file).name, summary.status, suffix)


def reply_name(file_name: str, status: SubmissionStatus, suffix: str) -> str:
    """What the answer to a file is called: its own name, what became of it, and the suffix that its content needs.

    A file's own suffix stays in the name where the answer has another: `return.xls` and `return.ods` may lie side by
    side, and neither may have its answer replaced by the other's. A receipt that is sent again is not called
    ` - rejected - accepted`. The name is one that every system can hold.
    """
    # A name in another encoding than UTF-8 comes with half characters.
    readable = PurePath(file_name).name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    name = PurePath(_FORBIDDEN.sub("_", readable))
    stem = _ALREADY.sub("", name.stem).lstrip(".~$ ").rstrip(". ") or "return"
    told = stem if name.suffix == suffix else (stem + name.suffix).rstrip(". ")
    told = f"_{told}" if _DEVICE.match(told) else told
    return _fitting(told, f"{_PARTING}{status.value}{suffix}")


def answered_name(file_name: str) -> str:
    """What the file was called that a receipt answers: the receipt's own name, less the status."""
    name = PurePath(file_name)
    return (_ALREADY.sub("", name.stem) or name.stem) + name.suffix


def numbered_names(name: str) -> Iterator[str]:
    """The name of an answer, then the same with numbers before the status, from 2 on."""
    told, _, ending = name.rpartition(_PARTING)
    return chain([name], (_fitting(told, f" ({number}){_PARTING}{ending}") for number in count(2)))


def distinct_name(name: str, taken: Collection[str]) -> str:
    """The name of an answer, with a number before the status where one of those in its folder has it.

    So the number stays, and the status goes, when the receipt is sent again. Windows tells no cases apart.
    """
    folded = {one.casefold() for one in taken}
    return next(made for made in numbered_names(name) if made.casefold() not in folded)


def _fitting(told: str, ending: str) -> str:
    room = _LONGEST_NAME - len(ending.encode())
    return told.encode()[:room].decode("utf-8", "ignore") + ending
