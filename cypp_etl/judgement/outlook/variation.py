"""Whether a change on last year is more than noise: beside the arrow, which stays as the rule says, never in its stead.

Where the counts behind a share or a number of events are known, an exact test tells how far chance alone would move
them. Where they are not, the course of the changes tells: an XmR chart of the changes on the year before, about no
change, so that seasons cancel out (Wheeler, Understanding Variation, 1993). The rules are the four of NHS England's
Making Data Count, in its words: a single point, two out of three points, a shift, a trend; the last two need no limits,
and stand beside the exact tests too. `docs/board.md` says how often each is wrong, and how much it finds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from cypp_etl.judgement.leaves import SPAN
from cypp_etl.judgement.outlook.exact_tests import counts_differ, shares_differ
from cypp_etl.judgement.outlook.points import RUN, Courses, Points, Quarters, courses, in_64_bits, whole_units
from cypp_etl.judgement.rounding import Bools, Floats, Ints
from schemas.codes import Accumulation, Unit, Variation

LEAST_EVENTS = 10
"""Fewer cases than these, both periods together, are small numbers: one more or less turns the arrow."""

LEAST_RANGES = 5
"""Fewer moving ranges than these make no limits: with five, one change in thirty lies outside by chance."""

_XMR = Fraction(266, 100)
_CLOSE = _XMR * 2 / 3
_LEAST_MULTIPLIER = 2
# A product of four doubles is nearer to what it should be.
_ERROR_OF_PRODUCTS = 1e-12
_FITS = 2.0**62


class Ratio(NamedTuple):
    """The counts behind a figure."""

    numerator: float
    denominator: float


class Noise(NamedTuple):
    """The assessment of a change, and its method."""

    variation: Variation
    method: str


@dataclass(frozen=True, slots=True)
class Scale:
    """What an indicator's figures are: what they count in, with how many decimals, and how quarters make a year."""

    unit: Unit
    decimals: int
    accumulation: Accumulation

    @property
    def counts_events(self) -> bool:
        """Whether figures count events: whole numbers that add up from quarter to quarter.

        A score or a price does not add up, and a number of persons on a day is no number of events: neither varies as
        events do.
        """
        return self.unit is Unit.NUMBER and not self.decimals and self.accumulation is not Accumulation.LATEST


@dataclass(frozen=True, slots=True)
class Scales:
    """Some scales as columns; shape (n,)."""

    decimals: Ints
    is_share: Bools
    is_rate: Bools
    counts_events: Bools
    is_cumulative: Bools

    @classmethod
    def of(cls, scales: Sequence[Scale]) -> "Scales":
        """The columns of scales, in their order."""
        return cls(
            np.array([one.decimals for one in scales], dtype=np.int64),
            np.array([one.unit is Unit.PERCENT for one in scales], dtype=np.bool_),
            np.array([one.unit is Unit.RATE for one in scales], dtype=np.bool_),
            np.array([one.counts_events for one in scales], dtype=np.bool_),
            np.array([one.accumulation is Accumulation.CUMULATIVE for one in scales], dtype=np.bool_),
        )

    def at(self, places: Ints) -> "Scales":
        """Those at indices, in their order."""
        return Scales(
            self.decimals[places],
            self.is_share[places],
            self.is_rate[places],
            self.counts_events[places],
            self.is_cumulative[places],
        )


class Method(IntEnum):
    """The ways to separate a change from chance, in the order in which they are tried."""

    NO_FIGURE = 0
    BREAK = 1
    NO_CHANGE = 2
    SHIFT = 3
    TREND = 4
    FEW_CASES = 5
    FEW_EVENTS = 6
    SHARES_DIFFER = 7
    SHARES_ALIKE = 8
    COUNTS_DIFFER = 9
    COUNTS_ALIKE = 10
    CUMULATIVE = 11
    FEW_RANGES = 12
    FLAT = 13
    POINT_OUTSIDE = 14
    POINTS_CLOSE = 15
    INSIDE = 16


