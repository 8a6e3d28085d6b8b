"""The report's Excel edition, as the Government Analysis Function asks of accessible spreadsheets.

A cover, contents, notes, then one table a sheet: no merged cells, no empty rows within a table, every symbol with its
word (a screen reader may not know the shape), shorthand explained, each table marked as one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from openpyxl import Workbook
from openpyxl.worksheet.table import Table, TableStyleInfo
from openpyxl.worksheet.worksheet import Worksheet

from cypp_etl.layout import read_markers
from cypp_etl.report.model import BoardData, Row
from cypp_etl.report.pages import clinic_pages, latest_milestones, noise_of
from cypp_etl.report.symbols import JUDGED, LEGEND, sign
from cypp_etl.report.table import changes, polarity_words
from cypp_etl.workbook.model import column_letters
from cypp_etl.writing import (
    BOLD,
    DATE_FORMAT,
    LINK,
    PLAIN,
    Content,
    cell_number,
    describe,
    fit_row,
    number_format,
    put,
    set_up_page,
    style_text,
    to_bytes,
)
from schemas.codes import Marker, Unit

_HEADER_ROW = 4


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with the format that shows it as people write it."""

    value: float | None
    instead: str
    row: Row


@dataclass(frozen=True, slots=True)
class SheetTable:
    """One table, on a sheet of its own. `headings` have a width each."""

    sheet: str
    title: str
    headings: Sequence[tuple[str, float]]
    rows: Sequence[Sequence[Content | Figure]]


def render_workbook(data: BoardData, written_on: date) -> bytes:
    """The Excel edition; the day of writing stands in one cell of the cover, and changes nothing else."""
    workbook = Workbook()
    tables = [table for table in _tables(data) if table.rows]
    title = f"Performance report {data.period.label}"
    _write_cover(workbook.active, data, title, written_on)
    _write_contents(workbook.create_sheet("Contents"), tables)
    _write_notes(workbook.create_sheet("Notes"))
    for number, table in enumerate(tables, start=1):
        _write_table(workbook.create_sheet(table.sheet), table, number)
    describe(workbook, title)
    return to_bytes(workbook, datetime.combine(data.at.date(), data.at.time().replace(microsecond=0)))


def _tables(data: BoardData) -> Iterator[SheetTable]:
    label = data.period.label
    yield SheetTable(
        "Indicators",
        f"Performance indicators, {label}",
        [
            *(("No.", 6), ("Reference", 11), ("Definition", 44), ("Good performance", 18), ("A year before", 11)),
            *(("Target", 11), ("Performance", 13), ("Year to date", 11), *((name, 18) for name in JUDGED.values())),
            *(("Statistical neighbours", 13), ("National", 11), ("Next target", 11), ("Target after", 11)),
            ("Change since last year", 26),
        ],
        [_indicator_row(data, row) for row in data.of_period(data.period)],
    )
    yield SheetTable(
        "Changes",
        f"What changed from {data.period.previous.label} to {label}",
        [("Indicator", 12), ("Definition", 50), ("Judgement", 32), (data.period.previous.label, 20), (label, 20)],
        [
            [row["indicator"], row["definition"], name, f"{was.symbol} {was.word}", f"{now.symbol} {now.word}"]
            for row, name, was, now in changes(data)
        ],
    )
    yield SheetTable(
        "Corrections",
        "Symbols that turned because a figure, or the plan, was corrected",
        [
            *(("Indicator", 12), ("Period", 12), ("Judgement", 32), ("Was", 16), ("Is", 16), ("On", 14)),
            ("Submission", 12),
            ("Cell", 9),
        ],
        [
            [
                *(row["indicator"], row["period"], JUDGED.get(row["column"], "Direction since the quarter before")),
                *(row["was"], row["is"], row["changed_at"].date()),
                *(str(row["submission_id"] or "a change of the plan"), row["source_cell"] or "[z]"),
            ]
            for row in data.turned
        ],
    )
    yield SheetTable(
        "Clinics",
        "Performance clinics open, or closed in the period",
        [
            *(("Clinic", 26), ("Indicator", 44), ("What became of it", 30), ("Diagnosis", 44)),
            ("Milestones due", 12),
            ("Achieved", 12),
        ],
        [
            [clinic.clinic_id, clinic.title, clinic.happening, clinic.diagnosis, str(clinic.due), str(clinic.achieved)]
            for clinic in clinic_pages(data)
        ],
    )
    yield from _more_tables(data)


def _more_tables(data: BoardData) -> Iterator[SheetTable]:
    yield SheetTable(
        "Milestones",
        f"Milestones, as last reported by the end of {data.period.label}",
        [
            *(("Aspiration", 11), ("Area of focus", 10), ("Milestone", 50), ("Action", 40), ("Due", 14)),
            *(("Status", 16), ("Lead", 22), ("Evidence", 36), ("Review", 12), ("Reason", 30)),
        ],
        [
            [
                *(row["aspiration"], row["area_of_focus"], row["description"], row["action"], row["due"]),
                *(row["status"] or "nothing reported", row["lead_officer"] or row["strategic_lead"]),
                *(row["evidence"] or "[z]", row["review"] or "[z]", row["review_reason"] or "[z]"),
            ]
            for row in latest_milestones(data)
        ],
    )
    yield SheetTable(
        "Returns",
        f"Returns for {data.period.label}",
        [("Partner", 44), ("Due", 14), ("Status", 14), ("Received", 14)],
        [
            [
                row["partner"],
                row["due_on"] or "[z]",
                row["status"],
                row["received_at"].date() if row["received_at"] else "[x]",
            ]
            for row in data.returns
        ],
    )
    yield SheetTable(
        "Data quality",
        "What to know of the figures",
        [("Partner", 12), ("File", 30), ("Cell", 20), ("Asks for", 10), ("Typed", 18), ("What", 70)],
        [
            [
                *(row["partner_code"], row["file_name"], f"{row['sheet']}!{row['cell']}", row["severity"]),
                *(row["value"] or "[z]", row["message"]),
            ]
            for row in data.findings
        ],
    )


