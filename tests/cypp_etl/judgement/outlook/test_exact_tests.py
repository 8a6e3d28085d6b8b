"""The exact tests against published examples, against whole-number arithmetic, and at bases far apart."""

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cypp_etl.judgement.outlook.exact_tests import LEVEL, counts_differ, shares_differ

_HALF = Fraction(1, 40)
_SIZES = st.integers(1, 60)


def _fisher(hits: int, size: int, other_hits: int, other_size: int) -> bool:
    together = hits + other_hits
    weights = {
        count: comb(size, count) * comb(other_size, together - count)
        for count in range(max(0, together - other_size), min(together, size) + 1)
    }
    return _is_rare(hits, weights)


def _binomial(events: int, base: int, other_events: int, other_base: int) -> bool:
    together = events + other_events
    weights = {n: comb(together, n) * base**n * other_base ** (together - n) for n in range(together + 1)}
    return _is_rare(events, weights)


def _is_rare(observed: int, weights: dict[int, int]) -> bool:
    above = sum(weight for count, weight in weights.items() if count >= observed)
    below = sum(weight for count, weight in weights.items() if count <= observed)
    return Fraction(min(above, below), sum(weights.values())) <= _HALF


def test_the_lady_tasting_tea() -> None:
    """Fisher 1935: four of four right is one chance in seventy, three of four is seventeen."""
    assert shares_differ(4, 4, 0, 4)
    assert not shares_differ(3, 4, 1, 4)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        # Of 20 events over equal bases: 5 or fewer come up in 2.07%, 6 or fewer in 5.77% (binomial tables).
        (5, True),
        (6, False),
        (14, False),
        (15, True),
    ],
)
def test_events_over_equal_bases_are_a_coin_thrown(events: int, expected: bool) -> None:
    assert counts_differ(events, 1, 20 - events, 1) is expected


def test_one_chance_in_forty_is_rare_and_one_in_thirty_nine_is_not() -> None:
    """Half of the level to the last digit, which logarithms alone do not tell."""
    assert shares_differ(1, 1, 0, 39)
    assert not shares_differ(1, 1, 0, 38)
    assert counts_differ(1, 1, 0, 39)
    assert not counts_differ(1, 1, 0, 38)


@given(st.data(), _SIZES, _SIZES)
def test_shares_are_told_as_whole_numbers_tell_them(data: st.DataObject, size: int, other_size: int) -> None:
    hits, other_hits = data.draw(st.integers(0, size)), data.draw(st.integers(0, other_size))
    told = shares_differ(hits, size, other_hits, other_size)
    assert told == _fisher(hits, size, other_hits, other_size)
    assert told == shares_differ(other_hits, other_size, hits, size), "whichever is named first"
    assert told == shares_differ(size - hits, size, other_size - other_hits, other_size), "hits or misses"


@given(st.integers(0, 60), _SIZES, st.integers(0, 60), _SIZES, st.integers(2, 1000))
def test_counts_are_told_as_whole_numbers_tell_them(
    events: int, base: int, other_events: int, other_base: int, scale: int
) -> None:
    told = counts_differ(events, base, other_events, other_base)
    assert told == _binomial(events, base, other_events, other_base)
    assert told == counts_differ(other_events, other_base, events, base)
    assert told == counts_differ(events, base * scale, other_events, other_base * scale), "bases in any unit"


@given(st.data(), _SIZES, _SIZES)
def test_more_of_a_difference_is_no_less_of_one(data: st.DataObject, size: int, other_size: int) -> None:
    hits, other_hits = data.draw(st.integers(0, size)), data.draw(st.integers(0, other_size))
    assume(hits * other_size > other_hits * size and hits < size)
    if shares_differ(hits, size, other_hits, other_size):
        assert shares_differ(hits + 1, size, other_hits, other_size)


@given(_SIZES, _SIZES, st.integers(1, 30))
def test_equal_shares_and_rates_never_differ(size: int, hits: int, times: int) -> None:
    assume(hits <= size)
    assert not shares_differ(hits, size, hits * times, size * times)
    assert not counts_differ(hits, size, hits * times, size * times)


def test_large_counts_are_told_too() -> None:
    assert not shares_differ(300_000, 1_000_000, 301_000, 1_000_000)
    assert shares_differ(300_000, 1_000_000, 302_000, 1_000_000)
    assert shares_differ(0, 1_000_000, 1_000_000, 1_000_000)
    assert counts_differ(10, 10**9, 10**6, 10**9)


@pytest.mark.parametrize("bases", [(1, 1), (1, 100), (100, 1)])
def test_bases_a_hundred_times_apart_give_no_more_false_alarms(bases: tuple[int, int]) -> None:
    """The Poisson variance of the difference called 87% of such pairs different, where nothing was."""
    chance = np.random.default_rng(1998)
    pairs = [chance.poisson(0.2 * base, 2000).tolist() for base in bases]
    alarms = sum(counts_differ(ours, bases[0], theirs, bases[1]) for ours, theirs in zip(*pairs, strict=True))
    assert alarms <= LEVEL * 2000
