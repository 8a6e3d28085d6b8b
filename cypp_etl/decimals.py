"""Figures rounded to decimals, with halves away from zero, and as people read them."""

from decimal import ROUND_HALF_UP, Context, Decimal
from functools import cache, lru_cache

from schemas.codes import Unit

# Enough digits for the quotient of any two numbers that a cell can hold.
_WIDE = Context(prec=1000)


def rounded(value: Decimal, decimals: int) -> Decimal:
    """A value rounded to a number of decimals, halves away from zero; no zero is negative."""
    result = value.quantize(step(decimals), ROUND_HALF_UP, _WIDE)
    return result if result else result.copy_abs()


def agrees(typed: Decimal, exact: Decimal, decimals: int) -> bool:
    """Whether a typed figure is what an exact one comes to: at an indicator's decimals, or at those that were typed.

    40.845 is 40.85 with two decimals, and 40.8 with one, although 40.85 itself would be 40.9: whoever typed two
    decimals has rounded once, and is right.
    """
    if typed == exact or rounded(typed, decimals) == rounded(exact, decimals):
        return True
    own = decimals_of(typed)
    return own > decimals and rounded(exact, own) == typed


def decimals_of(value: Decimal) -> int:
    """How many decimals a value has, but for zeros at their end; none for a whole number."""
    return max(-int(value.normalize(_WIDE).as_tuple().exponent), 0)


@cache
def step(decimals: int) -> Decimal:
    """One unit of the last decimal: 0.01 for two decimals."""
    return Decimal(1).scaleb(-decimals)


def decimal_text(value: Decimal | float, decimals: int, unit: str, currency: str = "") -> str:
    """A figure of a unit with a number of decimals, as people read it: `1,406`, `71.0%` or `-£5.20`."""
    return _decimal_text(value, decimals, unit, currency)


@lru_cache(maxsize=20_000)
def _decimal_text(value: Decimal | float, decimals: int, unit: str, currency: str) -> str:
    # A report says the same figure in several places.
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    return _signed(rounded(exact, decimals), unit, currency)


def range_text(minimum: Decimal | None, maximum: Decimal | None, unit: str, currency: str = "") -> str:
    """A range of which one end at least is given, such as `0 or more` or `between 0% and 100%`."""
    low, high = (None if bound is None else _signed(bound, unit, currency) for bound in (minimum, maximum))
    if low and high:
        return f"between {low} and {high}"
    return f"{low} or more" if low else f"{high} or less"


def currency_prefix(currency: str) -> str:
    """What stands before an amount: the symbol of a currency, and a space behind one that ends with a letter."""
    return f"{currency} " if currency[-1:].isalpha() else currency


def unit_words(unit: str, label: str) -> str:
    """What people read behind a figure: its unit's label in the plan, or `days`; empty where there is nothing to say.

    A sign, such as that of a percentage or of a currency, is in the figure itself.
    """
    return label or (unit if unit == Unit.DAYS else "")


def unit_text(unit: str, label: str, currency: str) -> str:
    """What people read for a unit: `per 1,000 births`, `£ per child`, or the unit's own name."""
    return " ".join(filter(None, (currency, label))) or unit


def _signed(value: Decimal, unit: str, currency: str) -> str:
    minus = "-" if value < 0 else ""
    return f"{minus}{currency_prefix(currency)}{abs(value):,f}{'%' if unit == Unit.PERCENT else ''}"
