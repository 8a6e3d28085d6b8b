"""How far the rules look back: what must be known before a return is held against the past."""

from cypp_etl.periods import Period


def recalled_periods(period: Period) -> frozenset[Period]:
    """The periods whose figures those of a period are held against, by the rules of change, population and timing."""
    quarters = () if period.quarter else period.quarters
    return frozenset({period, period.previous, period.years_later(-1), period.year.previous, *quarters})
