"""When an indicator is asked, of which period the figure in a return is, and with which it is compared."""

from collections.abc import Collection, Container, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from cypp_etl.periods import Period, label_of
from schemas.codes import Frequency, ReportedYear, YearType
from schemas.plan import YEARS_RETURN

IN_THE_YEARS_RETURN = 0
"""Stands among the quarters whose forms ask for an indicator: the return for the whole year asks for it."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often an indicator is collected, in which quarters' returns, and of which year a yearly one's figure is.

    `asked_in` are the numbers of the quarters whose forms ask for it, ascending, or `IN_THE_YEARS_RETURN`; `quarters`
    those that have figures of their own.
    """

    frequency: Frequency
    asked_in: tuple[int, ...]
    year_type: YearType
    reports_on: ReportedYear
    # Every row of every return asks for them.
    quarters: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Tell the quarters that have figures of their own, for the comparison of one with another.

        A yearly indicator asks for none. Where some were returned before it was yearly, each quarter counted.
        """
        object.__setattr__(self, "quarters", (1, 2, 3, 4) if self.is_yearly else self.asked_in)

    @classmethod
    def of(cls, stated: Mapping[Any, Any]) -> "Rhythm":
        """The rhythm of a row that states it as `stated` does."""
        return cls(
            Frequency(stated["frequency"]),
            quarters_asked(stated["asked_in"]),
            YearType(stated["year_type"]),
            ReportedYear(stated["reports_on"]),
        )

    @property
    def stated(self) -> dict[str, str]:
        """The rhythm as the plan states it, by column."""
        asked_in = " ".join(f"Q{quarter}" for quarter in self.asked_in if quarter)
        return {
            "frequency": self.frequency.value,
            "asked_in": asked_in or YEARS_RETURN,
            "year_type": self.year_type.value,
            "reports_on": self.reports_on.value,
        }

    @property
    def is_yearly(self) -> bool:
        """Whether its figures are of years."""
        return self.frequency is Frequency.YEARLY

    def asks(self, period: Period, calendar: Container[Period]) -> bool:
        """Whether it is asked in the return for a period.

        A year's return asks for what no quarter's form of that year asks for, because the calendar has no such quarter.
        """
        if period.quarter:
            return period.quarter in self.asked_in
        return not any(quarter and Period(period.start_year, quarter) in calendar for quarter in self.asked_in)

    def period_in(self, returned: Period) -> Period:
        """The period of a figure in the return for a period: its own, or for a yearly indicator this or last year."""
        if not self.is_yearly:
            return returned
        year = returned.year
        return year if self.reports_on is ReportedYear.THIS_YEAR else year.previous

    def latest(self, period: Period) -> Period:
        """The latest period of which a figure has been asked by the return for a period, or with it.

        Between two of the quarters that ask for it, it is the one that asked last.
        """
        if not period.quarter:
            return self.period_in(period)
        if self.is_yearly:
            is_asked = any(0 < quarter <= period.quarter for quarter in self.asked_in)
            return self.period_in(period if is_asked else period.year.previous)
        return period if period.quarter in self.asked_in else self.before(period)

    def before(self, period: Period) -> Period:
        """The period before one of a figure's own length: for quarters, the last one that asks for it."""
        return _before(period, self.quarters)

    def label(self, period: Period) -> str:
        """A period of the indicator for people: a year says which year it is."""
        return label_of(period, self.year_type)


# Every row of every return asks for it.
@lru_cache(maxsize=4096)
def _before(period: Period, quarters: tuple[int, ...]) -> Period:
    if not period.quarter:
        return period.previous
    earlier = [quarter for quarter in quarters if quarter < period.quarter]
    return Period(period.start_year, earlier[-1]) if earlier else Period(period.start_year - 1, quarters[-1])


def quarters_asked(text: str) -> tuple[int, ...]:
    """The quarters of a text such as `Q1 Q3`, ascending, or the year's own return."""
    if text == YEARS_RETURN:
        return (IN_THE_YEARS_RETURN,)
    return tuple(sorted({int(quarter[1:]) for quarter in text.split()}))


QUARTERLY = Rhythm(Frequency.QUARTERLY, (1, 2, 3, 4), YearType.FINANCIAL, ReportedYear.THIS_YEAR)
"""Asked in every quarter, of that quarter."""


def recalled_periods(period: Period, rhythms: Collection[Rhythm] = (QUARTERLY,)) -> frozenset[Period]:
    """The periods with which the rules of change, population and timing compare the figures of a return for a period.

    `rhythms` are those of the plan's indicators. A quarter's return has no figures of what it does not ask for.
    """
    asked = [rhythm for rhythm in rhythms if not period.quarter or period.quarter in rhythm.asked_in]
    return frozenset(recalled for rhythm in asked for recalled in _recalled(rhythm.period_in(period), rhythm))


def _recalled(period: Period, rhythm: Rhythm) -> Collection[Period]:
    quarters = () if period.quarter or rhythm.is_yearly else period.quarters
    return {period, rhythm.before(period), period.years_later(-1), period.year.previous, *quarters}
