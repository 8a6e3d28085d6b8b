"""Checks workbooks: reads them, holds their rows against schemas and rules, and gives what may be loaded.

One workbook is a batch of one: the schemas see the rows of the whole batch at once.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import PurePath

from cypp_etl.findings import Finding, find
from cypp_etl.intake.figures import FigureReader, known_values
from cypp_etl.intake.published import read_published
from cypp_etl.intake.returns import read_return
from cypp_etl.intake.rows import FigureRow, MilestoneRow, ParsedReturn, PlanIndex
from cypp_etl.intake.tables import Table, find_sheet, read_labels, read_table
from cypp_etl.intake.values import read_text
from cypp_etl.layout import Layout, read_layouts
from cypp_etl.plan_model import Plan
from cypp_etl.rules import arithmetic, change, coverage, hidden, milestones
from cypp_etl.rules.conformance import judge_conformance
from cypp_etl.rules.published import judge_symbols
from cypp_etl.submission import CheckedReturn, History, MilestoneReport, Observation
from cypp_etl.workbook.model import UnreadableWorkbook, Workbook
from cypp_etl.workbook.reader import read_workbook
from schemas.codes import Severity

RETURN, PUBLISHED = "return", "published"

# Who a published table is from: the board itself, which is nobody's partner and owes no returns.
PUBLISHER = "board"


@dataclass(frozen=True, slots=True)
class Received:
    """A workbook as it came: its path as given, its bytes, and the partner whose folder it lay in, if any."""

    file: str
    data: bytes
    folder_partner: str = ""


@dataclass(frozen=True)
class Checker:
    """What checking depends on: the plan, what was known before, and the day on which it is done."""

    plan: Plan
    history: History
    today: date

    @cached_property
    def _index(self) -> PlanIndex:
        return PlanIndex.of(self.plan)

    @cached_property
    def _known(self) -> dict[str, set]:  # type: ignore[type-arg]
        return known_values(self.plan, self.history)

    def check(self, received: Received) -> CheckedReturn:
        """Read and check one workbook. Bad data becomes findings; nothing about the bytes makes this raise."""
        return self.check_batch([received])[0]

    def check_batch(self, batch: Sequence[Received]) -> list[CheckedReturn]:
        """Read and check workbooks, the schemas seeing all their rows at once; one result each, in order."""
        parsed = [self._parse(received) for received in batch]
        for owner, finding in judge_conformance(parsed, self._index):
            owner.findings.append(finding)
        for one in parsed:
            self._judge(one)
        return [_as_checked(one) for one in parsed]

    def _parse(self, received: Received) -> ParsedReturn:
        parsed = ParsedReturn(received.file, hashlib.sha256(received.data).hexdigest(), "", received.folder_partner)
        try:
            workbook = read_workbook(received.data, PurePath(received.file).name)
        except UnreadableWorkbook as unreadable:
            parsed.findings.append(find(unreadable.code, **unreadable.words))
            return parsed
        self._read_layout(workbook, parsed)
        return parsed

    def _read_layout(self, workbook: Workbook, parsed: ParsedReturn) -> None:
        layouts = read_layouts()
        figures = FigureReader(parsed.file, self.plan, self._known, parsed.findings)
        if _looks_like_return(workbook, layouts[RETURN]):
            parsed.layout = RETURN
            read_return(workbook, layouts[RETURN], self.plan, self._index, figures, parsed)
            parsed.findings += _judge_template(workbook, layouts[RETURN], self.plan)
        elif table := _find_published_table(workbook, layouts[PUBLISHED]):
            parsed.layout = PUBLISHED
            if parsed.partner_code:
                parsed.findings.append(find("published-table-in-folder", sheet=table.sheet.name))
                return
            parsed.partner_code = PUBLISHER
            read_published(table, self.plan, self._index, figures, parsed)
            if parsed.period not in self.plan.calendar:
                parsed.findings.append(find("published-year-unknown", sheet=table.sheet.name))
        else:
            parsed.findings.append(find("layout-unknown"))
            return
        parsed.findings += hidden.judge_hidden(workbook, layouts[parsed.layout], parsed)

    def _judge(self, parsed: ParsedReturn) -> None:
        findings = parsed.findings
        findings += coverage.judge_period(parsed, self.plan, self.today)
        findings += coverage.judge_closed_period(parsed, self.history)
        findings += arithmetic.judge_decimals(parsed)
        findings += arithmetic.judge_ratios(parsed)
        findings += arithmetic.judge_populations(parsed, self.history)
        if parsed.layout == RETURN:
            findings += coverage.judge_indicators_owed(parsed, self.plan)
            findings += coverage.judge_milestones_owed(parsed, self.plan)
            findings += change.judge_change(parsed, self.history)
            findings += milestones.judge_milestone_states(parsed, self.history)
        if parsed.layout == PUBLISHED and _is_sound(findings):
            findings += judge_symbols(parsed, self.plan, read_layouts()[PUBLISHED].part("table"))


def _looks_like_return(workbook: Workbook, layout: Layout) -> bool:
    """A return has its cover, or both its tables; one missing sheet is a finding, not another layout."""
    found = {part.part for part in layout.sheets if not part.is_hidden and find_sheet(workbook, part)}
    return "cover" in found or {"indicators", "milestones"} <= found


def _find_published_table(workbook: Workbook, layout: Layout) -> Table | None:
    """The published table, on whichever sheet it stands: other people's workbooks name theirs as they like."""
    part = layout.part("table")
    required = {column.column for column in part.columns if column.is_required}
    sheets = sorted(workbook.sheets, key=lambda sheet: not part.is_named(sheet.name))
    tables = (table for sheet in sheets if (table := read_table(sheet, part)) is not None)
    return next((table for table in tables if required <= table.columns.keys()), None)


