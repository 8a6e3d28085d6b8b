"""What a partner owes for a quarter, as rows of the Board's table of which nothing has been returned."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

from sqlalchemy import Connection, RowMapping, and_, exists, select

from cypp_etl.judgement.words import DirectionBasis
from cypp_etl.periods import Period, parse_period
from cypp_etl.report.model import FigureKey, KnownText, Row
from schemas.codes import Accumulation, Marker, Measure
from warehouse.plan_tables import plan_calendar, plan_indicator, plan_outcome, plan_owed
from warehouse.read import view

_QUARTERS = 4


def owed_rows(
    connection: Connection, plan_id: int | None, period: Period, texts: Mapping[FigureKey, KnownText]
) -> list[Row]:
    """A row for each indicator that is owed for a period, shaped as in `bi_performance`, as if nothing were returned.

    What is known without a return stands in it: last year's figure, targets and comparators. A whole year is owed by
    nobody, as `bi_return_status` has it.
    """
    leaf, owed, outcome, calendar = plan_indicator.c, plan_owed.c, plan_outcome.c, plan_calendar.c
    if not period.quarter:
        return []
    query = (
        select(plan_indicator, owed.partner_code, outcome.outcome)
        .join(plan_owed, and_(owed.plan_id == leaf.plan_id, owed.indicator == leaf.indicator))
        .join(plan_outcome, and_(outcome.plan_id == leaf.plan_id, outcome.outcome_code == leaf.outcome_code))
        .where(leaf.plan_id == plan_id, exists().where(calendar.plan_id == plan_id, calendar.period == period.code))
    )
    columns = view("bi_performance").c.keys()
    # Once, and not for each row: there may be figures by the hundred thousand.
    first_year = min((parse_period(code).start_year for code in {key.period for key in texts}), default=None)
    return [
        _row(planned, period, _Known(planned, period, texts, first_year), columns)
        for planned in connection.execute(query).mappings()
    ]


def _row(planned: RowMapping, period: Period, known: "_Known", columns: list[str]) -> Row:
    above = planned["parent_definition"]
    return {
        **dict.fromkeys(columns),
        **{name: planned[name] for name in columns if name in planned},
        "period": period.code,
        "period_label": period.label,
        "financial_year": period.year.code,
        "quarter": period.quarter,
        "indicator_no": planned["indicator_no"] or None,
        "sub": planned["sub"] or None,
        "definition": f"{above} – {planned['definition']}" if above else planned["definition"],
        "marker": Marker.NOT_RETURNED.value,
        **known.figures(),
    }


class _Known:
    """The figures that an indicator has without a return for the period, by the rules of docs/judgements.md."""

    def __init__(
        self, planned: RowMapping, period: Period, texts: Mapping[FigureKey, KnownText], first_year: int | None
    ) -> None:
        self._first_year = period.start_year if first_year is None else first_year
        self._planned, self._period, self._texts = planned, period, texts
        self._accumulates = planned["accumulation"] != Accumulation.LATEST.value

    def figures(self) -> dict[str, object]:
        """The columns of figures, and which period the earlier one is of."""
        year = self._period.year
        return {
            **self._previous(),
            "target": self._target(),
            "next_target": self._value(Measure.TARGET, year.years_later(1)),
            "next_target_2": self._value(Measure.TARGET, year.years_later(2)),
            "statistical_neighbours": self._latest(Measure.STATISTICAL_NEIGHBOURS),
            "national": self._latest(Measure.NATIONAL),
        }

    def _previous(self) -> dict[str, object]:
        before = self._period.years_later(-1)
        # A quarter is not set against a whole year where quarters add up to one.
        for place in (before,) if self._accumulates else (before, before.year):
            for measure in (Measure.ACTUAL, Measure.HISTORY):
                value = self._value(measure, place)
                if value is not None:
                    basis = (DirectionBasis.SAME_QUARTER if place == before else DirectionBasis.OUTTURN).value
                    return {"previous_period": place.code, "previous_actual": value, "direction_basis": basis}
        return {"previous_period": before.code}

    def _target(self) -> float | None:
        own, year = self._at(Measure.TARGET, self._period), self._value(Measure.TARGET, self._period.year)
        if own or year is None or not self._accumulates:
            return own.value if own else year
        share = Decimal(repr(year)) * self._period.quarter / _QUARTERS
        return float(share.quantize(Decimal(1).scaleb(-self._planned["decimals"]), ROUND_HALF_UP))

    def _latest(self, measure: Measure) -> float | None:
        years = range(self._period.start_year, self._first_year - 1, -1)
        found = (self._at(measure, Period(year)) for year in years)
        return next((known.value for known in found if known), None)

    def _value(self, measure: Measure, period: Period) -> float | None:
        known = self._at(measure, period)
        return known.value if known else None

    def _at(self, measure: Measure, period: Period) -> KnownText | None:
        return self._texts.get(
            FigureKey(self._planned["partner_code"], self._planned["indicator"], measure, period.code)
        )
