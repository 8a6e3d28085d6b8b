"""Tidy rows as read, before anything is judged: every one knows its file, its sheet and its cells."""

from dataclasses import dataclass, field
from decimal import Decimal

from cypp_etl.findings import Finding, find
from cypp_etl.intake.tables import TableRow
from cypp_etl.intake.values import Reading
from cypp_etl.periods import Period
from cypp_etl.plan_model import Indicator, Milestone, Plan
from schemas.codes import Marker, Measure, Qualifier


@dataclass(slots=True)
class IndicatorRow:
    """A row that speaks of an indicator: what it says the indicator is, against what the plan says.

    `leaf` is None where the row is a parent's, or of no indicator in the plan. `inherited_polarity` is the good
    performance typed on the parent's row above, for layouts where it stands there alone. `unit` is None where the
    layout has no such column.
    """

    file: str
    source: TableRow
    indicator_ref: str
    sub: str
    leaf: Indicator | None
    is_parent: bool
    good_performance: str
    unit: str | None
    has_figure: bool


@dataclass(slots=True)
class FigureRow:
    """One figure of one leaf: a cell that will be an observation.

    `value` is in the indicator's unit, percentages in points. `column` is the layout's name of the figure's column.
    `period` is None where the workbook does not say for when it is: its other faults are found all the same.
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

    @property
    def cell(self) -> str:
        """The address of the figure's cell."""
        return self.source.address(self.column)

    def find(self, code: str, *, column: str = "", **words: object) -> Finding:
        """Make a finding at this figure's cell, or at another column of its row."""
        words.setdefault("value", self.source.text(column) if column else self.reading.typed)
        words.setdefault("indicator", self.leaf.indicator)
        return find(code, sheet=self.source.sheet, cell=self.source.address(column or self.column), **words)


@dataclass(slots=True)
class MilestoneRow:
    """A row that reports on a milestone; `known` is None where the plan has no such milestone."""

    file: str
    source: TableRow
    milestone: str
    known: Milestone | None
    partner_code: str
    period: Period | None
    status: str
    evidence: str
    review: str
    reason: str

    def find(self, code: str, column: str, **words: object) -> Finding:
        """Make a finding at a column of this row."""
        words.setdefault("value", self.source.text(column))
        words.setdefault("milestone", self.milestone)
        return find(code, sheet=self.source.sheet, cell=self.source.address(column), **words)


@dataclass(slots=True)
class ParsedReturn:
    """One workbook as tidy rows, with what was found on the way. Partner and period are empty where it says neither.

    `typed_judgements` are the judgement columns that a published table brings: row, column name and text.
    """

    file: str
    sha256: str
    layout: str
    partner_code: str = ""
    period: Period | None = None
    prepared_by: str = ""
    email: str = ""
    indicator_rows: list[IndicatorRow] = field(default_factory=list)
    figures: list[FigureRow] = field(default_factory=list)
    milestone_rows: list[MilestoneRow] = field(default_factory=list)
    typed_judgements: list[tuple[FigureRow, str, str]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def reference_key(text: str) -> str:
    """A reference without case and spacing: `ni111 A` is `NI 111a`."""
    return "".join(text.split()).casefold()


@dataclass(frozen=True)
class PlanIndex:
    """Looks up what a partner typed in the plan."""

    leaves: dict[str, Indicator]
    references: frozenset[str]
    parents: frozenset[str]
    milestones: dict[str, Milestone]
    partners: dict[str, str]

    @classmethod
    def of(cls, plan: Plan) -> "PlanIndex":
        """Index a plan's references by `reference_key`."""
        leaves = {reference_key(code): leaf for code, leaf in plan.indicators.items()}
        parents = frozenset(reference_key(code) for code in plan.parents)
        references = parents | {reference_key(leaf.indicator_ref) for leaf in plan.indicators.values()}
        milestones = {reference_key(code): milestone for code, milestone in plan.milestones.items()}
        partners = {reference_key(code): code for code in plan.partners}
        return cls(leaves, references, parents, milestones, partners)

