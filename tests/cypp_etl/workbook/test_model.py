"""A sheet's cells as columns: in their order, whatever the file's, and however many at once."""

from unittest.mock import patch

import pytest

from cypp_etl.workbook import model
from cypp_etl.workbook.model import Cell, CellKind, Columns, Sheet


def cell(row: int, column: int, value: str) -> Cell:
    return Cell(row, column, CellKind.TEXT, value, "@", value == "c")


@pytest.mark.parametrize("at_once", [1, 2, 5_000])
def test_columns_are_in_the_order_of_rows_and_columns(at_once: int) -> None:
    sheet = Sheet("Sheet", rows={3: {2: cell(3, 2, "c"), 1: cell(3, 1, "b")}, 1: {4: cell(1, 4, "a")}, 2: {}})
    with patch.object(model, "_ROWS_AT_ONCE", at_once):
        columns = sheet.columns()
    assert columns == Columns(
        rows=(1, 3, 3),
        columns=(4, 1, 2),
        kinds=(CellKind.TEXT,) * 3,
        values=("a", "b", "c"),
        number_formats=("@",) * 3,
        are_formulas=(False, False, True),
    )
    assert sheet.columns() is columns


def test_a_sheet_without_cells_has_empty_columns() -> None:
    assert Sheet("Sheet").columns() == Sheet("Sheet", rows={1: {}}).columns() == Columns()


def test_columns_of_a_large_sheet_are_not_kept() -> None:
    sheet = Sheet("Sheet", rows={1: {1: cell(1, 1, "a"), 2: cell(1, 2, "b")}})
    with patch.object(model, "_MOST_KEPT_CELLS", 1):
        assert sheet.columns() == sheet.columns()
        assert sheet.columns() is not sheet.columns()
    assert sheet.columns() is sheet.columns()
