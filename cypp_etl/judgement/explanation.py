"""Explains a judgement: the figures that `judge` used, and every step that it computed from them.

Nothing is decided here. Each step is read from the same ledger as in `judge`, by the functions that `judge` calls.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from cypp_etl.judgement.comparators import bodies_counted, compare_all
from cypp_etl.judgement.direction import Travel, breaks_between, quarter_on_quarter, year_on_year
from cypp_etl.judgement.entries import PART_DECIMALS, Figures, period_of, planned_figures
from cypp_etl.judgement.judge import judge
from cypp_etl.judgement.leaves import SLOTS, SPAN, read_leaves, slot_of
from cypp_etl.judgement.ledger import Ledger, Side, read_ledger
from cypp_etl.judgement.rounding import Ints
from cypp_etl.judgement.targets import comparator_band, target_to_date
from cypp_etl.judgement.year_to_date import parts_to_date, year_to_date
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.model import Banding, Comparator, Indicator, Plan
from schemas.codes import Accumulation, ComparatorMethod, Measure


@dataclass(frozen=True, slots=True)
class Source:
    """A figure that a judgement uses. `row` is its label in the index of the figures, None if it is the plan's.

    `partner_code` is the partner for which the plan has it, empty for every partner.
    """

    measure: str
    period: Period
    row: Hashable | None
    partner_code: str = ""


@dataclass(frozen=True, slots=True)
class TravelStep:
    """The comparison with the year before, or the quarter before: `now` - `before` = `change`, all rounded.

    Each of these is None if there is no figure. `previous` is the figure compared with, None if there is no row.
    It does not compare if it `is_apart`: of another edition, or of another body. `breaks` are the figures with a break
    in series in between, which has the same effect.
    """

    previous_period: Period
    previous: Source | None
    now: Decimal | None
    before: Decimal | None
    change: Decimal | None
    is_apart: bool
    breaks: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class SumStep:
    """The year's quarters that add up to the year to date, rounded, each None if it is missing."""

    terms: tuple[tuple[Period, Decimal | None], ...]


@dataclass(frozen=True, slots=True)
class RatioStep:
    """The numerators and denominators of the year's quarters, whose sums make the year to date, times `multiplier`.

    Each is None where it is missing; quarters that are `not_applicable` add nothing, and are not among the terms.
    """

    terms: tuple[tuple[Period, tuple[Decimal, Decimal] | None], ...]
    not_applicable: tuple[Period, ...]
    multiplier: int


@dataclass(frozen=True, slots=True)
class TargetStep:
    """The target that counts, None if there is none; `spread` is the year's, rounded, if a share of it counts.

    It does not compare with the figure if it `is_apart`: of another edition, or of another body.
    """

    source: Source | None
    spread: Decimal | None
    is_apart: bool


@dataclass(frozen=True, slots=True)
class ComparatorStep:
    """What the figure is compared with, None if there is nothing: given by `source`, or computed.

    A given figure does not compare if it `is_apart`: of another edition, or of another body.
    `spread` is the given figure of a whole year, rounded, if a share of it counts. `counted` are the figures that it
    was computed from, rounded, by partner code; each is a numerator and a denominator if it is a ratio.
    """

    comparator: Comparator
    value: Decimal | None
    band: str
    source: Source | None
    spread: Decimal | None
    is_apart: bool
    counted: Mapping[str, tuple[Decimal, ...]]


@dataclass(frozen=True, slots=True)
class Explanation:
    """One judgement: the result of `judge`, by column (numbers are floats, None for none), and its steps.

    `travel` is since last year, `quarter_travel` since the quarter before, None for a whole year. `total` is None if
    nothing is added up. `comparators` are by code.
    """

    period: Period
    judged: Mapping[str, Any]
    actual: Source
    travel: TravelStep
    quarter_travel: TravelStep | None
    total: SumStep | RatioStep | None
    target: TargetStep
    comparators: Mapping[str, ComparatorStep]
    banding: Banding
    decimals: int


