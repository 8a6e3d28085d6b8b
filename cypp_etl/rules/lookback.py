"""How far the rules look back: the history that is needed to check a return."""

from collections.abc import Collection

from cypp_etl.periods import Period
from cypp_etl.plan.rhythm import QUARTERLY, Rhythm


def recalled_periods(period: Period, rhythms: Collection[Rhythm] = (QUARTERLY,)) -> frozenset[Period]:
    """The periods with which the rules of change, population and timing compare the figures of a return for a period.

    `rhythms` are those of the plan's indicators. A quarter's return has no figures of what it does not ask for.
    """
    asked = [rhythm for rhythm in rhythms if not period.quarter or period.quarter in rhythm.asked_in]
    return frozenset(recalled for rhythm in asked for recalled in _recalled(rhythm.period_in(period), rhythm))


def _recalled(period: Period, rhythm: Rhythm) -> Collection[Period]:
    quarters = () if period.quarter or rhythm.is_yearly else period.quarters
    return {period, rhythm.before(period), period.years_later(-1), period.year.previous, *quarters}
