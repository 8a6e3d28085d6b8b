"""Reads the return workbook: cover, indicators and milestones, as tidy rows with their cells."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from cypp_etl.findings import Finding, find
from cypp_etl.intake.bands import BandedRows, KnownSubjects, blame_naming, naming_of
from cypp_etl.intake.cover import (
    SaidPeriod,
    asks_for,
    find_cover,
    find_further_covers,
    find_further_tables,
    said_partner,
    said_period,
)
from cypp_etl.intake.figures import FigureReader
from cypp_etl.intake.flat import FlatRow, flat_rows
from cypp_etl.intake.labels import read_labelled_figures
from cypp_etl.intake.rows import FigureRow, IndicatorRow, MilestoneRow, ParsedReturn, Subject
from cypp_etl.intake.tables import Table, TableRow, find_sheets, read_table
from cypp_etl.intake.text_rows import find_text, find_total, holds_entry
from cypp_etl.intake.typed_periods import bare_year, read_day
from cypp_etl.intake.values import BLANK, Reading, read_figure, read_text
from cypp_etl.layout import COVER, INDICATORS, MILESTONES, Layout, SheetLayout
from cypp_etl.periods import Period
from cypp_etl.phrases import in_list, shorten
from cypp_etl.plan.index import PlanIndex
from cypp_etl.plan.model import Indicator, Plan
from cypp_etl.plan.reference_keys import reference_key
from cypp_etl.workbook.model import Cell, CellKind, Sheet, Workbook
from schemas.codes import Measure, SheetKind

# Without these columns it is not known what a table's rows are about, or which are missing.
_KEY_COLUMNS = {INDICATORS: ("ref", "sub"), MILESTONES: ("milestone",)}
# In a layout that does not ask for these, one of those.
_OTHER_KEY_COLUMNS = ("indicator", "definition")

# The labels of a cover that ask for personal data.
_CONTACTS = ("prepared_by", "email")

# No more than what makes an address of a text: whom it reaches, only a letter can tell.
_ADDRESS = re.compile(r"[^\s@]@[^\s@]")

# Columns that are read as text: an uncalculated formula there would look like a blank.
_TEXT_COLUMNS = frozenset(
    {
        *("ref", "sub", "indicator", "definition", "good_performance", "unit", "comment"),
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
        indicators = self.layout.part(INDICATORS)
        is_anywhere = indicators.kind is SheetKind.ANYWHERE
        tables = [] if is_anywhere else self._read_tables(workbook, indicators)
        if self.layout.is_flat and not self._read_whose(tables, indicators):
            # Of which return a row is will be seen once the workbook is taken apart.
            tables = []
            self.parsed.whole_parts.discard(INDICATORS)
        plan, index = self.at(self.parsed.period)
        replace(self, plan=plan, index=index)._read_both(workbook, tables)
        if self.layout.is_flat and self.parsed.period is None:
            # Of a collection, the rows of its partner with a period are another return.
            self.parsed.whole_parts.discard(INDICATORS)
        self._judge_second_returns(workbook)

    def _read_both(self, workbook: Workbook, tables: list[Table]) -> None:
        """Read the rows of both tables by the plan as it holds for the period."""
        indicators = self.layout.part(INDICATORS)
        if indicators.kind is SheetKind.ANYWHERE:
            self._read_labelled(workbook, indicators)
        for table in tables:
            if indicators.kind is SheetKind.BANDED:
                self._read_banded(table, indicators)
            else:
                self._read_plain(table)
        if (milestones := self.layout.find_part(MILESTONES)) is not None:
            self._read_milestones(workbook, milestones)

    def _read_whose(self, tables: list[Table], layout: SheetLayout) -> bool:
        """Whose return the rows of flat tables are, and of which period; whether they are all of one."""
        first: FlatRow | None = None
        for one in flat_rows(tables, layout, self.index):
            if first is None:
                first = one
                self._read_owner(one)
            elif one.return_key != first.return_key:
                is_other_partner = one.return_key[0] != first.return_key[0]
                column = one.partner_column if is_other_partner else "period"
                cell, typed = one.row.address(column), one.row.text(column)
                self._note("returns-of-many", one.row.sheet, cell, value=typed)
                return False
        return True

    def _read_owner(self, one: FlatRow) -> None:
        row, column = one.row, one.partner_column
        for name, label in ((column, "partner-code-missing"), ("period", "period-missing")):
            if not row.text(name):
                heading = self.layout.part(INDICATORS).column(name).heading
                self._note(label, row.sheet, row.address(name), label=heading)
        if row.text(column):
            self._read_partner(row.cells()[column], row.sheet)
        if row.text("period"):
            self._read_period(SaidPeriod(row.cells()["period"], one.period), row.sheet)

    def _read_milestones(self, workbook: Workbook, layout: SheetLayout) -> None:
        # A partner without milestones may leave out their sheet.
        if (
            find_sheets(workbook, layout)
            or self.parsed.partner_code not in self.plan.milestones_of
            or self.plan.milestones_of[self.parsed.partner_code]
        ):
            for table in self._read_tables(workbook, layout):
                for row in table.rows:
                    self._read_milestone_row(row)

    def _read_labelled(self, workbook: Workbook, layout: SheetLayout) -> None:
        """Read figures beside labels that name their indicators."""
        sheets = find_sheets(workbook, layout)
        if not sheets:
            self._note("sheet-missing", layout.sheet, expected=layout.sheet)
            return
        self._note_sheets(INDICATORS, [sheet.name for sheet in sheets])
        self.parsed.whole_parts.add(INDICATORS)
        for sheet in sheets:
            for indicator, row in read_labelled_figures(sheet, layout):
                leaf = self.index.leaves[reference_key(indicator)]
                subject = Subject(leaf.indicator_ref, leaf.sub, leaf, None, False, None, None)
                self.parsed.indicator_rows.append(IndicatorRow(row, subject, "actual"))
                if self._is_asked_for(leaf):
                    self.parsed.figures.append(self._read_actual(row, leaf))

    def _read_banded(self, table: Table, layout: SheetLayout) -> None:
        """Read a table with bands and parents as rows."""
        said = layout.fit(table.sheet.name) or {}
        rows = BandedRows(self.plan, self.index, self.parsed.findings, ("actual", "marker"), False)
        for row in rows.of(table, self.index.outcome_of_band(said.get("outcome", ""))):
            self._keep_row(row, table)

    def _read_plain(self, table: Table) -> None:
        """Read a table with an indicator in each row."""
        known = KnownSubjects(self.index, table)
        is_whole = INDICATORS in self.parsed.whole_parts
        for row in table.rows:
            is_of_words = is_whole and not row.has_formulas
            words = known.words_of(row) if is_of_words else ()
            subject = known.find(words)
            if subject is None:
                subject = self._subject_of(row)
                if subject and is_of_words and row.is_filled("ref"):
                    known.keep(words, subject)
            if subject is not None:
                self._keep_row(IndicatorRow(row, subject, row.first_filled("actual", "marker")), table)

    def _keep_row(self, row: IndicatorRow, table: Table) -> None:
        self.parsed.indicator_rows.append(row)
        leaf = row.subject.leaf
        if leaf is None or (table.dated and table.is_of_other_period):
            return
        if "actual" in row.source.columns and self._is_asked_for(leaf):
            self.parsed.figures.append(self._read_actual(row.source, leaf))
        if table.dated:
            self._read_beside(row.source, leaf, table)

    def _read_beside(self, row: TableRow, leaf: Indicator, table: Table) -> None:
        """Read the figures of other periods, which are only compared: what cannot be read there is none."""
        figures = FigureReader(self.parsed.file, self.figures.known)
        for column in table.dated:
            if column.name == "actual" and row.cell(column.key) is not None:
                figure = figures.read(
                    row,
                    leaf,
                    self.parsed.partner_code,
                    column=column.key,
                    measure=Measure.ACTUAL,
                    period=column.period,
                )
                if figure.value is not None:
                    self.parsed.figures_beside.append(figure)

    def _note(self, code: str, sheet: str, cell: str = "", **words: object) -> None:
        self.parsed.findings.append(find(code, sheet=sheet, cell=cell, **words))

    def _read_cover(self, workbook: Workbook) -> None:
        layout = self.layout.find_part(COVER)
        cover = find_cover(workbook, self.layout)
        if layout is None:
            return
        if cover is None:
            self._note("sheet-missing", layout.sheet, expected=layout.sheet)
            return
        sheet, labels = cover
        self.parsed.sheets["cover"] = sheet.name
        texts = {name: read_text(cell) for name, cell in labels.items()}
        self.parsed.prepared_by, self.parsed.email = texts.get("prepared_by", ""), texts.get("email", "")
        self.parsed.contact_cells |= {(sheet.name, labels[name].address) for name in _CONTACTS if name in labels}
        partner, period = said_partner(labels, layout), said_period(labels, layout)
        for name, cell in (
            ("partner_code", partner),
            ("period", period.cell),
            ("prepared_by", labels.get("prepared_by")),
        ):
            if read_text(cell) or not self._is_asked(layout, name):
                continue
            is_formula = cell is not None and cell.is_formula
            code = "formula-not-calculated" if is_formula else f"{name.replace('_', '-')}-missing"
            self._note(code, sheet.name, cell.address if cell else "", label=_label(layout, name))
        if partner is not None and read_text(partner):
            self._read_partner(partner, sheet.name)
        if period.cell is not None and read_text(period.cell):
            self._read_period(period, sheet.name)
        if "date" in labels:
            self._read_date(labels["date"], sheet.name)
        if "partner" in labels and asks_for(layout, "partner_code"):
            self._judge_name(labels["partner"], sheet.name)
        if self.parsed.email and not _ADDRESS.search(self.parsed.email):
            self._note("email-not-an-address", sheet.name, labels["email"].address, value=self.parsed.email)

    def _judge_name(self, cell: Cell, sheet: str) -> None:
        """The name beside a partner's code is its own, or nobody's: another's is the form of another, or a wrong code.

        In another's folder the code has its own finding.
        """
        parsed, named = self.parsed, self.index.partner_named(read_text(cell))
        own = parsed.cover_partner
        if named and own and own == parsed.partner_code and own != named:
            words = {"partner": self.plan.partners[own].partner, "partner_code": own}
            self._note("partner-name-differs", sheet, cell.address, value=read_text(cell), **words)

    def _judge_second_returns(self, workbook: Workbook) -> None:
        """Say which sheets begin another return in the same file: of it nothing is read.

        A cover without a table that somebody filled in is no return, one that says the same partner and period is a
        copy of the return's own, and a sheet with another name for one of the return's own has its own finding.
        """
        read = self.parsed.parts_by_sheet
        if COVER not in self.parsed.sheets:
            return
        layout = self.layout.part(COVER)
        covers = tuple(
            (sheet, labels)
            for sheet, labels in find_further_covers(workbook, self.layout, read)
            if not self._is_named(sheet) and not self._is_own(labels, layout)
        )
        tables = find_further_tables(workbook, self.layout, read) if covers else {}
        if not covers or not any(tables.values()):
            return
        self.parsed.second_sheets = frozenset(tables) | {sheet.name for sheet, _ in covers}
        for sheet, labels in covers:
            self.parsed.contact_cells |= {(sheet.name, labels[name].address) for name in _CONTACTS if name in labels}
            partner, period = said_partner(labels, layout), said_period(labels, layout).cell
            said = [shorten(text) for text in (read_text(partner), read_text(period)) if text]
            cell = next((cell.address for cell in (partner, period) if cell), "")
            self._note("second-return", sheet.name, cell, value=read_text(partner), said_for=in_list(said))

    def _is_own(self, labels: Mapping[str, Cell], layout: SheetLayout) -> bool:
        """Whether a cover says the partner and the period of the return itself."""
        parsed, partner, period = self.parsed, said_partner(labels, layout), said_period(labels, layout).reading.period
        own = {parsed.partner_code, parsed.cover_partner}
        return self._partner_meant(read_text(partner), layout) in own and period == parsed.period

    def _partner_meant(self, typed: str, cover: SheetLayout | None) -> str:
        """The code of the partner that a cover says, by code or by name; empty if there is none."""
        has_code = cover is not None and asks_for(cover, "partner_code")
        return self.index.partners.get(reference_key(typed), "") if has_code else self.index.partner_named(typed)

    def _is_named(self, sheet: Sheet) -> bool:
        """Whether a sheet has the name of one of the layout's."""
        return any(part.is_named(sheet.name) for part in self.layout.sheets)

    def _is_asked(self, layout: SheetLayout, name: str) -> bool:
        """Whether a cover has to say a field: a layout of the plan's own may know the partner without it."""
        if name == "partner_code":
            return asks_for(layout, name) or not self.parsed.partner_code
        return name == "period" or any(column.column == name and column.is_required for column in layout.columns)

    def _read_partner(self, cell: Cell, sheet: str) -> None:
        typed, parsed, partners = read_text(cell), self.parsed, self.plan.partners
        partner_code = self._partner_meant(typed, self.layout.find_part(COVER))
        parsed.cover_partner = partner_code
        if not partner_code:
            self._note("partner-unknown", sheet, cell.address, value=typed, known=", ".join(partners))
        elif not parsed.partner_code:
            parsed.partner_code = partner_code
        elif parsed.partner_code != partner_code:
            words = {"folder": partners[parsed.partner_code].partner, "partner": partners[partner_code].partner}
            self._note("partner-not-folder", sheet, cell.address, value=typed, **words)

    def _read_period(self, said: SaidPeriod, sheet: str) -> None:
        cell, reading = said.cell, said.reading
        assert cell is not None  # noqa: S101 - the caller has looked
        typed, period = read_text(cell), reading.period
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

    def _read_tables(self, workbook: Workbook, layout: SheetLayout) -> list[Table]:
        """The tables of a part, one for each of its sheets; none, and a finding, if there is no such table."""
        sheets, part = self._sheets_of(workbook, layout), layout.part
        found = [(sheet, read_table(sheet, layout, self.parsed.period)) for sheet in sheets]
        if not sheets:
            renamed = self._find_renamed(workbook, layout)
            found = [(renamed.sheet, renamed)] if renamed else []
        tables = [table for _, table in found if table is not None]
        if not found:
            self._note("sheet-missing", layout.sheet, expected=layout.sheet)
        # A sheet that is named after an outcome has a table; of those that merely fit a pattern one must have it.
        lost = [
            sheet
            for sheet, table in found
            if table is None and (not tables or "outcome" in (layout.fit(sheet.name) or ()))
        ]
        for sheet in lost if tables else lost[:1]:
            headings = ", ".join(column.heading for column in layout.columns)
            self._note("headings-not-found", sheet.name, expected=headings)
        self._note_sheets(part, [table.sheet.name for table in tables] + [sheet.name for sheet in lost])
        if tables and not lost and all(self._has_keys(table, layout) for table in tables):
            self.parsed.whole_parts.add(part)
        for table in tables:
            self._judge_table(table, layout)
        return tables

    def _sheets_of(self, workbook: Workbook, layout: SheetLayout) -> list[Sheet]:
        """The sheets of a part; where its pattern names an outcome, those that are named after one of the plan's."""
        said = [(sheet, layout.fit(sheet.name) or {}) for sheet in find_sheets(workbook, layout)]
        return [
            sheet for sheet, words in said if "outcome" not in words or self.index.outcome_of_band(words["outcome"])
        ]

    def _has_keys(self, table: Table, layout: SheetLayout) -> bool:
        asked = [
            column for column in _KEY_COLUMNS[layout.part] if layout.has(column) and layout.column(column).is_required
        ]
        return all(column in table.columns for column in asked or _OTHER_KEY_COLUMNS if asked or layout.has(column))

    def _judge_table(self, table: Table, layout: SheetLayout) -> None:
        self.parsed.findings += table.findings
        self.parsed.tables.append(table)
        if not layout.has("ref"):
            blame_naming(table.columns)
        for row in table.rows:
            for column in row.uncalculated():
                if column in _TEXT_COLUMNS:
                    self._note("formula-not-calculated", row.sheet, row.address(column))

    def _note_sheets(self, part: str, names: list[str]) -> None:
        if names:
            self.parsed.sheets[part] = names[0]
            self.parsed.further_sheets |= dict.fromkeys(names[1:], part)

    def _find_renamed(self, workbook: Workbook, layout: SheetLayout) -> Table | None:
        """A sheet with another name that has every required heading, so that its other errors are found too."""
        required = {column.column for column in layout.columns if column.is_required}
        for sheet in workbook.sheets:
            if not self._is_named(sheet) and (table := read_table(sheet, layout)) and required <= table.columns.keys():
                self._note("sheet-renamed", sheet.name, expected=layout.sheet)
                return table
        return None

    def _judge_blank_formulas(self, row: TableRow) -> None:
        """Say where a formula came to nothing that should have said something; one never worked out has been said."""
        if not row.has_formulas:
            return
        for column in _FILLED_COLUMNS:
            cell = row.cell(column)
            if cell is not None and cell.is_formula and cell.value is not None and not read_text(cell):
                self._note("formula-not-calculated", row.sheet, row.address(column))

    def _subject_of(self, row: TableRow) -> Subject | None:
        """What a row is about, with what is wrong about it; None if it is no row about an indicator."""
        is_whole = INDICATORS in self.parsed.whole_parts
        typed_ref, typed_sub, definition = naming_of(row, self.index)
        typed = (typed_ref, typed_sub) if is_whole else ("", "")
        ref, sub, named, described, is_known, is_parent = self.index.meaning_of(*typed, definition)
        if is_whole and not is_known and described is None and self._judge_nameless(row):
            return None
        self._judge_blank_formulas(row)
        if is_whole and not row.is_filled("ref"):
            if self._is_every_row_referenced:
                self._note("row-without-ref", row.sheet, row.address("ref"))
            elif described is None:
                ref = ref or definition
                is_parent = not sub and reference_key(ref) in self.index.parents
        if is_whole and not is_known and _is_no_text(row.cell("ref")):
            self._note("reference-not-text", row.sheet, row.address("ref"), value=ref, thing="an indicator")
            ref, named = "", None
        edition = None if described or not named else self.index.edition_described(named, row.text("definition"))
        polarity, unit = row.known_text("good_performance"), row.known_text("unit")
        return Subject(ref, sub, named, described, is_parent, polarity, unit, edition)

    @property
    def _is_every_row_referenced(self) -> bool:
        layout = self.layout.part(INDICATORS)
        return layout.has("ref") and layout.column("ref").is_required

    def _is_asked_for(self, leaf: Indicator) -> bool:
        """Whether the return's quarter asks for a figure: a form of an older plan may have rows for others too."""
        period = self.parsed.period
        return period is None or not period.quarter or leaf.rhythm.asks(period, self.plan.calendar)

    def _judge_nameless(self, row: TableRow) -> bool:
        """Say what a row is that names nothing in the plan, if it is a note or a total; whether it is one."""
        if not holds_entry(row, self.layout.part(INDICATORS)):
            self.parsed.findings += find_text(row, "indicator")
            return True
        total = [*find_total(row)]
        self.parsed.findings += total
        return bool(total)

    def _read_actual(self, row: TableRow, leaf: Indicator) -> FigureRow:
        # As `row.cell` says, without its call: there are five for each row.
        cells, at = row.line.get, row.places.get
        marker, numerator, denominator = cells(at("marker", 0)), cells(at("numerator", 0)), cells(at("denominator", 0))
        beside = BLANK if marker is None else read_figure(marker)
        figure = self.figures.read(
            row,
            leaf,
            self.parsed.partner_code,
            column="actual",
            measure=Measure.ACTUAL,
            period=leaf.rhythm.period_in(self.parsed.period) if self.parsed.period else None,
            beside=beside,
        )
        if numerator is not None:
            figure.numerator = self.figures.read_part(figure, "numerator", numerator)
        if denominator is not None:
            figure.denominator = self.figures.read_part(figure, "denominator", denominator)
        if (comment := cells(at("comment", 0))) is not None:
            figure.comment = read_text(comment)
        if beside is not BLANK or figure.reading.value is None:
            has_marker = "marker" in row.columns or not self.layout.part(INDICATORS).has("marker")
            self.parsed.findings += _judge_marker(figure, beside, has_marker)
        return figure

    def _read_milestone_row(self, row: TableRow) -> None:
        meaning = self.index.milestone_meaning_of(row.text("milestone"), row.text("description"))
        milestone, named, described = meaning
        if MILESTONES in self.parsed.whole_parts:
            if named is described is None and not holds_entry(row, self.layout.part(MILESTONES)):
                self.parsed.findings += find_text(row, "milestone")
                return
            self._judge_blank_formulas(row)
            if not row.is_filled("milestone"):
                self._note("row-without-milestone", row.sheet, row.address("milestone"))
            if named is None and _is_no_text(row.cell("milestone")):
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


