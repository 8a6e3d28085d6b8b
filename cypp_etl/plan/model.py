"""The plan as immutable values: all reference data, read once from CSV."""

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property, lru_cache
from itertools import accumulate, pairwise
from typing import NamedTuple

from cypp_etl.decimals import unit_text, unit_words
from cypp_etl.layout import Layout, read_layouts
from cypp_etl.periods import Period, quarter_of
from cypp_etl.phrases import short_list
from cypp_etl.plan.rhythm import Rhythm
from cypp_etl.plan.spans import OPEN, Span, turning_days
from schemas.codes import (
    Accumulation,
    ActionKind,
    ClinicRule,
    ComparatorMethod,
    Frequency,
    Marker,
    Measure,
    Polarity,
    ReportedYear,
    Unit,
    YearType,
)
from schemas.plan import EVERY_PARTNER, NEIGHBOURS, OWN_GROUP


@dataclass(frozen=True, slots=True)
class Body:
    """Whose plan it is: the body's name, which may be empty, the title of its reports, and when clinics open.

    `quartiles_from` is how many members of a group with a figure make quartiles.
    """

    body: str = ""
    report_title: str = "Performance report"
    clinics_from: ClinicRule = ClinicRule.BETTER
    quartiles_from: int = 8


@dataclass(frozen=True, slots=True)
class About:
    """What people have noted on a row of the plan, each part possibly empty; no judgement rests on it."""

    note: str = ""
    source: str = ""
    url: str = ""
    owner: str = ""


NOTHING_NOTED = About()


@dataclass(frozen=True, slots=True)
class Outcome:
    """One of the outcomes; `table_heading` is the published table's spelling, if it differs."""

    outcome_code: str
    outcome: str
    table_heading: str


@dataclass(frozen=True, slots=True)
class Aspiration:
    """An aspiration of an outcome. `focus_on` names the group if only part of it is an area of focus."""

    aspiration: str
    outcome_code: str
    text: str
    is_area_of_focus: bool
    focus_on: str
    about: About = field(default=NOTHING_NOTED, compare=False)


@dataclass(frozen=True, slots=True)
class Action:
    """An existing plan or strategy, or an additional partnership action, that serves an aspiration."""

    action_id: str
    aspiration: str
    kind: ActionKind
    action: str
    detail: str
    strategic_lead: str
    lead_officer: str
    partner_code: str
    span: Span = OPEN


@dataclass(frozen=True, slots=True)
class Milestone:
    """What an action delivers, and when. `is_due_stated` is false if only the year is known."""

    milestone: str
    action_id: str
    financial_year: Period
    description: str
    due: date
    is_due_stated: bool
    about: About = field(default=NOTHING_NOTED, compare=False)


@dataclass(frozen=True, slots=True)
class Partner:
    """An organisation that owes returns, in a group of partners or in none.

    `successor` is the partner that takes its series over after the last period, or empty.
    """

    partner_code: str
    partner: str
    group_code: str = ""
    span: Span = OPEN
    successor: str = ""
    about: About = field(default=NOTHING_NOTED, compare=False)


@dataclass(frozen=True, slots=True)
class Group:
    """Partners that are added up, such as a region; part of another group or of none."""

    group_code: str
    group: str
    parent_group: str


@dataclass(frozen=True, slots=True)
class Comparator:
    """What figures are compared with: given in the plan or a return, or computed from the figures of other bodies.

    `bodies` says whose: `neighbours`, `own group`, a group's code, or `*` for every partner; empty if it is given.
    """

    comparator: str
    heading: str
    method: ComparatorMethod = ComparatorMethod.GIVEN
    bodies: str = ""

    @property
    def is_given(self) -> bool:
        """Whether its figures are given, rather than computed."""
        return self.method is ComparatorMethod.GIVEN


BUILT_IN_COMPARATORS = {
    Measure.STATISTICAL_NEIGHBOURS.value: Comparator(Measure.STATISTICAL_NEIGHBOURS.value, "Statistical neighbours"),
    Measure.NATIONAL.value: Comparator(Measure.NATIONAL.value, "National"),
}
"""The comparators of a plan that does not say which it has."""


# A plan of many bodies has tens of thousands, which every command makes as it starts.
class Obligation(NamedTuple):
    """That a partner returns an indicator, and when."""

    partner_code: str
    indicator: str
    span: Span = OPEN


