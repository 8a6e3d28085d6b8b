"""The outlooks of the figures of a series, from the judgements of all its periods: noise, and the end of the year.

The report and the warehouse both ask here, so that what is shown beside a figure and what a view says are one.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from math import nan
from typing import NamedTuple

import numpy as np

from cypp_etl.judgement.leaves import SPAN, slot_of
from cypp_etl.judgement.outlook.points import Points, Quarters
from cypp_etl.judgement.outlook.variation import CAN_BE_PROJECTED, NO_FIGURE, Noise, Ratio, Scale, Scales, noises
from cypp_etl.judgement.outlook.year_end import Years, YearSoFar, courses, projected
from cypp_etl.periods import Period
from cypp_etl.plan.model import Banding
from cypp_etl.plan.rhythm import Rhythm
from schemas.codes import Accumulation, Polarity, YearCourse


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


class Series:
    """The judged periods of one indicator of one partner."""

    def __init__(self, points: Mapping[Period, Point]) -> None:
        self._points = points
        self._noises: dict[tuple[Period, Scale, Rhythm], Noise] = {}

    def __contains__(self, period: Period) -> bool:
        """Whether a period is judged."""
        return period in self._points

    def noise(self, period: Period, scale: Scale, rhythm: Rhythm) -> Noise:
        """Whether the change of a period's figure is more than noise.

        Args:
            period: the period.
            scale: what the figures are.
            rhythm: when the indicator is asked.
        """
        if period not in self:
            return NO_FIGURE
        # The report asks for it by itself, and with the outlook.
        if (period, scale, rhythm) not in self._noises:
            noise_of_all([(self, period, scale, rhythm)])
        return self._noises[period, scale, rhythm]

    def keep(self, noise: Noise, period: Period, scale: Scale, rhythm: Rhythm) -> None:
        """Keep the noise of a period, with the arguments of `noise`."""
        self._noises[period, scale, rhythm] = noise

    def keyed(self, start: int) -> list[tuple[int, Point]]:
        """The points, ascending by period, with keys from a start on."""
        return [(start + slot_of(period), point) for period, point in sorted(self._points.items())]

    def outlook(
        self,
        period: Period,
        kind: tuple[Polarity, Scale],
        rhythm: Rhythm,
        target: float | None,
        banding: Banding | None,
    ) -> Outlook:
        """The outlook of the figure of a period.

        There is no projection where the noise flag says that a change cannot be told from chance.

        Args:
            period: the period.
            kind: what good performance is, and what the figures are.
            rhythm: as for `noise`.
            target: the target of the period's whole year.
            banding: the margins of the target, None if they are not known.
        """
        (polarity, scale), point = kind, self._points.get(period)
        noise = self.noise(period, scale, rhythm)
        if point is None or not period.quarter or point.year_to_date is None or target is None or banding is None:
            return Outlook(noise, None, None, None)
        quarters = tuple(sorted({period.quarter, *rhythm.quarters}))
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
        if noise.variation not in CAN_BE_PROJECTED:
            return Outlook(noise, year, None, None)
        years = Years.of(year)
        (figure,) = figures = projected(years)
        margin = np.array([banding.target_margin_percent], dtype=object), np.array([banding.target_margin_steps])
        (word,) = courses(years, figures, *margin)
        return Outlook(noise, year, figure, None if word == YearCourse.NOT_KNOWN else YearCourse(word))

    def _last_year(self, period: Period, quarters: Sequence[int]) -> tuple[Decimal | None, ...]:
        of_year = period.year.previous.quarters
        found = (self._points.get(of_year[quarter - 1]) for quarter in quarters)
        return tuple(None if one is None or one.actual is None else _decimal(one.actual) for one in found)


def noise_of_all(asked: Sequence[tuple[Series, Period, Scale, Rhythm]]) -> list[Noise]:
    """Work out the noise of judged periods of many series at once, with the arguments of `Series.noise`.

    Each series keeps what is found. Hundreds take little longer than one. Periods that are not judged are passed over.

    Returns:
        The noise of the others, in their order.
    """
    asked = [each for each in asked if each[1] in each[0]]
    if not asked:
        return []
    series = list(dict.fromkeys(one for one, *_ in asked))
    starts = {one: number * SPAN for number, one in enumerate(series)}
    points = _columns([point for one, start in starts.items() for point in one.keyed(start)])
    places = points.find(np.array([starts[one] + slot_of(period) for one, period, *_ in asked], dtype=np.int64))
    rhythms: dict[Quarters, int] = {}
    rhythm_of = np.array([rhythms.setdefault(rhythm.quarters, len(rhythms)) for *_, rhythm in asked], dtype=np.int64)
    worked_out = noises(points, places, Scales.of([scale for _, _, scale, _ in asked]), list(rhythms), rhythm_of)
    found = [worked_out.at(place) for place in range(len(asked))]
    for noise, (one, period, scale, rhythm) in zip(found, asked, strict=True):
        one.keep(noise, period, scale, rhythm)
    return found


def _columns(keyed: Sequence[tuple[int, Point]]) -> Points:
    """Points as columns, given with their keys, ascending."""
    columns = zip(*(one for _, one in keyed), strict=True)
    decimals, actual, change, before, previous, is_on_outturn, to_date, has_break, ratio = columns
    none = Ratio(nan, nan)
    numerator, denominator = np.array([one or none for one in ratio], dtype=np.float64).T
    return Points(
        key=np.array([key for key, _ in keyed], dtype=np.int64),
        decimals=np.array(decimals, dtype=np.int64),
        actual=np.array(actual, dtype=np.float64),
        change=np.array(change, dtype=np.float64),
        previous_actual=np.array(before, dtype=np.float64),
        previous=np.array([slot_of(period) for period in previous], dtype=np.int64),
        is_on_outturn=np.array(is_on_outturn, dtype=np.bool_),
        year_to_date=np.array(to_date, dtype=np.float64),
        has_break=np.array(has_break, dtype=np.bool_),
        numerator=numerator,
        denominator=denominator,
    )


def years_target(year: Period, target_of: Callable[[Period], float | None]) -> float | None:
    """The target of a whole year: of the year, or of its last quarter where the plan profiles it."""
    found = (target_of(period) for period in (year, year.quarters[-1]))
    return next((target for target in found if target is not None), None)


def _decimal(figure: float) -> Decimal:
    return Decimal(repr(figure))
