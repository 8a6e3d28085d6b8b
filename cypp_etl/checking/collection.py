"""A workbook with the returns of many partners, taken apart: a workbook for each partner and period.

Each has the rows of its return alone, in the cells in which they came, so that a figure leads back to its cell in
either. From then on it is a return like any other: checked, recorded, replaced and answered by itself.
"""

import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import PurePath
from typing import Any

from cypp_etl.checking.recognition import recognise
from cypp_etl.intake.flat import flat_rows
from cypp_etl.intake.tables import Table, find_sheets, read_table
from cypp_etl.layout import INDICATORS
from cypp_etl.plan.index import PlanIndex
from cypp_etl.plan.model import Plan
from cypp_etl.workbook.limits import refuse_size
from cypp_etl.workbook.model import Cell, CellKind, UnreadableWorkbook
from cypp_etl.workbook.reader import read_workbook

# A collection has the rows of a whole country, for some years.
_MOST_ROWS, _MOST_RETURNS = 250_000, 5_000
# What Excel allows in no name of a sheet, though other programs do.
_NOT_IN_NAMES = re.compile(r"[\\*?:/\[\]]")


@dataclass(frozen=True, slots=True)
class Piece:
    """The return of one partner and period out of a collection, as a workbook with a file name of its own."""

    file_name: str
    data: bytes


def take_apart(data: bytes, name: str, plan: Plan, index: PlanIndex) -> tuple[Piece, ...]:
    """The returns in a flat workbook, in the order of their first rows.

    There are none if it is no flat one, or holds one return alone, or more than there can be. Whatever else is wrong is
    found when it is checked. Nor are there any where workbooks cannot be written: partners at home have no collections.
    """
    if not any(layout.is_flat for layout in plan.layouts.values()) or find_spec("openpyxl") is None:
        return ()
    try:
        refuse_size(len(data))
        workbook = read_workbook(data, name)
    except UnreadableWorkbook:
        return ()
    layout = recognise(workbook, plan.layouts, "").layout
    if layout is None or not layout.is_flat:
        return ()
    part = layout.part(INDICATORS)
    found = [read_table(sheet, part, most_rows=_MOST_ROWS) for sheet in find_sheets(workbook, part)]
    tables = [table for table in found if table]
    rows_of: dict[tuple[str, str], set[tuple[str, int]]] = {}
    for row in flat_rows(tables, part, index):
        rows_of.setdefault(row.return_key, set()).add((row.row.sheet, row.row.row))
    if not 2 <= len(rows_of) <= _MOST_RETURNS:
        return ()
    return tuple(
        Piece(f"{PurePath(name).name} {_words(key)} {number}.xlsx", _written(tables, rows))
        for number, (key, rows) in enumerate(rows_of.items(), start=1)
    )


def _words(key: tuple[str, str]) -> str:
    """A partner and a period as part of a file name: what the plan does not have may be anything."""
    return " ".join("unknown" if word.startswith("?") else word for word in key)


def _written(tables: list[Table], rows: set[tuple[str, int]]) -> bytes:
    """A workbook with some rows of tables, and whatever stands above them."""
    # `cypp check` is installed without what writes workbooks.
    import openpyxl  # noqa: PLC0415

    from cypp_etl.templates.openpyxl_styles import to_bytes  # noqa: PLC0415

    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for table in tables:
        own = sorted(row for sheet, row in rows if sheet == table.sheet.name)
        if own:
            sheet = book.create_sheet(_NOT_IN_NAMES.sub(" ", table.sheet.name))
            # Rows between the first headings and the first of the table are headings too.
            above = [row for row in table.sheet.rows if row < table.rows[0].row]
            for row in (*above, *own):
                for cell in table.sheet.rows[row].values():
                    _write(sheet.cell(cell.row, cell.column), cell)
    return to_bytes(book)


def _write(target: Any, cell: Cell) -> None:
    from cypp_etl.templates.openpyxl_styles import put  # noqa: PLC0415 - as above

    if cell.is_formula and cell.value is None:
        # A formula that was never worked out is one here too.
        target.value = "=NA()"
    elif cell.kind is CellKind.ERROR:
        target.value, target.data_type = cell.value, "e"
    elif isinstance(cell.value, str):
        put(target, cell.value)
    else:
        target.value = cell.value
    if cell.number_format != "General":
        target.number_format = cell.number_format
