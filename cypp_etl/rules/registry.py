"""Every rule, in the order in which a workbook is held against them: start here.

A rule is a function that takes what it asks about, no more, and yields findings. `RULES` says what each is given, which
codes its findings may have, and of which layouts it is asked. Three sorts of finding come from elsewhere: what cannot
be read comes from `checking/opening.py` and `intake/`, and what a row must be on its own from `schemas/returns.py`, by
way of `conformance.py`, which sees the rows of many workbooks at once.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum
from functools import cached_property

from cypp_etl.checked_return import History
from cypp_etl.findings import Finding, bounded
from cypp_etl.intake.rows import FigureRow, ParsedReturn
from cypp_etl.layout import PUBLISHED, RETURN, Layout
from cypp_etl.periods import Period
from cypp_etl.plan.model import Plan
from cypp_etl.rules.arithmetic import judge_decimals, judge_populations, judge_ratios, judge_required_parts
from cypp_etl.rules.change import judge_beside, judge_change, judge_year
from cypp_etl.rules.coverage import Coverage, judge_partner, judge_references
from cypp_etl.rules.hidden import judge_hidden
from cypp_etl.rules.holds import judge_closed_correction, judge_fewer_figures, judge_other_period
from cypp_etl.rules.milestones import judge_due_days, judge_milestone_states, judge_reviews
from cypp_etl.rules.personal import judge_figures, judge_personal, suspect_sheets
from cypp_etl.rules.recalled import judge_recalled
from cypp_etl.rules.targets import judge_targets
from cypp_etl.rules.template import judge_entries, judge_form_period, judge_template, milestones_not_asked
from cypp_etl.rules.timing import (
    judge_closed_period,
    judge_content,
    judge_date,
    judge_period,
    judge_published_year,
)
from cypp_etl.rules.typed_symbols import judge_symbols
from cypp_etl.workbook.model import Workbook


class Stage(Enum):
    """When a rule is asked; the schemas see the rows after the first stage."""

    WORKBOOK = "the workbook as it came, before its rows are held against the schemas"
    ROWS = "the rows, each on its own and beside each other"
    BESIDE_THE_KNOWN = "the rows beside the plan and the past, once their period has opened"
    SYMBOLS = "the judgements that somebody typed beside figures that are now known to be right or wrong"
    HOLD = "a workbook with nothing to correct, beside what it would take the place of"


@dataclass(frozen=True)
class Case:
    """One workbook before the rules: its rows, and what they are held against.

    `owner` is the code of the partner whose return the rows make it, empty where they are nobody's. `then` is the plan
    as it holds for the workbook's period, `plan` that of all periods. `history` is what the workbook's owner may be
    told of.
    """

    workbook: Workbook
    layout: Layout
    parsed: ParsedReturn
    owner: str
    plan: Plan
    then: Plan
    history: History
    today: date

    @property
    def figures(self) -> Iterator[FigureRow]:
        """The figures with nothing to correct so far."""
        return self.parsed.sound_figures()

    @cached_property
    def suspects(self) -> frozenset[str]:
        """The names of the sheets that are read and may hold personal data: others may be large."""
        read = {*self.parsed.parts_by_sheet, *(figure.source.sheet for figure in self.parsed.figures)}
        return suspect_sheets(sheet for sheet in self.workbook.sheets if sheet.name in read)

    @cached_property
    def owed_figures(self) -> list[FigureRow]:
        """Those among them that their partner owes: only they are compared with the past."""
        owed = self.then.obliged
        figures = list(self.figures)
        # Sets: of a form of 448 rows, each row would otherwise be looked for among as many.
        known = {code: frozenset(owed.get(code, ())) for code in {each.partner_code for each in figures}}
        return [each for each in figures if each.leaf.indicator in known[each.partner_code]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: the codes that its findings may have, how it is asked, and when.

    `layouts` are those of which it is asked; every layout that a plan brings is one of a return.
    `is_bounded` where a single mistake may give a finding for each cell of a sheet.
    """

    stage: Stage
    codes: Collection[str]
    judge: Callable[[Case], Iterable[Finding]]
    layouts: Collection[str] = (RETURN, PUBLISHED)
    is_bounded: bool = False


def _judge_coverage(case: Case) -> Iterable[Finding]:
    not_asked = milestones_not_asked(case.workbook, case.layout)
    return Coverage(case.parsed, case.then, case.owner, case.plan, case.history, not_asked).judge()


def _judge_what_the_form_says(case: Case) -> Iterable[Finding]:
    def differences_from(period: Period) -> Iterable[Finding]:
        parsed = case.parsed if period == case.parsed.period else replace(case.parsed, period=period)
        return (*judge_targets(parsed, case.plan), *judge_recalled(parsed, case.history, case.plan))

    return judge_form_period(differences_from, case.parsed, case.workbook, case.layout)


