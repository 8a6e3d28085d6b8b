"""Figures that a partner owes for a quarter and has not returned, as rows of the Board's table."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, exists, literal, or_, select

from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.model import Banding, Figure, Indicator, Plan
from cypp_etl.report.model import Row
from schemas.codes import Accumulation, Marker, Measure, Polarity, Unit
from warehouse.queries.history import decimal_of
from warehouse.recording.judgements import FIGURE, judge_rows
from warehouse.schema.plan_tables import (
    plan_calendar,
    plan_edition,
    plan_figure,
    plan_indicator,
    plan_outcome,
    plan_owed,
)
from warehouse.schema.tables import JUDGED, observation
from warehouse.views.selectable import view

# A missing figure has no band, so margins do not matter; the warehouse does not store them.
_NO_MARGINS = Banding(Decimal(0), 0, Decimal(0), Decimal(0), Decimal(0))


def owed_rows(
    connection: Connection, plan_id: int | None, stored: Plan | None, period: Period, at: datetime
) -> list[Row]:
    """A row for each indicator owed for a period, with the columns of `bi_performance`, as if nothing were returned.

    `stored` is the plan, if its files are in the warehouse. An indicator is described by the edition that holds for the
    period. `judge` judges it as a figure that was not
    returned, with what was known at a moment. Whole years are not owed, as in `bi_return_status`.
    """
    leaf, owed, outcome, calendar = plan_edition.c, plan_owed.c, plan_outcome.c, plan_calendar.c
    if not period.quarter:
        return []
    query = (
        select(plan_edition, owed.partner_code, outcome.outcome)
        .join(plan_owed, and_(owed.plan_id == leaf.plan_id, owed.indicator == leaf.indicator))
        .join(plan_outcome, and_(outcome.plan_id == leaf.plan_id, outcome.outcome_code == leaf.outcome_code))
        .where(leaf.plan_id == plan_id, exists().where(calendar.plan_id == plan_id, calendar.period == period.code))
        .where(literal(period.last_day).between(leaf.described_from, leaf.described_until))
        .where(literal(period.last_day).between(owed.first_day, owed.last_day))
        .order_by(owed.partner_code, leaf.indicator)
    )
    planned = connection.execute(query).mappings().all()
    not_returned = (period.code, Measure.ACTUAL.value, None, Marker.NOT_RETURNED.value, "", 0)
    missing = [(row["partner_code"], row["indicator"], *not_returned) for row in planned]
    known = _known(connection, plan_id, period, at)
    judged = judge_rows([*known, *missing], stored or _plan(connection, plan_id))
    columns = view("bi_performance").c.keys()
    return [_row(row, period, columns, judged[row["partner_code"], row["indicator"], period.code]) for row in planned]


def _row(planned: RowMapping, period: Period, columns: list[str], judged: tuple[Any, ...]) -> Row:
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
        # The figure comes before its judgement.
        **dict(zip(JUDGED, judged[1:], strict=True)),
    }


def _known(connection: Connection, plan_id: int | None, period: Period, at: datetime) -> list[tuple[Any, ...]]:
    """The figures in force at a moment for what is owed, without the period's own actuals."""
    columns, owed = observation.c, plan_owed.c
    query = select(*(columns[name] for name in FIGURE)).where(
        exists().where(
            owed.plan_id == plan_id,
            owed.partner_code == columns.partner_code,
            owed.indicator == columns.indicator,
        ),
        columns.recorded_at <= at,
        or_(columns.superseded_at.is_(None), columns.superseded_at > at),
        or_(columns.measure != Measure.ACTUAL.value, columns.period != period.code),
    )
    return [tuple(row) for row in connection.execute(query)]


def _plan(connection: Connection, plan_id: int | None) -> Plan:
    """The part of a plan that is needed to judge a missing figure, of a program that did not store plans' files."""
    leaves = connection.execute(select(plan_indicator).where(plan_indicator.c.plan_id == plan_id)).mappings()
    figures = connection.execute(select(plan_figure).where(plan_figure.c.plan_id == plan_id)).mappings()
    return Plan(
        fingerprint="",
        outcomes={},
        aspirations={},
        actions={},
        milestones={},
        partners={},
        parents={},
        indicators={row["indicator"]: _leaf(row) for row in leaves},
        figures={
            (Measure(row["measure"]), row["indicator"], parse_period(row["period"])): Figure(
                decimal_of(row["value"]), Marker(row["marker"]) if row["marker"] else None, row["source"]
            )
            for row in figures
        },
        owed_by={},
        calendar={},
    )


def _leaf(row: RowMapping) -> Indicator:
    return Indicator(
        indicator=row["indicator"],
        indicator_no=row["indicator_no"],
        indicator_ref=row["indicator_ref"],
        sub=row["sub"],
        outcome_code=row["outcome_code"],
        definition=row["definition"],
        parent_definition=row["parent_definition"],
        polarity=Polarity(row["polarity"]),
        range_low=None,
        range_high=None,
        unit=Unit(row["unit"]),
        decimals=row["decimals"],
        minimum=None,
        maximum=None,
        accumulation=Accumulation(row["accumulation"]),
        multiplier=0,
        number_indicator="",
        banding=_NO_MARGINS,
    )
