"""Labels that may stand anywhere on a sheet, and what they say: beside them, or in their own cell."""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache

from cypp_etl.intake.tables import TableRow, read_labels
from cypp_etl.intake.values import read_figure, read_text
from cypp_etl.layout import ColumnLayout, SheetLayout
from cypp_etl.workbook.model import Cell, CellKind, Sheet
from schemas.codes import SheetKind

# A sheet of labels is one page; what is longer is no label.
_MOST_ROWS = 1_000
_LONGEST_LABEL = 200


def read_cover(sheet: Sheet, layout: SheetLayout) -> dict[str, Cell]:
    """What a sheet of labels says, by field; a label without a value has a blank cell.

    `Quarter: 2` in one cell says it in the label's own, by the layout's `Quarter: {quarter}`.
    """
    if layout.kind is not SheetKind.ANYWHERE:
        return read_labels(sheet, layout.columns)
    labelled: dict[str, Cell] = {}
    for cell, column, said in _labels_on(sheet, layout.columns):
        if said:
            for name, text in said.items():
                labelled.setdefault(name, cell._replace(kind=CellKind.TEXT, value=text))
        else:
            labelled.setdefault(column.column, _beside(sheet, cell, layout.columns))
    return labelled


def read_labelled_figures(sheet: Sheet, layout: SheetLayout) -> Iterator[tuple[str, TableRow]]:
    """The figures beside labels: the column of the layout that each is for, and its row of label and figure.

    The figures beside the labels of one column stand in one column too, that in which most of them have their first: so
    that a note, or last year's figure further right, is not taken for a figure that was left out.
    """
    labels = [(cell, column) for cell, column, _ in _labels_on(sheet, layout.columns)]
    columns_of: dict[int, Counter[int]] = {}
    for cell, _ in labels:
        counted = columns_of.setdefault(cell.column, Counter())
        counted.update([first] if (first := _first_figure(sheet, cell)) else [])
    for cell, column in labels:
        counted = columns_of[cell.column]
        place = min(counted, key=lambda at: (-counted[at], at)) if counted else cell.column + 1
        places = {"definition": cell.column, "actual": place}
        columns = {"ref": cell.column, "sub": cell.column, **places}
        yield column.column, TableRow(sheet.name, cell.row, sheet.rows[cell.row], places, columns)


def _first_figure(sheet: Sheet, label: Cell) -> int:
    """The first column to the right of a label with a figure, or with what was meant as one; 0 if there is none."""
    line = sheet.rows[label.row]
    readings = {column: read_figure(line[column]) for column in sorted(line) if column > label.column}
    right = (column for column, reading in readings.items() if reading.value is not None or reading.marker)
    meant = (column for column, one in readings.items() if not one.is_blank and one.trouble != "not-a-figure")
    return next(right, 0) or next(meant, 0)


def _beside(sheet: Sheet, label: Cell, columns: tuple[ColumnLayout, ...]) -> Cell:
    """The value of a label: the next cell to its right that is filled, unless that is a label too."""
    line = sheet.rows[label.row]
    filled = (line[column] for column in sorted(line) if column > label.column)
    found = next((cell for cell in filled if read_text(cell) or cell.is_formula), None)
    if found is None or _label(columns, read_text(found)) is not None:
        return Cell(label.row, label.column + 1, CellKind.BLANK, None)
    return found


def _labels_on(
    sheet: Sheet, columns: tuple[ColumnLayout, ...]
) -> Iterator[tuple[Cell, ColumnLayout, Mapping[str, str]]]:
    """The first cell of each label, with what it says itself."""
    seen: set[str] = set()
    for row in sorted(sheet.rows)[:_MOST_ROWS]:
        line = sheet.rows[row]
        for cell in (line[column] for column in sorted(line)):
            label = _label(columns, read_text(cell)) if cell.kind is CellKind.TEXT else None
            if label is not None and label[0].column not in seen:
                seen.add(label[0].column)
                yield cell, *label


@lru_cache(maxsize=4096)
def _label(columns: tuple[ColumnLayout, ...], text: str) -> tuple[ColumnLayout, Mapping[str, str]] | None:
    if not text or len(text) > _LONGEST_LABEL:
        return None
    for column in columns:
        if (said := column.match(text)) is not None:
            return column, said
    return None
