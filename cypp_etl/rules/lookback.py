"""How far the rules look back: the history that is needed to check a return."""

from cypp_etl.periods import Period


def recalled_periods(period: Period) -> frozenset[Period]:
    """The periods with which the rules of change, population and timing compare the figures of a period."""
    quarters = () if period.quarter else period.quarters
    return frozenset({period, period.previous, period.years_later(-1), period.year.previous, *quarters})
