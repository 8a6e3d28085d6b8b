"""The plan's figures as people type them, read by the rules of returns: what can mean two things is asked about."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from cypp_etl.decimals import unit_text
from cypp_etl.findings import find
from cypp_etl.intake.units import read_in_unit, to_unit
from cypp_etl.intake.values import Reading
from cypp_etl.periods import Period, period_or_none
from cypp_etl.phrases import quoted
from cypp_etl.plan.indicator_rows import number, span_of
from cypp_etl.plan.reader import FIGURES
from cypp_etl.plan.tables import HEADER_ROW, PlanFault, Row, tables_of
from cypp_etl.plan_workbook.cells import CellText
from cypp_etl.workbook.model import Cell, CellKind
from schemas.codes import Unit
from schemas.markers import marker_text
from schemas.plan import SCHEMAS, is_figure

_INDICATORS = "indicators.csv"

# A text that is no figure at all has the fault that its column has.
_NO_FIGURE = "not-a-figure"


@dataclass(frozen=True, slots=True)
class TypedFigures:
    """A file of figures with each as a plain number, or as it was typed where there is a fault in it.

    Faults and notes have the row and the column; the notes say what was understood, where that is said in a return.
    """

    content: bytes
    faults: tuple[PlanFault, ...] = ()
    notes: tuple[PlanFault, ...] = ()


@dataclass(frozen=True, slots=True)
class _Measured:
    """What a row of the plan's indicators says that a figure is read by."""

    indicator: str
    unit: Unit
    unit_label: str
    currency: str
    decimals: int
    minimum: Decimal | None
    maximum: Decimal | None

    @property
    def unit_text(self) -> str:
        """As of an `Indicator`."""
        return unit_text(self.unit, self.unit_label, self.currency)


def typed_figures(files: Mapping[str, bytes]) -> TypedFigures:
    """Read the figures among a plan's CSV files. What its own reader will find at fault is left as it is."""
    content = files.get(FIGURES, b"")
    try:
        records = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error):
        return TypedFigures(content)
    header = [cell.strip() for cell in records[0]] if records else []
    if not {"indicator", "period", "value"} <= {*header}:
        return TypedFigures(content)
    places = [header.index(name) for name in ("indicator", "period", "value")]
    editions, faults, notes, is_changed = _editions(files), [], [], False
    for row, record in enumerate(records[1:], start=HEADER_ROW + 1):
        if len(record) != len(header):
            continue
        indicator, period, text = (record[place].strip() for place in places)
        leaf = _edition(editions.get(indicator, ()), period_or_none(period))
        if leaf is None or not text or (is_figure(text) and "." not in text):
            continue
        said = _read(text, leaf)
        place = PlanFault(FIGURES, row, "value", "")
        if said.fault:
            faults.append(replace(place, message=said.fault))
        if said.note:
            notes.append(replace(place, message=said.note))
        if said.text != text:
            record[places[-1]], is_changed = said.text, True
    if not is_changed:
        return TypedFigures(content, tuple(faults))
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(records)
    return TypedFigures(written.getvalue().encode(), tuple(faults), tuple(notes))


def _read(text: str, leaf: _Measured) -> CellText:
    """A figure as a plain number or a marker, or as it was typed, with what is wrong with it."""
    reading = read_in_unit(Cell(1, 1, CellKind.TEXT, text), leaf)
    if is_figure(text) and reading.value is None:
        # A marker, or a number with more digits than a return's may have.
        return CellText(text)
    trouble = _trouble(reading, leaf)
    if trouble and trouble != _NO_FIGURE:
        words = {"indicator": leaf.indicator, "unit": leaf.unit_text, "currency": leaf.currency}
        return CellText(text, f"{find(trouble, value=text, **words).message.removesuffix('.')}: type a plain number")
    if trouble or is_figure(text):
        return CellText(text)
    if reading.qualifiers:
        fault = f"{quoted(text)} has shorthand behind it, which a figure of the plan cannot have: type it alone"
        return CellText(text, fault)
    if reading.marker:
        # Its meaning in full, which a return may have, has the fault of its column: a plan has the symbols alone.
        is_in_full = "".join(text.split()).casefold() == "".join(reading.marker.split())
        return CellText(text if is_in_full else marker_text(reading.marker))
    assert reading.value is not None  # noqa: S101 - it has no trouble, and no marker
    # What was multiplied has zeros that nobody typed.
    value = reading.value.normalize() if reading.trouble else reading.value
    plain = f"{value:f}{'%' if reading.is_percent else ''}"
    return CellText(plain, note=f"{quoted(text)} is read as {plain}" if reading.trouble else "")


def _trouble(reading: Reading, leaf: _Measured) -> str:
    """The code of the finding that says why a figure cannot be read, or nothing.

    A percentage without its sign is in points, as it always was in a plan. A sign of percent that does not belong is
    found by the plan's own checks.
    """
    if reading.value is None:
        return reading.trouble
    if leaf.unit is Unit.PERCENT or reading.is_percent:
        return ""
    value, trouble = to_unit(reading, leaf, ())
    return trouble if value is None else ""


def _editions(files: Mapping[str, bytes]) -> dict[str, list[tuple[Row, _Measured]]]:
    """What the figures of each indicator are read by, by its code; without rows at fault."""
    tables = tables_of({_INDICATORS: files.get(_INDICATORS, b"")}, but_for=SCHEMAS.keys() - {_INDICATORS})
    editions: dict[str, list[tuple[Row, _Measured]]] = {}
    for row in tables.rows.get(_INDICATORS, ()):
        if row["unit"] in {*Unit} and row["decimals"].isdecimal():
            said = {name: row[name] for name in ("indicator", "unit_label", "currency")}
            leaf = _Measured(
                unit=Unit(row["unit"]),
                decimals=int(row["decimals"]),
                minimum=number(row["minimum"]),
                maximum=number(row["maximum"]),
                **said,
            )
            editions.setdefault(row["indicator"], []).append((row, leaf))
    return editions


def _edition(editions: Sequence[tuple[Row, _Measured]], period: Period | None) -> _Measured | None:
    """The edition that holds for a period, or the last in the file."""
    holding = (leaf for row, leaf in editions if period and span_of(row).covers(period))
    return next(holding, editions[-1][1] if editions else None)
