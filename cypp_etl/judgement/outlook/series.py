"""The outlooks of the figures of a series, from the judgements of all its periods: noise, and the end of the year.

The report and the warehouse both ask here, so that what is shown beside a figure and what a view says are one.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import cached_property, lru_cache
from itertools import accumulate
from typing import NamedTuple

from cypp_etl.judgement.outlook.variation import (
    RUN,
    Course,
    Noise,
    Ranges,
    Ratio,
    Scale,
    counts_behind,
    moving_ranges,
    noise,
    whole_units,
)
from cypp_etl.judgement.outlook.year_end import YearSoFar, course, projected
from cypp_etl.periods import Period
from cypp_etl.plan.model import Banding
from schemas.codes import Accumulation, Polarity, Variation, YearCourse


class Point(NamedTuple):
    """A period of a series as it was judged; numbers are in the indicator's unit, None where there is none.

    `decimals` are those of the period's edition. `previous` is the period that `previous_actual` is of, and
    `is_on_outturn` says that it is last year's outturn. `has_break` says that the series breaks with this figure, and
    `ratio` has the numerator and denominator that were returned with it.
    """

    decimals: int
    actual: float | None
    change: float | None
    previous_actual: float | None
    previous: Period
    is_on_outturn: bool
    year_to_date: float | None
    has_break: bool
    ratio: Ratio | None


class Outlook(NamedTuple):
    """The outlook of a figure: the noise of its change and, for a quarter whose year has a target, how the year stands.

    `projected` is the year's figure if it goes on like this, and `course` how that stands to the target; None where
    they cannot be told.
    """

    noise: Noise
    year: YearSoFar | None
    projected: Decimal | None
    course: YearCourse | None

    @property
    def course_word(self) -> YearCourse:
        """The course, in a word also where it cannot be told."""
        return self.course or YearCourse.NOT_KNOWN


class _Line:
    """Periods of a series that follow each other, and how the indicator came to the figure of each.

    `places` are the periods in order, `units` the figure and the change of those that have any, and `broken` the places
    with a break in series.
    """

    def __init__(
        self, places: Mapping[Period, int], units: Mapping[Period, tuple[int | None, int | None]], broken: Sequence[int]
    ) -> None:
        self.places = places
        found = [units.get(period, (None, None)) for period in places]
        self._figures, self._changes = [one for one, _ in found], [one for _, one in found]
        sizes = [None, *moving_ranges(self._changes)]
        self._counts = list(accumulate(size is not None for size in sizes))
        self._totals = list(accumulate(size or 0 for size in sizes))
        self._zeros = list(accumulate(size == 0 for size in sizes))
        self._broken = broken

    def course(self, place: int) -> Course:
        """How the indicator came to the figure at a place, from the last break in series on."""
        start = max((one for one in self._broken if one <= place), default=0)
        last = slice(max(start, place + 1 - RUN), place + 1)
        before = max(place - 1, start)
        ranges = (sums[before] - sums[start] for sums in (self._counts, self._totals, self._zeros))
        return Course(self._figures[last], self._changes[last], Ranges(*ranges))


class Series:
    """The judged periods of one indicator of one partner."""

    def __init__(self, points: Mapping[Period, Point]) -> None:
        self._points = points
        self._lines: dict[tuple[Callable[[Period], Period], bool], _Line] = {}

    def noise(self, period: Period, scale: Scale, before: Callable[[Period], Period]) -> Noise:
        """Whether the change of a period's figure is more than noise.

        Args:
            period: the period.
            scale: what the figures are.
            before: the period for which the indicator was asked before another one.
        """
        point = self._points.get(period)
        if point is None or point.actual is None or point.previous_actual is None:
            return Noise(Variation.UNKNOWN, "there is no figure to compare with")
        if point.change is None:
            return Noise(Variation.UNKNOWN, "the series breaks between the two figures")
        before_it = self._points.get(point.previous)
        ratios = (point.ratio, before_it.ratio if before_it else None)
        counts = counts_behind(scale, (point.actual, point.previous_actual), ratios)
        change = whole_units(point.change, scale.decimals)
        return noise(scale, change, counts, lambda: self._course(period, before), len(self._points))

    def outlook(
        self,
        period: Period,
        kind: tuple[Polarity, Scale],
        before: Callable[[Period], Period],
        target: float | None,
        banding: Banding | None,
    ) -> Outlook:
        """The outlook of the figure of a period.

        There is no projection where the noise flag says that a change cannot be told from chance.

        Args:
            period: the period.
            kind: what good performance is, and what the figures are.
            before: as for `noise`.
            target: the target of the period's whole year.
            banding: the margins of the target, None if they are not known.
        """
        polarity, scale = kind
        told, point = self.noise(period, scale, before), self._points.get(period)
        if point is None or not period.quarter or point.year_to_date is None or target is None or banding is None:
            return Outlook(told, None, None, None)
        quarters = _quarters_asked(before, period)
        year = YearSoFar(
            polarity,
            scale.accumulation,
            scale.decimals,
            period.quarter,
            _decimal(point.year_to_date),
            _decimal(target),
            () if scale.accumulation is Accumulation.LATEST else self._last_year(period, quarters),
            quarters,
        )
        is_told = told.variation not in (Variation.SMALL, Variation.UNKNOWN)
        figure = projected(year) if is_told else None
        return Outlook(told, year, figure, None if figure is None else course(year, figure, banding))

    def _last_year(self, period: Period, quarters: Sequence[int]) -> tuple[Decimal | None, ...]:
        of_year = _quarters_before(period)
        found = (self._points.get(of_year[quarter - 1]) for quarter in quarters)
        return tuple(None if one is None or one.actual is None else _decimal(one.actual) for one in found)

    def _course(self, period: Period, before: Callable[[Period], Period]) -> Course:
        """How the indicator came to a figure, by periods of the same length, from the last break in series on."""
        first, last = self._ends[bool(period.quarter)]
        key = (before, bool(period.quarter))
        if key not in self._lines:
            self._lines[key] = self._line(first, last, before)
        line = self._lines[key]
        if period not in line.places:
            # The others do not follow it, because it is not asked.
            line = self._line(first, period, before)
        return line.course(line.places[period])

    def _line(self, first: Period, last: Period, before: Callable[[Period], Period]) -> _Line:
        places, breaks = _places_between(before, first, last), self._breaks
        broken = [place for period, place in places.items() if not breaks.isdisjoint(_within(period))] if breaks else []
        return _Line(places, self._units, broken)

    @cached_property
    def _units(self) -> Mapping[Period, tuple[int | None, int | None]]:
        """Each figure and its change in whole units of its last decimal.

        A change on last year's outturn is no change on the same quarter, and none that could stand beside one.
        """
        return {
            period: (
                None if one.actual is None else whole_units(one.actual, one.decimals),
                None if one.change is None or one.is_on_outturn else whole_units(one.change, one.decimals),
            )
            for period, one in self._points.items()
        }

    @cached_property
    def _breaks(self) -> frozenset[Period]:
        return frozenset(period for period, one in self._points.items() if one.has_break)

    @cached_property
    def _ends(self) -> Mapping[bool, tuple[Period, Period]]:
        """The first and the last of the quarters, and of the years."""
        of_length = {kind: [one for one in self._points if bool(one.quarter) is kind] for kind in (True, False)}
        return {kind: (min(those), max(those)) for kind, those in of_length.items() if those}


@lru_cache(maxsize=4096)
def _places_between(before: Callable[[Period], Period], first: Period, last: Period) -> Mapping[Period, int]:
    """The periods from one to another, each with its place; `before` gives the one before each."""
    found = [last]
    while (earlier := before(found[-1])) >= first:
        found.append(earlier)
    return {period: place for place, period in enumerate(reversed(found))}


@lru_cache(maxsize=1024)
def _quarters_before(period: Period) -> tuple[Period, ...]:
    """The quarters of the year before."""
    return period.year.previous.quarters


@lru_cache(maxsize=4096)
def _quarters_asked(before: Callable[[Period], Period], period: Period) -> tuple[int, ...]:
    """The quarters of a period's year that are asked, and its own, ascending; `before` gives the one before each."""
    found = {period.quarter}
    one = before(period.year.years_later(1).quarters[0])
    while one.year == period.year and one.quarter:
        found.add(one.quarter)
        one = before(one)
    return tuple(sorted(found))


def years_target(year: Period, target_of: Callable[[Period], float | None]) -> float | None:
    """The target of a whole year: of the year, or of its last quarter where the plan profiles it."""
    found = (target_of(period) for period in (year, year.quarters[-1]))
    return next((target for target in found if target is not None), None)


def _within(period: Period) -> tuple[Period, ...]:
    """The periods of which a break in series is one of this period."""
    return (period,) if period.quarter else (period, *period.quarters)


def _decimal(figure: float) -> Decimal:
    return Decimal(repr(figure))
