"""Converts decimals that arrive as doubles exactly to whole numbers, so that no judgement depends on binary errors.

A figure of at most 15 significant digits survives a double, but a double is not exactly 1.005: rounding the double
gives 1.00, although the partner's own figure rounds to 1.01. So the 15 digits are recovered first, and everything after
that is integer arithmetic on `steps`: units of the last decimal that an indicator is published with.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]

MOST_DECIMALS = 6
"""The most decimals that an indicator may be published with."""

LARGEST_STEPS = 10**18
"""The largest figure in steps (a trillion with six decimals): four quarters of it still add up in 64 bits."""

# A double is exact for powers of ten up to 10^22. Scaling by one of them has an error of less than a quarter in the
# 15th digit, so rounding to the nearest whole number gives the digits that were typed.
_FINEST = 22
_SMALLEST_EXPONENT = -7
_THRESHOLDS = np.array([float(f"1e{power}") for power in range(_SMALLEST_EXPONENT, 19)])
_SCALES = _FINEST - np.arange(len(_THRESHOLDS) + 1)
_TIMES = np.array([float(f"1e{max(scale, 0)}") for scale in _SCALES])
_OVER = np.array([float(f"1e{max(-scale, 0)}") for scale in _SCALES])

_TENS = 10 ** np.arange(19, dtype=np.int64)
# Dropping 17 of 15 digits leaves nothing, like dropping more.
_MOST_DROPPED = 17


def to_steps(values: Floats, decimals: Ints) -> Ints:
    """Round each value to its decimals, halves away from zero, and convert it to units of the last one.

    71.05 with one decimal is 711 steps, -0.5 with none is -1 (docs/judgements.md, "Exact figures").

    Args:
        values: shape (n,), decimals of at most 15 significant digits as doubles; NaN gives 0.
        decimals: shape (n,), 0 to 6.

    Raises:
        ValueError: a value is larger than 10^18 steps, or infinite; or decimals are not 0 to 6.
    """
    known = np.where(np.isnan(values), 0.0, values)
    _refuse_what_does_not_fit(known, decimals)
    size = np.abs(known)
    magnitude = np.searchsorted(_THRESHOLDS, size, side="right")
    digits = np.rint(size * _TIMES[magnitude] / _OVER[magnitude]).astype(np.int64)
    dropped = np.minimum(_SCALES[magnitude] - decimals, _MOST_DROPPED)
    divisor = _TENS[np.maximum(dropped, 0)]
    steps: Ints = (digits + divisor // 2) // divisor * _TENS[np.maximum(-dropped, 0)]
    return np.where(known < 0, -steps, steps)


def to_values(steps: Ints, decimals: Ints) -> Floats:
    """The doubles nearest to steps of the last decimal: 711 with one decimal is 71.1. Shapes are (n,)."""
    return np.asarray(steps / _TENS[decimals], dtype=np.float64)


def divide_half_away(dividend: Ints, divisor: int | Ints) -> Ints:
    """Divide whole numbers by positive ones and round halves away from zero; shape (n,).

    Twice the dividend plus the divisor must fit in 64 bits, unless they are Python's whole numbers.
    """
    size = (2 * np.abs(dividend) + divisor) // (2 * divisor)
    return np.where(dividend < 0, -size, size)


def _refuse_what_does_not_fit(values: Floats, decimals: Ints) -> None:
    """Raise if integer arithmetic could overflow, instead of judging a number that has wrapped around."""
    if np.any((decimals < 0) | (decimals > MOST_DECIMALS)):
        raise ValueError(f"an indicator has 0 to {MOST_DECIMALS} decimals")
    too_large = np.abs(values) > LARGEST_STEPS / _TENS[decimals]
    if too_large.any():
        raise ValueError(f"{values[too_large][0]!r} is too large to be judged")
