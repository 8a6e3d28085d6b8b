"""The time for which a row of the plan holds: from one period to another, each of them open if it is blank."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from cypp_etl.periods import Period, quarter_of


@dataclass(frozen=True, slots=True)
class Span:
    """From the first day of one period to the last day of another; None is open."""

    first_period: Period | None = None
    last_period: Period | None = None

    @property
    def first_day(self) -> date:
        """The first day on which the row holds."""
        return self.first_period.first_day if self.first_period else date.min

    @property
    def last_day(self) -> date:
        """The last day on which the row holds."""
        return self.last_period.last_day if self.last_period else date.max

    @property
    def is_open(self) -> bool:
        """Whether the row holds for ever."""
        return self.first_period is None and self.last_period is None

    def covers(self, period: Period) -> bool:
        """Whether the row holds for a period: what holds on its last day holds for the whole of it."""
        return self.first_day <= period.last_day <= self.last_day

    def __str__(self) -> str:
        first, last = (period.label if period else "" for period in (self.first_period, self.last_period))
        if first and last:
            return f"from {first} to {last}"
        if first or last:
            return f"from {first} on" if first else f"until {last}"
        return "for all periods"

    def overlaps(self, other: "Span") -> bool:
        """Whether there is a day on which both hold."""
        return self.first_day <= other.last_day and other.first_day <= self.last_day

    def within(self, other: "Span") -> bool:
        """Whether the other holds on each day on which this one does."""
        return other.first_day <= self.first_day and self.last_day <= other.last_day

    def cut(self, others: Iterable["Span"]) -> "tuple[Span, ...]":
        """This span in pieces, ascending, so that each of the others covers a piece wholly or not at all."""
        starts = sorted(day for day in turning_days(others) if self.first_day < day <= self.last_day)
        firsts = [self.first_period, *(quarter_of(day) for day in starts)]
        lasts = [*(quarter_of(day - timedelta(days=1)) for day in starts), self.last_period]
        return tuple(map(Span, firsts, lasts))


OPEN = Span()
"""Holds for ever."""


def turning_days(spans: Iterable[Span]) -> tuple[date, ...]:
    """The days, ascending, on which something begins to hold or holds no more."""
    begun = {span.first_day for span in spans if span.first_period}
    return tuple(sorted(begun | {span.last_day + timedelta(days=1) for span in spans if span.last_period}))
