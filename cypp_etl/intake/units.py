"""Converts what was typed to the indicator's unit: percent is recognised by format or sign, never by size."""

import re
from collections.abc import Collection
from decimal import Decimal

from cypp_etl.intake.values import Reading
from cypp_etl.plan.model import Indicator
from schemas.codes import Unit

# A figure agrees with an earlier one of the same sign within a factor of ten: its two readings as a percentage are a
# factor of a hundred apart, so that both agree only at the edge, where the partner is asked.
_AGREEMENT_FACTOR = 10

# A point instead of the comma between thousands, for an indicator without decimals; a suffix such as [p] may follow.
_THOUSANDS_POINT = re.compile(r"\s*[-+]?[1-9]\d{0,2}\.\d{3}(?!\d)", re.ASCII)


def to_unit(reading: Reading, leaf: Indicator, known: Collection[Decimal]) -> tuple[Decimal | None, str]:
    """Return a reading's value in the indicator's unit (percentages in points), and the code of a finding or nothing.

    `known` has earlier figures of the indicator. A percent indicator's figure that was typed without a percent format
    or sign is read as points if only that is believable; if 0.71 and 71 both are, or only 71 is, the partner
    is asked, and the value is None.
    """
    value = reading.value
    if value is None:
        return None, ""
    if leaf.decimals == 0 and not reading.is_percent and _THOUSANDS_POINT.match(reading.typed):
        return None, "thousands-point"
    if leaf.unit is not Unit.PERCENT:
        return (None, "percent-not-expected") if reading.is_percent else (value, "")
    # A value that is out of range either way has another finding.
    if reading.is_percent or value == 0 or not _is_possible(value, leaf):
        return value, ""
    can_only_be_points = not _is_possible(value * 100, leaf)
    are_points_believable = _is_believable(value, known) and not _is_believable(value * 100, known)
    return (value, "percent-assumed") if can_only_be_points or are_points_believable else (None, "percent-or-points")


def _is_possible(value: Decimal, leaf: Indicator) -> bool:
    return (leaf.minimum is None or value >= leaf.minimum) and (leaf.maximum is None or value <= leaf.maximum)


def _is_believable(value: Decimal, known: Collection[Decimal]) -> bool:
    """Whether a value agrees with an earlier figure, if there are any to agree with."""
    comparable = [earlier for earlier in known if earlier != 0]
    return not comparable or any(_agree(value, earlier) for earlier in comparable)


def _agree(value: Decimal, earlier: Decimal) -> bool:
    return value * earlier > 0 and abs(earlier) <= abs(value) * _AGREEMENT_FACTOR <= abs(earlier) * _AGREEMENT_FACTOR**2
