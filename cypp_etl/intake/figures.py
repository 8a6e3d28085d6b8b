"""Makes figure rows from table rows: reads the cell, converts it to the indicator's unit, reports problems."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

from cypp_etl.checked_return import History
from cypp_etl.decimals import decimal_text
from cypp_etl.findings import Finding
from cypp_etl.intake.rows import FigureRow
from cypp_etl.intake.tables import TableRow
from cypp_etl.intake.units import read_in_unit, to_unit
from cypp_etl.intake.values import BLANK, Reading, read_figure
from cypp_etl.periods import Period
from cypp_etl.plan.model import Figure, Indicator, Plan
from cypp_etl.workbook.model import Cell
from schemas.codes import Marker, Measure, Unit


@dataclass(frozen=True)
class KnownValues:
    """Earlier figures, from the plan and the warehouse, that decide how a percentage without its sign is read.

    Few returns have such a percentage, so they are looked up only when needed.
    """

    plan: Plan
    history: History

    def values(self, indicator: str, partner_code: str) -> list[Decimal]:
        """The earlier figures of one indicator of one partner: other partners' figures do not count."""
        own = (figure for (_, of, _), figure in self._of_partner(partner_code) if of == indicator)
        return [
            *self._of_every_partner.get(indicator, ()),
            *(figure.value for figure in own if figure.value is not None),
            *self.history.values_of(partner_code).get(indicator, ()),
        ]

    def _of_partner(self, partner_code: str) -> Iterable[tuple[tuple[str, str, Period], Figure]]:
        return self.plan.partner_figures.get(partner_code, {}).items()

    @cached_property
    def _of_every_partner(self) -> Mapping[str, Collection[Decimal]]:
        planned: dict[str, set[Decimal]] = {}
        for (_, indicator, _), figure in self.plan.figures.items():
            if figure.value is not None:
                planned.setdefault(indicator, set()).add(figure.value)
        return planned


@dataclass
class FigureReader:
    """Reads the figures of one workbook; `findings` collects what is wrong with them."""

    file: str
    known: KnownValues
    findings: list[Finding] = field(default_factory=list)

    def read(
        self,
        source: TableRow,
        leaf: Indicator,
        partner_code: str,
        *,
        column: str,
        measure: Measure,
        period: Period | None,
        beside: Reading = BLANK,
    ) -> FigureRow:
        """Read one figure; `beside` is the content of its marker column."""
        reading = read_in_unit(source.cell(column), leaf)
        is_doubtful = not reading.is_percent and leaf.unit is Unit.PERCENT
        known = self.known.values(leaf.indicator, partner_code) if is_doubtful else ()
        value, unit_trouble = to_unit(reading, leaf, known)
        marker, qualifiers = reading.marker, reading.qualifiers
        if value is None:
            marker = marker or beside.marker or Marker.NOT_RETURNED
        if beside.qualifiers:
            qualifiers |= beside.qualifiers
        about = source, column, leaf, partner_code, measure, period
        figure = FigureRow(self.file, *about, reading, value, marker, qualifiers, beside=beside)
        if reading.trouble or unit_trouble:
            for trouble in filter(None, (reading.trouble, unit_trouble)):
                self._report(figure, column, reading, trouble)
        return figure

    def read_part(self, figure: FigureRow, column: str, cell: Cell) -> Decimal | None:
        """Read the numerator or denominator of a figure: a plain number, or nothing; a marker adds nothing.

        The numerator of money is an amount of money.
        """
        is_amount = column == "numerator" and figure.leaf.unit is Unit.MONEY
        reading = read_in_unit(cell, figure.leaf) if is_amount else read_figure(cell)
        trouble = reading.trouble
        if reading.value is not None and not (trouble or reading.is_percent):
            return reading.value
        if reading.is_percent:
            trouble = "percent-in-fraction"
        elif reading.is_bare_qualifier:
            trouble = "not-a-figure"
        if trouble:
            self._report(figure, column, reading, trouble)
        return None if reading.is_percent else reading.value

    def _report(self, figure: FigureRow, column: str, reading: Reading, code: str) -> None:
        leaf = figure.leaf
        read = "" if reading.value is None else decimal_text(reading.value, leaf.decimals, leaf.unit, leaf.currency)
        words = {"read": read, "unit": leaf.unit_text, "currency": leaf.currency}
        self.findings.append(figure.find(code, column=column, value=reading.typed, **words))