@dataclass(frozen=True, slots=True)
class Banding:
    """The margins of the bands, and of what counts as a large change.

    `target_margin_percent` is a share of the target's size, in percent; `target_margin_steps` is in units of
    the last decimal; `comparator_margin` is in the indicator's unit; `large_change_percent` is a share of the
    previous value's size, in percent, and `large_change_margin` is in the indicator's unit: a large change exceeds
    both. `population_margin_percent` is a share of the population that a number and its rate imply.
    """

    target_margin_percent: Decimal
    target_margin_steps: int
    comparator_margin: Decimal
    large_change_percent: Decimal
    population_margin_percent: Decimal
    large_change_margin: Decimal = Decimal(0)


DEFINITION_SEPARATOR = " – "
"""What stands between a parent's definition and that of its sub-indicator."""


def full_definition(parent_definition: str, definition: str) -> str:
    """A definition behind that of the parent, if there is one."""
    return f"{parent_definition}{DEFINITION_SEPARATOR}{definition}" if parent_definition else definition


def own_definition(text: str) -> str:
    """The definition of a sub-indicator of which `text` is the full one."""
    return text.rpartition(DEFINITION_SEPARATOR)[2]


@dataclass(frozen=True, slots=True)
class Indicator:
    """A leaf: an indicator that carries values, or a sub-indicator of a parent that carries none.

    `minimum`, `maximum`, `range_low` and `range_high` are in the indicator's unit. `multiplier` turns numerator over
    denominator into the value (100 for percentage points), 0 if it has neither. `number_indicator` is the leaf, with
    the unit number, that counts this rate's numerator. `parent_definition` is empty for an indicator without
    subs.

    It is one edition of several where the plan defines the indicator differently from some period on: `edition` counts
    them from 1, `span` is the time that this one holds for, and `is_comparable` says whether its figures compare with
    those of the edition before, whatever has changed. Where the margins change within an edition, there is one value
    for each time, with the same `edition`. `rhythm` says when it is asked. `aspirations` are those that it measures,
    as far as the plan says so. `unit_label` is what people read for the unit, empty for the unit's own name; `currency`
    is the symbol of the currency of money, empty for everything else. `stated_to_compare` is whether the plan says that
    the figures of bodies compare, None if it does not say. `about` is no part of what makes two editions differ.
    """

    indicator: str
    indicator_no: str
    indicator_ref: str
    sub: str
    outcome_code: str
    definition: str
    parent_definition: str
    polarity: Polarity
    range_low: Decimal | None
    range_high: Decimal | None
    unit: Unit
    decimals: int
    minimum: Decimal | None
    maximum: Decimal | None
    accumulation: Accumulation
    multiplier: int
    number_indicator: str
    banding: Banding
    edition: int = 1
    span: Span = OPEN
    is_comparable: bool = False
    frequency: Frequency = Frequency.QUARTERLY
    asked_in: tuple[int, ...] = (1, 2, 3, 4)
    year_type: YearType = YearType.FINANCIAL
    reports_on: ReportedYear = ReportedYear.THIS_YEAR
    aspirations: tuple[str, ...] = ()
    unit_label: str = ""
    currency: str = ""
    stated_to_compare: bool | None = None
    about: About = field(default=NOTHING_NOTED, compare=False)
    # Every row of every return asks for it.
    rhythm: Rhythm = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Put together what four columns say of its rhythm."""
        rhythm = Rhythm(self.frequency, self.asked_in, self.year_type, self.reports_on)
        object.__setattr__(self, "rhythm", rhythm)

    def ends_comparing(self, earlier: "Indicator") -> bool:
        """Whether this edition counts something else than the one before, and does not say that it compares."""
        if self.edition == earlier.edition or self.is_comparable:
            return False
        return self._what_is_counted != earlier._what_is_counted

    @property
    def _what_is_counted(self) -> tuple[object, ...]:
        # A quarter's own figure and a sum so far are not the same thing either.
        unit = self.unit, self.unit_label, self.currency
        return self.definition, self.parent_definition, self.polarity, unit, self.accumulation

    @property
    def full_definition(self) -> str:
        """Its definition, behind that of its parent if it has one."""
        return full_definition(self.parent_definition, self.definition)

    @property
    def unit_text(self) -> str:
        """What people read for the unit: `per 1,000 births`, `£ per child`, or the unit's own name."""
        return unit_text(self.unit.value, self.unit_label, self.currency)

    @property
    def unit_words(self) -> str:
        """What people read behind a figure."""
        return unit_words(self.unit, self.unit_label)

    @property
    def is_count(self) -> bool:
        """Whether its figures are whole numbers of something; a number with decimals is an average or an equivalent."""
        return self.unit is Unit.NUMBER and not self.decimals

    def year_before(self, period: Period) -> tuple[Period, ...]:
        """The periods of last year whose figures a figure can be compared with, the best first.

        A whole year is like a quarter only if figures do not add up over the year.
        """
        return _year_before(period, not period.quarter or not self.accumulates)

    @property
    def adds_up_over_bodies(self) -> bool:
        """Whether the figures of several bodies make one by their sum; otherwise by what they were made of, if at all.

        A spending of the year adds up, and so do days lost; a cost per child, an average wait and a score do not.
        """
        return self.unit is Unit.NUMBER or (self.unit in (Unit.MONEY, Unit.DAYS) and self.accumulates)

    @property
    def compares_bodies(self) -> bool:
        """Whether the figure of one body may be set against another's: in a band, a rank or a quartile.

        What a group adds up depends on the size of each body, so that it compares only where the plan says so.
        """
        return not self.adds_up_over_bodies if self.stated_to_compare is None else self.stated_to_compare

    @property
    def is_ranked(self) -> bool:
        """Whether bodies are ranked by it: their figures compare, and a direction is good, or a band."""
        return self.compares_bodies and self.polarity is not Polarity.NONE

    @property
    def accumulates(self) -> bool:
        """Whether the year's quarters add up, so that a quarter cannot be compared with a whole year."""
        return self.accumulation in (Accumulation.SUM, Accumulation.CUMULATIVE)


