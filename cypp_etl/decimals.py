"""Figures rounded to decimals, with halves away from zero (DESIGN section 9), and as people read them."""

from decimal import ROUND_HALF_UP, Context, Decimal
from functools import cache

from schemas.codes import Unit

# Enough digits for the quotient of any two numbers that a cell can hold.
_WIDE = Context(prec=1000)


def rounded(value: Decimal, decimals: int) -> Decimal:
    """A value rounded to a number of decimals, halves away from zero; no zero is negative."""
    result = value.quantize(step(decimals), ROUND_HALF_UP, _WIDE)
    return result if result else result.copy_abs()


@cache
def step(decimals: int) -> Decimal:
    """One unit of the last decimal: 0.01 for two decimals."""
    return Decimal(1).scaleb(-decimals)


def decimal_text(value: Decimal | float, decimals: int, unit: str) -> str:
    """A figure of a unit with a number of decimals, as people read it: `1,406` or `71.0%`."""
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    return f"{rounded(exact, decimals):,f}{'%' if unit == Unit.PERCENT else ''}"


def range_text(minimum: Decimal | None, maximum: Decimal | None, unit: str) -> str:
    """A range of which one end at least is given, such as `0 or more` or `between 0% and 100%`."""
    sign = "%" if unit == Unit.PERCENT else ""
    low, high = (None if bound is None else f"{bound:,f}{sign}" for bound in (minimum, maximum))
    if low and high:
        return f"between {low} and {high}"
    return f"{low} or more" if low else f"{high} or less"
