"""What stored values mean: doubles as decimals, and words as qualifiers."""

from decimal import Decimal
from functools import lru_cache

from schemas.codes import Qualifier


def decimal_of(value: float | None) -> Decimal | None:
    """The decimal that was stored as a double: exact, since it had at most 15 significant digits."""
    # Rows repeat numbers; but two zeros are equal, and only one has a sign.
    return _decimal(value) if value else None if value is None else Decimal(repr(value))


@lru_cache(maxsize=16_384)
def _decimal(value: float) -> Decimal:
    return Decimal(repr(value))


@lru_cache
def qualifiers_of(words: str) -> frozenset[Qualifier]:
    """The qualifiers of a row, from their words."""
    return frozenset(Qualifier(word) for word in words.split("; ") if word)
