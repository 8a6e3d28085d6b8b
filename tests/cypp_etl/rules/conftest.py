"""Tidy rows made by hand, as if they had been read from the returns of one partner."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from cypp_etl.checked_return import History, KnownFigure
from cypp_etl.figure_keys import FigureKey
from cypp_etl.findings import Finding
from cypp_etl.intake.rows import FigureRow, MilestoneRow, ParsedReturn
from cypp_etl.intake.tables import TableRow
from cypp_etl.intake.values import Reading
from cypp_etl.layout import read_layouts
from cypp_etl.periods import Period
from cypp_etl.plan.model import Plan
from cypp_etl.plan.reader import read_plan
from cypp_etl.workbook.model import Cell, CellKind
from schemas.codes import Measure

QUARTER = Period(2010, 3)


@pytest.fixture(scope="session")
def plan() -> Plan:
    return read_plan()


@pytest.fixture(scope="session", name="make_row")
def make_row_fixture() -> Callable[..., TableRow]:
    def make(part: str, row: int = 2, **texts: str) -> TableRow:
        layout = read_layouts()["return"].part(part)
        columns = {column.column: layout.position(column.column) for column in layout.columns}
        line = {columns[name]: Cell(row, columns[name], CellKind.TEXT, text) for name, text in texts.items()}
        return TableRow(layout.sheet, row, line, columns, columns)

    return make


@pytest.fixture(scope="session")
def make_figure(plan, make_row) -> Callable[..., FigureRow]:
    """A figure of an indicator of the built-in plan; `leaf` changes the plan's values for it."""

    def make(indicator: str, value: object, row: int = 2, leaf: dict[str, Any] | None = None, **more: Any) -> FigureRow:
        number = None if value is None else Decimal(str(value))
        given = {name: more.pop(name, None) for name in ("numerator", "denominator")}
        parts = {name: None if part is None else Decimal(str(part)) for name, part in given.items()}
        texts = {name: str(part) for name, part in parts.items() if part is not None}
        return FigureRow(
            file="return.xlsx",
            source=make_row("indicators", row, actual=str(value), **texts),
            column="actual",
            leaf=replace(plan.indicators[indicator], **(leaf or {})),
            partner_code=plan.owners[indicator][0],
            measure=more.pop("measure", Measure.ACTUAL),
            period=more.pop("period", QUARTER),
            reading=Reading(str(value), number),
            value=number,
            marker=more.pop("marker", None),
            qualifiers=frozenset(),
            **parts,
            **more,
        )

    return make


@pytest.fixture(scope="session")
def make_milestone(plan, make_row) -> Callable[..., MilestoneRow]:
    def make(milestone: str = "PC1-A1-M1", period: Period | None = QUARTER, **texts: str) -> MilestoneRow:
        known = plan.milestones[milestone]
        row = make_row("milestones", milestone=milestone, **texts)
        texts = {name: texts.get(name, "") for name in ("status", "evidence", "review", "reason")}
        return MilestoneRow("return.xlsx", row, milestone, known, known, "cyps", period, **texts)

    return make


@pytest.fixture(scope="session")
def make_parsed() -> Callable[..., ParsedReturn]:
    def make(**parts: Any) -> ParsedReturn:
        return ParsedReturn("return.xlsx", "", "return", **parts)

    return make


@pytest.fixture(scope="session")
def make_history(plan) -> Callable[..., History]:
    """The history of indicators, as `{(indicator, period): value}`."""

    def make(figures: dict[tuple[str, Period], object], *, measure: Measure = Measure.ACTUAL, **more: Any) -> History:
        known = {
            FigureKey(plan.owners[indicator][0], indicator, measure, period.code): KnownFigure(
                Decimal(str(value)), None
            )
            for (indicator, period), value in figures.items()
        }
        return History(known, **more)

    return make


@pytest.fixture(scope="session")
def places() -> Callable[[Iterable[Finding]], list[tuple[str, str]]]:
    """Findings as code and cell."""
    return lambda findings: [(finding.code, finding.cell) for finding in findings]