@dataclass(frozen=True, slots=True)
class Parent:
    """An indicator without values of its own; `polarity` is None if each sub-indicator has its own."""

    indicator_no: str
    indicator_ref: str
    outcome_code: str
    definition: str
    polarity: Polarity | None
    span: Span = OPEN


@dataclass(frozen=True, slots=True)
class Figure:
    """A value of the plan's own, in the indicator's unit, or the marker that says why there is none."""

    value: Decimal | None
    marker: Marker | None
    source: str


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """When the returns for a period open, and when they are due."""

    period: Period
    opens_on: date
    due_on: date


@dataclass(frozen=True)
class Plan:
    """All reference data. Mappings are keyed by code and keep the plan's order.

    A plan holds for years, and what it says may differ from one period to the next: `at` is the plan as it holds for a
    period. `indicators` and `parents` have the latest edition of each, those that have ended too; `editions` has all of
    a leaf's, ascending, and `parent_editions` those of a parent. `owed_by` has the indicators that each partner
    returns, at any time; `obligations` says when; `obliged` has those that some return asks for, if not this one.

    `figures` has the targets, history and comparators that hold for every partner by measure, indicator and period;
    `partner_figures` those of one partner alone, by its code. A measure is a `Measure` or the code of a comparator.
    `layouts` are the built-in ones and the plan's own, by name.
    `fingerprint` is the SHA-256 of what the plan says, `former_fingerprint` that of its `files`, which are stored by
    name, as they were read; older warehouses and forms know the plan by the latter.
    """

    fingerprint: str
    outcomes: Mapping[str, Outcome]
    aspirations: Mapping[str, Aspiration]
    actions: Mapping[str, Action]
    milestones: Mapping[str, Milestone]
    partners: Mapping[str, Partner]
    parents: Mapping[str, Parent]
    indicators: Mapping[str, Indicator]
    figures: Mapping[tuple[str, str, Period], Figure]
    owed_by: Mapping[str, tuple[str, ...]]
    calendar: Mapping[Period, CalendarEntry]
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    body: Body = field(default_factory=Body)
    groups: Mapping[str, Group] = field(default_factory=dict)
    editions: Mapping[str, tuple[Indicator, ...]] = field(default_factory=dict, repr=False)
    parent_editions: Mapping[str, tuple[Parent, ...]] = field(default_factory=dict, repr=False)
    obligations: tuple[Obligation, ...] = field(default=(), repr=False)
    partner_figures: Mapping[str, Mapping[tuple[str, str, Period], Figure]] = field(default_factory=dict, repr=False)
    comparators: Mapping[str, Comparator] = field(default_factory=lambda: BUILT_IN_COMPARATORS, repr=False)
    neighbours: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    layouts: Mapping[str, Layout] = field(default_factory=read_layouts, repr=False)
    former_fingerprint: str = ""

    def is_known_as(self, fingerprint: str) -> bool:
        """Whether a fingerprint, which may be older than this program, is this plan's."""
        return fingerprint in (self.fingerprint, self.former_fingerprint)

    def at(self, period: Period) -> "Plan":
        """The plan as it holds for a period: what holds on the period's last day.

        Its indicators are the editions that hold then, and `owed_by` says what the return for the period asks for: of a
        quarter, what its form asks for; of a year, what no quarter's form asks for, or everything where that is
        nothing: the year's outturn. What has not begun, or has ended, is not in it.
        """
        if not self._turning_days and not self._is_asked_at_times:
            return self
        # Which quarters of a year are in the calendar says what the year's own return asks for.
        quarters = () if period.quarter else tuple(one in self.calendar for one in period.quarters)
        key = bisect_right(self._turning_days, period.last_day), period.quarter, quarters
        if key not in self._held:
            self._held[key] = self._restricted(period)
        return self._held[key]

    def editions_of(self, indicator: str) -> tuple[Indicator, ...]:
        """The editions of a leaf, ascending; one that replaced the latest in `indicators` is the only one.

        Raises:
            KeyError: the plan has no such leaf.
        """
        latest = self.indicators[indicator]
        editions = self.editions.get(indicator, (latest,))
        return editions if editions[-1] is latest else (latest,)

    def edition(self, indicator: str, period: Period) -> Indicator:
        """The edition that describes a period: the last one that has begun, or the first, even if it has ended.

        Raises:
            KeyError: the plan has no such leaf.
        """
        first, *later = self.editions_of(indicator)
        return next((each for each in reversed(later) if each.span.first_day <= period.last_day), first)

    def eras_of(self, indicator: str) -> tuple[int, ...]:
        """For each edition of a leaf a number: figures of two editions compare if it is the same.

        It counts the editions up to it that count something else than the one before.
        """
        editions = self.editions_of(indicator)
        return tuple(accumulate([0, *(later.ends_comparing(earlier) for earlier, later in pairwise(editions))]))

    def compares(self, partner_code: str, indicator: str, period: Period, other: Period) -> bool:
        """Whether a partner's figures of two periods count the same thing, for the same body."""
        if indicator in self.always_comparable(partner_code):
            return True
        editions = self.editions_of(indicator)
        if len(editions) > 1:
            eras = dict(zip(editions, self.eras_of(indicator), strict=True))
            if eras[self.edition(indicator, period)] != eras[self.edition(indicator, other)]:
                return False
        taken_over = self.taken_over.get(partner_code)
        return not taken_over or all(
            (first.last_day <= period.last_day) == (first.last_day <= other.last_day)
            for taken, first in taken_over
            if taken == indicator
        )

    def always_comparable(self, partner_code: str) -> Collection[str]:
        """The indicators of which a partner's figures of any two periods compare: of most plans all."""
        return frozenset() if partner_code in self.taken_over else self._never_changed

    @cached_property
    def _never_changed(self) -> frozenset[str]:
        """The indicators with one edition alone: of most, every row of a return asks whether its figures compare."""
        return frozenset(indicator for indicator in self.indicators if len(self.editions_of(indicator)) == 1)

    @cached_property
    def taken_over(self) -> Mapping[str, tuple[tuple[str, Period], ...]]:
        """The indicators that each partner takes over from partners that have ended, with the first quarter of each.

        From then on it counts for another body: what it returned before does not compare.
        """
        taken: dict[str, dict[tuple[str, Period], None]] = {}
        for partner in self.partners.values():
            if partner.successor and partner.span.last_period:
                first = quarter_of(partner.span.last_day + timedelta(days=1))
                of_successor = taken.setdefault(partner.successor, {})
                of_successor.update({(name, first): None for name in self.owed_by[partner.partner_code]})
        return {code: tuple(those) for code, those in taken.items()}

    def owing(self, period: Period) -> tuple[str, ...]:
        """The partners that owe a return for a period, in the plan's order.

        Each quarter of the calendar is owed by whoever is asked for anything in it. A year is owed by whoever is asked
        for something that no quarter's form of that year asks for; its milestones, where the year has no quarters.
        """
        if period not in self.calendar:
            return ()
        held = self.at(period)
        has_milestones = bool(period.quarter) or not any(quarter in self.calendar for quarter in period.quarters)
        asked = {code for code, leaf in held.indicators.items() if leaf.rhythm.asks(period, self.calendar)}
        return tuple(
            code
            for code in held.partners
            if (has_milestones and held.milestones_of[code]) or not asked.isdisjoint(held.owed_by[code])
        )

    @cached_property
    def _held(self) -> "dict[tuple[int, int, tuple[bool, ...]], Plan]":
        return {}

    @cached_property
    def _turning_days(self) -> tuple[date, ...]:
        spans = {edition.span for name in self.indicators for edition in self.editions_of(name)}
        spans |= {parent.span for editions in self.parent_editions.values() for parent in editions}
        spans |= {partner.span for partner in self.partners.values()}
        spans |= {action.span for action in self.actions.values()}
        return turning_days(spans | {obligation.span for obligation in self.obligations})

    @cached_property
    def _is_asked_at_times(self) -> bool:
        """Whether some quarter's form does not ask for some indicator."""
        every = len(Period(0).quarters)
        return any(len(each.asked_in) < every for name in self.indicators for each in self.editions_of(name))

    def _restricted(self, period: Period) -> "Plan":
        indicators = {
            code: leaf for code in self.indicators for leaf in self.editions_of(code) if leaf.span.covers(period)
        }
        partners = {code: each for code, each in self.partners.items() if each.span.covers(period)}
        actions = {
            code: each
            for code, each in self.actions.items()
            if each.span.covers(period) and each.partner_code in partners
        }
        parents = {
            ref: each for ref, editions in self.parent_editions.items() for each in editions if each.span.covers(period)
        }
        held = [
            each
            for each in self.obligations
            if each.partner_code in partners and each.indicator in indicators and each.span.covers(period)
        ]
        asked = {code for code, leaf in indicators.items() if leaf.rhythm.asks(period, self.calendar)}
        returned = [each for each in held if each.indicator in asked]
        if not period.quarter and not returned:
            returned = held
        return replace(
            self,
            indicators=indicators,
            parents=parents,
            partners=partners,
            actions=actions,
            milestones={code: each for code, each in self.milestones.items() if each.action_id in actions},
            owed_by=owed_by(partners, returned),
            editions={code: (leaf,) for code, leaf in indicators.items()},
            parent_editions={ref: (parent,) for ref, parent in parents.items()},
            obligations=tuple(held),
        )

    @cached_property
    def obliged(self) -> Mapping[str, tuple[str, ...]]:
        """The indicators that each partner returns, whether the return for the period asks for them or not."""
        return owed_by(self.partners, self.obligations) if self.obligations else self.owed_by

    @cached_property
    def owners(self) -> Mapping[str, tuple[str, ...]]:
        """The partners that return each indicator, whether the return for the period asks for it or not."""
        owners: dict[str, list[str]] = {}
        for partner_code, indicators in self.obliged.items():
            for indicator in indicators:
                owners.setdefault(indicator, []).append(partner_code)
        return {indicator: tuple(codes) for indicator, codes in owners.items()}

    @cached_property
    def milestones_of(self) -> Mapping[str, tuple[Milestone, ...]]:
        """The milestones that each partner reports on, by partner code."""
        reported: dict[str, list[Milestone]] = {partner_code: [] for partner_code in self.partners}
        for milestone in self.milestones.values():
            reported[self.actions[milestone.action_id].partner_code].append(milestone)
        return {partner_code: tuple(milestones) for partner_code, milestones in reported.items()}

    def measured_aspirations(self, leaf: Indicator) -> tuple[str, ...]:
        """The aspirations that an indicator measures; where the plan does not say, all those of its outcome."""
        of_its_outcome = (code for code, each in self.aspirations.items() if each.outcome_code == leaf.outcome_code)
        return leaf.aspirations or tuple(of_its_outcome)

    @cached_property
    def members(self) -> Mapping[str, tuple[str, ...]]:
        """The partners of each group, those of the groups that are part of it too."""
        return members_of(self.partners, self.groups)

    @cached_property
    def target_periods(self) -> Mapping[str, frozenset[Period]]:
        """The periods of which anybody has a target, by indicator."""
        periods: dict[str, set[Period]] = {}
        for figures in (self.figures, *self.partner_figures.values()):
            for measure, indicator, period in figures:
                if measure == Measure.TARGET:
                    periods.setdefault(indicator, set()).add(period)
        return {indicator: frozenset(of_indicator) for indicator, of_indicator in periods.items()}

    def bodies_of(self, comparator: Comparator, partner_code: str) -> tuple[str, ...]:
        """The partners from whose figures a comparator of a partner is computed; none if it is given."""
        if comparator.bodies == NEIGHBOURS:
            return self.neighbours.get(partner_code, ())
        if comparator.bodies == EVERY_PARTNER:
            return tuple(self.partners)
        partner = self.partners.get(partner_code)
        group = partner.group_code if partner and comparator.bodies == OWN_GROUP else comparator.bodies
        return self.members.get(group, ())

    def figure(self, measure: str, indicator: str, period: Period, partner_code: str = "") -> Figure | None:
        """The plan's own figure, the partner's before that of every partner; None if the plan has no such row."""
        key = measure, indicator, period
        return self.partner_figures.get(partner_code, {}).get(key) or self.figures.get(key)

    def target(self, indicator: str, period: Period, partner_code: str = "") -> Figure | None:
        """The target of a period, or of its year if it has none itself; the partner's own before every partner's."""
        return self.targets(period, partner_code)(indicator)

    def targets(self, period: Period, partner_code: str = "") -> Callable[[str], Figure | None]:
        """The target of each indicator for a period, as `target` says, for whoever asks for many."""
        own, every, year = self.partner_figures.get(partner_code, {}), self.figures, period.year

        def of_indicator(indicator: str) -> Figure | None:
            of_period, of_year = (Measure.TARGET, indicator, period), (Measure.TARGET, indicator, year)
            found = own.get(of_period) or own.get(of_year) if own else None
            return found or every.get(of_period) or every.get(of_year)

        return of_indicator


