"""How a workbook was read: which cell became what, for whoever writes a layout."""

from collections.abc import Iterator
from dataclasses import replace

from cypp_etl.checked_return import CellRead, LayoutExplanation, TriedLayout
from cypp_etl.intake.cover import find_cover
from cypp_etl.intake.rows import FigureRow
from cypp_etl.intake.tables import Table, TableRow
from cypp_etl.intake.values import read_text
from cypp_etl.intake.withheld import Withholding
from cypp_etl.personal import MARK, kinds_in
from cypp_etl.rules.arithmetic import shown
from cypp_etl.rules.registry import Case
from cypp_etl.workbook.model import Cell

# Who prepared a return need not be repeated.
_CONTACTS = ("prepared_by", "email")

_Read = tuple[int, int, CellRead]


def explain(case: Case | None, tried: tuple[TriedLayout, ...]) -> LayoutExplanation:
    """How a workbook was read, from its first sheet to its last; `case` is None if no layout was recognised."""
    if case is None:
        return LayoutExplanation("", tried, ())
    order = {sheet.name: place for place, sheet in enumerate(case.workbook.sheets)}
    found = [*_cover_cells(case), *_figures(case), *_milestones(case)]
    found += [read for table in case.parsed.tables for read in _headings(table)]
    found.sort(key=lambda read: (order[read[2].sheet], *read[:2]))
    withholding = Withholding.of(case.parsed)
    cells = tuple(replace(cell, sheet=withholding.sheet(cell.sheet), typed=_typed(cell)) for _, _, cell in found)
    return LayoutExplanation(case.layout.layout, tried, cells)


def _typed(cell: CellRead) -> str:
    return MARK if kinds_in(cell.typed) else cell.typed


def _at(sheet: str, cell: Cell, became: str, typed: str | None = None) -> _Read:
    return cell.row, cell.column, CellRead(sheet, cell.address, read_text(cell) if typed is None else typed, became)


def _cover_cells(case: Case) -> Iterator[_Read]:
    cover = find_cover(case.workbook, case.layout)
    if cover is None:
        return
    sheet, labels = cover
    for name, cell in labels.items():
        yield _at(sheet.name, cell, f"cover: {name}", "" if name in _CONTACTS else None)


def _headings(table: Table) -> Iterator[_Read]:
    sheet = table.sheet.name
    for name, cell in table.headings.items():
        yield _at(sheet, cell, f"heading: {name}")
    for column in table.dated:
        yield _at(sheet, column.heading, f"heading: {column.name} of {column.period.label}, only compared")
    for cell in table.left_out:
        yield _at(sheet, cell, "heading: left out")


def _figures(case: Case) -> Iterator[_Read]:
    for figure in case.parsed.figures:
        yield _figure(figure, figure.measure.value)
        for part in ("numerator", "denominator"):
            if getattr(figure, part) is not None:
                yield _beside(figure, part)
    for figure in case.parsed.figures_beside:
        yield _figure(figure, "only compared")


def _figure(figure: FigureRow, became: str) -> _Read:
    cell, typed = figure.origin
    is_marker = cell != figure.cell
    value = shown(figure.value, figure.leaf) if figure.value is not None else (figure.marker or "")
    read = CellRead(figure.source.sheet, cell, typed, became, **_about(figure), value=str(value))
    return figure.source.row, figure.source.columns.get("marker" if is_marker else figure.column, 1), read


def _beside(figure: FigureRow, part: str) -> _Read:
    source: TableRow = figure.source
    cell, typed = source.address(part), source.text(part)
    read = CellRead(source.sheet, cell, typed, part, **_about(figure), value=str(getattr(figure, part)))
    return source.row, source.columns[part], read


def _about(figure: FigureRow) -> dict[str, str]:
    return {"indicator": figure.leaf.indicator, "period": figure.period.code if figure.period else ""}


def _milestones(case: Case) -> Iterator[_Read]:
    for row in case.parsed.milestone_rows:
        source = row.source
        became = f"status of {row.known.milestone}" if row.known else "status of no known milestone"
        read = CellRead(source.sheet, source.address("status"), row.status, became)
        yield source.row, source.columns.get("status", 1), read
