"""Exact tests of two counts: how often chance alone would move one as far from the other, whatever their bases.

No approximation stands behind them, so that they hold for three events as for three thousand, and where one base is a
hundred times the other: what is known of both together is taken as given, and the one of them is looked up among all
that it could then have been.
"""

from collections.abc import Callable
from functools import lru_cache
from math import exp, lgamma, log
from typing import NamedTuple, TypeAlias

LEVEL = 0.05
"""How often, at most, a difference is called one where there is none: half of it for a rise, half for a fall."""

# Where a figure is corrected, the outlooks of all later ones of its series are worked out again.
_REMEMBERED = 1 << 14

# A chance made of logarithms may be wrong by this part of the largest of them, and by so much of itself at least.
_ERROR_OF_LOGARITHMS = 1e-13
_LEAST_ERROR = 1e-12

# Terms smaller than this part of their sum no longer change it, and a sum as large as that dwarfs the other side's.
_NEGLIGIBLE = 1e-17
_OVERWHELMING = 1e290

_Ratio: TypeAlias = Callable[[int], tuple[int, int]]
"""How much likelier the next count is than a count, as numerator and denominator."""


class _Chance(NamedTuple):
    """How often a count comes up, but for an error of a part of it."""

    chance: float
    error: float

    @classmethod
    def of(cls, logarithm: float, largest: float) -> "_Chance":
        """A chance by its logarithm, which is the sum of some, and the largest of them."""
        return cls(exp(min(logarithm, 0.0)), _LEAST_ERROR + _ERROR_OF_LOGARITHMS * largest)


@lru_cache(maxsize=_REMEMBERED)
def shares_differ(hits: int, size: int, other_hits: int, other_size: int) -> bool:
    """Whether two shares differ, by Fisher's exact test at `LEVEL` (Statistical Methods for Research Workers, 1934).

    Given all hits of both, those of the one follow the hypergeometric distribution.

    Args:
        hits: how many of `size` have the property; 0 to size.
        size: above 0.
        other_hits: likewise of the other.
        other_size: likewise.
    """
    together = hits + other_hits

    def ratio(count: int) -> tuple[int, int]:
        return (together - count) * (size - count), (count + 1) * (other_size - together + count + 1)

    logarithm = _ways(size, hits) + _ways(other_size, other_hits) - _ways(size + other_size, together)
    chance = _Chance.of(logarithm, lgamma(size + other_size + 1))
    return _is_rare(hits, max(0, together - other_size), min(together, size), ratio, chance)


@lru_cache(maxsize=_REMEMBERED)
def counts_differ(events: int, base: int, other_events: int, other_base: int) -> bool:
    """Whether two counts of events differ for their bases, by the conditional binomial test at `LEVEL`.

    Given all events of both, those of the one follow the binomial distribution with its part of the bases (Przyborowski
    and Wilenski, Biometrika 31, 1940).

    Args:
        events: how many there were; 0 or more.
        base: what they were counted over, such as persons or quarters; above 0.
        other_events: likewise of the other.
        other_base: likewise.
    """
    together = events + other_events

    def ratio(count: int) -> tuple[int, int]:
        return (together - count) * base, (count + 1) * other_base

    whole = log(base + other_base)
    logarithm = events * (log(base) - whole) + other_events * (log(other_base) - whole) + _ways(together, events)
    chance = _Chance.of(logarithm, lgamma(together + 1) + together * whole)
    return _is_rare(events, 0, together, ratio, chance)


def _ways(size: int, count: int) -> float:
    """The logarithm of the number of ways to choose so many of a size."""
    return lgamma(size + 1) - lgamma(count + 1) - lgamma(size - count + 1)


def _is_rare(observed: int, least: int, most: int, ratio: _Ratio, chance: _Chance) -> bool:
    """Whether a count, or one further out, comes up in no more than half of `LEVEL`, on either side.

    Args:
        observed: the count.
        least: the smallest that it can be.
        most: the largest.
        ratio: of the counts.
        chance: how often the count itself comes up.
    """

    def back(count: int) -> tuple[int, int]:
        return ratio(count - 1)[::-1]

    above, below = (observed, most, 1, ratio), (observed, least, -1, back)
    numerator, denominator = ratio(observed)
    # The side that falls is soon told, and nearly always the rare one. Only what is as rare as half of `LEVEL`, as far
    # as logarithms go, has all of its counts added up.
    sides = (above, below) if numerator < denominator else (below, above)
    first = _is_seldom(*sides[0], chance)
    if first or (second := _is_seldom(*sides[1], chance)):
        return True
    if first is None or second is None:
        upper, lower = _sum_from(*above), _sum_from(*below)
        # Both have the observed count, whose weight is 1.
        return min(upper, lower) <= LEVEL / 2 * (upper + lower - 1)
    return False


def _is_seldom(start: int, end: int, step: int, ratio: _Ratio, chance: _Chance) -> bool | None:
    """Whether all counts from one to the last come up in no more than half of `LEVEL`; None where that is too close.

    It is told by the first few: what follows a weight that falls is less than if it went on falling as slowly.
    """
    if chance.chance == 0:
        # Too seldom for a double.
        return True
    least, most = (LEVEL / 2 * part / chance.chance for part in (1 - chance.error, 1 + chance.error))
    weight = total = 1.0
    for count in range(start, end, step):
        if total > most:
            return False
        numerator, denominator = ratio(count)
        if numerator < denominator:
            rest = weight * numerator / (denominator - numerator)
            if total + rest <= least:
                return True
            if rest < total * _NEGLIGIBLE:
                break
        weight *= numerator / denominator
        total += weight
    return False if total > most else True if total <= least else None


def _sum_from(start: int, end: int, step: int, ratio: _Ratio) -> float:
    """The weights of all counts from one to the last, as parts of the first's."""
    weight = total = 1.0
    for count in range(start, end, step):
        numerator, denominator = ratio(count)
        weight *= numerator / denominator
        total += weight
        # Weights rise to one peak and fall from it for good.
        if total > _OVERWHELMING or (numerator < denominator and weight < total * _NEGLIGIBLE):
            break
    return total
