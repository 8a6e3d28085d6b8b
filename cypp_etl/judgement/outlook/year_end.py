"""The end of a year, seen from one of its quarters: what is needed to meet the target, and whether it is on course.

A projection is made where there is a plain way: the latest figure stays as it is, and what adds up goes on as last year
did, by the share of last year's total that had come by the same quarter. Ratios of sums have none here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from cypp_etl.judgement.entries import Text
from cypp_etl.judgement.rounding import MOST_DECIMALS, Bools, Floats, Ints
from cypp_etl.judgement.words import choose
from schemas.codes import Accumulation, Polarity, YearCourse

QUARTERS = np.arange(1, 5)
"""The numbers of the quarters."""

Decimals: TypeAlias = npt.NDArray[Any]
"""Decimals, or None, as Python's own objects."""

_NOTHING: Any = Decimal()
_UNKNOWN: Any = None
_UNITS = np.array([Decimal(1).scaleb(-decimals) for decimals in range(MOST_DECIMALS + 1)], dtype=object)


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


@dataclass(frozen=True, slots=True)
class Years:
    """Years up to one of their quarters, as columns; shape (n,).

    `good` is 1 where more is better, -1 where less is, and 0 where nothing is good or bad, or where a band is. Decimals
    are Python's own. `quarters` and `last_year`, of shape (n, 4), have a column for each quarter: whether it is among
    those that make the year, and last year's figure, None if it is not known.
    """

    good: Ints
    is_latest: Bools
    is_sum: Bools
    is_cumulative: Bools
    decimals: Ints
    quarter: Ints
    quarters: Bools
    to_date: Decimals
    target: Decimals
    last_year: Decimals

    @classmethod
    def of(cls, year: YearSoFar) -> "Years":
        """One year."""
        last_year = dict(zip(year.quarters, year.last_year, strict=False))
        return cls(
            good=sign_of([year.polarity]),
            is_latest=np.array([year.accumulation is Accumulation.LATEST]),
            is_sum=np.array([year.accumulation is Accumulation.SUM]),
            is_cumulative=np.array([year.accumulation is Accumulation.CUMULATIVE]),
            decimals=np.array([year.decimals]),
            quarter=np.array([year.quarter]),
            quarters=np.isin(QUARTERS, year.quarters)[None, :],
            to_date=np.array([year.to_date], dtype=object),
            target=np.array([year.target], dtype=object),
            last_year=np.array([[last_year.get(quarter) for quarter in QUARTERS.tolist()]], dtype=object),
        )

    @property
    def remains(self) -> Bools:
        """Where quarters remain that are asked."""
        return np.asarray((self.quarters & ~self._is_by_then).any(axis=1))

    @property
    def _is_by_then(self) -> Bools:
        is_by_then: Bools = self.quarter[:, None] >= QUARTERS
        return is_by_then

    def shares_by_then(self) -> tuple[Ints, Decimals]:
        """The share of last year's total that had come by the same quarter: where it is known and positive, and it."""
        is_known = _is_known(self.last_year) | ~self.quarters
        rows = np.flatnonzero((self.is_sum | self.is_cumulative) & is_known.all(axis=1))
        asked, is_by_then = self.quarters[rows], self._is_by_then[rows]
        # What has added up is that of the last quarter.
        is_last = np.where(asked, QUARTERS, 0).max(axis=1, initial=0)[:, None] == QUARTERS
        is_own = self.quarter[rows, None] == QUARTERS
        adds, figures = self.is_sum[rows, None], self.last_year[rows]
        by_then, total = (
            np.where(counts, figures, _NOTHING).sum(axis=1, initial=_NOTHING)
            for counts in (np.where(adds, asked & is_by_then, is_own), np.where(adds, asked, is_last))
        )
        is_positive = (by_then > 0) & (total > 0)
        return rows[is_positive], by_then[is_positive] / total[is_positive]


def projected(years: Years) -> Decimals:
    """The years' figures if they go on like this, rounded to their decimals; None where that cannot be told."""
    figures: Decimals = np.where(~years.remains | years.is_latest, years.to_date, _UNKNOWN)
    rows, shares = years.shares_by_then()
    is_open = ~_is_known(figures[rows])
    rows, shares = rows[is_open], shares[is_open]
    if len(rows):
        figures[rows] = _rounded(years.to_date[rows] / shares, years.decimals[rows])
    return figures


def courses(years: Years, figures: Decimals, margin_percent: Decimals, margin_steps: Ints) -> Text:
    """Whether figures at the year's end meet the target, miss it by no more than the target's margin, or by more.

    The margin is that beyond which a figure is better than its target: a share of the target's size, and so many units
    of the last decimal, whichever is larger. Not known where there is no figure, where nothing is good or bad, or where
    a band is. The courses are in plain words.
    """
    words: Text = np.full(len(figures), YearCourse.NOT_KNOWN.value, dtype=object)
    rows = np.flatnonzero(_is_known(figures) & (years.good != 0))
    target = years.target[rows]
    gain = (figures[rows] - target) * years.good[rows]
    share = np.abs(target) * margin_percent[rows] / 100
    unit = _UNITS[years.decimals[rows]] * margin_steps[rows]
    cases = [(gain >= 0, YearCourse.ON), (-gain <= np.maximum(share, unit), YearCourse.AT_RISK)]
    words[rows] = choose(cases, YearCourse.OFF)
    return words


def sign_of(polarities: Sequence[Polarity]) -> Ints:
    """1 where more is better, -1 where less is, and 0 otherwise."""
    signs = {Polarity.HIGH: 1, Polarity.LOW: -1}
    return np.array([signs.get(polarity, 0) for polarity in polarities], dtype=np.int64)


def decimals_of(figures: Floats) -> Decimals:
    """Figures as decimals, None for NaN; any shape."""
    distinct, places = np.unique(figures, return_inverse=True)
    found = [None if figure != figure else Decimal(repr(figure)) for figure in distinct.tolist()]  # noqa: PLR0124 - NaN
    decimals: Decimals = np.array(found, dtype=object)[places].reshape(figures.shape)
    return decimals


def _is_known(figures: Decimals) -> Bools:
    return np.asarray(np.not_equal(figures, _UNKNOWN), dtype=np.bool_)


def _rounded(figures: Decimals, decimals: Ints) -> Decimals:
    units = _UNITS[decimals].tolist()
    rounded = [figure.quantize(unit, ROUND_HALF_UP) for figure, unit in zip(figures.tolist(), units, strict=True)]
    return np.array(rounded, dtype=object)
