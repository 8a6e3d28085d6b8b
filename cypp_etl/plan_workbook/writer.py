"""Writes a plan as a workbook: a sheet for each table, with lists to choose from and guidance on every column."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from cypp_etl.intake.values import as_typed
from cypp_etl.plan.checks.all_tables import REFERENCES, Reference
from cypp_etl.plan.fingerprint import canonical_cell
from cypp_etl.plan.model import Plan
from cypp_etl.plan.tables import HEADER_ROW, PlanError, PlanFault, Row, tables_of
from cypp_etl.plan_workbook.guidance import GUIDANCE_SHEET, TableGuidance, read_guidance
from cypp_etl.templates.openpyxl_styles import (
    BOLD,
    PLAIN,
    describe,
    fit_row,
    put,
    set_up_page,
    style_heading,
    style_printed,
    style_text,
    to_bytes,
)
from cypp_etl.workbook.limits import DEFAULT_LIMITS
from cypp_etl.workbook.model import Cell as ReadCell
from cypp_etl.workbook.model import CellKind, column_letters
from schemas.plan import TABLES, Column, ColumnKind, is_date, is_decimal

_TITLE = "The plan"
# Columns whose cells are mostly, but not only, codes of another sheet are helped by a list too.
_OFFERED = (
    *REFERENCES,
    Reference("owed_by.csv", "partner_code", "partners.csv", "partner_code"),
    Reference("indicators.csv", "number_indicator", "indicators.csv", "indicator"),
)
_NUMBERS = frozenset({ColumnKind.NUMBER, ColumnKind.PERCENT, ColumnKind.FIGURE})
# Only what is in a cell formatted as text stays as it is typed.
_FORMATS = {ColumnKind.DATE: "yyyy-mm-dd", **dict.fromkeys(_NUMBERS, "General")}
_TEXT_FORMAT = "@"
_NARROWEST, _WIDEST, _PADDING = 10, 60, 3
# Excel's own limits: of a cell's text, of an input message, and of a list within its rule.
_LONGEST_TEXT, _LONGEST_PROMPT, _LONGEST_LIST = 32_767, 255, 255
_GUIDANCE_WIDTHS = (16, 26, 14, 100)
_INTRODUCTION = (
    "This workbook is a plan. Each sheet after this one is a table of it, and its first row names the columns. A dark "
    "heading is a column that every plan has; one with a grey heading may stay blank. Type below the last row to add a "
    "row. When you are done, save the workbook and check it: cypp plan check."
)


def write_plan_workbook(plan: Plan) -> bytes:
    """A plan as a workbook; read back, it is the same plan.

    Raises:
        PlanError: a text of it is longer than a cell can hold.
    """
    tables = tables_of(plan.files)
    workbook = Workbook()
    guidance = workbook.active
    guidance.title = GUIDANCE_SHEET
    _write_guidance(guidance)
    for file, table in TABLES.items():
        sheet = workbook.create_sheet(Path(file).stem)
        set_up_page(sheet, f"{_TITLE}. {sheet.title}")
        _write_table(sheet, file, table.columns, tables.rows.get(file, ()))
    describe(workbook, _TITLE)
    return to_bytes(workbook)


def _write_guidance(sheet: Worksheet) -> None:
    """Write what each table and column holds, and whether a row must fill it in."""
    set_up_page(sheet, f"{_TITLE}. {sheet.title}")
    for number, width in enumerate(_GUIDANCE_WIDTHS, start=1):
        sheet.column_dimensions[column_letters(number)].width = width
    lines: list[tuple[str, str, str, str]] = [("Sheet", "Column", "Kind", "What it holds"), ("", "", "", _INTRODUCTION)]
    for file, table in TABLES.items():
        about = read_guidance().get(file, TableGuidance("", {}))
        lines.append((Path(file).stem, "", "", about.about))
        lines.extend(
            (Path(file).stem, name, column.kind.value, about.columns.get(name, ""))
            for name, column in table.columns.items()
        )
    for row, line in enumerate(lines, start=HEADER_ROW):
        for number, text in enumerate(line, start=1):
            put(sheet.cell(row, number), text)
            style_text(sheet.cell(row, number), font=BOLD if row == HEADER_ROW or not line[1] else PLAIN)
        fit_row(sheet, row, zip(line, _GUIDANCE_WIDTHS, strict=True))
    sheet.freeze_panes = f"A{HEADER_ROW + 1}"
    sheet.print_title_rows = f"{HEADER_ROW}:{HEADER_ROW}"


def _write_table(sheet: Worksheet, file: str, columns: Mapping[str, Column], rows: Sequence[Row]) -> None:
    widths = [_width(name, (row[name] for row in rows)) for name in columns]
    for number, (name, column) in enumerate(columns.items(), start=1):
        dimension = sheet.column_dimensions[column_letters(number)]
        dimension.width = widths[number - 1]
        # Of the cells below the last row, which are not written.
        dimension.number_format = _FORMATS.get(column.kind, _TEXT_FORMAT)
        put(sheet.cell(HEADER_ROW, number), name)
        style_heading(sheet.cell(HEADER_ROW, number), is_entry=column.default is None)
        sheet.cell(HEADER_ROW, number).number_format = _TEXT_FORMAT
        sheet.add_data_validation(_guard(file, name, column, column_letters(number)))
    for place, row in enumerate(rows, start=HEADER_ROW + 1):
        texts = ["" if row[name] == column.default else row[name] for name, column in columns.items()]
        for number, (column, text) in enumerate(zip(columns.values(), texts, strict=True), start=1):
            cell = sheet.cell(place, number)
            if len(text) > _LONGEST_TEXT:
                message = f"has {len(text):,} characters, and a cell of a workbook holds {_LONGEST_TEXT:,}: shorten it"
                raise PlanError(PlanFault(file, row.number, list(columns)[number - 1], message))
            _write_cell(cell, column.kind, text)
        if any(len(text) > width for text, width in zip(texts, widths, strict=True)):
            fit_row(sheet, place, zip(texts, widths, strict=True))
    sheet.freeze_panes = f"B{HEADER_ROW + 1}"
    sheet.print_title_rows = f"{HEADER_ROW}:{HEADER_ROW}"


def _width(name: str, texts: Iterable[str]) -> int:
    longest = max([len(name), *map(len, texts)])
    return min(max(longest + _PADDING, _NARROWEST), _WIDEST)


def _write_cell(cell: Cell, kind: ColumnKind, text: str) -> None:
    """Write a text as what it is, if a number or a date reads back as the same; otherwise as text."""
    style_printed(cell, is_centred=False)
    cell.number_format = _FORMATS.get(kind, _TEXT_FORMAT)
    if kind is ColumnKind.DATE and is_date(text):
        put(cell, date.fromisoformat(text))
        # openpyxl formats a date itself.
        cell.number_format = _FORMATS[kind]
        return
    if kind in _NUMBERS and (number := _number(text, kind)) is not None:
        put(cell, number[0])
        cell.number_format = number[1]
        return
    put(cell, text or None)


def _number(text: str, kind: ColumnKind) -> tuple[Decimal, str] | None:
    """A number and the format that shows its digits; None for what a number's cell would not say in the same way."""
    digits = text.removesuffix("%")
    if not is_decimal(digits):
        return None
    exact = Decimal(digits.replace(",", ""))
    decimals = -int(exact.as_tuple().exponent)
    shown_digits = f"0.{'0' * decimals}" if decimals else "0"
    number_format = "General"
    if text.endswith("%"):
        number_format = f"{shown_digits}%"
    elif decimals and text.endswith("0"):
        # Zeros at the end are the document's too.
        number_format = shown_digits
    value = exact.scaleb(-2) if text.endswith("%") else exact
    shown = as_typed(ReadCell(1, 1, CellKind.NUMBER, float(value), number_format))
    is_kept = canonical_cell(shown, kind) == canonical_cell(text, kind)
    return (value, number_format) if is_kept else None


