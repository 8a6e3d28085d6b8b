"""The result of reading and checking a workbook: tidy rows with their cells, and findings."""

from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from cypp_etl.figure_keys import FigureKey
from cypp_etl.findings import Finding, holds
from cypp_etl.periods import Period
from schemas.codes import (
    SETTLED_MILESTONES,
    Marker,
    Measure,
    MilestoneStatus,
    Qualifier,
    Review,
    Severity,
    SubmissionStatus,
)


class Observation(NamedTuple):
    """One value of one indicator in one period, or the marker that says why there is none, with its cell.

    `value`, `numerator` and `denominator` are in the indicator's unit (percentages in percentage points) and carry
    at most 15 significant digits, as Excel does, so that they survive a double. `typed` is what was typed. A tuple,
    because a backfill makes hundreds of thousands.
    """

    file: str
    sheet: str
    cell: str
    partner_code: str
    indicator: str
    measure: Measure
    period: Period
    value: Decimal | None
    marker: Marker | None
    qualifiers: frozenset[Qualifier]
    typed: str
    numerator: Decimal | None = None
    denominator: Decimal | None = None
    comment: str = ""


class MilestoneReport(NamedTuple):
    """A partner's report on one milestone in one period; `status` is None if nothing was reported."""

    file: str
    sheet: str
    cell: str
    partner_code: str
    milestone: str
    period: Period
    status: MilestoneStatus | None
    evidence: str
    review: Review | None
    reason: str


@dataclass(frozen=True, slots=True)
class WithheldText:
    """A text that may hold personal data, its cell, and the mark that is loaded instead."""

    sheet: str
    cell: str
    mark: str
    text: str


@dataclass(frozen=True, slots=True)
class CellRead:
    """What one cell of a workbook became: `became` is the part that it plays, in words.

    `indicator`, `period` and `value` are those of a figure, empty for other cells; `value` is in the indicator's unit,
    or a marker. `typed` is empty where it may hold personal data.
    """

    sheet: str
    cell: str
    typed: str
    became: str
    indicator: str = ""
    period: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class TriedLayout:
    """A layout of the plan's own beside a workbook: how many required headings were found, and which were not."""

    layout: str
    found: int
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LayoutExplanation:
    """How a workbook was read: its layout, empty if none was recognised, those that were tried, and its cells."""

    layout: str
    tried: tuple[TriedLayout, ...]
    cells: tuple[CellRead, ...]


@dataclass(frozen=True, slots=True)
class CheckedReturn:
    """One workbook, read and checked. Nothing of it may be loaded unless `is_accepted`.

    `file` is the path as given, `file_name` its last part as it may be displayed. `sha256` is of the bytes,
    `content_sha256` of the cells' content, empty if none could be read. `partner_code` and `period` are empty or
    None if the workbook does not name them. `prepared_by` and `email` are as typed.
    No finding or row holds a text in which personal data was recognised: marks replace them, and the texts of
    rows are in `withheld`. `sheet_names` are the real names of sheets, by their displayed names. `explanation` says how
    it was read, if that was asked for.
    """

    file: str
    file_name: str
    sha256: str
    layout: str
    partner_code: str
    period: Period | None
    prepared_by: str
    email: str
    findings: tuple[Finding, ...]
    observations: tuple[Observation, ...]
    milestone_reports: tuple[MilestoneReport, ...]
    content_sha256: str = ""
    withheld: tuple[WithheldText, ...] = ()
    sheet_names: Mapping[str, str] = field(default_factory=dict)
    explanation: LayoutExplanation | None = None

    @property
    def is_accepted(self) -> bool:
        """Whether no finding is an ERROR."""
        return all(finding.severity is not Severity.ERROR for finding in self.findings)


class KnownFigure(NamedTuple):
    """A figure in force in the warehouse, as the rules that look back need it; `submission_id` is whose it is.

    A tuple, because each row of a return looks back on one at least.
    """

    value: Decimal | None
    marker: Marker | None
    qualifiers: frozenset[Qualifier] = frozenset()
    numerator: Decimal | None = None
    denominator: Decimal | None = None
    comment: str = ""
    submission_id: int | None = None


@dataclass(frozen=True, slots=True)
class KnownContent:
    """The content of the submission in force for a partner and period, as the SHA-256 of its cells."""

    submission_id: int
    content_sha256: str


@dataclass(frozen=True, slots=True)
class Waiver:
    """The data team's decision that a query needs no answer: which query, partner, reason, name, and until when.

    `subject` is an indicator or a milestone, empty for all of the partner's; `period` is None for every period. A
    later waiver with the same query, partner, subject and period replaces an earlier one.
    """

    code: str
    partner_code: str
    subject: str
    period: Period | None
    reason: str
    waived_by: str
    until: date


