"""Whether a change on last year is more than noise: beside the arrow, which stays as the rule says, never in its stead.

Where the counts behind a share or a number of events are known, an exact test tells how far chance alone would move
them. Where they are not, the course of the changes tells: an XmR chart of the changes on the year before, about no
change, so that seasons cancel out (Wheeler, Understanding Variation, 1993). The rules are the four of NHS England's
Making Data Count, in its words: a single point, two out of three points, a shift, a trend; the last two need no limits,
and stand beside the exact tests too. `docs/board.md` says how often each is wrong, and how much it finds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from cypp_etl.judgement.outlook.exact_tests import counts_differ, shares_differ
from schemas.codes import Accumulation, Unit, Variation

LEAST_EVENTS = 10
"""Fewer cases than these, both periods together, are small numbers: one more or less turns the arrow."""

LEAST_RANGES = 5
"""Fewer moving ranges than these make no limits: with five, one change in thirty lies outside by chance."""

RUN = 7
"""How many points make a shift or a trend."""

_FAR_FROM_HALF = 0.4
_EXACT = 2**50
_XMR = Fraction(266, 100)
_CLOSE = _XMR * 2 / 3
_LEAST_MULTIPLIER = 2


class Ratio(NamedTuple):
    """The counts behind a figure."""

    numerator: float
    denominator: float

    @property
    def is_count(self) -> bool:
        """Whether events, and what they were counted over, are whole numbers."""
        numerator, denominator = self
        return numerator >= 0 and denominator > 0 and numerator % 1 == denominator % 1 == 0

    @property
    def is_share(self) -> bool:
        """Whether the numbers say how many of how many have a property."""
        return self.is_count and self.numerator <= self.denominator


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


class Ranges(NamedTuple):
    """The moving ranges between some changes: how many there are, their sum, and how many are 0."""

    number: int
    total: int
    zeros: int


def moving_ranges(changes: Sequence[int | None]) -> list[int | None]:
    """The range between each two changes that follow each other; None beside a gap, which is not closed up."""
    return [None if before is None or after is None else abs(after - before) for before, after in pairwise(changes)]


class Course(NamedTuple):
    """How an indicator came to its figure, in whole units of its last decimal.

    `figures` and `changes` have a place for each period, None where it has none; the last is the period asked about.
    They begin no earlier than with the last break in series, and need no more than the last `RUN` periods. `changes`
    are those on the same period of the year before; `ranges` are between all of them but the last.
    """

    figures: Sequence[int | None]
    changes: Sequence[int | None]
    ranges: Ranges

    @classmethod
    def of(cls, figures: Sequence[int | None], changes: Sequence[int | None]) -> "Course":
        """The course with all its figures and changes."""
        ranges = [one for one in moving_ranges(changes[:-1]) if one is not None]
        return cls(figures, changes, Ranges(len(ranges), sum(ranges), ranges.count(0)))


def noise(
    scale: Scale,
    change: int,
    counts: tuple[Ratio, Ratio] | None,
    course: Callable[[], Course],
    periods: int = RUN,
) -> Noise:
    """Tell whether a figure differs from last year's by more than chance would have it.

    Args:
        scale: what the figures are.
        change: how far the figure moved, in whole units of its last decimal.
        counts: the counts behind the figure and last year's, where they are known to be counts (`counts_behind`).
        course: tells how the indicator came to it; asked only where that matters.
        periods: of how many periods there are figures.
    """
    if change == 0:
        return Noise(Variation.WITHIN, "there is no change")
    # Figures that add up within the year take the earlier quarters with them: their changes follow on each other.
    is_cumulative = scale.accumulation is Accumulation.CUMULATIVE
    if periods >= RUN and not is_cumulative and (pattern := _pattern(change, course())):
        return Noise(Variation.BEYOND, f"special cause variation: {pattern}")
    if counts and _moved(*counts) == _sign(change):
        return (_noise_of_shares if scale.unit is Unit.PERCENT else _noise_of_events)(*counts)
    if is_cumulative:
        return Noise(Variation.UNKNOWN, "figures that add up within the year have no process limits of their own")
    return _noise_of_course(scale, change, course())


def counts_behind(scale: Scale, figures: Sequence[float], ratios: Sequence[Ratio | None]) -> tuple[Ratio, Ratio] | None:
    """The counts that two figures rest on, where they are counts of cases or of events; None where they are not.

    Args:
        scale: what the figures are.
        figures: the figure and last year's.
        ratios: the numerator and denominator that were returned with each.
    """
    if scale.counts_events:
        ratios = [Ratio(figure, 1) for figure in figures]
    ours, theirs = ratios
    if ours is None or theirs is None:
        return None
    both = (ours, theirs)
    if scale.unit is Unit.PERCENT:
        return both if all(one.is_share for one in both) else None
    if not (scale.counts_events or scale.unit is Unit.RATE) or not all(one.is_count for one in both):
        return None
    return both if scale.counts_events or _is_per_many(figures, both) else None


def _is_per_many(figures: Sequence[float], counts: tuple[Ratio, Ratio]) -> bool:
    """Whether a rate is of events per so many persons: it is larger than its quotient.

    A rate that is its plain quotient is a mean, such as points or offences a person: one person brings many.
    """
    # In whole numbers, which compare exactly.
    (events, base), (other_events, other_base) = (map(int, one) for one in counts)
    numerator, denominator = sum(figures).as_integer_ratio()
    quotients = _LEAST_MULTIPLIER * (events * other_base + other_events * base)
    return numerator * base * other_base >= quotients * denominator > 0


# Figures of few digits come again and again.
@lru_cache(maxsize=1 << 16)
def whole_units(value: float, decimals: int) -> int:
    """A figure of an indicator in whole units of its last decimal, rounded with halves away from zero."""
    # A double is far from every half, or looked at digit by digit: two thirds of the time that a series takes.
    scaled = value * 10.0**decimals
    whole = round(scaled)
    if abs(scaled - whole) < _FAR_FROM_HALF and abs(whole) < _EXACT:
        return whole
    size = abs(Decimal(repr(value))).scaleb(decimals)
    units = int(size + Decimal("0.5"))
    return -units if value < 0 else units


def _noise_of_shares(ours: Ratio, theirs: Ratio) -> Noise:
    hits, size, other_hits, other_size = (
        int(number) for one in (ours, theirs) for number in (one.numerator, one.denominator)
    )
    if min(hits + other_hits, size + other_size - hits - other_hits) < LEAST_EVENTS:
        return Noise(
            Variation.SMALL, f"fewer than {LEAST_EVENTS} cases in both periods together, on one side of the share"
        )
    return _told(shares_differ(hits, size, other_hits, other_size), "Fisher's exact test of two shares")


def _noise_of_events(ours: Ratio, theirs: Ratio) -> Noise:
    if ours.numerator + theirs.numerator < LEAST_EVENTS:
        return Noise(Variation.SMALL, f"fewer than {LEAST_EVENTS} events in both periods together")
    differ = counts_differ(*(int(number) for one in (ours, theirs) for number in (one.numerator, one.denominator)))
    return _told(differ, "exact binomial test of two counts")


def _noise_of_course(scale: Scale, change: int, course: Course) -> Noise:
    """Set a change beside the limits of those before it: no change, and 2.66 mean moving ranges either way."""
    ranges = course.ranges
    if ranges.number < LEAST_RANGES:
        needed = f"process limits need {LEAST_RANGES} pairs of earlier changes in neighbouring periods"
        return Noise(Variation.UNKNOWN, f"{needed}, and there {'is' if ranges.number == 1 else 'are'} {ranges.number}")
    if ranges.zeros * 2 > ranges.number:
        return Noise(Variation.UNKNOWN, "the earlier changes repeat each other, and make no process limits")
    limit = _widest(_XMR, ranges)
    shown = f"process limits of {Decimal(limit).scaleb(-scale.decimals)} either way of no change"
    if abs(change) > limit:
        return Noise(Variation.BEYOND, f"special cause variation: a single point outside {shown}")
    near = _widest(_CLOSE, ranges)
    last = [one for one in course.changes[-3:-1] if one is not None and _sign(one) == _sign(change)]
    if abs(change) > near and any(abs(one) > near for one in last):
        return Noise(Variation.BEYOND, f"special cause variation: two out of three points close to {shown}")
    return Noise(Variation.WITHIN, f"common cause variation: inside {shown}")


def _widest(means: Fraction, ranges: Ranges) -> int:
    """The largest change within so many mean ranges.

    Either of its two figures may lie half a unit beside what was published.
    """
    return means.numerator * ranges.total // (means.denominator * ranges.number) + 1


def _pattern(change: int, course: Course) -> str:
    """The shift or the trend that a change is part of, in words; empty where it is part of none."""
    last = [one for one in course.changes[-RUN:] if one is not None and _sign(one) == _sign(change)]
    if len(last) == RUN:
        return f"a shift, {RUN} points running {'above' if change > 0 else 'below'} the year before"
    figures = course.figures[-RUN:]
    steps = [after - before for before, after in pairwise(figures) if before is not None and after is not None]
    if len(steps) == RUN - 1 and all(_sign(step) == _sign(change) for step in steps):
        return f"a trend, {RUN} points running that {'rise' if change > 0 else 'fall'}"
    return ""


def _told(differs: bool, method: str) -> Noise:
    return Noise(Variation.BEYOND if differs else Variation.WITHIN, method)


def _moved(ours: Ratio, theirs: Ratio) -> int:
    """Whether a quotient of counts is larger than another, 1, or smaller, -1."""
    (events, base), (other_events, other_base) = (map(int, one) for one in (ours, theirs))
    return _sign(events * other_base - other_events * base)


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)
