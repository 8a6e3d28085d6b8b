"""Checks workbooks: reads them, applies schemas and rules to their rows, and returns what may be loaded.

One workbook is a batch of one: the schemas see the rows of the whole batch at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import PurePath

from cypp_etl.checked_return import CheckedReturn, History, MilestoneReport, Observation
from cypp_etl.checking.collection import Piece, take_apart
from cypp_etl.checking.explanation import explain
from cypp_etl.checking.merged_cells import blame_merges
from cypp_etl.checking.opening import Opened, Received, open_return
from cypp_etl.findings import bounded, find, most_important_first
from cypp_etl.intake.figures import FigureReader, KnownValues
from cypp_etl.intake.published_table import PublishedReader
from cypp_etl.intake.return_workbook import ReturnReader
from cypp_etl.intake.rows import FigureRow, MilestoneRow, ParsedReturn
from cypp_etl.intake.tables import Table
from cypp_etl.intake.withheld import Withholding, contact
from cypp_etl.layout import PUBLISHED, Layout
from cypp_etl.periods import Period, quarter_of
from cypp_etl.personal import shown_file_name
from cypp_etl.plan.index import PlanIndex
from cypp_etl.plan.model import Milestone, Plan
from cypp_etl.rules.conformance import judge_conformance
from cypp_etl.rules.coverage import partner_of
from cypp_etl.rules.milestones import review_of, status_of
from cypp_etl.rules.registry import Case, Stage, judge_stage
from cypp_etl.rules.timing import is_open
from cypp_etl.rules.waivers import waive
from cypp_etl.workbook.model import Workbook

__all__ = ["PUBLISHER", "Checker", "Opened", "Received"]

# The owner of a published table: the Board itself, which is not a partner and owes no returns.
PUBLISHER = "board"


@dataclass(frozen=True)
class Checker:
    """What checking depends on: the plan, the history, and the day."""

    plan: Plan
    history: History
    today: date

    @cached_property
    def _index(self) -> PlanIndex:
        return PlanIndex.of(self.plan)

    @cached_property
    def _indexes(self) -> dict[int, tuple[Plan, PlanIndex]]:
        """The plan as it holds for some period and its index, by the plan's identity."""
        return {id(self.plan): (self.plan, self._index)}

    def _at(self, period: Period | None) -> tuple[Plan, PlanIndex]:
        """The plan as it holds for a period, and its index; where it is not known, for the last quarter that ended."""
        period = period or quarter_of(self.today).previous
        then = self.plan.at(period)
        if id(then) not in self._indexes:
            self._indexes[id(then)] = then, PlanIndex.of(self.plan, period)
        return self._indexes[id(then)]

    @cached_property
    def _known(self) -> KnownValues:
        return KnownValues(self.plan, self.history)

    def beside(self, history: History, today: date | None = None) -> "Checker":
        """The same checker with another history, on the same day or another; the plan is not indexed again."""
        other = replace(self, history=history, today=today or self.today)
        vars(other).update(_index=self._index, _indexes=self._indexes)
        return other

    def check(self, received: Received) -> CheckedReturn:
        """Read and check one workbook. Bad data becomes findings; nothing about the bytes makes this raise."""
        return self.check_batch([received])[0]

    def check_batch(self, batch: Sequence[Received]) -> list[CheckedReturn]:
        """Read and check workbooks, the schemas seeing all their rows at once; one result each, in order."""
        return self.check_opened([self.open(received) for received in batch])

    def open(self, received: Received) -> Opened:
        """Read one workbook, which needs no history, for a single call of `check_opened` of this or another checker."""
        return open_return(received, self.plan, self._index)

    def take_apart(self, received: Received) -> tuple[Piece, ...]:
        """The returns in a collection of many, each as a workbook of its own; none if it is not one."""
        return take_apart(received.data, PurePath(received.file).name, self.plan, self._index)

    def check_opened(self, batch: Sequence[Opened]) -> list[CheckedReturn]:
        """Check workbooks that were opened; the history must cover their `partner_codes`."""
        # One workbook after the other as far as may be: what a processor's caches hold of it takes half the time.
        read = [self._read_case(opened) for opened in batch]
        together: dict[int, list[ParsedReturn]] = {}
        for case in filter(None, read):
            together.setdefault(id(case.then), []).append(case.parsed)
        for number, alike in together.items():
            for owner, finding in judge_conformance(alike, self._indexes[number][1]):
                owner.findings.append(finding)
        return [self._conclude(opened, case) for opened, case in zip(batch, read, strict=True)]

    def _read_case(self, opened: Opened) -> Case | None:
        """The case that a workbook makes, up to where its rows are held against the schemas."""
        case = self._read_rows(opened)
        if case is not None:
            judge_stage(Stage.WORKBOOK, case)
        return case

    def _conclude(self, opened: Opened, case: Case | None) -> CheckedReturn:
        """Ask the other rules, and sum up."""
        if case is not None:
            self._judge_rows(case)
        checked = _as_checked(opened.parsed)
        return checked if opened.tried is None else replace(checked, explanation=explain(case, opened.tried))

    def _read_rows(self, opened: Opened) -> Case | None:
        """The case that a workbook makes before the rules, or None where its rows cannot be read."""
        workbook, parsed = opened.workbook, opened.parsed
        if workbook is None:
            return None
        figures = FigureReader(parsed.file, self._known, parsed.findings)
        if opened.table is not None:
            owner = self._read_published(opened.table, figures, parsed)
        elif opened.layout:
            owner = self._read_return(workbook, figures, parsed, self.plan.layouts[opened.layout])
        else:
            parsed.findings.append(find("layout-unknown"))
        if not parsed.layout:
            return None
        layout, history = self.plan.layouts[parsed.layout], self._own_history(parsed)
        return Case(workbook, layout, parsed, owner, self.plan, self._at(parsed.period)[0], history, self.today)

    def _read_return(self, workbook: Workbook, figures: FigureReader, parsed: ParsedReturn, layout: Layout) -> str:
        """Read the rows of a return, and tell whose they are."""
        parsed.layout, parsed.partner_code = layout.layout, parsed.partner_code or layout.partner_code
        ReturnReader(layout, self.plan, self._index, figures, parsed, self._at).read(workbook)
        # A row of a collection that names nobody we know may be anybody's: no partner is asked for the others.
        is_nobodys = layout.is_flat and not parsed.partner_code and not parsed.cover_partner
        owner = "" if is_nobodys else partner_of(parsed, self._at(parsed.period)[0])
        for figure in (*parsed.figures, *parsed.figures_beside):
            figure.partner_code = owner
        for row in parsed.milestone_rows:
            row.partner_code = owner
        return owner

    def _read_published(self, table: Table, figures: FigureReader, parsed: ParsedReturn) -> str:
        """Read the rows of a published table; a partner's folder is no place for one."""
        if parsed.partner_code:
            parsed.findings.append(find("published-table-in-folder", sheet=table.sheet.name))
        else:
            parsed.layout, parsed.partner_code = PUBLISHED, PUBLISHER
            then, index = self._at(table.year)
            PublishedReader(self.plan, index, figures, parsed, then.owners).read(table)
        return PUBLISHER

    def _judge_rows(self, case: Case) -> None:
        """Judge the rows: first each alone, then against each other, and those without errors against the history."""
        judge_stage(Stage.ROWS, case)
        # Before its period has opened, nothing is overdue, and nothing has changed.
        if is_open(case.parsed, self.plan, self.today):
            judge_stage(Stage.BESIDE_THE_KNOWN, case)
        judge_stage(Stage.SYMBOLS, case)
        blame_merges(case.workbook, case.parsed, case.layout)
        # What is rejected takes nobody's place.
        if case.parsed.is_sound:
            judge_stage(Stage.HOLD, case)
        case.parsed.findings = list(waive(case.parsed, self.history.waivers, self.today))

    def _own_history(self, parsed: ParsedReturn) -> History:
        """The history that a return may be compared with: none if its cover names a different partner from its folder.

        The person who reads the findings of such a return must not see another partner's history.
        """
        if parsed.layout != PUBLISHED and parsed.cover_partner not in ("", parsed.partner_code):
            return History(waivers=self.history.waivers)
        foreign = {row.known.milestone for row in parsed.milestone_rows if row.known} - {
            milestone.milestone
            for code in {row.partner_code for row in parsed.milestone_rows}
            for milestone in self.plan.milestones_of.get(code, ())
        }
        if not foreign:
            return self.history
        # A batch shares one history: a row about another partner's milestone is not compared with that.
        states = {key: state for key, state in self.history.milestone_states.items() if key[0] not in foreign}
        return replace(self.history, milestone_states=states)


