"""What a form shows of what its partner returned before."""

from collections.abc import Iterable
from dataclasses import dataclass

from cypp_etl.checked_return import History, KnownFigure
from cypp_etl.figure_keys import FigureKey
from cypp_etl.periods import Period
from cypp_etl.plan.model import Figure, Indicator, Milestone, Plan
from schemas.codes import Measure, MilestoneStatus


@dataclass(frozen=True, slots=True)
class Past:
    """What a partner had returned when its form for a period was made; `plan` is that of all periods.

    `history` is None where there is no warehouse: then nothing is known, and nothing is shown.
    """

    plan: Plan
    partner_code: str
    period: Period
    history: History | None

    def last_year(self, indicator: Indicator) -> KnownFigure | Figure | None:
        """The figure of the same period of last year, or else of the whole of it, in the indicator's unit.

        It is the one with which this year's will be compared; where neither was returned, the plan may have it.
        """
        return self._last_year(indicator)[1]

    def is_outturn(self, indicator: Indicator) -> bool:
        """Whether `last_year` is the figure of a whole year, beside that of a quarter."""
        of, found = self._last_year(indicator)
        return found is not None and not of.quarter and bool(indicator.rhythm.period_in(self.period).quarter)

    def last_quarter(self, indicator: Indicator) -> KnownFigure | None:
        """The figure of the quarter that asked for it last, in the indicator's unit; none of what is asked by year."""
        asked = indicator.rhythm.period_in(self.period)
        return self._first(indicator, asked, [indicator.rhythm.before(asked)] if asked.quarter else [])[1]

    def last_status(self, milestone: Milestone) -> MilestoneStatus | None:
        """The last status that was reported before the period."""
        return self.history.last_state(milestone.milestone, self.period) if self.history else None

    def is_settled(self, milestone: Milestone) -> bool:
        """Whether it was achieved or withdrawn before the period."""
        return self.history is not None and self.history.is_settled(milestone.milestone, self.period)

    def _last_year(self, indicator: Indicator) -> tuple[Period, KnownFigure | Figure | None]:
        """The figure of last year, and the period that it is of."""
        asked = indicator.rhythm.period_in(self.period)
        earlier = indicator.year_before(asked)
        of, found = self._first(indicator, asked, earlier)
        if found is None and self.history is not None and asked.year.previous in earlier:
            return asked.year.previous, self._planned(indicator, asked)
        return of, found

    def _first(
        self, indicator: Indicator, asked: Period, earlier: Iterable[Period]
    ) -> tuple[Period, KnownFigure | None]:
        """The first figure of some periods that says anything, and compares with what is asked; and its period."""
        figures = self.history.figures if self.history else {}
        for period in earlier:
            known = figures.get(FigureKey(self.partner_code, indicator.indicator, Measure.ACTUAL, period.code))
            if known and (known.value is not None or known.marker) and self._compares(indicator, asked, period):
                return period, known
        return asked, None

    def _planned(self, indicator: Indicator, asked: Period) -> Figure | None:
        last_year = asked.year.previous
        if not self._compares(indicator, asked, last_year):
            return None
        return self.plan.figure(Measure.HISTORY, indicator.indicator, last_year, self.partner_code)

    def _compares(self, indicator: Indicator, period: Period, other: Period) -> bool:
        return self.plan.compares(self.partner_code, indicator.indicator, period, other)
