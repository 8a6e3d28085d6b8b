"""The end of a year, seen from one of its quarters: what is needed to meet the target, and whether it is on course.

A projection is made where there is a plain way: the latest figure stays as it is, and what adds up goes on as last year
did, by the share of last year's total that had come by the same quarter. Ratios of sums have none here.
"""

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import NamedTuple

from cypp_etl.plan.model import Banding
from schemas.codes import Accumulation, Polarity, YearCourse


class YearSoFar(NamedTuple):
    """A year up to one of its quarters, in the indicator's unit.

    `quarters` are the numbers of those that make the year, ascending: the ones that are asked, and this one. `target`
    is that of the whole year, and `last_year` the figures of the same quarters of last year, None where one is not
    known; for what does not add up, there need be none.
    """

    polarity: Polarity
    accumulation: Accumulation
    decimals: int
    quarter: int
    to_date: Decimal
    target: Decimal
    last_year: Sequence[Decimal | None]
    quarters: Sequence[int] = (1, 2, 3, 4)

    @property
    def remaining(self) -> int:
        """How many quarters remain that are asked."""
        return sum(quarter > self.quarter for quarter in self.quarters)

    @property
    def adds_up(self) -> bool:
        """Whether the year's figure is made of what the quarters bring."""
        return self.accumulation in (Accumulation.SUM, Accumulation.CUMULATIVE)


def needed(year: YearSoFar) -> Decimal | None:
    """What each quarter that remains must bring, or may at most, for the target to be met.

    It is rounded to the indicator's decimals so that it suffices. None where none remains, and for what does not add
    up: there the last figure alone counts.
    """
    if not year.remaining or not year.adds_up:
        return None
    rounding = ROUND_FLOOR if year.polarity is Polarity.LOW else ROUND_CEILING
    return ((year.target - year.to_date) / year.remaining).quantize(Decimal(1).scaleb(-year.decimals), rounding)


def projected(year: YearSoFar) -> Decimal | None:
    """The year's figure if it goes on like this, rounded to its decimals; None where that cannot be told."""
    if not year.remaining or year.accumulation is Accumulation.LATEST:
        return year.to_date
    share = _share_by_then(year)
    if not share:
        return None
    return (year.to_date / share).quantize(Decimal(1).scaleb(-year.decimals), ROUND_HALF_UP)


def course(year: YearSoFar, figure: Decimal, banding: Banding) -> YearCourse | None:
    """Whether a figure at the year's end meets the target, misses it by no more than the target's margin, or by more.

    The margin is that beyond which a figure is better than its target: a share of the target's size, and so many units
    of the last decimal, whichever is larger. None where nothing is good or bad, or where a band is.
    """
    if year.polarity not in (Polarity.HIGH, Polarity.LOW):
        return None
    gain = figure - year.target if year.polarity is Polarity.HIGH else year.target - figure
    if gain >= 0:
        return YearCourse.ON
    share = abs(year.target) * banding.target_margin_percent / 100
    unit = banding.target_margin_steps * Decimal(1).scaleb(-year.decimals)
    return YearCourse.AT_RISK if -gain <= max(share, unit) else YearCourse.OFF


def _share_by_then(year: YearSoFar) -> Decimal | None:
    """The share of last year's total that had come by the same quarter; None where it is not known, or not positive."""
    known = [figure for figure in year.last_year if figure is not None]
    if not year.adds_up or len(known) < len(year.quarters):
        return None
    so_far = len(year.quarters) - year.remaining
    if year.accumulation is Accumulation.CUMULATIVE:
        by_then, total = known[so_far - 1], known[-1]
    else:
        by_then, total = sum(known[:so_far], Decimal()), sum(known, Decimal())
    return by_then / total if by_then > 0 and total > 0 else None