def explain_judgements(figures: pd.DataFrame, plan: Plan, period: Period) -> dict[str, Explanation]:
    """Explain the judgements of one indicator in one period: that of each partner with an actual, by its code.

    Args:
        figures: the figures of the indicator, in the form for `judge`, of all partners that are explained, and of those
            from which comparators are computed.
        plan: the plan by which they are judged.
        period: the period.

    Raises:
        ValueError: the errors of `judge` for such figures.
    """
    if figures.empty:
        return {}
    ledger = read_ledger(Figures.of(figures), plan, read_leaves(plan))
    rows = np.flatnonzero(ledger.rows.slot == period.start_year * SLOTS + period.quarter)
    leaf, sources = plan.edition(str(figures["indicator"].iloc[0]), period), _Sources(figures, plan, ledger.rows.order)
    since_year, since_quarter, target = year_on_year(ledger), quarter_on_quarter(ledger), target_to_date(ledger)
    own_year = ledger.find(Measure.TARGET, ledger.rows.year_slot)
    judged = judge(figures, plan).to_dict("index")
    is_spread = leaf.accumulates and period.quarter > 0
    comparators = _Comparators(ledger, plan, sources, rows, is_spread=is_spread)
    owners = ledger.rows.series // len(ledger.leaves.places) - 1
    explained = {}
    for row in rows.tolist():
        steps, target_source, actual = (
            _Steps(row, leaf.decimals),
            sources.at(target, row),
            sources.at(ledger.rows.now, row),
        )
        is_share = bool(is_spread and target_source and not target_source.period.quarter)
        assert actual is not None  # noqa: S101 - a row to judge is a row of the figures
        explained[ledger.partner_codes[owners[row]]] = Explanation(
            period=period,
            judged={
                str(name): None if pd.isna(value) else value
                for name, value in judged[figures.index[ledger.rows.order[row]]].items()
            },
            actual=actual,
            travel=_travel(ledger, since_year, sources, steps),
            quarter_travel=_travel(ledger, since_quarter, sources, steps) if period.quarter else None,
            total=_total(ledger, period, leaf, steps) if period.quarter else None,
            target=TargetStep(
                target_source,
                steps.of(own_year) if is_share else None,
                target_source is not None and _is_apart(ledger, row, target_source.period),
            ),
            comparators=comparators.of(steps),
            banding=leaf.banding,
            decimals=leaf.decimals,
        )
    return explained


def _travel(ledger: Ledger, travel: Travel, sources: "_Sources", steps: "_Steps") -> TravelStep:
    row = steps.row
    before = period_of(int(travel.before_slot[row]))
    return TravelStep(
        previous_period=before,
        previous=sources.at(travel.before, row),
        now=steps.of(ledger.rows.now),
        before=steps.of(travel.before),
        change=None if np.isnan(travel.change[row]) else steps.difference(ledger.rows.now, travel.before),
        is_apart=_is_apart(ledger, row, before),
        breaks=tuple(sources.returned(place) for place in breaks_between(ledger, travel, row)),
    )


def _is_apart(ledger: Ledger, row: int, period: Period) -> bool:
    """Whether a figure of a period does not compare with that of a row."""
    return not ledger.compares(np.full(len(ledger.rows.slot), slot_of(period)))[row]


class _Sources:
    """Converts the index of an entry back to the figure: the frame's rows come first, then the plan's own."""

    def __init__(self, figures: pd.DataFrame, plan: Plan, order: Ints) -> None:
        self._order = order
        self._own = [
            Source(str(measure), parse_period(str(period)), label)
            for measure, period, label in zip(figures["measure"], figures["period"], figures.index, strict=True)
        ]
        self._plans = [
            Source(row.measure, row.period, None, row.partner_code)
            for row in planned_figures(Figures.of(figures), plan)
        ]

    def at(self, side: Side, row: int) -> Source | None:
        """The figure that a row uses for a side."""
        place = int(side.source[row])
        if place < 0:
            return None
        return self._own[place] if place < len(self._own) else self._plans[place - len(self._own)]

    def returned(self, place: int) -> Source:
        """The figure that was returned, by its index among the actuals of the ledger."""
        return self._own[int(self._order[place])]


