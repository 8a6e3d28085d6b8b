"""Queries personal data that is recognised with confidence, without repeating it."""

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from cypp_etl.findings import Finding, find
from cypp_etl.intake.rows import FigureRow, ParsedReturn
from cypp_etl.intake.values import read_text
from cypp_etl.personal import is_nhs_number, is_telephone_number, is_upn, kinds_in
from cypp_etl.phrases import in_list
from cypp_etl.receipts.recognise import without_receipt_notes
from cypp_etl.workbook.model import Cell, CellKind, Columns, Sheet, Workbook

__all__ = [
    "is_nhs_number",
    "is_telephone_number",
    "is_upn",
    "judge_figures",
    "judge_personal",
    "kinds_in",
    "suspect_sheets",
]

_TEN_DIGITS = 10**9
_NUMBERS = (float, int)
_PARTS = ("numerator", "denominator")

# A list of people has headings, with names, dates and numbers below them.
_HEADING = re.compile(
    r"nhs n(?:o\.?|umber)|upn|d\.?o\.?b\.?|date of birth|surname|forenames?|(?:first|last|family|full) name"
    r"|(?:child|pupil|client|patient|young person)(?:['’]?s)? name|home address",
    re.IGNORECASE,
)


def suspect_sheets(sheets: Iterable[Sheet]) -> frozenset[str]:
    """The names of those sheets with a text that holds personal data, or a number of ten digits: hardly any has one."""
    return frozenset(sheet.name for sheet in sheets if _may_be_personal(sheet.columns()))


def _may_be_personal(cells: Columns) -> bool:
    # Cells share their texts.
    text, number = CellKind.TEXT, CellKind.NUMBER
    texts: set[Any] = {value for kind, value in zip(cells.kinds, cells.values, strict=True) if kind is text}
    numbers = {value for kind, value in zip(cells.kinds, cells.values, strict=True) if kind is number}
    return any(map(kinds_in, map(str.strip, texts))) or any(map(_has_ten_digits, numbers))


def judge_figures(figures: Iterable[FigureRow], suspects: Collection[str]) -> Iterator[Finding]:
    """Reject text that may be personal data in a figure's cell, where it would be shown to everyone.

    `suspects` are the `suspect_sheets` among those with figures.
    """
    for figure in figures:
        if figure.source.sheet not in suspects:
            continue
        for column in (figure.column, *_PARTS):
            cell = figure.source.cell(column)
            if cell and cell.kind is CellKind.TEXT and kinds_in(read_text(cell)):
                yield figure.find("not-a-figure", column=column)


def judge_personal(workbook: Workbook, parsed: ParsedReturn, suspects: Collection[str]) -> Iterator[Finding]:
    """Query personal data in each cell of the sheets that are read, and once for every other sheet.

    The first sheet of a return is left out: it says who prepared it, with an address for questions. `suspects` are the
    `suspect_sheets` among those that are read.
    """
    parts = parsed.parts_by_sheet
    for sheet in workbook.sheets:
        if sheet.name not in parts:
            yield from _judge_other_sheet(sheet, parsed.contact_cells)
        elif parts[sheet.name] != "cover" and (sheet.comments or sheet.name in suspects):
            for address, kinds in _kinds_by_cell(sheet):
                # A cover may share its sheet with figures.
                if (sheet.name, address) in parsed.contact_cells:
                    continue
                yield find("personal-data", sheet=sheet.name, cell=address, kinds=in_list(kinds))


def _judge_other_sheet(sheet: Sheet, contact_cells: Collection[tuple[str, str]]) -> Iterator[Finding]:
    for cell in _texts(sheet):
        # A second cover says who prepared it, like the first.
        if contact_cells and (sheet.name, cell.address) in contact_cells:
            continue
        kinds = kinds_in(str(cell.value))
        if not kinds and _HEADING.fullmatch(read_text(cell)) and _holds_below(sheet, cell):
            kinds = ("a list of people",)
        if kinds:
            yield find("personal-data-sheet", sheet=sheet.name, cell=cell.address, kinds=in_list(kinds))
            return


def _kinds_by_cell(sheet: Sheet) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The cells with personal data, in the cell or in its comment, by address."""
    texts = {cell.address: read_text(cell) for cell in _texts_and_long_numbers(sheet)}
    for address, comment in sheet.comments.items():
        texts[address] = f"{texts.get(address, '')}\n{without_receipt_notes(comment)}"
    yield from ((address, kinds) for address, text in texts.items() if (kinds := kinds_in(text)))


def _texts_and_long_numbers(sheet: Sheet) -> list[Cell]:
    """The cells with text, and those with a ten-digit number."""
    # Without a call for every cell of a return.
    text, number = CellKind.TEXT, CellKind.NUMBER
    return [
        cell
        for cells in sheet.rows.values()
        for cell in cells.values()
        if cell.kind is text or (cell.kind is number and _has_ten_digits(cell.value))
    ]


def _has_ten_digits(value: object) -> bool:
    return isinstance(value, _NUMBERS) and _TEN_DIGITS <= value < 10 * _TEN_DIGITS


def _texts(sheet: Sheet) -> Iterator[Cell]:
    for cells in sheet.rows.values():
        yield from [cell for cell in cells.values() if cell.kind is CellKind.TEXT]


def _holds_below(sheet: Sheet, heading: Cell) -> bool:
    return bool(read_text(sheet.cell(heading.row + 1, heading.column)))