def _indicator_row(data: BoardData, row: Row) -> list[Content | Figure]:
    marker = row["marker"] if row["actual"] is None else None
    spelling = {known.marker: known.spelling for known in reversed(read_markers()) if known.marker and known.meaning}
    instead = spelling.get(Marker(marker), "[x]") if marker else "[x]"
    judged = [sign(row, column) for column in JUDGED]
    return [
        *(row["indicator_no"] or "[z]", row["indicator"], row["definition"], polarity_words(row)),
        *(Figure(row[name], "[x]", row) for name in ("previous_actual", "target")),
        Figure(row["actual"], instead, row),
        Figure(row["year_to_date"], "[x]", row),
        *(f"{one.symbol} {one.word}".strip() for one in judged),
        *(
            Figure(row[name], "[x]", row)
            for name in ("statistical_neighbours", "national", "next_target", "next_target_2")
        ),
        noise_of(data, row).variation.value,
    ]


def _write_lines(sheet: Worksheet, lines: Sequence[str], width: float = 100) -> None:
    """Text in column A, a heading first."""
    sheet.column_dimensions["A"].width = width
    sheet.sheet_view.showGridLines = False
    for row, line in enumerate(lines, start=1):
        put(sheet.cell(row, 1), line)
        style_text(sheet.cell(row, 1), font=BOLD) if row == 1 else style_text(sheet.cell(row, 1))
        fit_row(sheet, row, [(line, width)])
    set_up_page(sheet, lines[0])


def _write_cover(sheet: Worksheet, data: BoardData, title: str, written_on: date) -> None:
    sheet.title = "Cover"
    lines = [
        title,
        "Children and Young People's Trust Board",
        f"As it was known on {data.at.day} {data.at:%B %Y}.",
        f"Written on {written_on.day} {written_on:%B %Y}.",
        "Each table stands on a sheet of its own, listed in Contents. Notes explains symbols and shorthand.",
        "Percentages are shown as percentages; other figures count in the indicator's own unit.",
    ]
    _write_lines(sheet, lines)


def _write_contents(sheet: Worksheet, tables: Sequence[SheetTable]) -> None:
    _write_lines(sheet, ["Contents", "This sheet lists the others; each line leads to one.", "Notes"])
    targets = ["Notes", *(table.sheet for table in tables)]
    for row, (target, table) in enumerate(zip(targets, [None, *tables], strict=True), start=3):
        cell = sheet.cell(row, 1)
        put(cell, f"{row - 3}. {table.title}" if table else "Notes: symbols and shorthand")
        cell.hyperlink = f"#'{target}'!A1"
        cell.font = LINK


def _write_notes(sheet: Worksheet) -> None:
    symbols = [f"{symbol}: {meaning} ({name})" for name, meanings in LEGEND for symbol, meaning in meanings]
    shorthand = [f"{known.spelling}: {known.meaning}" for known in read_markers() if known.meaning]
    extra = ["[z]: not applicable, there is nothing to say", "[x]: not available"]
    _write_lines(sheet, ["Notes", "What symbols and shorthand mean.", *symbols, *shorthand, *extra])


def _write_table(sheet: Worksheet, table: SheetTable, number: int) -> None:
    lines = (f"{number}. {table.title}", "This sheet has one table.", "Shorthand is explained in the sheet Notes.")
    for place, line in enumerate(lines, start=1):
        put(sheet.cell(place, 1), line)
        sheet.cell(place, 1).font = BOLD if place == 1 else PLAIN
    for column, (heading, width) in enumerate(table.headings, start=1):
        put(sheet.cell(_HEADER_ROW, column), heading)
        style_text(sheet.cell(_HEADER_ROW, column), font=BOLD)
        sheet.column_dimensions[column_letters(column)].width = width
    fit_row(sheet, _HEADER_ROW, table.headings)
    widths = [width for _, width in table.headings]
    for place, row in enumerate(table.rows, start=_HEADER_ROW + 1):
        for column, content in enumerate(row, start=1):
            _write_content(sheet, place, column, content)
        texts = [content if isinstance(content, str) else "" for content in row]
        fit_row(sheet, place, zip(texts, widths, strict=True))
    last = f"{column_letters(len(table.headings))}{_HEADER_ROW + len(table.rows)}"
    excel_table = Table(displayName=table.sheet.replace(" ", "_"), ref=f"A{_HEADER_ROW}:{last}")
    excel_table.tableStyleInfo = TableStyleInfo("TableStyleLight1", showRowStripes=True)
    sheet.add_table(excel_table)
    sheet.freeze_panes = f"A{_HEADER_ROW + 1}"
    set_up_page(sheet, table.title)
    sheet.print_title_rows = f"{_HEADER_ROW}:{_HEADER_ROW}"


def _write_content(sheet: Worksheet, row: int, column: int, content: Content | Figure) -> None:
    cell = sheet.cell(row, column)
    style_text(cell)
    if isinstance(content, Figure):
        unit = Unit(content.row["unit"])
        value = None if content.value is None else cell_number(Decimal(repr(content.value)), unit)
        put(cell, content.instead if value is None else value)
        cell.number_format = number_format(unit, content.row["decimals"])
        return
    put(cell, content)
    if isinstance(content, date):
        cell.number_format = DATE_FORMAT