@dataclass(frozen=True, slots=True)
class _Steps:
    """Reads one row of a side as an exact decimal."""

    row: int
    decimals: int

    def of(self, side: Side) -> Decimal | None:
        """The rounded figure, None if there is no value."""
        return self._decimal(int(side.steps[self.row])) if side.has_value[self.row] else None

    def difference(self, ours: Side, theirs: Side) -> Decimal:
        """Our figure minus the other, both rounded."""
        return self._decimal(int(ours.steps[self.row] - theirs.steps[self.row]))

    def _decimal(self, steps: int) -> Decimal:
        return Decimal(steps).scaleb(-self.decimals)


class _Comparators:
    """What the rows of a ledger are compared with: found for all that are explained at once."""

    def __init__(self, ledger: Ledger, plan: Plan, sources: _Sources, rows: Ints, *, is_spread: bool) -> None:
        self._ledger, self._plan, self._sources = ledger, plan, sources
        ours, compared = year_to_date(ledger), compare_all(ledger, plan)
        self._sides = {code: compared[code].side for code in plan.comparators}
        self._bands = {code: comparator_band(ledger, ours, side) for code, side in self._sides.items()}
        given = [code for code, each in plan.comparators.items() if each.is_given]
        self._years = {code: ledger.find_latest(code) for code in given} if is_spread else {}
        self._counted = {
            code: dict(zip(rows.tolist(), bodies_counted(ledger, plan, each, rows), strict=True))
            for code, each in plan.comparators.items()
            if not each.is_given
        }

    def of(self, steps: _Steps) -> dict[str, ComparatorStep]:
        """What one row is compared with, by code."""
        return {code: self._step(code, comparator, steps) for code, comparator in self._plan.comparators.items()}

    def _step(self, code: str, comparator: Comparator, steps: _Steps) -> ComparatorStep:
        source = self._sources.at(self._sides[code], steps.row)
        return ComparatorStep(
            comparator,
            steps.of(self._sides[code]),
            str(self._bands[code][steps.row]),
            source,
            steps.of(self._years[code]) if code in self._years else None,
            source is not None and _is_apart(self._ledger, steps.row, source.period),
            {} if comparator.is_given else self._figures_counted(comparator, steps),
        )

    def _figures_counted(self, comparator: Comparator, steps: _Steps) -> dict[str, tuple[Decimal, ...]]:
        if comparator.method is ComparatorMethod.RATIO:
            *parts, _ = parts_to_date(self._ledger)
            decimals = PART_DECIMALS
        else:
            parts, decimals = [year_to_date(self._ledger).steps], steps.decimals
        return {
            partner_code: tuple(Decimal(int(part[place])).scaleb(-decimals) for part in parts)
            for partner_code, place in self._counted[comparator.comparator][steps.row]
        }


def _total(ledger: Ledger, period: Period, leaf: Indicator, steps: _Steps) -> SumStep | RatioStep | None:
    asked = {period.quarter, *leaf.rhythm.quarters}
    quarters = [one for one in period.quarters[: period.quarter] if one.quarter in asked]
    if leaf.accumulation is Accumulation.RATIO:
        return _ratio(ledger, quarters, leaf, steps.row)
    if leaf.accumulation is not Accumulation.SUM:
        return None
    return SumStep(
        tuple(
            (quarter, steps.of(ledger.find(Measure.ACTUAL, ledger.rows.slot - (period.quarter - quarter.quarter))))
            for quarter in quarters
        )
    )


def _ratio(ledger: Ledger, quarters: list[Period], leaf: Indicator, row: int) -> RatioStep:
    rows, terms, not_applicable = ledger.rows, [], []
    slots = np.array([quarter.start_year * SLOTS + quarter.quarter for quarter in quarters])
    places = ledger.tables[Measure.ACTUAL].find(rows.series[row] * SPAN + slots).tolist()
    for quarter, place in zip(quarters, places, strict=True):
        has_parts = place >= 0 and bool(rows.has_parts[place])
        if place >= 0 and not has_parts and rows.now.is_not_applicable[place]:
            not_applicable.append(quarter)
            continue
        parts = tuple(Decimal(int(part[place])).scaleb(-PART_DECIMALS) for part in (rows.numerator, rows.denominator))
        terms.append((quarter, (parts[0], parts[1]) if has_parts else None))
    return RatioStep(tuple(terms), tuple(not_applicable), leaf.multiplier)