RULES: tuple[Rule, ...] = (
    Rule(
        Stage.WORKBOOK,
        ("template-differs",),
        lambda case: judge_template(case.workbook, case.layout, case.plan),
        layouts=(RETURN,),
    ),
    Rule(
        Stage.WORKBOOK,
        ("form-not-filled-in",),
        lambda case: judge_entries(case.parsed, case.layout),
        layouts=(RETURN,),
    ),
    Rule(
        Stage.WORKBOOK,
        ("published-year-unknown",),
        lambda case: judge_published_year(case.parsed, case.plan),
        layouts=(PUBLISHED,),
    ),
    Rule(
        Stage.WORKBOOK,
        ("personal-data", "personal-data-sheet"),
        lambda case: judge_personal(case.workbook, case.parsed, case.suspects),
        is_bounded=True,
    ),
    Rule(Stage.WORKBOOK, ("not-a-figure",), lambda case: judge_figures(case.figures, case.suspects)),
    Rule(
        Stage.WORKBOOK,
        (
            "hidden-sheet",
            "hidden-row",
            "hidden-column",
            "sheet-twice",
            "sheet-not-read",
            "cell-comment",
            "cell-link",
            "macros",
            "external-links",
            "pivot-cache",
            "formats-unknown",
        ),
        lambda case: judge_hidden(case.workbook, case.layout, case.parsed),
        is_bounded=True,
    ),
    Rule(Stage.ROWS, ("reference-differs", "definition-differs"), lambda case: judge_references(case.parsed)),
    Rule(
        Stage.ROWS,
        ("partner-ended", "partner-not-begun"),
        lambda case: judge_partner(case.parsed, case.plan),
        layouts=(RETURN,),
    ),
    Rule(
        Stage.ROWS,
        (
            "indicator-missing",
            "sub-indicator-missing",
            "indicator-not-owed",
            "indicator-not-asked",
            "indicator-ended",
            "indicator-not-begun",
            "milestone-missing",
            "milestone-not-owed",
            "milestone-ended",
            "milestone-not-begun",
        ),
        _judge_coverage,
        layouts=(RETURN,),
    ),
    Rule(Stage.ROWS, ("review-without-reason",), lambda case: judge_reviews(case.parsed)),
    Rule(Stage.ROWS, ("due-differs",), lambda case: judge_due_days(case.parsed), layouts=(RETURN,)),
    Rule(Stage.ROWS, ("too-many-decimals",), lambda case: judge_decimals(case.figures)),
    Rule(Stage.ROWS, ("ratio-incomplete", "ratio-differs"), lambda case: judge_ratios(case.figures)),
    Rule(Stage.ROWS, ("ratio-part-missing",), lambda case: judge_required_parts(case.figures), layouts=(RETURN,)),
    Rule(Stage.ROWS, ("period-not-open",), lambda case: judge_period(case.parsed, case.plan, case.today)),
    Rule(
        Stage.BESIDE_THE_KNOWN,
        ("date-before-period", "date-to-come"),
        lambda case: judge_date(case.parsed, case.plan, case.today),
        layouts=(RETURN,),
    ),
    Rule(Stage.BESIDE_THE_KNOWN, ("same-content",), lambda case: judge_content(case.parsed, case.history)),
    Rule(
        Stage.BESIDE_THE_KNOWN,
        ("closed-period-changed",),
        lambda case: judge_closed_period(case.owed_figures, case.history, case.parsed.period),
    ),
    Rule(
        Stage.BESIDE_THE_KNOWN,
        ("population-differs",),
        lambda case: judge_populations(case.owed_figures, case.history, case.plan),
    ),
    Rule(
        Stage.BESIDE_THE_KNOWN,
        ("large-change", "large-change-explained", "unchanged"),
        lambda case: judge_change(case.owed_figures, case.history, case.plan),
        layouts=(RETURN,),
    ),
    Rule(
        Stage.BESIDE_THE_KNOWN,
        ("earlier-figure-differs", "later-figure"),
        lambda case: judge_beside(case.parsed, case.history, case.plan),
        layouts=(RETURN,),
    ),
    Rule(
        Stage.BESIDE_THE_KNOWN,
        ("year-differs",),
        lambda case: judge_year(case.owed_figures, case.history, case.plan),
        layouts=(RETURN,),
    ),
    Rule(
        Stage.BESIDE_THE_KNOWN,
        ("target-differs", "last-figure-differs", "form-of-other-period"),
        _judge_what_the_form_says,
        layouts=(RETURN,),
    ),
    Rule(
        Stage.BESIDE_THE_KNOWN,
        ("status-missing", "status-not-given", "milestone-overdue", "milestone-missed-early", "milestone-moved-back"),
        lambda case: judge_milestone_states(case.parsed, case.history),
        layouts=(RETURN,),
    ),
    Rule(
        Stage.SYMBOLS,
        ("symbol-differs",),
        lambda case: judge_symbols(case.parsed, case.plan, case.layout.part("table")),
        layouts=(PUBLISHED,),
    ),
    Rule(
        Stage.HOLD,
        ("held-closed-period",),
        lambda case: judge_closed_correction(case.parsed, case.owed_figures, case.history),
    ),
    Rule(
        Stage.HOLD,
        ("held-fewer-figures",),
        lambda case: judge_fewer_figures(case.parsed, case.history),
        layouts=(RETURN,),
    ),
    Rule(
        Stage.HOLD,
        ("held-other-period",),
        lambda case: judge_other_period(case.parsed, case.history, case.plan, case.today),
        layouts=(RETURN,),
    ),
)


def judge_stage(stage: Stage, case: Case) -> None:
    """Ask the rules of a stage in turn, and add what they find to the workbook's findings.

    A rule sees what those before it found: a cell with something to correct is compared with nothing.
    """
    layout = RETURN if case.layout.is_return else case.layout.layout
    for rule in RULES:
        if rule.stage is stage and layout in rule.layouts:
            found = rule.judge(case)
            case.parsed.findings += bounded(found) if rule.is_bounded else found
