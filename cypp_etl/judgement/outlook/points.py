"""The judged figures of many series as columns, and how each of their indicators came to a figure.

A series is a number, and a period a slot; both make a key, as in `cypp_etl.judgement.entries`. What comes before a
figure is looked up by key, for all figures at once. The report asks about one series in the same way.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import TypeAlias

import numpy as np

from cypp_etl.judgement.leaves import SLOTS, SPAN
from cypp_etl.judgement.rounding import Bools, Floats, Ints

RUN = 7
"""How many points make a shift or a trend."""

# Numbers below this can be multiplied with each other, and sums of millions of them with a hundred, in 64 bits.
_SMALL = 2**30
_FAR_FROM_HALF = 0.4
_EXACT = 2**50
_TENS = 10.0 ** np.arange(23)

Quarters: TypeAlias = tuple[int, ...]
"""The quarters that are asked for, ascending."""


@dataclass(frozen=True, slots=True)
class Points:
    """Periods of series as they were judged, ascending by `key`: series times `SPAN`, and slot. Every array is (n,).

    Numbers are in the indicator's unit, NaN where there is none. `decimals` are those of the period's edition.
    `previous` is the slot that `previous_actual` is of, and `is_on_outturn` says that it is last year's outturn.
    `has_break` says that the series breaks with this figure; `numerator` and `denominator` were returned with it.
    """

    key: Ints
    decimals: Ints
    actual: Floats
    change: Floats
    previous_actual: Floats
    previous: Ints
    is_on_outturn: Bools
    year_to_date: Floats
    has_break: Bools
    numerator: Floats
    denominator: Floats

    def __len__(self) -> int:
        return len(self.key)

    @property
    def series(self) -> Ints:
        """The number of each one's series."""
        return self.key // SPAN

    @property
    def slot(self) -> Ints:
        """The slot of each one's period."""
        return self.key % SPAN

    def at(self, places: Ints) -> "Points":
        """Those at indices, in their order."""
        return Points(*(getattr(self, field.name)[places] for field in fields(self)))

    def find(self, keys: Ints) -> Ints:
        """The index of each key, -1 if it is absent; shape (n,)."""
        return found(self.key, keys)


@dataclass(frozen=True, slots=True)
class Courses:
    """How indicators came to their figures, in whole units of the last decimal.

    Shapes are (n,), and (n, 2) of `before` and `has_before`. Each goes by periods of one length that follow each other,
    from the last break in series on. `shift` is the sign of the last `RUN` changes on the year before, the figure's own
    among them, 0 where they share none or are fewer; `trend` that of the steps between the last `RUN` figures. `before`
    are the changes of the two periods before, where there are any. Between all changes before a figure's own there are
    moving ranges: how many, their sum, and how many are 0; none beside a gap, which is not closed up.
    """

    shift: Ints
    trend: Ints
    before: Ints
    has_before: Bools
    ranges: Ints
    total: Ints
    zeros: Ints


def courses(points: Points, asked: Ints, quarters: Sequence[Quarters], rhythm: Ints) -> Courses:
    """The course of some figures.

    Args:
        points: all figures of their series.
        asked: the indices of the figures that are asked about; shape (m,).
        quarters: the quarters that are asked for, by rhythm.
        rhythm: the rhythm of each figure that is asked about, an index into `quarters`; shape (m,).
    """
    figures, changes = whole_units(points.actual, points.decimals), whole_units(points.change, points.decimals)
    # A change on last year's outturn is no change on the same quarter, and none that could stand beside one.
    figures, changes = in_64_bits(figures, changes)
    has_figure, has_change = ~np.isnan(points.actual), ~np.isnan(points.change) & ~points.is_on_outturn
    units = _Units(points, figures, changes, has_figure, has_change)
    number, kind = len(asked), units.figures.dtype
    whole = [np.zeros(number, dtype=each) for each in (np.int64, np.int64, np.int64, kind, np.int64)]
    shift, trend, ranges, total, zeros = whole
    before, has_before = np.zeros((number, 2), dtype=kind), np.zeros((number, 2), dtype=np.bool_)
    course = Courses(shift, trend, before, has_before, ranges, total, zeros)
    is_year = points.slot[asked] % SLOTS == 0
    for each, of_rhythm in enumerate(quarters):
        if len(rows := np.flatnonzero(~is_year & (rhythm == each))):
            _fill_in(course, units, _Chain.of_quarters(points, of_rhythm), asked, rows)
    if len(rows := np.flatnonzero(is_year)):
        _fill_in(course, units, _Chain.of_years(points), asked, rows)
    return course


@dataclass(frozen=True, slots=True)
class _Units:
    """The figures and changes of points in whole units, and where there are any."""

    points: Points
    figures: Ints
    changes: Ints
    has_figure: Bools
    has_change: Bools