_VARIATIONS: Mapping[Method, Variation] = {
    Method.NO_FIGURE: Variation.UNKNOWN,
    Method.BREAK: Variation.UNKNOWN,
    Method.NO_CHANGE: Variation.WITHIN,
    Method.SHIFT: Variation.BEYOND,
    Method.TREND: Variation.BEYOND,
    Method.FEW_CASES: Variation.SMALL,
    Method.FEW_EVENTS: Variation.SMALL,
    Method.SHARES_DIFFER: Variation.BEYOND,
    Method.SHARES_ALIKE: Variation.WITHIN,
    Method.COUNTS_DIFFER: Variation.BEYOND,
    Method.COUNTS_ALIKE: Variation.WITHIN,
    Method.CUMULATIVE: Variation.UNKNOWN,
    Method.FEW_RANGES: Variation.UNKNOWN,
    Method.FLAT: Variation.UNKNOWN,
    Method.POINT_OUTSIDE: Variation.BEYOND,
    Method.POINTS_CLOSE: Variation.BEYOND,
    Method.INSIDE: Variation.WITHIN,
}

_WORDS: Mapping[Method, str] = {
    Method.NO_FIGURE: "there is no figure to compare with",
    Method.BREAK: "the series breaks between the two figures",
    Method.NO_CHANGE: "there is no change",
    Method.SHIFT: "special cause variation: a shift, {run} points running {side} the year before",
    Method.TREND: "special cause variation: a trend, {run} points running that {way}",
    Method.FEW_CASES: "fewer than {events} cases in both periods together, on one side of the share",
    Method.FEW_EVENTS: "fewer than {events} events in both periods together",
    Method.SHARES_DIFFER: "Fisher's exact test of two shares",
    Method.SHARES_ALIKE: "Fisher's exact test of two shares",
    Method.COUNTS_DIFFER: "exact binomial test of two counts",
    Method.COUNTS_ALIKE: "exact binomial test of two counts",
    Method.CUMULATIVE: "figures that add up within the year have no process limits of their own",
    Method.FEW_RANGES: (
        "process limits need {needed} pairs of earlier changes in neighbouring periods, and there {are} {ranges}"
    ),
    Method.FLAT: "the earlier changes repeat each other, and make no process limits",
    Method.POINT_OUTSIDE: "special cause variation: a single point outside {limits}",
    Method.POINTS_CLOSE: "special cause variation: two out of three points close to {limits}",
    Method.INSIDE: "common cause variation: inside {limits}",
}

NO_FIGURE = Noise(_VARIATIONS[Method.NO_FIGURE], _WORDS[Method.NO_FIGURE])
"""Of a period that is not judged."""

CAN_BE_PROJECTED = (Variation.BEYOND, Variation.WITHIN)
"""With any other word a change cannot be told from chance, and the year's end not from the change."""

_VARIATION_OF = np.array([_VARIATIONS[method] for method in Method], dtype=object)
_CAN_BE_PROJECTED = np.array([_VARIATIONS[method] in CAN_BE_PROJECTED for method in Method])


@dataclass(frozen=True, slots=True)
class Noises:
    """The variation of some changes, and the way in which it was found; shape (n,).

    `change` is in whole units of the last of so many `decimals`; `limit` is how far it may be from no change, and
    `ranges` how many moving ranges that is made of.
    """

    method: Ints
    change: Ints
    decimals: Ints
    ranges: Ints
    limit: Ints

    @property
    def variations(self) -> Sequence[Variation]:
        """The variation of each."""
        words: Sequence[Variation] = _VARIATION_OF[self.method].tolist()
        return words

    @property
    def can_be_projected(self) -> Bools:
        """Where the year can be projected, too."""
        can_be_projected: Bools = _CAN_BE_PROJECTED[self.method]
        return can_be_projected

    def at(self, place: int) -> Noise:
        """One of them, in words."""
        method, change, ranges = Method(self.method[place]), self.change[place], int(self.ranges[place])
        limit = Decimal(int(self.limit[place])).scaleb(-int(self.decimals[place]))
        words = _WORDS[method].format(
            run=RUN,
            side="above" if change > 0 else "below",
            way="rise" if change > 0 else "fall",
            events=LEAST_EVENTS,
            needed=LEAST_RANGES,
            are="is" if ranges == 1 else "are",
            ranges=ranges,
            limits=f"process limits of {limit} either way of no change",
        )
        return Noise(_VARIATIONS[method], words)


