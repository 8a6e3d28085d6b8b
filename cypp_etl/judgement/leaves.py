"""The plan's leaf indicators as columns: polarities and margins, in whole steps, of each of their editions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from fractions import Fraction

import numpy as np

from cypp_etl.caching import once_for_each
from cypp_etl.judgement.rounding import LARGEST_STEPS, Bools, Ints
from cypp_etl.periods import Period, quarter_of
from cypp_etl.plan.model import Indicator, Plan
from schemas.codes import Accumulation, Polarity

SLOTS = 5
"""Slots per financial year: the whole year first, then its quarters."""

SPAN = 1 << 16
"""Keys per series: more than the slots of ten thousand years, so that a step past its end hits no other series."""
_YEAR_AND_QUARTERS = (Period(0), *Period(0).quarters)

_SIGNS = {Polarity.HIGH: 1, Polarity.LOW: -1, Polarity.NONE: 1, Polarity.RANGE: 0}


@dataclass(frozen=True, slots=True)
class Leaves:
    """A column per attribute; every array has shape (pieces,), leaf by leaf in the plan's order.

    A leaf has a piece for each of its editions, and for each time with its own margins: `piece` is the one by which a
    period is judged. `places` are the leaves by name, and `starts` are the pieces' keys: leaf and slot of the first
    quarter. `era` counts the changes of a leaf after which its figures no longer compare with those of before; two
    pieces of a leaf compare if it is the same.

    `sign` is 1 where more is better, -1 where less is, 0 for RANGE. `low` and `high` bound the RANGE, in steps.
    `share_numerator` over `share_denominator` is the target margin as a share of the target; `margin_steps` is the
    margin in steps that a gain must also exceed; `comparator_steps` is the smallest gain, in steps, that is better than
    a comparator. `multiplier` turns numerator over denominator into the value, 0 if it has neither. `compares_bodies`
    says whether the figures of bodies of different size compare.
    `is_asked`, of shape (pieces, 5), says of the year, where it is false, and of each of its quarters whether figures
    are asked of it.
    """

    places: Mapping[str, int]
    starts: Ints
    era: Ints
    decimals: Ints
    sign: Ints
    is_judged: Bools
    low: Ints
    high: Ints
    is_sum: Bools
    is_ratio: Bools
    accumulates: Bools
    share_numerator: Ints
    share_denominator: Ints
    margin_steps: Ints
    comparator_steps: Ints
    multiplier: Ints
    compares_bodies: Bools
    is_asked: Bools

    def piece(self, leaf: Ints, slot: Ints) -> Ints:
        """The piece that holds for a slot of a leaf: the last one that has begun, or the first; shape (n,)."""
        if len(self.starts) == len(self.places):
            return leaf
        place: Ints = np.searchsorted(self.starts, leaf * SPAN + last_quarter(slot), side="right") - 1
        return place

    def gain(self, piece: Ints, ours: Ints, theirs: Ints) -> Ints:
        """How much better `ours` is than `theirs`, in steps; all of shape (n,), `piece` is the row's own.

        Without polarity it is how much greater `ours` is.
        """
        sign = self.sign[piece]
        gain = sign * (ours - theirs)
        in_range = sign == 0
        if in_range.any():
            ranged = piece[in_range]
            gain[in_range] = self._distance(ranged, theirs[in_range]) - self._distance(ranged, ours[in_range])
        return gain

    def target_margin(self, piece: Ints, target: Ints) -> Ints:
        """The gain in steps that must be exceeded to be better than the target; shape (n,).

        A whole number exceeds a fraction if it exceeds the fraction's whole part; dividing before multiplying
        keeps it within 64 bits.
        """
        whole, rest = np.divmod(np.abs(target), self.share_denominator[piece])
        numerator = self.share_numerator[piece]
        share = numerator * whole + numerator * rest // self.share_denominator[piece]
        margin: Ints = np.maximum(share, self.margin_steps[piece])
        return margin

    def _distance(self, piece: Ints, steps: Ints) -> Ints:
        """How far figures are outside their band, in steps; 0 inside and on its edges."""
        distance: Ints = np.maximum(np.maximum(self.low[piece] - steps, steps - self.high[piece]), 0)
        return distance


@once_for_each
def read_leaves(plan: Plan) -> Leaves:
    """Convert the plan's leaf indicators to columns.

    Raises:
        ValueError: a target margin is negative, above 400 percent or has more than seven decimals; or an amount does
            not fit in 64 bits.
    """
    editions = [plan.editions_of(name) for name in plan.indicators]
    leaves = [piece for each in editions for piece in each]
    shares = [_share(leaf) for leaf in leaves]
    polarity = [leaf.polarity for leaf in leaves]
    return Leaves(
        places={name: place for place, name in enumerate(plan.indicators)},
        starts=_whole(number * SPAN + start for number, each in enumerate(editions) for start in _starts(each)),
        era=_whole(era for name in plan.indicators for era in plan.eras_of(name)),
        decimals=_whole(leaf.decimals for leaf in leaves),
        sign=_whole(_SIGNS[each] for each in polarity),
        is_judged=np.array([each is not Polarity.NONE for each in polarity], dtype=np.bool_),
        low=_whole(_bound(leaf, leaf.range_low, -LARGEST_STEPS) for leaf in leaves),
        high=_whole(_bound(leaf, leaf.range_high, LARGEST_STEPS) for leaf in leaves),
        is_sum=np.array([leaf.accumulation is Accumulation.SUM for leaf in leaves], dtype=np.bool_),
        is_ratio=np.array([leaf.accumulation is Accumulation.RATIO for leaf in leaves], dtype=np.bool_),
        accumulates=np.array([leaf.accumulates for leaf in leaves], dtype=np.bool_),
        share_numerator=_whole(share.numerator for share in shares),
        share_denominator=_whole(share.denominator for share in shares),
        margin_steps=_whole(leaf.banding.target_margin_steps for leaf in leaves),
        comparator_steps=_whole(_steps(leaf, leaf.banding.comparator_margin, ROUND_CEILING) for leaf in leaves),
        multiplier=_whole(leaf.multiplier for leaf in leaves),
        compares_bodies=np.array([leaf.compares_bodies for leaf in leaves], dtype=np.bool_),
        is_asked=np.array(
            [[period.quarter in leaf.rhythm.quarters for period in _YEAR_AND_QUARTERS] for leaf in leaves],
            dtype=np.bool_,
        ).reshape(-1, len(_YEAR_AND_QUARTERS)),
    )


def last_quarter(slot: Ints) -> Ints:
    """The slot of each period's last quarter: what holds for that holds for the period; shape (n,)."""
    return np.where(slot % SLOTS, slot, slot + SLOTS - 1)


