"""Knows the sheet of a receipt again when it comes back with the next return."""

import re

from cypp_etl.layout import read_layouts
from cypp_etl.receipts.wording import TITLE
from cypp_etl.workbook.model import Sheet

_NUMBERED = re.compile(r"(.*?)(?: \(\d+\))?", re.DOTALL)


def is_receipt_name(name: str) -> bool:
    """Whether a sheet's name is one that the sheet of a receipt can have: `Receipt`, or `Receipt (2)`."""
    found = _NUMBERED.fullmatch(name)
    return found is not None and read_layouts()["receipt"].part("receipt").is_named(found[1])


def is_receipt(sheet: Sheet) -> bool:
    """Whether a sheet is that of a receipt: a partner may have a sheet of that name, but it begins with other words."""
    first = sheet.cell(1, 1)
    return is_receipt_name(sheet.name) and first is not None and first.value == TITLE
