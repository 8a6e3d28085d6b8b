"""Checks that a return has all rows that are owed, and no others, and that rows do not contradict themselves."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from cypp_etl.checked_return import History
from cypp_etl.findings import Finding, find
from cypp_etl.intake.rows import IndicatorRow, MilestoneRow, ParsedReturn
from cypp_etl.phrases import in_list
from cypp_etl.plan.model import Indicator, Plan
from cypp_etl.plan.rhythm import QUARTERLY, Rhythm
from cypp_etl.plan.spans import Span


def partner_of(parsed: ParsedReturn, plan: Plan) -> str:
    """The partner whose return it is, judging by the rows: the one who owes most of them, of the possible partners.

    A workbook in the wrong folder, or with a mistyped code, is one finding; compared with another partner's
    plan, every one of its rows would be one too. Empty if no partner owes the rows.
    """
    named = [code for code in (parsed.cover_partner, parsed.partner_code) if code]
    indicators = {row.subject.leaf.indicator for row in parsed.indicator_rows if row.subject.leaf}
    milestones = {row.known.milestone for row in parsed.milestone_rows if row.known}

    def owed(code: str) -> int:
        theirs = {milestone.milestone for milestone in plan.milestones_of.get(code, ())}
        return len(indicators & set(plan.owed_by.get(code, ()))) + len(milestones & theirs)

    likeliest = max(named or plan.partners, key=owed, default="")
    return likeliest if named or (likeliest and owed(likeliest)) else ""


def judge_references(parsed: ParsedReturn) -> Iterator[Finding]:
    """A row that names one thing and describes another may have the figure of either."""
    for row in parsed.indicator_rows:
        said = row.subject
        if not said.is_consistent and said.named and said.described:
            ref, described = said.named.indicator, said.described.indicator
            yield row.find("reference-differs", "ref", value=ref, described=described)
        elif said.other_edition and not said.described:
            yield row.find("definition-differs", "definition", when=said.other_edition.span)
    for report in parsed.milestone_rows:
        if not report.is_consistent and report.described:
            yield report.find("reference-differs", "milestone", described=report.described.milestone)


def judge_partner(parsed: ParsedReturn, plan: Plan) -> Iterator[Finding]:
    """A body that has ended, or has yet to begin, returns nothing; late returns for its own time are taken."""
    partner = plan.partners.get(parsed.partner_code)
    if partner and parsed.period and not partner.span.covers(parsed.period):
        (sheet, cell), period = parsed.period_cell, parsed.period.label
        code = "partner-ended" if partner.span.last_day < parsed.period.last_day else "partner-not-begun"
        yield find(code, sheet=sheet, cell=cell, value=period, partner=partner.partner, when=partner.span)


@dataclass(frozen=True, slots=True)
class Coverage:
    """Compares the rows of one return with what a partner owes: `plan` is as it holds for the return's period.

    `everything` is the plan of all periods. `not_asked` are the milestones that its form left out, and `history` says
    which it should have: as achieved, or withdrawn.
    """

    parsed: ParsedReturn
    plan: Plan
    partner_code: str
    everything: Plan
    history: History = field(default_factory=History)
    not_asked: Collection[str] = ()

    def judge(self) -> Iterator[Finding]:
        """Every finding about missing and surplus rows; none if it is not known who owes them."""
        if self.partner_code in self.plan.partners:
            yield from self._judge_indicators_owed()
            yield from self._judge_milestones_owed()

    def _judge_indicators_owed(self) -> Iterator[Finding]:
        """Each indicator that the partner owes has a row, and no other has one."""
        owed = self.plan.owed_by.get(self.partner_code, ())
        if self.parsed.period is None:
            # It is not known what the return asks for, but for what every quarter's does.
            owed = tuple(each for each in owed if self.plan.indicators[each].rhythm.asked_in == QUARTERLY.asked_in)
        rows = self.parsed.indicator_rows
        about = [(row.subject, row) for row in rows]
        named = {said.named.indicator: row for said, row in about if said.named and said.is_consistent}
        present = {said.leaf.indicator for said, _ in about if said.leaf}
        if "indicators" in self.parsed.whole_parts:
            sheet = self.parsed.sheets["indicators"]
            families = {said.leaf.indicator_ref for said, _ in about if said.leaf}
            for leaf in (self.plan.indicators[indicator] for indicator in owed if indicator not in present):
                has_sibling = bool(leaf.sub) and leaf.indicator_ref in families
                code = "sub-indicator-missing" if has_sibling else "indicator-missing"
                yield find(code, sheet=sheet, indicator=leaf.indicator, definition=leaf.definition)
        obliged = frozenset(self.plan.obliged.get(self.partner_code, ()))
        asked = frozenset(owed)
        for indicator, row in named.items():
            its = row.subject.named
            if its and indicator not in self.plan.indicators:
                yield self._judge_time(row, "indicator", "ref", its.span)
            elif indicator not in asked and indicator not in obliged:
                owners = [self.plan.partners[code].partner for code in self.plan.owners.get(indicator, ())]
                yield row.find("indicator-not-owed", "ref", indicator=indicator, owners=in_list(owners) or "no partner")
            elif indicator not in asked and its:
                yield from self._judge_unasked(row, its)

    def _judge_unasked(self, row: IndicatorRow, leaf: Indicator) -> Iterator[Finding]:
        """A quarter's form of an older plan may ask for what is now asked in other quarters only."""
        period = self.parsed.period
        if row.figure_column and period is not None and period.quarter:
            words = {"period": period.label, "asked_in": _in_words(leaf.rhythm)}
            yield row.find("indicator-not-asked", row.figure_column, indicator=leaf.indicator, **words)

    def _judge_milestones_owed(self) -> Iterator[Finding]:
        """Each milestone that the partner is asked about has a row, and no other partner's has one."""
        owed = {milestone.milestone: milestone for milestone in self.plan.milestones_of.get(self.partner_code, ())}
        rows = self.parsed.milestone_rows
        present = {row.known.milestone for row in rows if row.known}
        if "milestones" in self.parsed.whole_parts:
            sheet = self.parsed.sheets["milestones"]
            for code, milestone in owed.items():
                if code not in present and not self._is_left_out(code):
                    yield find("milestone-missing", sheet=sheet, milestone=code, description=milestone.description)
        for row in rows:
            if not row.named or not row.is_consistent or row.named.milestone in owed:
                continue
            if row.named.milestone in self.plan.milestones:
                yield row.find("milestone-not-owed", "milestone")
            else:
                span = self.everything.actions[row.named.action_id].span
                yield self._judge_time(row, "milestone", "milestone", span)

    def _is_left_out(self, milestone: str) -> bool:
        """Whether a milestone has no row since there is nothing to ask.

        The form says so too: what was reported may have been corrected since the form was made, and a partner who
        checks a return at home has no history.
        """
        period = self.parsed.period
        return milestone in self.not_asked or (period is not None and self.history.is_settled(milestone, period))

    def _judge_time(self, row: IndicatorRow | MilestoneRow, thing: str, column: str, span: Span) -> Finding:
        """What a row is about exists, but not in the return's period."""
        has_ended = self.parsed.period is None or span.last_day < self.parsed.period.last_day
        return row.find(f"{thing}-{'ended' if has_ended else 'not-begun'}", column, when=span)


def _in_words(rhythm: Rhythm) -> str:
    """The returns that ask for an indicator."""
    quarters = [f"Q{quarter}" for quarter in rhythm.asked_in if quarter]
    return in_list(quarters) or "the return for the whole year"