def slot_of(period: Period) -> int:
    """The slot of a period."""
    return period.start_year * SLOTS + period.quarter


def _starts(editions: Sequence[Indicator]) -> list[int]:
    """The slot of the first quarter of each edition; the first holds for whatever was before it, too."""
    return [0, *(slot_of(quarter_of(each.span.first_day)) for each in editions[1:])]


def _whole(numbers: Iterable[int]) -> Ints:
    return np.fromiter(numbers, dtype=np.int64)


def _share(leaf: Indicator) -> Fraction:
    """The target margin as an exact share of the target, within what 64 bits can multiply."""
    share = Fraction(leaf.banding.target_margin_percent) / 100
    if not 0 <= share <= 4 or share.denominator > 10**9:
        raise ValueError(f"{leaf.indicator}: a target margin is 0 to 400 percent, with at most seven decimals")
    return share


def _bound(leaf: Indicator, bound: Decimal | None, otherwise: int) -> int:
    """A limit of the band in steps, rounded like figures; beyond all figures if the band is open."""
    return otherwise if bound is None else _steps(leaf, bound, ROUND_HALF_UP)


def _steps(leaf: Indicator, amount: Decimal, rounding: str) -> int:
    """An amount in the leaf's unit as a whole number of steps."""
    steps = int(amount.scaleb(leaf.decimals).to_integral_value(rounding))
    if abs(steps) > LARGEST_STEPS:
        raise ValueError(f"{leaf.indicator}: {amount} is too large to be used in judgements")
    return steps
