"""Writes the first sheet of a return workbook: the partner, the instructions, and the meaning of the markers."""

from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from cypp_etl.layout import Layout, read_guidance
from cypp_etl.periods import Period
from cypp_etl.phrases import date_text
from cypp_etl.plan.model import Plan
from cypp_etl.templates import validation
from cypp_etl.templates.openpyxl_styles import (
    BOLD,
    DATE_FORMAT,
    LINK,
    PLAIN,
    Content,
    fit_row,
    put,
    style_content,
    style_heading,
    style_text,
)
from cypp_etl.workbook.model import column_letters
from schemas.markers import read_markers

_LABEL_WIDTH = 16
_GAP_WIDTH = 3
_SIGN_WIDTH = 9
_TEXT_WIDTH = 84
_GUIDANCE_COLUMN = 4


def write_cover(sheet: Worksheet, layout: Layout, plan: Plan, partner_code: str, period: Period) -> None:
    """Write the labels with the known values of the return, and beside them the guidance and the legend."""
    cover = layout.part("cover")
    known: dict[str, Content] = {
        "partner_code": partner_code,
        "partner": plan.partners[partner_code].partner,
        "period": period.label,
    }
    for row, label in enumerate(cover.columns, start=1):
        put(sheet.cell(row, 1), label.heading)
        style_heading(sheet.cell(row, 1), is_entry=label.is_entry)
        put(sheet.cell(row, 2), known.get(label.column))
        style_content(sheet.cell(row, 2), is_entry=label.is_entry)
    calendar = plan.calendar[period]
    date_cell = sheet.cell(cover.position("date"), 2)
    date_cell.number_format = DATE_FORMAT
    sheet.add_data_validation(validation.guard_date(calendar.opens_on, date_cell.coordinate))
    value_width = max(label.width for label in cover.columns)
    widths = (_LABEL_WIDTH, value_width, _GAP_WIDTH, _SIGN_WIDTH, _TEXT_WIDTH)
    for column, width in enumerate(widths, start=1):
        sheet.column_dimensions[column_letters(column)].width = width
    next_row = _write_guidance(sheet, layout, date_text(calendar.due_on))
    _write_legend(sheet, next_row + 1)


def _write_guidance(sheet: Worksheet, layout: Layout, due: str) -> int:
    """Write the numbered steps beside the labels, with links to the sheets; returns the next row."""
    _write_side_row(sheet, 1, "Step", "How to fill in this return", is_heading=True)
    row = 1
    for row, step in enumerate(read_guidance(), start=2):
        _write_side_row(sheet, row, str(row - 1), step.text.format(due=due))
        if step.part:
            text = sheet.cell(row, _GUIDANCE_COLUMN + 1)
            text.font = LINK
            text.hyperlink = Hyperlink(ref=text.coordinate, location=f"'{layout.part(step.part).sheet}'!A1")
    return row + 1


def _write_legend(sheet: Worksheet, first_row: int) -> None:
    """Write the meaning of each marker."""
    _write_side_row(sheet, first_row, "Marker", "What it means", is_heading=True)
    offered = [known for known in read_markers() if known.meaning]
    for row, known in enumerate(offered, start=first_row + 1):
        _write_side_row(sheet, row, known.spelling, known.meaning)


def _write_side_row(sheet: Worksheet, row: int, sign: str, text: str, *, is_heading: bool = False) -> None:
    for column, content in enumerate((sign, text), start=_GUIDANCE_COLUMN):
        put(sheet.cell(row, column), content)
        style_text(sheet.cell(row, column), font=BOLD if is_heading else PLAIN)
    fit_row(sheet, row, [(text, _TEXT_WIDTH)])
