"""What one figure can change: the periods to judge again when it is added or removed, and what judging them reads."""

from dataclasses import dataclass
from functools import lru_cache

from cypp_etl.periods import LAST_PERIOD, Period
from schemas.codes import Measure


@dataclass(frozen=True, slots=True)
class Span:
    """The periods from one to another, inclusive, and the whole year that the first is part of.

    Periods sort by year, the whole year before its quarters.
    """

    first: Period
    last: Period

    def __contains__(self, period: Period) -> bool:
        return self.first <= period <= self.last or period == self.first.year

    def __or__(self, other: "Span") -> "Span":
        """The smallest span that includes both."""
        return Span(min(self.first, other.first), max(self.last, other.last))

    @property
    def compared_with(self) -> "Span":
        """The periods whose actuals and history are read to judge these: from a year before to the year's end.

        Breaks in series and sums to date are within it. Targets and comparators can be in any period.
        """
        return Span(self.first.years_later(-1), self.last.quarters[3])


@lru_cache(maxsize=4096)
def dependents(measure: str, period: Period) -> Span:
    """The periods of the same series whose judgements can change with a figure of one period.

    An actual of a quarter affects the next four quarters: the sum to date, the next quarter, the same quarter of next
    year, and every comparison across a break in it. A break in it also separates its year from the year before, but
    does not affect the quarters before it. An actual of a year is next year's comparison, and the outturn for its
    quarters. History replaces missing actuals.

    A year's target is profiled to its quarters, and shown in the two years before. A comparator is valid until a
    later one is published, so that it may affect all later periods.
    """
    year = period.year
    if measure in (Measure.ACTUAL, Measure.HISTORY):
        return Span(period, period.years_later(1) if period.quarter else year.years_later(1).quarters[3])
    if measure == Measure.TARGET:
        return Span(period, period) if period.quarter else Span(year.years_later(-2), year.quarters[3])
    return Span(year, LAST_PERIOD)