def _guard(file: str, name: str, column: Column, letters: str) -> DataValidation:
    """The input message of a column, and the list that its cells are chosen from, if there is one."""
    holds = read_guidance().get(file, TableGuidance("", {})).columns.get(name, "")
    guard = DataValidation(
        promptTitle=name,
        prompt=holds if len(holds) <= _LONGEST_PROMPT else f"{holds[: _LONGEST_PROMPT - 1]}…",
        showInputMessage=True,
        allow_blank=True,
    )
    choices = f'"{",".join(column.choices)}"'
    reference = next((one for one in _OFFERED if (one.file, one.column) == (file, name)), None)
    if column.choices and len(choices) <= _LONGEST_LIST:
        guard.type, guard.formula1, guard.errorStyle = "list", choices, "stop"
        guard.showErrorMessage, guard.errorTitle, guard.error = True, name, "Choose one of the list."
    elif reference is not None:
        guard.type, guard.formula1, guard.errorStyle = "list", _keys(reference), "warning"
        where = Path(reference.target).stem
        words = f"This is not on the sheet {where}. Keep it if you add it there, or if it may be another."
        guard.showErrorMessage, guard.errorTitle, guard.error = True, name, words
    guard.add(f"{letters}{HEADER_ROW + 1}:{letters}{DEFAULT_LIMITS.rows}")
    return guard


def _keys(reference: Reference) -> str:
    """The codes on another sheet, however many there are."""
    place = list(TABLES[reference.target].columns).index(reference.target_column) + 1
    column = f"{Path(reference.target).stem}!${column_letters(place)}"
    return f"OFFSET({column}${HEADER_ROW + 1},0,0,MAX(1,COUNTA({column}:${column_letters(place)})-1),1)"