def _label(layout: SheetLayout, name: str) -> str:
    """What a cover calls a field, or the first of those that say it together."""
    names = {"partner_code": ("partner_code", "partner"), "period": ("period", "period_end", "quarter", "year")}
    for one in names.get(name, (name,)):
        if layout.has(one) and (words := layout.column(one).heading.partition("{")[0].rstrip(" :")):
            return words
    return name.replace("_", " ").capitalize()


def _judge_marker(figure: FigureRow, beside: Reading, has_marker: bool) -> Iterator[Finding]:
    """Check that the marker's cell has a marker that does not contradict the figure's cell.

    `has_marker` is false where the headings lack the column of markers: then nothing is known to be blank.
    """
    reading = figure.reading
    if beside.trouble == "formula-not-calculated":
        yield figure.find(beside.trouble, column="marker")
    elif beside.trouble or beside.value is not None:
        yield figure.find("marker-unknown", column="marker", value=beside.typed)
    elif beside.marker and (reading.value is not None or reading.marker not in (None, beside.marker)):
        yield figure.find("value-and-marker", column="marker", value=beside.typed, actual=reading.typed)
    elif beside.marker is None and has_marker and (reading.is_blank or reading.is_bare_qualifier):
        # A formula that came to nothing is no figure that was forgotten.
        blank = [column for column in (figure.column, "marker") if figure.source.is_blank_formula(column)]
        yield figure.find("formula-not-calculated", column=blank[0]) if blank else figure.find("value-missing")