def noises(points: Points, asked: Ints, scales: Scales, quarters: Sequence[Quarters], rhythm: Ints) -> Noises:
    """Tell whether figures differ from last year's by more than chance would have it.

    Args:
        points: all figures of their series.
        asked: the indices of the figures; shape (n,).
        scales: what they are; shape (n,).
        quarters: the quarters that are asked for, by rhythm.
        rhythm: the rhythm of each figure, an index into `quarters`; shape (n,).
    """
    own, course = points.at(asked), courses(points, asked, quarters, rhythm)
    change = whole_units(own.change, scales.decimals)
    sign = np.sign(change)
    periods = np.diff(np.searchsorted(points.key, np.stack([own.series, own.series + 1]) * SPAN), axis=0)[0]
    # Figures that add up within the year take the earlier quarters with them: their changes follow on each other.
    has_patterns = (periods >= RUN) & ~scales.is_cumulative
    counts = _counts_behind(points, own, scales)
    is_counted = counts.are_counts & (counts.moved == sign)
    of_shares, of_events = is_counted & scales.is_share, is_counted & ~scales.is_share
    few_cases, few_events = counts.few_cases, counts.few_events
    limit, close = (_widest(each, course) for each in (_XMR, _CLOSE))
    is_close = np.abs(change) > close
    was_close = course.has_before & (np.sign(course.before) == sign[:, None]) & (np.abs(course.before) > close[:, None])
    cases: list[tuple[Method, Bools]] = [
        (Method.NO_FIGURE, np.isnan(own.actual) | np.isnan(own.previous_actual)),
        (Method.BREAK, np.isnan(own.change)),
        (Method.NO_CHANGE, sign == 0),
        (Method.SHIFT, has_patterns & (course.shift == sign)),
        (Method.TREND, has_patterns & (course.trend == sign)),
        (Method.FEW_CASES, of_shares & few_cases),
        (Method.FEW_EVENTS, of_events & few_events),
        (Method.SHARES_ALIKE, of_shares),
        (Method.COUNTS_ALIKE, of_events),
        (Method.CUMULATIVE, scales.is_cumulative),
        (Method.FEW_RANGES, course.ranges < LEAST_RANGES),
        (Method.FLAT, course.zeros * 2 > course.ranges),
        (Method.POINT_OUTSIDE, np.abs(change) > limit),
        (Method.POINTS_CLOSE, is_close & was_close.any(axis=1)),
    ]
    method = np.select([case for _, case in cases], [np.int64(each) for each, _ in cases], np.int64(Method.INSIDE))
    for alike, differ, test in (
        (Method.SHARES_ALIKE, Method.SHARES_DIFFER, shares_differ),
        (Method.COUNTS_ALIKE, Method.COUNTS_DIFFER, counts_differ),
    ):
        tested = np.flatnonzero(method == alike)
        numbers = zip(*(each[tested].tolist() for each in counts.numbers), strict=True)
        method[tested[[test(*each) for each in numbers]]] = differ
    return Noises(method, change, scales.decimals, course.ranges, limit)


