"""Recognises what a receipt added, its sheet and its notes, when it comes back as the next return."""

import re

from cypp_etl.layout import read_layouts
from cypp_etl.receipts.wording import TITLES
from cypp_etl.workbook.model import Sheet

# The end of a note in a cell's comment, and the separator from any earlier text.
SIGNATURE = "(Receipt note. You need not delete it.)"
SEPARATOR = "---- Receipt ----"
_RECEIPT_NOTE = re.compile(
    rf"(?:\A(?:ERROR|QUERY|NOTE)\b|(?<!\s)\s*+{re.escape(SEPARATOR)}).*?{re.escape(SIGNATURE)}[^\S\n]*\n?", re.DOTALL
)

_NUMBERED = re.compile(r"(.*?)(?: \(\d+\))?", re.DOTALL)


def is_receipt_name(name: str) -> bool:
    """Whether a sheet's name is a possible name of a receipt's sheet: `Receipt`, or `Receipt (2)`."""
    found = _NUMBERED.fullmatch(name)
    return found is not None and read_layouts()["receipt"].part("receipt").is_named(found[1])


def is_receipt(sheet: Sheet) -> bool:
    """Whether a sheet is that of a receipt, by its first words: a partner's own sheet may have that name."""
    first = sheet.cell(1, 1)
    return is_receipt_name(sheet.name) and first is not None and first.value in TITLES


def receipt_notes(comment: str) -> list[tuple[int, int]]:
    """The positions of earlier receipts' notes in a cell's comment: start and end of each, in order."""
    last = comment.rfind(SIGNATURE)
    if last < 0:
        return []
    # No note ends after the last signature, and each separator there would be scanned to the end of the text.
    end = last + len(SIGNATURE)
    while end < len(comment) and comment[end] != "\n" and comment[end].isspace():
        end += 1
    return [match.span() for match in _RECEIPT_NOTE.finditer(comment, 0, end + comment.startswith("\n", end))]


def without_receipt_notes(comment: str) -> str:
    """People's own text in a cell's comment, without the notes of an earlier receipt."""
    notes = receipt_notes(comment)
    starts = [0, *(end for _, end in notes)]
    ends = [*(start for start, _ in notes), len(comment)]
    return "".join(comment[start:end] for start, end in zip(starts, ends, strict=True)).strip()
