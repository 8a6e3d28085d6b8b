"""The plan as immutable values: all reference data, read once from CSV."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property

from cypp_etl.layout import Layout, read_layouts
from cypp_etl.periods import Period
from schemas.codes import Accumulation, ActionKind, Marker, Measure, Polarity, Unit


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


@dataclass(frozen=True, slots=True)
class Milestone:
    """What an action delivers, and when. `is_due_stated` is false if only the year is known."""

    milestone: str
    action_id: str
    financial_year: Period
    description: str
    due: date
    is_due_stated: bool


@dataclass(frozen=True, slots=True)
class Partner:
    """An organisation that owes returns."""

    partner_code: str
    partner: str


@dataclass(frozen=True, slots=True)
class Banding:
    """The margins of the bands, and of what counts as a large change.

    `target_margin_percent` is a share of the target's size, in percent; `target_margin_steps` is in units of
    the last decimal; `comparator_margin` is in the indicator's unit; `large_change_percent` is a share of the
    previous value's size, in percent; `population_margin_percent` is a share of the population that a number
    and its rate imply.
    """

    target_margin_percent: Decimal
    target_margin_steps: int
    comparator_margin: Decimal
    large_change_percent: Decimal
    population_margin_percent: Decimal


@dataclass(frozen=True, slots=True)
class Indicator:
    """A leaf: an indicator that carries values, or a sub-indicator of a parent that carries none.

    `minimum`, `maximum`, `range_low` and `range_high` are in the indicator's unit. `multiplier` turns numerator over
    denominator into the value (100 for percentage points), 0 if it has neither. `number_indicator` is the leaf, with
    the unit number, that counts this rate's numerator. `parent_definition` is empty for an indicator without
    subs.
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

    @property
    def accumulates(self) -> bool:
        """Whether the year's quarters add up, so that a quarter cannot be compared with a whole year."""
        return self.accumulation is not Accumulation.LATEST


@dataclass(frozen=True, slots=True)
class Parent:
    """An indicator without values of its own; `polarity` is None if each sub-indicator has its own."""

    indicator_no: str
    indicator_ref: str
    outcome_code: str
    definition: str
    polarity: Polarity | None


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

    `figures` has targets, history and comparators by measure, indicator and period; `owed_by` the indicators
    that each partner returns. `layouts` are the built-in ones and the plan's own, by name. `fingerprint` is the SHA-256
    of the plan's `files`, which are stored by name, as they were read.
    """

    fingerprint: str
    outcomes: Mapping[str, Outcome]
    aspirations: Mapping[str, Aspiration]
    actions: Mapping[str, Action]
    milestones: Mapping[str, Milestone]
    partners: Mapping[str, Partner]
    parents: Mapping[str, Parent]
    indicators: Mapping[str, Indicator]
    figures: Mapping[tuple[Measure, str, Period], Figure]
    owed_by: Mapping[str, tuple[str, ...]]
    calendar: Mapping[Period, CalendarEntry]
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    layouts: Mapping[str, Layout] = field(default_factory=read_layouts, repr=False)

    @cached_property
    def owners(self) -> Mapping[str, tuple[str, ...]]:
        """The partners that return each indicator."""
        owners: dict[str, tuple[str, ...]] = {}
        for partner_code, indicators in self.owed_by.items():
            for indicator in indicators:
                owners[indicator] = (*owners.get(indicator, ()), partner_code)
        return owners

    @cached_property
    def milestones_of(self) -> Mapping[str, tuple[Milestone, ...]]:
        """The milestones that each partner reports on, by partner code."""
        reported: dict[str, list[Milestone]] = {partner_code: [] for partner_code in self.partners}
        for milestone in self.milestones.values():
            reported[self.actions[milestone.action_id].partner_code].append(milestone)
        return {partner_code: tuple(milestones) for partner_code, milestones in reported.items()}

    def figure(self, measure: Measure, indicator: str, period: Period) -> Figure | None:
        """The plan's own figure, or None if the plan has no such row."""
        return self.figures.get((measure, indicator, period))


def refuse_outside(calendar: Collection[Period], period: Period) -> None:
    """Refuse a period outside the plan's calendar: a decision about it would have no effect.

    Raises:
        ValueError: the plan's calendar has no such period.
    """
    if period not in calendar:
        known = sorted(calendar, key=lambda one: (one.last_day, not one.quarter))
        span = f"which goes from {known[0].code} to {known[-1].code}" if known else "which is empty"
        raise ValueError(f"{period.label} is not in the plan's calendar, {span}")