@dataclass(frozen=True, slots=True)
class _Chain:
    """Periods of one length that follow each other: each has a place, one more than the one before it.

    `members` are the indices of the points that are among them, `places` their keys: series times `SPAN`, and place.
    `broken` are the keys, ascending, where a series breaks. `quarters` are those asked for, none for years.
    """

    quarters: Quarters
    members: Ints
    places: Ints
    broken: Ints

    @classmethod
    def of_quarters(cls, points: Points, quarters: Quarters) -> "_Chain":
        """The quarters that are asked for."""
        year, quarter = np.divmod(points.slot, SLOTS)
        is_asked = np.isin(np.arange(SLOTS), quarters)
        members = np.flatnonzero(is_asked[quarter])
        rank = np.cumsum(is_asked) - 1
        places = (points.series * SPAN + year * len(quarters) + rank[quarter])[members]
        return cls(quarters, members, places, places[points.has_break[members]])

    @classmethod
    def of_years(cls, points: Points) -> "_Chain":
        """Whole years, each of which breaks with its quarters."""
        year, quarter = np.divmod(points.slot, SLOTS)
        places = points.series * SPAN + year
        members = np.flatnonzero(quarter == 0)
        return cls((), members, places[members], np.unique(places[points.has_break]))

    def before(self, points: Points, asked: Ints) -> Ints:
        """The key of the place before each of some figures, whether it is asked for itself or not."""
        year, quarter = np.divmod(points.slot[asked], SLOTS)
        if self.quarters:
            year = year * len(self.quarters) + np.searchsorted(self.quarters, quarter)
        return points.series[asked] * SPAN + year - 1

    def start(self, points: Points, asked: Ints, before: Ints) -> Ints:
        """The key of the place from which each course begins: its last break in series, or the first of all places."""
        last = np.searchsorted(self.broken, before, side="right")
        start = np.maximum(np.append(0, self.broken)[last], before // SPAN * SPAN)
        is_broken = points.has_break[asked] if self.quarters else found(self.broken, before + 1) >= 0
        return np.where(is_broken, before + 1, start)


def _fill_in(course: Courses, units: _Units, chain: _Chain, asked: Ints, rows: Ints) -> None:
    """Write the courses of some of the figures that are asked about, by their rows, all of one chain."""
    members, points = chain.members, units.points
    if not len(members):
        return
    own = asked[rows]
    before = chain.before(points, own)
    start = chain.start(points, own, before)
    last = np.searchsorted(chain.places, before, side="right") - 1
    follows = np.append(False, chain.places[1:] == chain.places[:-1] + 1)
    figures, changes = units.figures[members], units.changes[members]
    has_figure, has_change = units.has_figure[members], units.has_change[members]

    is_range = follows & has_change & np.append(False, has_change[:-1])
    size = np.where(is_range, np.abs(changes - np.append(changes[:1], changes[:-1])), 0)
    first = np.searchsorted(chain.places, start)
    for sums, each in (
        (course.ranges, is_range),
        (course.total, size),
        (course.zeros, is_range & (size == 0)),
    ):
        summed = np.cumsum(each)
        sums[rows] = np.where(last >= first, summed[last] - summed[np.minimum(first, len(summed) - 1)], 0)

    # The figure itself, and as many before it as a pattern needs, without a gap and since the last break.
    has_run = (start <= before - (RUN - 2)) & (chain.places[last] == before)
    has_run &= chain.places[np.maximum(last - (RUN - 2), 0)] == before - (RUN - 2)
    is_step = follows & has_figure & np.append(False, has_figure[:-1])
    signs = np.where(has_change, _sign(changes), 0)
    steps = np.where(is_step, _sign(figures - np.append(figures[:1], figures[:-1])), 0)
    own_sign = np.where(units.has_change[own], _sign(units.changes[own]), 0)
    own_step = np.where(units.has_figure[own] & has_figure[last], _sign(units.figures[own] - figures[last]), 0)
    course.shift[rows] = np.where(
        has_run & (_running(signs, follows)[last] >= RUN - 1) & (signs[last] == own_sign), own_sign, 0
    )
    course.trend[rows] = np.where(
        has_run & (_running(steps, follows)[last] >= RUN - 2) & (steps[last] == own_step), own_step, 0
    )

    for back in (0, 1):
        place = found(chain.places, before - back)
        course.before[rows, back] = changes[place]
        course.has_before[rows, back] = (place >= 0) & has_change[place] & (before - back >= start)


def _running(signs: Ints, follows: Bools) -> Ints:
    """How many places running up to each have its sign; shape (n,)."""
    places = np.arange(len(signs))
    is_first = ~(follows & (signs == np.append(0, signs[:-1])))
    return places - np.maximum.accumulate(np.where(is_first, places, 0)) + 1


def _sign(numbers: Ints) -> Ints:
    return np.sign(numbers).astype(np.int64)


def found(keys: Ints, wanted: Ints) -> Ints:
    """The index of each number among ascending ones, -1 if it is absent; shape (n,)."""
    if not len(keys):
        return np.full(len(wanted), -1, dtype=np.int64)
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, place, -1)


def in_64_bits(*columns: Ints) -> list[Ints]:
    """Whole numbers as they are or, where products of them might not fit in 64 bits, as Python's own."""
    is_small = all(np.abs(each).max(initial=0) < _SMALL for each in columns)
    return [*columns] if is_small else [each.astype(object) for each in columns]


def whole_units(values: Floats, decimals: Ints) -> Ints:
    """Figures in whole units of their last decimal, rounded with halves away from zero; 0 for none. Shapes are (n,).

    They fit in 64 bits: of more than `LARGEST_STEPS` units, nothing is judged.
    """
    known = np.where(np.isnan(values), 0.0, values)
    # A double is far from every half, or looked at digit by digit.
    scaled = known * _TENS[decimals]
    whole = np.rint(scaled)
    is_sure = (np.abs(scaled - whole) < _FAR_FROM_HALF) & (np.abs(whole) < _EXACT)
    units: Ints = np.where(is_sure, whole, 0).astype(np.int64)
    for place in np.flatnonzero(~is_sure).tolist():
        value = float(known[place])
        size = int(abs(Decimal(repr(value))).scaleb(int(decimals[place])) + Decimal("0.5"))
        units[place] = -size if value < 0 else size
    return units
