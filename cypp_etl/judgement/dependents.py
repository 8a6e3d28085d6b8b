"""What one figure can change: the periods to judge again when an actual comes, changes or goes."""

from cypp_etl.periods import Period


def dependents(period: Period) -> tuple[Period, ...]:
    """The periods of the same series whose judgements can change with the actual of one period, itself among them.

    A quarter reaches four quarters on: the sum to date, the next quarter, the same quarter of next year, and every
    comparison that steps over a break in it. A break in it also parts its year from the year before. A year is next
    year's comparison, and the outturn for its quarters.
    """
    if not period.quarter:
        return (period, period.years_later(1), *period.years_later(1).quarters)
    later = tuple(quarter for quarter in (*period.quarters, *period.years_later(1).quarters) if quarter >= period)
    return (period.year, *later[:5])