class StoredFigures(Mapping[FigureKey, KnownFigure]):
    """Figures in force as they are stored, which are converted once a rule asks: most ask for values alone."""

    @abstractmethod
    def actuals(self, partner_code: str, period: str) -> Mapping[str, Decimal]:
        """The values of a partner's actuals of a period, by indicator; an actual without a value is left out."""


ValuesByIndicator = Mapping[str, Collection[Decimal]]


@dataclass(frozen=True)
class History:
    """What was known before a workbook arrived: passed to the rules, which never query the warehouse.

    `figures` holds what is in force, of the periods at least that the rules look back on; `closed` the periods of which
    nothing changes without a question or a decision; `milestone_states` the last state reported, by milestone and
    period. `all_values_of` gives the values of all periods of a partner, by indicator, where `figures` does not hold
    them: few returns need them.
    """

    figures: Mapping[FigureKey, KnownFigure] = field(default_factory=dict)
    closed: frozenset[Period] = frozenset()
    milestone_states: Mapping[tuple[str, Period], MilestoneStatus] = field(default_factory=dict)
    contents: Mapping[tuple[str, Period], KnownContent] = field(default_factory=dict)
    waivers: tuple[Waiver, ...] = ()
    all_values_of: Callable[[str], ValuesByIndicator] | None = None

    def actuals(self, partner_code: str, period: Period) -> Mapping[str, Decimal]:
        """The values of a partner's actuals of a period, by indicator; an actual without a value is left out."""
        key = partner_code, period.code
        if isinstance(self.figures, StoredFigures):
            return self.figures.actuals(*key)
        return self._actuals.get(key, {})

    @cached_property
    def _actuals(self) -> Mapping[tuple[str, str], Mapping[str, Decimal]]:
        actuals: dict[tuple[str, str], dict[str, Decimal]] = {}
        for key, figure in self.figures.items():
            if figure.value is not None and key.measure == Measure.ACTUAL:
                actuals.setdefault((key.partner_code, key.period), {})[key.indicator] = figure.value
        return actuals

    def values_of(self, partner_code: str) -> ValuesByIndicator:
        """The values in force of a partner's figures, of any measure and period, by indicator."""
        return self.all_values_of(partner_code) if self.all_values_of else self._values.get(partner_code, {})

    @cached_property
    def _values(self) -> Mapping[str, ValuesByIndicator]:
        values: dict[str, dict[str, set[Decimal]]] = {}
        for key, figure in self.figures.items():
            if figure.value is not None:
                values.setdefault(key.partner_code, {}).setdefault(key.indicator, set()).add(figure.value)
        return values

    def last_state(self, milestone: str, period: Period) -> MilestoneStatus | None:
        """The last status reported for a period that ended before this one; a year ends with its fourth quarter."""
        by_day, last_day = self._states_by_day, period.last_day
        if milestone not in by_day:
            reported = self._states_of.get(milestone, ())
            by_day[milestone] = sorted((known.last_day, state) for known, state in reported)
        return next((state for day, state in reversed(by_day[milestone]) if day < last_day), None)

    @cached_property
    def _states_by_day(self) -> dict[str, Sequence[tuple[date, MilestoneStatus]]]:
        """The statuses by the last days of their periods, of the milestones of which somebody has asked."""
        return {}

    def is_settled(self, milestone: str, period: Period) -> bool:
        """Whether a milestone was achieved or withdrawn before a period: its return does not ask about it again."""
        return self.last_state(milestone, period) in SETTLED_MILESTONES

    def figures_of(self, submission_id: int) -> Mapping[FigureKey, KnownFigure]:
        """The figures in force that came with a submission, as far as `figures` holds them."""
        return self._by_submission.get(submission_id, {})

    @cached_property
    def _by_submission(self) -> Mapping[int | None, Mapping[FigureKey, KnownFigure]]:
        found: dict[int | None, dict[FigureKey, KnownFigure]] = {}
        for key, figure in self.figures.items():
            found.setdefault(figure.submission_id, {})[key] = figure
        return found

    @cached_property
    def _states_of(self) -> Mapping[str, Sequence[tuple[Period, MilestoneStatus]]]:
        """The reported statuses of each milestone, with their periods."""
        states: dict[str, list[tuple[Period, MilestoneStatus]]] = {}
        for (milestone, period), state in self.milestone_states.items():
            states.setdefault(milestone, []).append((period, state))
        return states


def status_of(checked: CheckedReturn) -> SubmissionStatus:
    """The status that a checked return would have if it were recorded."""
    if not checked.is_accepted:
        return SubmissionStatus.REJECTED
    if any(map(holds, checked.findings)):
        return SubmissionStatus.HELD
    return accepted_status(checked)


def accepted_status(checked: CheckedReturn) -> SubmissionStatus:
    """The status of a checked return that is accepted, whether or not it was held before."""
    has_queries = any(finding.severity is Severity.QUERY for finding in checked.findings)
    return SubmissionStatus.ACCEPTED_WITH_QUERIES if has_queries else SubmissionStatus.ACCEPTED
