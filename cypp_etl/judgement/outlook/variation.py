"""Whether a change on last year is more than noise: beside the arrow, which stays as the rule says, never in its stead.

Where the counts behind a share or a number of events are known, an exact test tells how far chance alone would move
them. Where they are not, the course of the changes tells: an XmR chart of the changes on the year before, about no
change, so that seasons cancel out (Wheeler, Understanding Variation, 1993). The rules are the four of NHS England's
Making Data Count, in its words: a single point, two out of three points, a shift, a trend; the last two need no limits,
and stand beside the exact tests too. `docs/board.md` says how often each is wrong, and how much it finds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

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
_LEAST_MULTIPLIER = 2


@dataclass(frozen=True, slots=True)
class Ratio:
    """The counts behind a figure."""

    numerator: float
    denominator: float

    @property
    def quotient(self) -> Fraction:
        """The one divided by the other, exactly; 0 where that cannot be done."""
        return Fraction(self.numerator) / Fraction(self.denominator) if self.denominator else Fraction(0)

    @property
    def is_count(self) -> bool:
        """Whether events, and what they were counted over, are whole numbers."""
        numerator, denominator = Fraction(self.numerator), Fraction(self.denominator)
        return numerator >= 0 and denominator > 0 and numerator.denominator == denominator.denominator == 1

    @property
    def is_share(self) -> bool:
        """Whether the numbers say how many of how many have a property."""
        return self.is_count and self.numerator <= self.denominator


@dataclass(frozen=True, slots=True)
class Noise:
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
class Course:
    """How an indicator came to its figure, in whole units of its last decimal.

    Both have a place for each period from the last break in series on, None where it has none; the last is the period
    asked about. `changes` are those on the same period of the year before.
    """

    figures: Sequence[int | None]
    changes: Sequence[int | None]


def noise(scale: Scale, change: int, counts: tuple[Ratio, Ratio] | None, course: Course) -> Noise:
    """Tell whether a figure differs from last year's by more than chance would have it.

    Args:
        scale: what the figures are.
        change: how far the figure moved, in whole units of its last decimal.
        counts: the counts behind the figure and last year's, where they are known to be counts (`counts_behind`).
        course: how the indicator came to it.
    """
    if change == 0:
        return Noise(Variation.WITHIN, "there is no change")
    # Figures that add up within the year take the earlier quarters with them: their changes follow on each other.
    is_cumulative = scale.accumulation is Accumulation.CUMULATIVE
    if not is_cumulative and (pattern := _pattern(change, course)):
        return Noise(Variation.BEYOND, f"special cause variation: {pattern}")
    if counts and _sign(counts[0].quotient - counts[1].quotient) == _sign(change):
        return (_noise_of_shares if scale.unit is Unit.PERCENT else _noise_of_events)(*counts)
    if is_cumulative:
        return Noise(Variation.UNKNOWN, "figures that add up within the year have no process limits of their own")
    return _noise_of_course(scale, change, course.changes)


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
    is_counted = scale.counts_events or (scale.unit is Unit.RATE and _is_per_many(figures, both))
    return both if is_counted and all(one.is_count for one in both) else None


def _is_per_many(figures: Sequence[float], ratios: Sequence[Ratio]) -> bool:
    """Whether a rate is of events per so many persons: it is larger than its quotient.

    A rate that is its plain quotient is a mean, such as points or offences a person: one person brings many.
    """
    return sum(figures) >= _LEAST_MULTIPLIER * sum(one.quotient for one in ratios) > 0


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


def _noise_of_course(scale: Scale, change: int, changes: Sequence[int | None]) -> Noise:
    """Set a change beside the limits of those before it: no change, and 2.66 mean moving ranges either way."""
    # A gap is not closed up: only neighbours have a moving range.
    ranges = [abs(after - before) for before, after in pairwise(changes[:-1]) if None not in (before, after)]  # type: ignore[operator]
    if len(ranges) < LEAST_RANGES:
        needed = f"process limits need {LEAST_RANGES} pairs of earlier changes in neighbouring periods"
        return Noise(Variation.UNKNOWN, f"{needed}, and there {'is' if len(ranges) == 1 else 'are'} {len(ranges)}")
    if ranges.count(0) * 2 > len(ranges):
        return Noise(Variation.UNKNOWN, "the earlier changes repeat each other, and make no process limits")
    width = _XMR * sum(ranges) / len(ranges)
    limit = _widest(width)
    shown = f"process limits of {Decimal(limit).scaleb(-scale.decimals)} either way of no change"
    if abs(change) > limit:
        return Noise(Variation.BEYOND, f"special cause variation: a single point outside {shown}")
    near = _widest(width * 2 / 3)
    last = [one for one in changes[-3:-1] if one is not None and _sign(one) == _sign(change)]
    if abs(change) > near and any(abs(one) > near for one in last):
        return Noise(Variation.BEYOND, f"special cause variation: two out of three points close to {shown}")
    return Noise(Variation.WITHIN, f"common cause variation: inside {shown}")


def _widest(width: Fraction) -> int:
    """The largest change within a width: either of its two figures may lie half a unit beside what was published."""
    return int(width + 1)


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


def _sign(number: Fraction | int) -> int:
    return (number > 0) - (number < 0)
