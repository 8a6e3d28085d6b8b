"""Rounding gives the result of rounding the typed digits on paper."""

from decimal import ROUND_HALF_UP, Context, Decimal

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cypp_etl.judgement.rounding import LARGEST_STEPS, divide_half_away, to_steps, to_values


def _steps(value, decimals):
    return to_steps(np.array([value], dtype=np.float64), np.array([decimals], dtype=np.int64))[0]


@pytest.mark.parametrize(
    ("value", "decimals", "steps"),
    [
        (71.05, 1, 711),
        (1.005, 2, 101),
        (2.675, 2, 268),
        (0.285, 2, 29),
        (0.5, 0, 1),
        (-0.5, 0, -1),
        (-1.1, 1, -11),
        (0.49999999999999, 0, 0),
        (0.0, 2, 0),
        (-0.0, 2, 0),
        (0.1 + 0.2, 6, 300_000),
        (999_999_999_999_999.0, 0, 999_999_999_999_999),
        (5e-7, 6, 1),
        (4.99999999999999e-7, 6, 0),
        (1e-300, 6, 0),
        (1e12, 6, LARGEST_STEPS),
        (-1e18, 0, -LARGEST_STEPS),
    ],
)
def test_known_roundings(value, decimals, steps):
    assert _steps(value, decimals) == steps


_FIFTEEN_DIGITS = st.builds(
    lambda digits, scale: Decimal(digits).scaleb(-scale),
    st.integers(-(10**15) + 1, 10**15 - 1),
    st.integers(3, 21),
)
_TIES = st.builds(
    lambda digits, scale: Decimal(10 * digits + 5).scaleb(-scale),
    st.integers(-(10**13), 10**13),
    st.integers(1, 7),
).filter(lambda tie: abs(tie) <= 10**12)


@settings(deadline=None)
@given(st.lists(st.tuples(_FIFTEEN_DIGITS | _TIES, st.integers(0, 6)), min_size=1, max_size=20))
@example([(Decimal("999999999999.9995"), 3), (Decimal("-1E-7"), 6)])
def test_rounding_agrees_with_decimal(rows):
    values = np.array([float(value) for value, _ in rows])
    decimals = np.array([places for _, places in rows], dtype=np.int64)
    exact = Context(prec=60)
    expected = [
        int(Decimal(repr(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, exact).scaleb(places, exact))
        for value, places in zip(values.tolist(), decimals.tolist(), strict=True)
    ]
    assert to_steps(values, decimals).tolist() == expected


def test_nothing_known_is_no_steps():
    assert _steps(np.nan, 2) == 0
    assert to_steps(np.array([]), np.array([], dtype=np.int64)).tolist() == []


@pytest.mark.parametrize(("value", "decimals"), [(1e18, 1), (-1.1e12, 6), (np.inf, 0), (1e300, 0)])
def test_what_does_not_fit_is_refused(value, decimals):
    with pytest.raises(ValueError, match="too large"):
        _steps(value, decimals)


@pytest.mark.parametrize("decimals", [-1, 7])
def test_decimals_out_of_range_are_refused(decimals):
    with pytest.raises(ValueError, match="0 to 6 decimals"):
        _steps(1.0, decimals)


@settings(deadline=None)
@given(st.integers(-(10**15) + 1, 10**15 - 1), st.integers(0, 6))
def test_steps_become_the_nearest_double(steps, decimals):
    value = to_values(np.array([steps]), np.array([decimals]))[0]
    assert value == float(Decimal(steps).scaleb(-decimals))
    assert _steps(value, decimals) == steps


@settings(deadline=None)
@given(st.integers(-4 * 10**18, 4 * 10**18), st.integers(1, 4))
def test_division_rounds_halves_away(dividend, divisor):
    expected = (Decimal(dividend) / divisor).quantize(Decimal(1), ROUND_HALF_UP)
    assert divide_half_away(np.array([dividend]), divisor)[0] == int(expected)
