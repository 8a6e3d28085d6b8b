"""Common functions for every workbook that we write: text stays text, uniform styles, and reproducible bytes."""

import re
import shutil
import textwrap
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.writer.excel import ExcelWriter

from cypp_etl.decimals import currency_prefix
from schemas.codes import Unit

Content = str | Decimal | date | None

DATE_FORMAT = "d mmm yyyy"

PLAIN = Font(name="Arial", size=11)
BOLD = Font(name="Arial", size=11, bold=True)
_BOLD_ON_DARK = Font(name="Arial", size=11, bold=True, color="FFFFFF")
LINK = Font(name="Arial", size=11, color="0B3D91", underline="single")

_DARK = PatternFill("solid", fgColor="1F3864")
_GREY = PatternFill("solid", fgColor="F0F0F0")
_DEEP_GREY = PatternFill("solid", fgColor="D0D0D0")
_HAIRLINE = Border(*[Side("thin", color="BFBFBF")] * 4)
_OUTLINE = Border(*[Side("medium", color="1F3864")] * 4)
_WRAPPED = Alignment(wrap_text=True, vertical="top")
_CENTRED = Alignment(horizontal="center", vertical="top", wrap_text=True)
_MIDDLE = Alignment(wrap_text=True, vertical="center")

_LINE_HEIGHT = 14
# A column's width is in digits, which are wider than letters on average.
_LETTERS_PER_DIGIT = 1.15
_FORMULA_SIGNS = ("=", "+", "-", "@")
# What openpyxl lets pass, but no XML may hold.
_NO_CHARACTERS = re.compile("[\ufffe\uffff]")
# Programs read this in a cell as the character of that number.
_LIKE_AN_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_IN_MEMORY = 10_000_000
# The earliest time in a zip archive.
_EPOCH = datetime(1980, 1, 1)  # noqa: DTZ001 - neither zip nor Excel knows time zones


def put(cell: Cell, content: Content) -> None:
    """Write into a cell so that text stays text even if it starts like a formula."""
    put_value(cell, content)
    if isinstance(content, str) and cell.value:
        # Without the quote prefix, Excel turns it into a formula as soon as the cell is edited.
        cell.quotePrefix = looks_like_a_formula(cell.value)


def put_value(cell: Cell, content: Content) -> None:
    """Write into a cell so that text is stored as text; the style stays as it is."""
    if isinstance(content, str) and ("_x" in content or not content.isprintable()):
        content = _LIKE_AN_ESCAPE.sub("_x005F_", _without_control_characters(content))
    cell.value = float(content) if isinstance(content, Decimal) else content
    if isinstance(content, str) and content:
        cell.data_type = "s"


def looks_like_a_formula(text: str) -> bool:
    """Whether Excel would read a text as a formula."""
    return (text if text.isprintable() else _without_control_characters(text)).startswith(_FORMULA_SIGNS)


def style_heading(cell: Cell, *, is_entry: bool) -> None:
    """The style of a heading: dark above entry cells, grey above others."""
    cell.font = _BOLD_ON_DARK if is_entry else BOLD
    cell.fill = _DARK if is_entry else _DEEP_GREY
    cell.border = _HAIRLINE
    cell.alignment = _MIDDLE


def style_content(cell: Cell, *, is_entry: bool) -> None:
    """The style of a cell below a heading: entry cells are outlined and unlocked, others grey and locked."""
    cell.font = PLAIN
    cell.alignment = _WRAPPED
    cell.border = _OUTLINE if is_entry else _HAIRLINE
    if not is_entry:
        cell.fill = _GREY
    cell.protection = Protection(locked=not is_entry)


def style_printed(cell: Cell, *, is_centred: bool) -> None:
    """The style of a cell of a read-only table."""
    cell.font = PLAIN
    cell.alignment = _CENTRED if is_centred else _WRAPPED
    cell.border = _HAIRLINE


def style_text(cell: Cell, *, font: Font = PLAIN, is_wrapped: bool = True) -> None:
    """The style of running text; what is not wrapped goes on over the cells beside it."""
    cell.font = font
    if is_wrapped:
        cell.alignment = _WRAPPED