@dataclass(frozen=True, slots=True)
class _Counts:
    """The counts that figures and last year's rest on, and where there are any; shape (n,).

    They are a numerator and a denominator, and those of the year before.
    """

    numbers: tuple[Ints, Ints, Ints, Ints]
    are_counts: Bools

    @property
    def moved(self) -> Ints:
        """Whether a quotient of counts is larger than the other, 1, or smaller, -1."""
        events, base, other_events, other_base = self.numbers
        return np.sign(events * other_base - other_events * base)

    @property
    def few_cases(self) -> Bools:
        """Where few cases are on one side of the share."""
        hits, size, other_hits, other_size = self.numbers
        return np.asarray(np.minimum(hits + other_hits, size + other_size - hits - other_hits) < LEAST_EVENTS)

    @property
    def few_events(self) -> Bools:
        """Where there are few events."""
        return self.numbers[0] + self.numbers[2] < LEAST_EVENTS


def _counts_behind(points: Points, own: Points, scales: Scales) -> _Counts:
    """The counts that figures rest on, where they are counts of cases or of events.

    They are the numerators and denominators that were returned with both, or figures of events themselves.
    """
    before = points.find(own.key // SPAN * SPAN + own.previous)
    known = [
        (
            np.where(scales.counts_events, figure, ratios.numerator),
            np.where(scales.counts_events, 1.0, ratios.denominator),
        )
        for figure, ratios in ((own.actual, own), (own.previous_actual, points.at(before)))
    ]
    is_there = scales.counts_events | (before >= 0)
    are_counts = is_there & (scales.is_share | scales.is_rate | scales.counts_events)
    for numerator, denominator in known:
        # Events, and what they were counted over, are whole numbers. NaN is none of these.
        are_counts &= (numerator >= 0) & (denominator > 0) & (numerator % 1 == 0) & (denominator % 1 == 0)
        # Of a share, they say how many of how many have a property.
        are_counts &= ~scales.is_share | (numerator <= denominator)
    events, base, other_events, other_base = in_64_bits(
        *(_whole(np.where(are_counts, each, 1.0)) for both in known for each in both)
    )
    numbers = (events, base, other_events, other_base)
    rates = np.flatnonzero(are_counts & scales.is_rate)
    are_counts[rates] = _are_per_many((own.actual + own.previous_actual)[rates], tuple(each[rates] for each in numbers))
    return _Counts(numbers, are_counts)


def _are_per_many(sums: Floats, numbers: tuple[Ints, ...]) -> Bools:
    """Where rates, of which two are added up, are of events per so many persons: larger than their quotients.

    A rate that is its plain quotient is a mean, such as points or offences a person: one person brings many.
    """
    events, base, other_events, other_base = numbers
    quotients = _LEAST_MULTIPLIER * (events * other_base + other_events * base)
    figures = sums * base.astype(np.float64) * other_base.astype(np.float64)
    difference = figures - quotients.astype(np.float64)
    per_many: Bools = (difference >= 0) & (quotients > 0).astype(np.bool_)
    # Where doubles are too close, whole numbers compare exactly.
    for place in np.flatnonzero(np.abs(difference) <= _ERROR_OF_PRODUCTS * np.abs(figures)).tolist():
        numerator, denominator = float(sums[place]).as_integer_ratio()
        bases = int(base[place]) * int(other_base[place])
        per_many[place] = numerator * bases >= int(quotients[place]) * denominator > 0
    return per_many


def _whole(numbers: Floats) -> Ints:
    """Whole numbers as such, as Python's own where one might not fit in 64 bits."""
    if np.abs(numbers).max(initial=0) < _FITS:
        return numbers.astype(np.int64)
    return np.array([int(number) for number in numbers.tolist()], dtype=object)


def _widest(means: Fraction, course: Courses) -> Ints:
    """The largest changes within so many mean ranges.

    Either of two figures may lie half a unit beside what was published.
    """
    return np.asarray(means.numerator * course.total // (means.denominator * np.maximum(course.ranges, 1)) + 1)
