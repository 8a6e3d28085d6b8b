"""Returns with texts that are costly to check, although the files are small: for checking.py and serving.py."""

import io
import zipfile
from collections.abc import Callable, Iterator
from functools import partial

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet

SHEET = "xl/worksheets/sheet2.xml"
_LONGEST = 32_767


def costly_returns(good: bytes) -> dict[str, Callable[[], bytes]]:
    """The functions that make each of them from a good return, by name."""
    return {
        "one long word": partial(_typed, good, "Comment", "12" + "a" * (_LONGEST - 2)),
        "spaces": partial(_typed, good, "Actual", "x" + " " * (_LONGEST - 2) + "x"),
        "one text in 3,000 cells": partial(_with_rows, good, _one_text()),
        "16,000 headings": partial(_headed, good),
        "a million short texts": partial(_with_rows, good, _short_texts()),
        "240,000 stray rows": partial(_with_rows, good, (_cells(row, ["zz"]) for row in range(100, 240_100))),
    }


def _typed(good: bytes, heading: str, text: str) -> bytes:
    workbook = openpyxl.load_workbook(io.BytesIO(good))
    sheet = workbook["Indicators"]
    column = _column(sheet, heading)
    for row in range(2, sheet.max_row + 1):
        sheet.cell(row, column).value = text
    return _saved(workbook)


def _headed(good: bytes) -> bytes:
    workbook = openpyxl.load_workbook(io.BytesIO(good))
    for number in range(16_000):
        workbook["Indicators"].cell(1, 30 + number).value = f"heading {number}"
    return _saved(workbook)


def _one_text() -> Iterator[str]:
    text = "ask 1@a " * (_LONGEST // 8)
    return (_cells(row, ["NI 43", *[text] * 10]) for row in range(100, 400))


def _short_texts() -> Iterator[str]:
    return (_cells(row, [f"t{row}-{column}" for column in range(100)]) for row in range(100, 10_100))


def _cells(row: int, texts: list[str]) -> str:
    cells = "".join(f'<c t="inlineStr"><is><t>{text}</t></is></c>' for text in texts)
    return f'<row r="{row}">{cells}</row>'


def _with_rows(good: bytes, rows: Iterator[str]) -> bytes:
    """The good return, with rows below the table of its second sheet."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(good)) as source, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            data = source.read(name)
            if name == SHEET:
                head, tail = data.split(b"</sheetData>")
                data = head + "".join(rows).encode() + b"</sheetData>" + tail
            target.writestr(name, data)
    return stream.getvalue()


def _column(sheet: Worksheet, heading: str) -> int:
    return next(cell.column for row in sheet.iter_rows(max_row=20) for cell in row if cell.value == heading)


def _saved(workbook: openpyxl.Workbook) -> bytes:
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()
