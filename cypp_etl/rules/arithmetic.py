"""The arithmetic within one return: decimals, ratios, and numbers beside their rates."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from cypp_etl.checked_return import History
from cypp_etl.decimals import agrees, decimal_text, decimals_of, rounded
from cypp_etl.figure_keys import FigureKey
from cypp_etl.findings import Finding
from cypp_etl.intake.rows import FigureRow
from cypp_etl.periods import Period
from cypp_etl.plan.model import Indicator, Plan
from schemas.codes import Accumulation, Measure


def shown(value: Decimal | None, leaf: Indicator, least_decimals: int = 0) -> str:
    """A figure as messages show it: at its indicator's decimals or more, in words of its unit; empty for none."""
    if value is None:
        return ""
    decimals = max(leaf.decimals, least_decimals)
    return f"{decimal_text(value, decimals, leaf.unit, leaf.currency)} {leaf.unit_words}".rstrip()


def judge_decimals(figures: Iterable[FigureRow]) -> Iterator[Finding]:
    """A figure with more decimals than its indicator's is judged after rounding; a count has its own finding."""
    for figure in figures:
        value, leaf = figure.value, figure.leaf
        if value is not None and not leaf.is_count and value != rounded(value, leaf.decimals):
            yield figure.find("too-many-decimals", decimals=_decimals_in_words(leaf), rounded=shown(value, leaf))


def _decimals_in_words(leaf: Indicator) -> str:
    if leaf.decimals == 0:
        return "whole numbers"
    return f"{leaf.decimals} decimal{'s' if leaf.decimals > 1 else ''}"


def judge_ratios(figures: Iterable[FigureRow]) -> Iterator[Finding]:
    """Numerator over denominator, times the multiplier, must give the figure, at the decimals of either."""
    for figure in figures:
        if figure.leaf.multiplier == 0:
            continue
        # Where both are required, what is missing has a finding of its own.
        is_required = figure.leaf.accumulation is Accumulation.RATIO
        if not is_required and (figure.numerator is None or figure.denominator is None):
            yield from _judge_ratio_parts(figure)
        ratio, value, decimals = _ratio(figure), figure.value, figure.leaf.decimals
        if ratio is None or value is None:
            continue
        if not agrees(value, ratio, decimals):
            # With the decimals of the figure: fewer could hide the difference.
            yield figure.find("ratio-differs", ratio=shown(ratio, figure.leaf, decimals_of(value)))


def judge_required_parts(figures: Iterable[FigureRow]) -> Iterator[Finding]:
    """A figure whose year to date is a ratio of sums comes with its numerator and denominator."""
    for figure in figures:
        leaf = figure.leaf
        if figure.measure is not Measure.ACTUAL or figure.value is None or leaf.accumulation is not Accumulation.RATIO:
            continue
        for part, kind in (("numerator", "what was counted"), ("denominator", "out of how many")):
            # What is there and could not be read has its own finding.
            if getattr(figure, part) is None and not figure.source.is_filled(part):
                column = part if part in figure.source.columns else ""
                yield figure.find("ratio-part-missing", column=column, value=figure.reading.typed, part=part, kind=kind)


def _judge_ratio_parts(figure: FigureRow) -> Iterator[Finding]:
    for present, absent in (("numerator", "denominator"), ("denominator", "numerator")):
        if getattr(figure, present) is not None and not figure.source.is_filled(absent):
            yield figure.find("ratio-incomplete", column=absent, present=present, absent=absent)


def _ratio(figure: FigureRow) -> Decimal | None:
    """The figure from numerator and denominator, or None if there is none."""
    numerator, denominator = figure.numerator, figure.denominator
    if numerator is None or denominator is None or numerator < 0 or denominator <= 0:
        return None
    return numerator * figure.leaf.multiplier / denominator


@dataclass(frozen=True, slots=True)
class _Population:
    """The population implied by a number and its rate, as a range, because the rate was rounded."""

    least: Decimal
    most: Decimal

    @classmethod
    def implied(cls, number: Decimal | None, rate: Decimal | None, leaf: Indicator) -> "_Population | None":
        half_a_step = _half_a_step(leaf.decimals)
        if not number or not rate or number < 0 or rate <= half_a_step:
            return None
        people = number * leaf.multiplier
        return cls(people / (rate + half_a_step), people / (rate - half_a_step))

    def differs_from(self, other: "_Population", margin_percent: Decimal) -> bool:
        """Whether the two differ by more than the margin, however the rates were rounded."""
        gap = max(self.least - other.most, other.least - self.most)
        return gap * 100 > margin_percent * other.most

    def __str__(self) -> str:
        return f"{(self.least + self.most) / 2:,.0f}"


@cache
def _half_a_step(decimals: int) -> Decimal:
    return Decimal(5).scaleb(-decimals - 1)


def judge_populations(figures: Iterable[FigureRow], history: History, plan: Plan) -> Iterator[Finding]:
    """A number and its rate imply a population, which should hardly change from one period to the next."""
    actuals = {figure.leaf.indicator: figure for figure in figures if figure.measure is Measure.ACTUAL}
    for figure in actuals.values():
        number = actuals.get(figure.leaf.number_indicator)
        # A number of a quarter says nothing about the rate of a year.
        if number is None or figure.period is None or number.period != figure.period:
            continue
        now = _Population.implied(number.value, figure.value, figure.leaf)
        before = _earlier_population(figure, figure.period, history, plan)
        if now and before and now.differs_from(before, figure.leaf.banding.population_margin_percent):
            yield figure.find("population-differs", number=number.leaf.indicator, population=now, before=before)


def _earlier_population(figure: FigureRow, period: Period, history: History, plan: Plan) -> _Population | None:
    """The population implied in the last quarter, the same period of last year, or by last year's outturn."""
    last_year, counted = period.year.previous, (figure.leaf.number_indicator, figure.leaf.indicator)
    changed = set(counted).difference(plan.always_comparable(figure.partner_code))
    for measure, earlier in (
        (Measure.ACTUAL, figure.leaf.rhythm.before(period)),
        (Measure.ACTUAL, period.years_later(-1)),
        (Measure.ACTUAL, last_year),
        (Measure.HISTORY, last_year),
    ):
        if any(not plan.compares(figure.partner_code, indicator, period, earlier) for indicator in changed):
            continue
        number, rate = (
            _known_value(history, figure.partner_code, indicator, measure, earlier) for indicator in counted
        )
        if population := _Population.implied(number, rate, figure.leaf):
            return population
    return None


def _known_value(
    history: History, partner_code: str, indicator: str, measure: Measure, period: Period
) -> Decimal | None:
    if measure is Measure.ACTUAL:
        return history.actuals(partner_code, period).get(indicator)
    known = history.figures.get(FigureKey(partner_code, indicator, measure, period.code))
    return known.value if known else None
