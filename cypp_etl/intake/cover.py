"""What the cover of a return says of its partner and its period, whatever the layout calls them."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from cypp_etl.intake.labels import read_cover, read_labelled_figures
from cypp_etl.intake.tables import find_sheets, read_table
from cypp_etl.intake.typed_periods import PeriodReading, read_day, read_period
from cypp_etl.intake.values import read_text
from cypp_etl.layout import COVER, Layout, SheetLayout
from cypp_etl.periods import Period
from cypp_etl.phrases import date_text
from cypp_etl.workbook.model import Cell, CellKind, Sheet, Workbook
from schemas.codes import SheetKind

Labels = Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class SaidPeriod:
    """The cell that says the period, None if no label has one, and how it is read."""

    cell: Cell | None
    reading: PeriodReading


def find_cover(workbook: Workbook, layout: Layout) -> tuple[Sheet, dict[str, Cell]] | None:
    """The sheet that is the cover of a return, with what it says by field; None if there is none.

    Where several sheets fit the layout's pattern, it is the one that says most.
    """
    part = layout.find_part(COVER)
    covers = [(sheet, read_cover(sheet, part)) for sheet in find_sheets(workbook, part)] if part else []
    return max(covers, key=lambda cover: len(cover[1]), default=None)


def find_further_covers(
    workbook: Workbook, layout: Layout, read: Collection[str]
) -> tuple[tuple[Sheet, dict[str, Cell]], ...]:
    """The sheets that were not read and are covers too, with what they say: each names a partner and a period."""
    part = layout.find_part(COVER)
    if part is None:
        return ()
    covers = ((sheet, read_cover(sheet, part)) for sheet in _unread_sheets(workbook, layout, read))
    return tuple(
        (sheet, labels)
        for sheet, labels in covers
        if read_text(said_partner(labels, part)) and read_text(said_period(labels, part).cell)
    )


def find_further_tables(workbook: Workbook, layout: Layout, read: Collection[str]) -> dict[str, bool]:
    """The sheets that were not read and have a table of the layout all the same, and whether it is filled in."""
    tables: dict[str, bool] = {}
    for sheet in _unread_sheets(workbook, layout, read):
        for part in layout.sheets:
            is_filled = None if part.part == COVER or part.is_hidden else _is_table_filled(sheet, part)
            if is_filled is not None:
                tables[sheet.name] = tables.get(sheet.name, False) or is_filled
    return tables


def _unread_sheets(workbook: Workbook, layout: Layout, read: Collection[str]) -> Iterator[Sheet]:
    """The sheets that somebody may take for a part of the return: nobody sends a second one on hidden sheets."""
    for sheet in workbook.sheets:
        is_hidden = sheet.is_hidden or any(part.is_hidden and part.is_named(sheet.name) for part in layout.sheets)
        if not is_hidden and sheet.name not in read:
            yield sheet


def _is_table_filled(sheet: Sheet, part: SheetLayout) -> bool | None:
    """Whether somebody has filled in the table of a part on a sheet; None if the sheet has no such table."""
    if part.kind is SheetKind.ANYWHERE:
        labelled = [row for _, row in read_labelled_figures(sheet, part)]
        return any(row.is_filled("actual") for row in labelled) if labelled else None
    table = read_table(sheet, part)
    if table is None or not {column.column for column in part.columns if column.is_required} <= table.columns.keys():
        return None
    entries = [column.column for column in part.columns if column.is_entry]
    return any(row.first_filled(*entries) for row in table.rows)


def said_partner(labels: Labels, layout: SheetLayout) -> Cell | None:
    """The cell that says the partner: by code, or by name in a layout without a code."""
    return labels.get("partner_code" if asks_for(layout, "partner_code") else "partner")


def asks_for(layout: SheetLayout, field: str) -> bool:
    """Whether a cover has a label for a field, or one that says it itself."""
    return any(column.column == field or field in column.placeholders for column in layout.columns)


def said_period(labels: Labels, layout: SheetLayout) -> SaidPeriod:
    """The period that a cover says in one cell, by its last day, or by a year and a quarter in two places."""
    cell = labels.get("period")
    if cell is not None:
        return SaidPeriod(cell, read_period(cell))
    if (end := labels.get("period_end")) is not None:
        return SaidPeriod(end, _read_end(end))
    year, quarter = labels.get("year"), labels.get("quarter")
    if quarter is None or not read_text(quarter):
        # A year without the quarter that the layout asks for says no period.
        whole_year = None if asks_for(layout, "quarter") else year
        return SaidPeriod(quarter or whole_year, read_period(whole_year))
    if year is None:
        return SaidPeriod(quarter, read_period(quarter))
    typed = read_text(quarter)
    whole = f"{read_text(year)} {f'Q{typed}' if typed.isdecimal() else typed}"
    return SaidPeriod(quarter, read_period(quarter._replace(kind=CellKind.TEXT, value=whole)))


def _read_end(cell: Cell) -> PeriodReading:
    """The quarter that ends on a day."""
    day = read_day(cell)
    if day is None:
        return read_period(cell)
    for start_year in (day.year - 1, day.year):
        for period in Period(start_year).quarters:
            if period.last_day == day:
                return PeriodReading(period)
    return PeriodReading(trouble="day-not-a-quarter-end", words={"day": date_text(day)})