def _as_checked(parsed: ParsedReturn) -> CheckedReturn:
    figures, reports = (parsed.figures, parsed.milestone_rows) if parsed.is_sound else ([], [])
    withholding = Withholding.of(parsed)
    # A row without a period or a milestone always has an ERROR.
    observations = [_as_observation(one, one.period, withholding) for one in figures if one.period]
    milestone_reports = [
        _as_report(row, row.known, row.period, withholding) for row in reports if row.known and row.period
    ]
    return CheckedReturn(
        file=parsed.file,
        file_name=shown_file_name(PurePath(parsed.file).name),
        sha256=parsed.sha256,
        content_sha256=parsed.content_sha256,
        layout=parsed.layout,
        partner_code=parsed.partner_code,
        period=parsed.period,
        prepared_by=contact(parsed.prepared_by),
        email=contact(parsed.email),
        findings=most_important_first(withholding.findings(bounded(parsed.findings))),
        observations=tuple(observations),
        milestone_reports=tuple(milestone_reports),
        withheld=tuple(withholding.texts.values()),
        sheet_names=withholding.sheet_names,
    )


def _as_observation(figure: FigureRow, period: Period, withholding: Withholding) -> Observation:
    cell, typed = figure.origin
    # Names would take as long again: a backfill makes hundreds of thousands.
    return Observation(
        figure.file,
        withholding.sheet(figure.source.sheet),
        cell,
        figure.partner_code,
        figure.leaf.indicator,
        figure.measure,
        period,
        figure.value,
        figure.marker,
        figure.qualifiers,
        typed,
        figure.numerator,
        figure.denominator,
        withholding.text(figure.source, "comment", figure.comment) if figure.comment else "",
    )


def _as_report(row: MilestoneRow, milestone: Milestone, period: Period, withholding: Withholding) -> MilestoneReport:
    return MilestoneReport(
        file=row.file,
        sheet=withholding.sheet(row.source.sheet),
        cell=row.source.address("status"),
        partner_code=row.partner_code,
        milestone=milestone.milestone,
        period=period,
        status=status_of(row),
        evidence=withholding.text(row.source, "evidence", row.evidence),
        review=review_of(row),
        reason=withholding.text(row.source, "reason", row.reason),
    )