def _judge_template(workbook: Workbook, layout: Layout, plan: Plan) -> list[Finding]:
    """Note a template that was made from another plan; a workbook without our hidden sheet is nobody's fault."""
    meta = layout.part("meta")
    sheet = find_sheet(workbook, meta)
    labels = read_labels(sheet, meta.columns) if sheet else {}
    fingerprint = read_text(labels.get("plan_fingerprint"))
    return [find("template-differs")] if fingerprint and fingerprint != plan.fingerprint else []


def _is_sound(findings: Sequence[Finding]) -> bool:
    return all(finding.severity is not Severity.ERROR for finding in findings)


def _as_checked(parsed: ParsedReturn) -> CheckedReturn:
    sound = _is_sound(parsed.findings)
    order = {severity: rank for rank, severity in enumerate(Severity)}
    return CheckedReturn(
        file=parsed.file,
        file_name=PurePath(parsed.file).name,
        sha256=parsed.sha256,
        layout=parsed.layout,
        partner_code=parsed.partner_code,
        period=parsed.period,
        prepared_by=parsed.prepared_by,
        email=parsed.email,
        findings=tuple(sorted(parsed.findings, key=lambda finding: order[finding.severity])),
        observations=tuple(map(_as_observation, parsed.figures)) if sound else (),
        milestone_reports=tuple(map(_as_report, parsed.milestone_rows)) if sound else (),
    )


def _as_observation(figure: FigureRow) -> Observation:
    assert figure.period is not None, "a return without a period has an ERROR, and none of it is loaded"  # noqa: S101
    return Observation(
        file=figure.file,
        sheet=figure.source.sheet,
        cell=figure.cell,
        partner_code=figure.partner_code,
        indicator=figure.leaf.indicator,
        measure=figure.measure,
        period=figure.period,
        value=figure.value,
        marker=figure.marker,
        qualifiers=figure.qualifiers,
        typed=figure.reading.typed,
        numerator=figure.numerator,
        denominator=figure.denominator,
        comment=figure.comment,
    )


def _as_report(row: MilestoneRow) -> MilestoneReport:
    assert row.period is not None and row.known is not None, "an unknown milestone is an ERROR"  # noqa: S101, PT018
    return MilestoneReport(
        file=row.file,
        sheet=row.source.sheet,
        cell=row.source.address("status"),
        partner_code=row.partner_code,
        milestone=row.known.milestone,
        period=row.period,
        status=milestones.status_of(row),
        evidence=row.evidence,
        review=milestones.review_of(row),
        reason=row.reason,
    )