@lru_cache(maxsize=1024)
def _year_before(period: Period, is_like_a_year: bool) -> tuple[Period, ...]:
    return tuple(dict.fromkeys([period.years_later(-1), *([period.year.previous] if is_like_a_year else [])]))


def owed_by(partners: Collection[str], obligations: Iterable[Obligation]) -> dict[str, tuple[str, ...]]:
    """The indicators that each partner returns, each once, in the order of the obligations."""
    owed: dict[str, dict[str, None]] = {code: {} for code in partners}
    for each in obligations:
        owed[each.partner_code][each.indicator] = None
    return {code: tuple(indicators) for code, indicators in owed.items()}


def members_of(partners: Mapping[str, Partner], groups: Mapping[str, Group]) -> dict[str, tuple[str, ...]]:
    """The partners of each group, those of the groups that are part of it too, in the order of the partners."""
    members: dict[str, list[str]] = {code: [] for code in groups}
    for partner in partners.values():
        code = partner.group_code
        while code:
            members[code].append(partner.partner_code)
            code = groups[code].parent_group
    return {code: tuple(partner_codes) for code, partner_codes in members.items()}


def refuse_unknown_partner(partners: Collection[str], partner_code: str) -> None:
    """Refuse a partner that the plan does not have, by its code.

    Raises:
        ValueError: the plan has no such partner.
    """
    if partner_code not in partners:
        raise ValueError(f"there is no partner {partner_code!r}; the plan has {short_list(partners)}")


def refuse_outside(calendar: Collection[Period], period: Period) -> None:
    """Refuse a period outside the plan's calendar: a decision about it would have no effect.

    Raises:
        ValueError: the plan's calendar has no such period.
    """
    if period not in calendar:
        known = sorted(calendar, key=lambda one: (one.last_day, not one.quarter))
        span = f"which goes from {known[0].code} to {known[-1].code}" if known else "which is empty"
        raise ValueError(f"{period.label} is not in the plan's calendar, {span}")
