"""Tidy rows as read, before anything is judged: each has its file, its sheet and its cells."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from cypp_etl.findings import Finding, find
from cypp_etl.intake.tables import Table, TableRow
from cypp_etl.intake.values import BLANK, Reading
from cypp_etl.periods import Period
from cypp_etl.plan.model import Indicator, Milestone
from schemas.codes import Marker, Measure, Qualifier, Severity


@dataclass(slots=True, eq=False)
class Subject:
    """What a row is about by its words: what it says about its indicator, and what the plan says.

    It identifies the indicator twice: `named` is the leaf of its reference, `described` the leaf of its definition,
    each None if the plan has none. `indicator_ref` is empty if there is no reference to judge. `good_performance`
    and `unit` are None if they are not to be judged, because the layout has no such column or says it elsewhere.
    `other_edition` is the edition of `named` whose definition it has, if that is not the period's. `leaf` is what it is
    about, and `is_consistent` whether reference and definition do not contradict each other. `words` are what its
    schema looks at, but for the plan. Rows share it, so that it must not be changed.
    """

    indicator_ref: str
    sub: str
    named: Indicator | None
    described: Indicator | None
    is_parent: bool
    good_performance: str | None
    unit: str | None
    other_edition: Indicator | None = None
    # A dozen rules ask each row for them.
    leaf: Indicator | None = field(init=False)
    is_consistent: bool = field(init=False)
    words: tuple[Hashable, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Tell what it is about: a definition is rarely changed by mistake, a reference easily."""
        self.leaf = self.described or self.named
        self.is_consistent = self.named is None or self.described is None or self.named is self.described
        described = self.described.indicator if self.described else ""
        self.words = self.indicator_ref, self.sub, described, self.good_performance, self.unit, self.is_parent


@dataclass(slots=True)
class IndicatorRow:
    """A row about an indicator: rows with the same words share their `subject`.

    `figure_column` is the first of its columns with a figure.
    """

    source: TableRow
    subject: Subject
    figure_column: str

    def find(self, code: str, column: str, **words: object) -> Finding:
        """Make a finding at a column of this row."""
        subject, leaf = self.subject, self.subject.leaf
        words.setdefault("value", self.source.text(column))
        words.setdefault("indicator", leaf.indicator if leaf else f"{subject.indicator_ref} {subject.sub}".strip())
        return find(code, sheet=self.source.sheet, cell=self.source.address(column), **words)


@dataclass(slots=True)
class FigureRow:
    """One figure of one leaf: a cell that will be an observation.

    `value` is in the indicator's unit, percentages in points. `column` is the layout's name of the figure's column.
    `period` is None where the workbook does not say for when it is: its other faults are found all the same. `beside`
    is what the column of markers says.
    """

    file: str
    source: TableRow
    column: str
    leaf: Indicator
    partner_code: str
    measure: Measure
    period: Period | None
    reading: Reading
    value: Decimal | None
    marker: Marker | None
    qualifiers: frozenset[Qualifier]
    numerator: Decimal | None = None
    denominator: Decimal | None = None
    comment: str = ""
    beside: Reading = BLANK

    @property
    def cell(self) -> str:
        """The address of the figure's cell."""
        return self.source.address(self.column)

    @property
    def origin(self) -> tuple[str, str]:
        """The address of the cell that says what is loaded, and what was typed there: that of a marker is its own."""
        if self.value is None and self.reading.marker is None and self.beside.marker is not None:
            return self.source.address("marker"), self.beside.typed
        return self.source.address(self.column), self.reading.typed

    def find(self, code: str, *, column: str = "", **words: object) -> Finding:
        """Make a finding at this figure's cell, or in another column of its row."""
        words.setdefault("value", self.source.text(column) if column else self.reading.typed)
        words.setdefault("indicator", self.leaf.indicator)
        return find(code, sheet=self.source.sheet, cell=self.source.address(column or self.column), **words)


@dataclass(slots=True)
class MilestoneRow:
    """A row that reports on a milestone.

    `named` is the milestone of its reference, `described` the milestone of its description, each None if the plan
    has none.
    """

    file: str
    source: TableRow
    milestone: str
    named: Milestone | None
    described: Milestone | None
    partner_code: str
    period: Period | None
    status: str
    evidence: str
    review: str
    reason: str

    @property
    def known(self) -> Milestone | None:
        """What the row is about, as for an indicator's row."""
        return self.described or self.named

    @property
    def is_consistent(self) -> bool:
        """Whether the row's reference and description do not contradict each other."""
        return self.named is None or self.described is None or self.named is self.described

    def find(self, code: str, column: str, **words: object) -> Finding:
        """Make a finding at a column of this row."""
        words.setdefault("value", self.source.text(column))
        words.setdefault("milestone", self.known.milestone if self.known else self.milestone)
        return find(code, sheet=self.source.sheet, cell=self.source.address(column), **words)


@dataclass(slots=True)
class ParsedReturn:
    """One workbook as tidy rows, with the findings so far. Partner and period are empty if it names neither.

    `cover_partner` is the partner on the cover, which may differ from the folder's partner; `period_cell` is the
    sheet and cell that say the period. `dated` is the day that the cover says it was finished on, in `date_cell`.
    `contact_cells` are those that say who prepared it, by sheet and address.
    `sheets` are the names of the sheets that were read, by the layout's part; `further_sheets` those of one of which a
    layout has several, with their parts. `second_sheets` are those of further returns in the file, of which none is
    read. `tables` are those that were found. `whole_parts` are the tables that have
    the columns that say what each row is about: only of these can it be said what is missing. `figures_beside` are
    figures of other periods that stand beside the return's own, and are not loaded. `typed_judgements` are the
    judgement columns that a published table brings: figure, column name and text.
    """

    file: str
    sha256: str
    layout: str
    partner_code: str = ""
    content_sha256: str = ""
    cover_partner: str = ""
    period: Period | None = None
    period_cell: tuple[str, str] = ("", "")
    dated: date | None = None
    date_cell: tuple[str, str] = ("", "")
    prepared_by: str = ""
    email: str = ""
    contact_cells: set[tuple[str, str]] = field(default_factory=set)
    sheets: dict[str, str] = field(default_factory=dict)
    further_sheets: dict[str, str] = field(default_factory=dict)
    second_sheets: frozenset[str] = frozenset()
    tables: list[Table] = field(default_factory=list)
    whole_parts: set[str] = field(default_factory=set)
    indicator_rows: list[IndicatorRow] = field(default_factory=list)
    figures: list[FigureRow] = field(default_factory=list)
    figures_beside: list[FigureRow] = field(default_factory=list)
    milestone_rows: list[MilestoneRow] = field(default_factory=list)
    typed_judgements: list[tuple[FigureRow, str, str]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def parts_by_sheet(self) -> dict[str, str]:
        """The part of each sheet that was read, by its name; of two parts on one sheet, the table."""
        return {name: part for part, name in self.sheets.items()} | self.further_sheets

    @property
    def is_sound(self) -> bool:
        """Whether there is no finding that must be corrected."""
        return all(finding.severity is not Severity.ERROR for finding in self.findings)

    def sound_figures(self) -> Iterator[FigureRow]:
        """The figures without errors in their own cells: a wrong figure is not compared with anything.

        Otherwise a mistyped figure would also be a large change, and contradict its numerator.
        """
        wrong = {(finding.sheet, finding.cell) for finding in self.findings if finding.severity is Severity.ERROR}
        if not wrong:
            return iter(self.figures)
        return (figure for figure in self.figures if (figure.source.sheet, figure.cell) not in wrong)
