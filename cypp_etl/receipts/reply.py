"""Chooses the kind of receipt, the partner's marked workbook or a page, and its file name."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import chain, count
from pathlib import PurePath

from cypp_etl.checked_return import CheckedReturn
from cypp_etl.receipts.marking import mark_parts
from cypp_etl.receipts.ooxml.package import Parts
from cypp_etl.receipts.page import reply_page
from cypp_etl.receipts.summary import ReceiptSummary
from cypp_etl.workbook.model import UnreadableWorkbook
from schemas.codes import DEVICES_OF_WINDOWS, SubmissionStatus

_LONGEST_NAME = 255
_PARTING = " - "
_UNREADABLE = "workbook-"
# Characters that Windows forbids in a name, and those that hide the direction of reading.
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]')
# Whatever follows the first dot: "aux.xls - rejected.html" is the device too.
_DEVICE = re.compile(rf"{DEVICES_OF_WINDOWS} *\.", re.IGNORECASE)
_STATUSES = "|".join(sorted((status.value for status in SubmissionStatus), key=len, reverse=True))
_ALREADY = re.compile(rf"(?: - (?:{_STATUSES}))+$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reply:
    """A receipt: its file name, without a folder, and its bytes."""

    file_name: str
    content: bytes


def reply_for(checked: CheckedReturn, data: bytes, summary: ReceiptSummary) -> Reply:
    """The receipt of a return: the marked workbook if it can be marked, otherwise a page.

    `data` are the bytes that were checked.
    """
    if may_be_marked(checked):
        try:
            parts = Parts(data)
            content = mark_parts(parts, checked.findings, summary, checked.sheet_names)
            return Reply(_named(checked, summary, parts.suffix), content)
        except UnreadableWorkbook:
            # A format that is read but not written, such as .xls, or a damaged part that only marking uses.
            pass
    return page_for(checked, summary)


def may_be_marked(checked: CheckedReturn) -> bool:
    """Whether the return could be read, so that marking it is worth trying."""
    return not any(finding.code.startswith(_UNREADABLE) for finding in checked.findings)


def page_for(checked: CheckedReturn, summary: ReceiptSummary) -> Reply:
    """The receipt of a return as a page, without opening its workbook."""
    page = reply_page(summary, checked.findings).encode()
    return Reply(_named(checked, summary, ".html"), page)


def _named(checked: CheckedReturn, summary: ReceiptSummary, suffix: str) -> str:
    # It is beside the partner's own file, so its name reveals nothing new.
    return reply_name(PurePath(checked.file).name, summary.status, suffix)


def reply_name(file_name: str, status: SubmissionStatus, suffix: str) -> str:
    """The receipt's file name: the file's own name, its status, and the suffix for the receipt's content.

    A file's own suffix stays in the name if the receipt has another: `return.xls` and `return.ods` may be in the same
    folder, and must not replace each other's receipts. A receipt that is sent again is not named
    ` - rejected - accepted`. The name is valid on every system.
    """
    # A name in an encoding other than UTF-8 has lone surrogates.
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
    """The name of a receipt, with a number before the status if its folder already has that name.

    So the number stays, and the status is dropped, when the receipt is sent again. Windows ignores case.
    """
    folded = {one.casefold() for one in taken}
    return next(made for made in numbered_names(name) if made.casefold() not in folded)


def _fitting(told: str, ending: str) -> str:
    room = _LONGEST_NAME - len(ending.encode())
    return told.encode()[:room].decode("utf-8", "ignore") + ending
