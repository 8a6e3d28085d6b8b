"""Reads the published table: outcome bands as rows, parents with sub-rows, history, targets and comparators."""

from collections.abc import Mapping
from dataclasses import dataclass

from cypp_etl.findings import find
from cypp_etl.intake.figures import FigureReader
from cypp_etl.intake.rows import FigureRow, IndicatorRow, ParsedReturn
from cypp_etl.intake.tables import Table, TableRow
from cypp_etl.judgement.columns import PRINTED
from cypp_etl.plan.index import PlanIndex, reference_key
from cypp_etl.plan.model import Indicator, Parent, Plan
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


@dataclass(slots=True)
class _Place:
    """The current position in the table: the band's outcome, and the parent whose sub-rows follow.

    `is_polarity_above` says that the parent's row has their good performance. `is_lost` says that the row above has an
    unknown reference, which may be a parent's: that is one finding, not also one for each sub-row.
    """

    outcome_code: str = ""
    parent: Parent | None = None
    is_polarity_above: bool = False
    is_lost: bool = False

    def move_to(self, leaf: Indicator | None, parent: Parent | None, polarity: str) -> None:
        """Move on to a row, whose sub-rows may follow if it is a parent's."""
        if parent is not None:
            self.parent, self.is_polarity_above, self.is_lost = parent, bool(polarity), False
        elif leaf is None or self.parent is None or leaf.indicator_ref != self.parent.indicator_ref:
            self.is_lost = leaf is None
            self.parent, self.is_polarity_above = None, False


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
        self.parsed.period = table.year
        self.parsed.sheets["table"] = table.sheet.name
        place = _Place()
        # What stands below the last indicator is a footnote, even in the column of references.
        last_row = max((row.row for row in table.rows if row.text("ref") and not _only_text(row)), default=0)
        for row in (row for row in table.rows if row.row <= last_row):
            text = _only_text(row)
            if outcome_code := self.index.outcomes.get(reference_key(text)):
                place = _Place(outcome_code)
            elif text and not row.text("ref"):
                place.outcome_code = ""
                self.parsed.findings.append(find("band-unknown", sheet=row.sheet, cell=_first_address(row), value=text))
            else:
                self._read_row(row, place)

    def _read_row(self, row: TableRow, place: _Place) -> None:
        indicator_row = self._identify(row, place)
        if indicator_row is None:
            return
        self.parsed.indicator_rows.append(indicator_row)
        leaf = indicator_row.leaf
        if leaf is not None:
            self._judge_band(row, leaf, place)
            self._read_figures(row, leaf)

    def _identify(self, row: TableRow, place: _Place) -> IndicatorRow | None:
        """Identify what a row is about, and move on in the table; None if it is not to be judged."""
        ref, sub, definition = self._reference(row, place)
        if sub and place.parent is None:
            return None
        named, described = self.index.leaf_named(ref, sub), self.index.leaf_described(definition)
        leaf, parent = described or named, None
        if leaf is None and not sub:
            parent = self.index.parents.get(reference_key(ref)) or self.index.parent_described(definition)
        polarity = row.text("good_performance")
        if not sub:
            place.move_to(leaf, parent, polarity)
        is_said_elsewhere = not polarity and (parent is not None or place.is_polarity_above)
        return IndicatorRow(
            source=row,
            indicator_ref=ref,
            sub=sub,
            named=named,
            described=described,
            is_parent=parent is not None,
            good_performance=None if is_said_elsewhere else polarity,
            unit=None,
            figure_column=row.first_filled(*_FIGURE_COLUMNS),
            other_edition=self.index.edition_described(named, definition) if named else None,
        )

    def _reference(self, row: TableRow, place: _Place) -> tuple[str, str, str]:
        """A row's reference, sub and definition: below a parent, the reference cell only has the sub's letter."""
        ref, definition = row.text("ref"), row.text("definition")
        if not ref:
            self.parsed.findings.append(find("row-without-ref", sheet=row.sheet, cell=row.address("ref")))
        is_letter = bool(ref) and reference_key(ref) not in self.index.references and not any(map(str.isdigit, ref))
        if is_letter and place.parent:
            return place.parent.indicator_ref, ref, f"{place.parent.definition} {definition}"
        return ("", ref, definition) if is_letter and place.is_lost else (ref, "", definition)

    def _judge_band(self, row: TableRow, leaf: Indicator, place: _Place) -> None:
        outcomes = self.plan.outcomes
        if place.outcome_code and place.outcome_code != leaf.outcome_code:
            words = {"band": outcomes[place.outcome_code].outcome, "outcome": outcomes[leaf.outcome_code].outcome}
            cell = row.address("ref")
            finding = find("outcome-differs", sheet=row.sheet, cell=cell, indicator=leaf.indicator, **words)
            self.parsed.findings.append(finding)

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


def _only_text(row: TableRow) -> str:
    """The text of a row with nothing else, such as a band's heading; empty for other rows."""
    texts = {text for column in row.cells if (text := row.text(column))}
    return texts.pop() if len(texts) == 1 else ""


def _first_address(row: TableRow) -> str:
    return next(row.cells[column].address for column in row.cells if row.text(column))
