"""Reads the return workbook: cover, indicators and milestones, as tidy rows with their cells."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from cypp_etl.findings import Finding, find
from cypp_etl.intake.figures import FigureReader
from cypp_etl.intake.rows import FigureRow, IndicatorRow, MilestoneRow, ParsedReturn
from cypp_etl.intake.tables import Table, TableRow, find_sheet, read_labels, read_table
from cypp_etl.intake.text_rows import find_text, find_total, holds_entry
from cypp_etl.intake.typed_periods import bare_year, read_day, read_period
from cypp_etl.intake.values import Reading, read_figure, read_text
from cypp_etl.layout import Layout, SheetLayout
from cypp_etl.periods import Period
from cypp_etl.plan.index import PlanIndex, reference_key
from cypp_etl.plan.model import Indicator, Plan
from cypp_etl.workbook.model import Cell, CellKind, Workbook
from schemas.codes import Measure

# Without these columns it is not known what a table's rows are about, or which are missing.
_KEY_COLUMNS = {"indicators": ("ref", "sub"), "milestones": ("milestone",)}

# Columns that are read as text: an uncalculated formula there would look like a blank.
_TEXT_COLUMNS = frozenset(
    {
        *("ref", "sub", "definition", "good_performance", "unit", "comment"),
        *("milestone", "description", "status", "evidence", "review", "reason"),
    }
)
# Where something must stand, a formula that came to nothing says no more than that.
_FILLED_COLUMNS = ("ref", "good_performance", "unit", "milestone")


@dataclass(frozen=True, slots=True)
class ReturnReader:
    """Reads one return workbook into `parsed`.

    `at` gives the plan as it holds for the period on the cover, and its index: None for a period that is not known.
    """

    layout: Layout
    plan: Plan
    index: PlanIndex
    figures: FigureReader
    parsed: ParsedReturn
    at: Callable[[Period | None], tuple[Plan, PlanIndex]]

    def read(self, workbook: Workbook) -> None:
        """Read the cover and both tables. An error in one sheet does not prevent reading the others."""
        self._read_cover(workbook)
        plan, index = self.at(self.parsed.period)
        replace(self, plan=plan, index=index)._read_tables(workbook)

    def _read_tables(self, workbook: Workbook) -> None:
        for row in self._read_rows(workbook, "indicators"):
            self._read_indicator_row(row)
        # A partner without milestones may leave out their sheet.
        has_sheet = find_sheet(workbook, self.layout.part("milestones")) is not None
        if has_sheet or self.plan.milestones_of.get(self.parsed.partner_code, True):
            for row in self._read_rows(workbook, "milestones"):
                self._read_milestone_row(row)

    def _note(self, code: str, sheet: str, cell: str = "", **words: object) -> None:
        self.parsed.findings.append(find(code, sheet=sheet, cell=cell, **words))

    def _read_cover(self, workbook: Workbook) -> None:
        cover = self.layout.part("cover")
        sheet = find_sheet(workbook, cover)
        if sheet is None:
            self._note("sheet-missing", cover.sheet, expected=cover.sheet)
            return
        self.parsed.sheets["cover"] = sheet.name
        labels = read_labels(sheet, cover.columns)
        texts = {name: read_text(cell) for name, cell in labels.items()}
        self.parsed.prepared_by, self.parsed.email = texts.get("prepared_by", ""), texts.get("email", "")
        for name in ("partner_code", "period", "prepared_by"):
            if not texts.get(name):
                cell = labels[name].address if name in labels else ""
                is_formula = name in labels and labels[name].is_formula
                code = "formula-not-calculated" if is_formula else f"{name.replace('_', '-')}-missing"
                self._note(code, sheet.name, cell, label=cover.column(name).heading)
        if texts.get("partner_code"):
            self._read_partner(labels["partner_code"], sheet.name)
        if texts.get("period"):
            self._read_period(labels["period"], sheet.name)
        if "date" in labels:
            self._read_date(labels["date"], sheet.name)

    def _read_partner(self, cell: Cell, sheet: str) -> None:
        typed, parsed, partners = read_text(cell), self.parsed, self.plan.partners
        partner_code = self.index.partners.get(reference_key(typed), "")
        parsed.cover_partner = partner_code
        if not partner_code:
            self._note("partner-unknown", sheet, cell.address, value=typed, known=", ".join(partners))
        elif not parsed.partner_code:
            parsed.partner_code = partner_code
        elif parsed.partner_code != partner_code:
            words = {"folder": partners[parsed.partner_code].partner, "partner": partners[partner_code].partner}
            self._note("partner-not-folder", sheet, cell.address, value=typed, **words)

    def _read_period(self, cell: Cell, sheet: str) -> None:
        typed, reading = read_text(cell), read_period(cell)
        period = reading.period
        if period is None:
            self._note(reading.trouble, sheet, cell.address, value=typed, **reading.words)
        elif period not in self.plan.calendar:
            self._note("period-unknown", sheet, cell.address, value=typed)
        else:
            self.parsed.period, self.parsed.period_cell = period, (sheet, cell.address)

    def _read_date(self, cell: Cell, sheet: str) -> None:
        """The day of the return, which nothing is worked out from: what is no day is only asked about."""
        typed, day = bare_year(cell) or read_text(cell), read_day(cell)
        if day is not None:
            self.parsed.dated, self.parsed.date_cell = day, (sheet, cell.address)
        elif typed or cell.is_formula:
            self._note("date-not-a-day", sheet, cell.address, value=typed)

    def _read_rows(self, workbook: Workbook, part: str) -> tuple[TableRow, ...]:
        """The rows of one of the tables; none, and a finding, if there is no such table."""
        table = self._read_table(workbook, part)
        if table is None:
            return ()
        self.parsed.findings += table.findings
        if all(column in table.columns for column in _KEY_COLUMNS[part]):
            self.parsed.whole_parts.add(part)
        for row in table.rows:
            for column in row.uncalculated():
                if column in _TEXT_COLUMNS:
                    self._note("formula-not-calculated", row.sheet, row.address(column))
        return table.rows

    def _read_table(self, workbook: Workbook, part: str) -> Table | None:
        layout = self.layout.part(part)
        sheet = find_sheet(workbook, layout)
        table = read_table(sheet, layout) if sheet else self._find_renamed(workbook, layout)
        if sheet is None and table is None:
            self._note("sheet-missing", layout.sheet, expected=layout.sheet)
        elif sheet is not None and table is None:
            headings = ", ".join(column.heading for column in layout.columns)
            self._note("headings-not-found", sheet.name, expected=headings)
        if found := table.sheet if table else sheet:
            self.parsed.sheets[part] = found.name
        return table

    def _find_renamed(self, workbook: Workbook, layout: SheetLayout) -> Table | None:
        """A sheet with another name that has every required heading, so that its other errors are found too."""
        required = {column.column for column in layout.columns if column.is_required}
        for sheet in workbook.sheets:
            is_other = not any(part.is_named(sheet.name) for part in self.layout.sheets)
            if is_other and (table := read_table(sheet, layout)) and required <= table.columns.keys():
                self._note("sheet-renamed", sheet.name, expected=layout.sheet)
                return table
        return None

    def _judge_blank_formulas(self, row: TableRow) -> None:
        """Say where a formula came to nothing that should have said something; one never worked out has been said."""
        for column in _FILLED_COLUMNS:
            if row.is_blank_formula(column) and row.cells[column].value is not None:
                self._note("formula-not-calculated", row.sheet, row.address(column))

    def _read_indicator_row(self, row: TableRow) -> None:
        is_whole = "indicators" in self.parsed.whole_parts
        ref, sub = self.index.reference_meant(row.text("ref"), row.text("sub")) if is_whole else ("", "")
        named, described = self.index.leaf_named(ref, sub), self.index.leaf_described(row.text("definition"))
        is_known = reference_key(ref) in self.index.references
        if is_whole and not is_known and described is None and self._judge_nameless(row):
            return
        self._judge_blank_formulas(row)
        if is_whole and not row.is_filled("ref"):
            self._note("row-without-ref", row.sheet, row.address("ref"))
        if is_whole and not is_known and _is_no_text(row.cells.get("ref")):
            self._note("reference-not-text", row.sheet, row.address("ref"), value=ref, thing="an indicator")
            ref, named = "", None
        indicator_row = IndicatorRow(
            source=row,
            indicator_ref=ref,
            sub=sub,
            named=named,
            described=described,
            is_parent=not sub and reference_key(ref) in self.index.parents,
            good_performance=row.known_text("good_performance"),
            unit=row.known_text("unit"),
            figure_column=row.first_filled("actual", "marker"),
            other_edition=self.index.edition_described(named, row.text("definition")) if named else None,
        )
        self.parsed.indicator_rows.append(indicator_row)
        if indicator_row.leaf is not None and "actual" in row.columns:
            self.parsed.figures.append(self._read_actual(row, indicator_row.leaf))

    def _judge_nameless(self, row: TableRow) -> bool:
        """Say what a row is that names nothing in the plan, if it is a note or a total; whether it is one."""
        if not holds_entry(row, self.layout.part("indicators")):
            self.parsed.findings += find_text(row, "indicator")
            return True
        total = [*find_total(row)]
        self.parsed.findings += total
        return bool(total)

    def _read_actual(self, row: TableRow, leaf: Indicator) -> FigureRow:
        beside = read_figure(row.cells.get("marker"))
        figure = self.figures.read(
            row,
            leaf,
            self.parsed.partner_code,
            column="actual",
            measure=Measure.ACTUAL,
            period=self.parsed.period,
            beside=beside,
        )
        figure.numerator = self.figures.read_part(figure, "numerator")
        figure.denominator = self.figures.read_part(figure, "denominator")
        figure.comment = row.text("comment")
        self.parsed.findings += _judge_marker(figure, beside)
        return figure

    def _read_milestone_row(self, row: TableRow) -> None:
        milestone = self.index.milestone_meant(row.text("milestone"))
        named = self.index.milestones.get(reference_key(milestone))
        described = self.index.milestone_described(row.text("description"))
        if "milestones" in self.parsed.whole_parts:
            if named is described is None and not holds_entry(row, self.layout.part("milestones")):
                self.parsed.findings += find_text(row, "milestone")
                return
            self._judge_blank_formulas(row)
            if not row.is_filled("milestone"):
                self._note("row-without-milestone", row.sheet, row.address("milestone"))
            if named is None and _is_no_text(row.cells.get("milestone")):
                cell = row.address("milestone")
                self._note("reference-not-text", row.sheet, cell, value=milestone, thing="a milestone")
                milestone = ""
        self.parsed.milestone_rows.append(
            MilestoneRow(
                file=self.parsed.file,
                source=row,
                milestone=milestone,
                named=named,
                described=described,
                partner_code=self.parsed.partner_code,
                period=self.parsed.period,
                status=row.text("status"),
                evidence=row.text("evidence"),
                review=row.text("review"),
                reason=row.text("reason"),
            )
        )


def _is_no_text(cell: Cell | None) -> bool:
    """Whether a cell holds a number or a date, which Excel makes of a reference such as 1-2."""
    return cell is not None and cell.kind in (CellKind.NUMBER, CellKind.DATE)


def _judge_marker(figure: FigureRow, beside: Reading) -> Iterator[Finding]:
    """Check that the marker's cell has a marker that does not contradict the figure's cell."""
    reading = figure.reading
    if beside.trouble == "formula-not-calculated":
        yield figure.find(beside.trouble, column="marker")
    elif beside.trouble or beside.value is not None:
        yield figure.find("marker-unknown", column="marker", value=beside.typed)
    elif beside.marker and (reading.value is not None or reading.marker not in (None, beside.marker)):
        yield figure.find("value-and-marker", column="marker", value=beside.typed, actual=reading.typed)
    elif (
        beside.marker is None and "marker" in figure.source.columns and (reading.is_blank or reading.is_bare_qualifier)
    ):
        # A formula that came to nothing is no figure that was forgotten.
        blank = [column for column in (figure.column, "marker") if figure.source.is_blank_formula(column)]
        yield figure.find("formula-not-calculated", column=blank[0]) if blank else figure.find("value-missing")