def fit_row(sheet: Worksheet, row: int, columns: Iterable[tuple[str, float]], *, least_lines: int = 1) -> None:
    """Make a row as high as its texts need for their columns' widths; not every program does so itself."""
    sheet.row_dimensions[row].height = row_height(columns, least_lines=least_lines)


def row_height(columns: Iterable[tuple[str, float]], *, least_lines: int = 1) -> float:
    """The height of a row, in points, that its texts need for their columns' widths."""
    lines = (_lines(text, int(width * _LETTERS_PER_DIGIT)) for text, width in columns)
    return _LINE_HEIGHT * max(least_lines, *lines, 1) + 3


def _lines(text: str, letters: int) -> int:
    return 1 if len(text) <= letters else _wrapped_lines(text, letters)


@lru_cache(maxsize=10_000)
def _wrapped_lines(text: str, letters: int) -> int:
    return len(textwrap.wrap(text, letters))


def number_format(unit: Unit, decimals: int, currency: str = "") -> str:
    """The Excel format code for figures of a unit; an amount below zero has its minus before the currency."""
    places = "." + "0" * decimals if decimals else ""
    before = f'"{currency_prefix(currency)}"' if currency else ""
    return f"0{places}%" if unit is Unit.PERCENT else f"{before}#,##0{places}"


def cell_number(value: Decimal, unit: Unit) -> Decimal:
    """A figure as a cell's value: percentage points become the fraction that Excel shows with a percent sign."""
    return value.scaleb(-2) if unit is Unit.PERCENT else value


def set_up_page(sheet: Worksheet, title: str) -> None:
    """Print a sheet landscape, one page wide, its title and the page's number on every page."""
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = Worksheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.page_margins.left = sheet.page_margins.right = 0.4
    sheet.oddHeader.left.text = _without_control_characters(title).replace("&", "&&")
    sheet.oddFooter.center.text = "Page &P of &N"


def describe(workbook: Workbook, title: str) -> None:
    """Set the title and language of the document, for screen readers."""
    workbook.properties.title = _without_control_characters(title)
    workbook.properties.language = "en-GB"
    workbook.properties.creator = "cypp-etl"


def set_order(workbook: Workbook, titles: Sequence[str]) -> None:
    """Order the sheets of a workbook, the first of which is opened."""
    for place, title in enumerate(titles):
        sheet = workbook[title]
        workbook.move_sheet(title, place - workbook.index(sheet))
    workbook.active = 0


def to_bytes(workbook: Workbook, stamp: datetime = _EPOCH) -> bytes:
    """A workbook's bytes, the same for the same content: `stamp` replaces the time of writing everywhere."""
    packed = BytesIO()
    save_to(workbook, packed, stamp)
    return packed.getvalue()


def save_to(workbook: Workbook, file: IO[bytes], stamp: datetime = _EPOCH) -> None:
    """Write a workbook into a file, in the same bytes for the same content; see `to_bytes`."""
    workbook.properties.created = workbook.properties.modified = stamp
    # A large one lies on the disk, where it is not packed twice.
    with SpooledTemporaryFile(max_size=_IN_MEMORY) as written:
        # openpyxl's own save would set the time of modification to now.
        ExcelWriter(workbook, ZipFile(written, "w")).save()
        with ZipFile(written) as source, ZipFile(file, "w", ZIP_DEFLATED) as target:
            for name in source.namelist():
                entry = ZipInfo(name, _EPOCH.timetuple()[:6])
                entry.compress_type = ZIP_DEFLATED
                # The size is not known beforehand: above 2 GiB, an entry has another form.
                entry.file_size = source.getinfo(name).file_size
                with source.open(name) as part, target.open(entry, "w") as packed:
                    shutil.copyfileobj(part, packed)


def _without_control_characters(text: str) -> str:
    """XML cannot hold them, and Excel refuses a file that does."""
    return _NO_CHARACTERS.sub("", ILLEGAL_CHARACTERS_RE.sub("", text))
