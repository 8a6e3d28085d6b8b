"""What is owed is there, and what is not owed is not; the return comes in time, and for the period it says."""

from collections.abc import Iterator
from datetime import date

from cypp_etl.findings import Finding, find
from cypp_etl.intake.rows import ParsedReturn
from cypp_etl.plan_model import Plan
from cypp_etl.submission import History
from schemas.codes import Measure


def judge_period(parsed: ParsedReturn, plan: Plan, today: date) -> Iterator[Finding]:
    """A return may come from the day on which its period opens; later than due is late, but never refused."""
    entry = plan.calendar.get(parsed.period) if parsed.period else None
    if parsed.period is not None and entry is not None and today < entry.opens_on:
        yield find("period-not-open", value=parsed.period.label, opens_on=f"{entry.opens_on:%-d %B %Y}")


def judge_indicators_owed(parsed: ParsedReturn, plan: Plan) -> Iterator[Finding]:
    """Each indicator that the partner owes has its row, and no other has one."""
    owed = plan.owed_by.get(parsed.partner_code)
    if owed is None:
        return
    returned = {row.leaf.indicator: row for row in parsed.indicator_rows if row.leaf}
    sheet = next((row.source.sheet for row in parsed.indicator_rows), "")
    families = {plan.indicators[indicator].indicator_ref for indicator in returned}
    for indicator in owed:
        if indicator not in returned:
            leaf = plan.indicators[indicator]
            has_sibling = bool(leaf.sub) and leaf.indicator_ref in families
            code = "sub-indicator-missing" if has_sibling else "indicator-missing"
            yield find(code, sheet=sheet, indicator=indicator, definition=leaf.definition)
    for indicator, row in returned.items():
        if indicator not in owed:
            words = {"value": row.indicator_ref, "indicator": indicator}
            owners = ", ".join(plan.partners[code].partner for code in plan.owners.get(indicator, ())) or "nobody"
            yield find(
                "indicator-not-owed", sheet=row.source.sheet, cell=row.source.address("ref"), owners=owners, **words
            )


def judge_milestones_owed(parsed: ParsedReturn, plan: Plan) -> Iterator[Finding]:
    """Each milestone that the partner reports on has its row, and no other partner's has one."""
    owed = {milestone.milestone for milestone in plan.milestones_of.get(parsed.partner_code, ())}
    if not parsed.partner_code or not parsed.milestone_rows:
        return
    returned = {row.known.milestone: row for row in parsed.milestone_rows if row.known}
    sheet = parsed.milestone_rows[0].source.sheet
    for milestone in sorted(owed - returned.keys()):
        yield find("milestone-missing", sheet=sheet, milestone=milestone, description=plan.milestones[milestone].description)
    for milestone in sorted(returned.keys() - owed):
        yield returned[milestone].find("milestone-not-owed", "milestone")


def judge_closed_period(parsed: ParsedReturn, history: History) -> Iterator[Finding]:
    """A figure for a closed period that is new or changed is for the data team to accept."""
    if parsed.period not in history.closed:
        return
    for figure in parsed.figures:
        if figure.measure is not Measure.ACTUAL or figure.period is None:
            continue
        before = history.figures.get((figure.partner_code, figure.measure, figure.leaf.indicator, figure.period))
        if before is None or (before.value, before.marker) != (figure.value, figure.marker):
            was = "nothing" if before is None else before.marker or f"{before.value:f}"
            yield figure.find("closed-period-changed", period=figure.period.label, was=was)
