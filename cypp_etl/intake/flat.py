"""Flat tables, in which each row names its partner and its period: which return each row is of."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cypp_etl.intake.tables import Table, TableRow
from cypp_etl.intake.text_rows import holds_entry
from cypp_etl.intake.typed_periods import PeriodReading, read_period
from cypp_etl.layout import SheetLayout
from cypp_etl.plan.index import PlanIndex
from cypp_etl.plan.reference_keys import reference_key


@dataclass(frozen=True, slots=True)
class FlatRow:
    """A row with its partner, empty where there is none of that code or name, and its period as it is read."""

    row: TableRow
    partner_column: str
    partner_code: str
    period: PeriodReading

    @property
    def return_key(self) -> tuple[str, str]:
        """What the rows of one return have in common: partner and period, as typed where they are not known."""
        partner = self.partner_code or f"? {reference_key(self.row.text(self.partner_column))}"
        period = self.period.period
        return partner, period.code if period else f"? {reference_key(self.row.text('period'))}"


def flat_rows(tables: Sequence[Table], layout: SheetLayout, index: PlanIndex) -> Iterator[FlatRow]:
    """The rows of flat tables that are part of a return; a footnote is not."""
    column = "partner_code" if layout.has("partner_code") else "partner"
    for row in (row for table in tables for row in table.rows):
        if (row.text(column) and row.text("period")) or holds_entry(row, layout):
            yield FlatRow(row, column, index.partner_named(row.text(column)), read_period(row.cell("period")))
