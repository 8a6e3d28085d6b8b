"""What one figure can change: the periods to judge again when it comes or goes, and what judging them reads."""

from dataclasses import dataclass
from functools import lru_cache

from cypp_etl.periods import LAST_PERIOD, Period
from schemas.codes import Measure


@dataclass(frozen=True, slots=True)
class Span:
    """The periods from one to another, both among them, and the whole year that the first is part of.

    Periods sort by year, the whole year before its quarters.
    """

    first: Period
    last: Period

    def __contains__(self, period: Period) -> bool:
        return self.first <= period <= self.last or period == self.first.year

    def __or__(self, other: "Span") -> "Span":
        """The least span that holds both."""
        return Span(min(self.first, other.first), max(self.last, other.last))

    @property
    def compared_with(self) -> "Span":
        """The periods whose actuals and history are read when these are judged: from a year before to the year's end.

        Breaks in series and sums to date lie within it. Targets and comparators can stand anywhere.
        """
        return Span(self.first.years_later(-1), self.last.quarters[3])


@lru_cache(maxsize=4096)
def dependents(measure: Measure, period: Period) -> Span:
    """The periods of the same series whose judgements can change with a figure of one period.

    An actual of a quarter reaches four quarters on: the sum to date, the next quarter, the same quarter of next year,
    and every comparison that steps over a break in it. A break in it also parts its year from the year before, but the
    quarters before it do not know of it. An actual of a year is next year's comparison, and the outturn for its
    quarters. History stands in for actuals.

    A year's target is profiled to its quarters, and announced in the two years before. A comparator holds until a
    later one is published, so that it may reach every period to come.
    """
    year = period.year
    if measure in (Measure.ACTUAL, Measure.HISTORY):
        return Span(period, period.years_later(1) if period.quarter else year.years_later(1).quarters[3])
    if measure is Measure.TARGET:
        return Span(period, period) if period.quarter else Span(year.years_later(-2), year.quarters[3])
    return Span(year, LAST_PERIOD)
