"""Knows what a receipt added again, its sheet and its notes, when it comes back with the next return."""

import re

from cypp_etl.layout import read_layouts
from cypp_etl.receipts.wording import TITLE
from cypp_etl.workbook.model import Sheet

# How a note in a cell's comment ends, and what parts it from what stood there before.
SIGNATURE = "(Receipt note. You need not delete it.)"
SEPARATOR = "---- Receipt ----"
RECEIPT_NOTE = re.compile(
    rf"(?:\A(?:ERROR|QUERY|NOTE)\b|\s*{re.escape(SEPARATOR)}).*?{re.escape(SIGNATURE)}[^\S\n]*\n?", re.DOTALL
)

_NUMBERED = re.compile(r"(.*?)(?: \(\d+\))?", re.DOTALL)


def is_receipt_name(name: str) -> bool:
    """Whether a sheet's name is one that the sheet of a receipt can have: `Receipt`, or `Receipt (2)`."""
    found = _NUMBERED.fullmatch(name)
    return found is not None and read_layouts()["receipt"].part("receipt").is_named(found[1])


def is_receipt(sheet: Sheet) -> bool:
    """Whether a sheet is that of a receipt: a partner may have a sheet of that name, but it begins with other words."""
    first = sheet.cell(1, 1)
    return is_receipt_name(sheet.name) and first is not None and first.value == TITLE


def without_receipt_notes(comment: str) -> str:
    """What people wrote in a cell's comment, without the notes of an earlier receipt."""
    return RECEIPT_NOTE.sub("", comment).strip()
