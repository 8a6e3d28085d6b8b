"""Cells, sheets and indicators made by hand."""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from cypp_etl.layout import SheetLayout, read_layouts
from cypp_etl.plan.model import Banding, Indicator
from cypp_etl.workbook.model import Cell, CellKind, Sheet
from schemas.codes import Accumulation, Polarity, Unit

_KINDS = {str: CellKind.TEXT, float: CellKind.NUMBER, int: CellKind.NUMBER, bool: CellKind.BOOLEAN}


def make_cell(value: Any, number_format: str = "General", *, kind: CellKind | None = None, **place: Any) -> Cell:
    """A cell with a value, of the kind that a reader would give it."""
    if isinstance(value, date):
        value, kind = float((value - date(1899, 12, 30)).days), CellKind.DATE
    kind = kind or (CellKind.BLANK if value is None else _KINDS[type(value)])
    value = float(value) if kind is CellKind.NUMBER else value
    return Cell(place.pop("row", 1), place.pop("column", 1), kind, value, number_format, **place)


@pytest.fixture(scope="session", name="make_cell")
def make_cell_fixture() -> Callable[..., Cell]:
    return make_cell


@pytest.fixture(scope="session")
def make_sheet() -> Callable[..., Sheet]:
    """A sheet from rows of values, None for a missing cell."""

    def make(*rows: Sequence[Any], name: str = "Indicators") -> Sheet:
        return Sheet(
            name,
            rows={
                row: {
                    column: make_cell(value, row=row, column=column)
                    for column, value in enumerate(values, start=1)
                    if value is not None
                }
                for row, values in enumerate(rows, start=1)
            },
        )

    return make


@pytest.fixture(scope="session")
def indicators() -> SheetLayout:
    return read_layouts()["return"].part("indicators")


@pytest.fixture(scope="session")
def published() -> SheetLayout:
    return read_layouts()["published"].part("table")


@pytest.fixture(scope="session")
def make_leaf() -> Callable[..., Indicator]:
    def make(unit: Unit = Unit.PERCENT, decimals: int = 1, minimum: Any = 0, maximum: Any = 100) -> Indicator:
        bounds = [None if bound is None else Decimal(bound) for bound in (minimum, maximum)]
        return Indicator(
            "NI 1", "1", "NI 1", "", "PC", "A measure", "", Polarity.HIGH, None, None, unit, decimals, *bounds,
            Accumulation.LATEST, 0, "", Banding(Decimal(10), 1, Decimal(5), Decimal(25), Decimal(5)),
        )  # fmt: skip

    return make
