"""Reads the published table: outcome bands as rows, parents with sub-rows, history, targets and comparators."""

from collections.abc import Mapping
from dataclasses import dataclass

from cypp_etl.findings import find
from cypp_etl.intake.bands import BandedRows
from cypp_etl.intake.figures import FigureReader
from cypp_etl.intake.rows import FigureRow, ParsedReturn
from cypp_etl.intake.tables import Table, TableRow
from cypp_etl.judgement.columns import PRINTED
from cypp_etl.plan.index import PlanIndex
from cypp_etl.plan.model import Indicator, Plan
from schemas.codes import Marker, Measure

# The measure of each column of figures, and its year, relative to the table's own.
_FIGURE_COLUMNS = {
    "previous_actual": (Measure.HISTORY, -1),
    "target": (Measure.TARGET, 0),
    "actual": (Measure.ACTUAL, 0),
    "statistical_neighbours": (Measure.STATISTICAL_NEIGHBOURS, 0),
    "national": (Measure.NATIONAL, 0),
    "next_target": (Measure.TARGET, 1),
    "next_target_2": (Measure.TARGET, 2),
}


@dataclass(frozen=True, slots=True)
class PublishedReader:
    """Reads one published table into `parsed`; `owners` are the partners that return each indicator in its year.

    `index` is that of the table's year, `plan` of all years: a figure is read by the edition of its own period.
    """

    plan: Plan
    index: PlanIndex
    figures: FigureReader
    parsed: ParsedReturn
    owners: Mapping[str, tuple[str, ...]]

    def read(self, table: Table) -> None:
        """Read the table's rows; its period is the year in its headings."""
        self.parsed.findings += table.findings
        self.parsed.tables.append(table)
        self.parsed.period = table.year
        self.parsed.sheets["table"] = table.sheet.name
        rows = BandedRows(self.plan, self.index, self.parsed.findings, tuple(_FIGURE_COLUMNS), True)
        for row in rows.of(table):
            self.parsed.indicator_rows.append(row)
            if row.subject.leaf is not None:
                self._read_figures(row.source, row.subject.leaf)

    def _read_figures(self, row: TableRow, leaf: Indicator) -> None:
        owners = self.owners.get(leaf.indicator, ())
        if len(owners) != 1:
            words = {"indicator": leaf.indicator, "owners": " and ".join(owners) or "no partner"}
            finding = find("owner-not-single", sheet=row.sheet, cell=row.address("ref"), **words)
            self.parsed.findings.append(finding)
            return
        for column, (measure, years) in _FIGURE_COLUMNS.items():
            if column in row.columns:
                period = self.parsed.period.years_later(years) if self.parsed.period else None
                edition = self.plan.edition(leaf.indicator, period) if period else leaf
                self._keep(self.figures.read(row, edition, owners[0], column=column, measure=measure, period=period))

    def _keep(self, figure: FigureRow) -> None:
        if figure.reading.is_bare_qualifier:
            self.parsed.findings.append(figure.find("value-missing"))
        # Only an actual can be "not returned": other blanks mean nothing.
        if figure.measure is Measure.ACTUAL or figure.marker is not Marker.NOT_RETURNED:
            self.parsed.figures.append(figure)
        if figure.measure is Measure.ACTUAL:
            typed = ((column, figure.source.text(column)) for column in PRINTED)
            self.parsed.typed_judgements += [(figure, column, text) for column, text in typed if text]
