"""Plans with layouts of their own, and the forms of other bodies as workbooks."""

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from cypp_etl.plan.model import Plan
from cypp_etl.plan.reader import plan_of
from schemas.plan import LAYOUT_SCHEMAS
from tests.support.plans import quarterly_files

SHEETS, COLUMNS = LAYOUT_SCHEMAS
_DEFAULTS = {
    **{"is_hidden": "no", "header_rows": "1", "is_required": "no", "is_entry": "no", "width": "10"},
    **{"spellings": "", "partner_code": "", "group": ""},
}


def table_of(file: str, rows: Iterable[Mapping[str, str]]) -> bytes:
    """One of the tables of layouts as CSV; what a row does not say is as in most rows."""
    columns = LAYOUT_SCHEMAS[file].columns
    written = [",".join(columns)]
    for row in rows:
        cells = {**_DEFAULTS, **row}
        written.append(",".join(f'"{cells[name]}"' for name in columns))
    return "\n".join([*written, ""]).encode()


def plan_with_layouts(
    sheets: Iterable[Mapping[str, str]],
    columns: Iterable[Mapping[str, str]],
    changes: Mapping[str, Sequence[tuple[str, str]]] | None = None,
) -> Plan:
    """The built-in plan, asked quarterly, with layouts of its own; `changes` are texts before and after."""
    files = quarterly_files()
    for name, texts in (changes or {}).items():
        for before, after in texts:
            assert before.encode() in files[name], f"{name} has no {before}"
            files[name] = files[name].replace(before.encode(), after.encode(), 1)
    brought = {SHEETS: table_of(SHEETS, sheets), COLUMNS: table_of(COLUMNS, columns)}
    return plan_of(files | brought)


def workbook_of(sheets: Mapping[str, Mapping[str, Any]], merged: Mapping[str, Sequence[str]] | None = None) -> bytes:
    """A workbook by openpyxl, given what stands in its cells; a text with a percent sign becomes a percentage."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, cells in sheets.items():
        sheet = book.create_sheet(name)
        for address, value in cells.items():
            _write(sheet, address, value)
        for area in (merged or {}).get(name, ()):
            sheet.merge_cells(area)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _write(sheet: Worksheet, address: str, value: Any) -> None:
    cell = sheet[address]
    cell.value = value
    if isinstance(value, str) and value.endswith("%"):
        cell.value, cell.number_format = float(value[:-1]) / 100, "0.0%"
