"""Exact tests of two counts: how often chance alone would move one as far from the other, whatever their bases.

No approximation stands behind them, so that they hold for three events as for three thousand, and where one base is a
hundred times the other: what is known of both together is taken as given, and the one of them is looked up among all
that it could then have been.
"""

from collections.abc import Callable
from functools import lru_cache

LEVEL = 0.05
"""How often, at most, a difference is called one where there is none: half of it for a rise, half for a fall."""

# Every later figure of a series is told again where one is corrected.
_REMEMBERED = 1 << 14

# Terms smaller than this part of their sum no longer change it, and a sum as large as that dwarfs the other side's.
_NEGLIGIBLE = 1e-17
_OVERWHELMING = 1e290


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

    return _is_rare(hits, max(0, together - other_size), min(together, size), ratio)


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

    return _is_rare(events, 0, together, ratio)


def _is_rare(observed: int, least: int, most: int, ratio: Callable[[int], tuple[int, int]]) -> bool:
    """Whether a count, or one further out, comes up in no more than half of `LEVEL`, on either side.

    Args:
        observed: the count.
        least: the smallest that it can be.
        most: the largest.
        ratio: how much likelier the next count is than a count, as numerator and denominator.
    """
    above = _sum_from(observed, most, 1, ratio)
    below = _sum_from(observed, least, -1, lambda count: ratio(count - 1)[::-1])
    # Both have the observed count, whose weight is 1.
    return min(above, below) <= LEVEL / 2 * (above + below - 1)


def _sum_from(start: int, end: int, step: int, ratio: Callable[[int], tuple[int, int]]) -> float:
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
