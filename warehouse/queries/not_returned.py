"""What stands in the Board's table without a return, as its rows.

Figures that a partner owes in the return for a period and has not returned; and the plan's own figures of what that
return does not ask for.
"""

from collections.abc import Sequence, Set
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, and_, exists, literal, select

from cypp_etl.caching import once_for_each
from cypp_etl.periods import Period, label_of, parse_period
from cypp_etl.plan.model import Banding, Comparator, Figure, Indicator, Plan, full_definition
from cypp_etl.plan.rhythm import Rhythm
from cypp_etl.report.model import Row
from schemas.codes import Accumulation, ComparatorMethod, Marker, Measure, Polarity, Unit, YearType
from warehouse.figures.judged_rows import FIGURE, judge_rows
from warehouse.queries.as_of import EVERY_SERIES, Wanted, in_force_then
from warehouse.schema.plan_tables import (
    plan_calendar,
    plan_comparator,
    plan_due,
    plan_edition,
    plan_figure,
    plan_indicator,
    plan_outcome,
    plan_owed,
)
from warehouse.schema.tables import JUDGED, observation
from warehouse.schema.values import decimal_of
from warehouse.views.selectable import view

# A missing figure has no band, so margins do not matter; the warehouse does not store them.
_NO_MARGINS = Banding(Decimal(0), 0, Decimal(0), Decimal(0), Decimal(0))


def owed_rows(
    connection: Connection,
    plan_id: int | None,
    judged_by: Plan,
    period: Period,
    at: datetime,
    *,
    wanted: Wanted = EVERY_SERIES,
) -> list[Row]:
    """A row for each wanted indicator owed for a period, with the columns of `bi_performance`, as if not returned.

    `judged_by` is the plan, or what `plan_to_judge_by` knows of it. An indicator is described by the edition that holds
    for the period. `judge` judges it as a figure that was not returned, with what was known at a moment. Each is of the
    period that its figure in the return would be of.
    """
    calendar, due = _calendar(connection, plan_id), plan_due.c
    is_due = exists().where(
        due.plan_id == plan_id, due.partner_code == plan_owed.c.partner_code, due.period == period.code
    )
    planned = [
        (row, rhythm.period_in(period))
        for row in connection.execute(_collected(plan_id, period, wanted).where(is_due)).mappings()
        if (rhythm := Rhythm.of(row)).asks(period, calendar)
    ]
    return _rows(connection, plan_id, judged_by, planned, at=at, wanted=wanted)


def planned_rows(
    connection: Connection,
    plan_id: int | None,
    judged_by: Plan,
    period: Period,
    at: datetime,
    *,
    wanted: Wanted = EVERY_SERIES,
) -> list[Row]:
    """A row for each wanted indicator that the return for a period does not ask for, where the plan has its history.

    The arguments are those of `owed_rows`, and so are the columns. Each row is of the latest period, of those that have
    been asked for, of which the plan has a figure: that is its `actual`, with what it would be compared with, and
    `is_planned` says that nobody returned it. It is not judged.
    """
    calendar, known = _calendar(connection, plan_id), _history(judged_by)
    planned: list[tuple[RowMapping, Period]] = []
    figures: dict[tuple[str, str], float] = {}
    for row in connection.execute(_collected(plan_id, period, wanted)).mappings():
        rhythm, code, indicator = Rhythm.of(row), row["partner_code"], row["indicator"]
        if not rhythm.asks(period, calendar):
            # What the plan has for the partner alone comes first.
            history = {**known.get(("", indicator), {}), **known.get((code, indicator), {})}
            until = rhythm.latest(period).order
            of = [one for one in history if bool(one.quarter) != rhythm.is_yearly and one.order <= until]
            if of:
                latest = max(of, key=lambda one: one.order)
                planned.append((row, latest))
                figures[code, indicator] = history[latest]
    return [
        {
            **row,
            **dict.fromkeys(("actual", "year_to_date"), figures[row["partner_code"], row["indicator"]]),
            "marker": None,
            "is_planned": True,
        }
        for row in _rows(connection, plan_id, judged_by, planned, at=at, wanted=wanted)
    ]


# A report on many partners asks for each of them.
@once_for_each
def _history(plan: Plan) -> dict[tuple[str, str], dict[Period, float]]:
    """The plan's own figures of what was, by partner, empty for every partner, and indicator."""
    found: dict[tuple[str, str], dict[Period, float]] = {}
    for code, figures in (("", plan.figures), *plan.partner_figures.items()):
        for (measure, indicator, period), figure in figures.items():
            if measure == Measure.HISTORY and figure.value is not None:
                found.setdefault((code, indicator), {})[period] = float(figure.value)
    return found


def _collected(plan_id: int | None, period: Period, wanted: Wanted) -> Select[Any]:
    """What is collected of whom at the time of a period, whether or not its return asks for it."""
    leaf, owed, outcome = plan_edition.c, plan_owed.c, plan_outcome.c
    return (
        select(plan_edition, owed.partner_code, outcome.outcome)
        .join(plan_owed, and_(owed.plan_id == leaf.plan_id, owed.indicator == leaf.indicator))
        .join(plan_outcome, and_(outcome.plan_id == leaf.plan_id, outcome.outcome_code == leaf.outcome_code))
        .where(leaf.plan_id == plan_id)
        .where(literal(period.last_day).between(leaf.described_from, leaf.described_until))
        .where(literal(period.last_day).between(owed.first_day, owed.last_day))
        .where(*Wanted(wanted.partners).of(owed), *Wanted(None, wanted.indicators).of(leaf))
        .order_by(owed.partner_code, leaf.indicator)
    )


def _rows(
    connection: Connection,
    plan_id: int | None,
    judged_by: Plan,
    planned: Sequence[tuple[RowMapping, Period]],
    *,
    at: datetime,
    wanted: Wanted,
) -> list[Row]:
    """The rows of indicators in periods, as if nothing were returned."""
    if not planned:
        return []
    not_returned = (Measure.ACTUAL.value, None, Marker.NOT_RETURNED.value, "", None, None, 0)
    missing = [(row["partner_code"], row["indicator"], of.code, *not_returned) for row, of in planned]
    keys = {row[:4] for row in missing}
    known = _known(connection, plan_id, at, Wanted(wanted.partners))
    others = _of_others(connection, judged_by, wanted, {row[:3] for row in missing} - {row[:3] for row in known}, at)
    judged = judge_rows([*(row for row in known if row[:4] not in keys), *others, *missing], judged_by)
    columns = view("bi_performance").c.keys()
    return [_row(row, of, columns, judged[row["partner_code"], row["indicator"], of.code]) for row, of in planned]


def _calendar(connection: Connection, plan_id: int | None) -> set[Period]:
    columns = plan_calendar.c
    return set(map(parse_period, connection.scalars(select(columns.period).where(columns.plan_id == plan_id))))


def _row(planned: RowMapping, period: Period, columns: list[str], judged: tuple[Any, ...]) -> Row:
    return {
        **dict.fromkeys(columns),
        **{name: planned[name] for name in columns if name in planned},
        "period": period.code,
        "period_label": label_of(period, YearType(planned["year_type"])),
        "financial_year": period.year.code,
        "quarter": period.quarter or None,
        **{name: planned[name] or None for name in ("indicator_no", "sub", "unit_label", "currency")},
        "definition": full_definition(planned["parent_definition"], planned["definition"]),
        "marker": Marker.NOT_RETURNED.value,
        # The figure comes before its judgement.
        **dict(zip(JUDGED, judged[1:], strict=True)),
    }


def _known(connection: Connection, plan_id: int | None, at: datetime, wanted: Wanted) -> list[tuple[Any, ...]]:
    """The figures in force at a moment for what is owed."""
    columns, owed = observation.c, plan_owed.c
    query = select(*(columns[name] for name in FIGURE)).where(
        exists().where(
            owed.plan_id == plan_id,
            owed.partner_code == columns.partner_code,
            owed.indicator == columns.indicator,
        ),
        *wanted.of(columns),
    )
    return [tuple(row) for row in in_force_then(connection, observation, query, at)]


def _of_others(
    connection: Connection, judged_by: Plan, wanted: Wanted, missing: Set[tuple[str, str, str]], at: datetime
) -> list[tuple[Any, ...]]:
    """The figures of other partners in the years of what is missing, where comparators are computed from them."""
    is_computed = any(not comparator.is_given for comparator in judged_by.comparators.values())
    if wanted.partners is None or not missing or not is_computed:
        return []
    columns = observation.c
    years = {parse_period(period).year for _, _, period in missing}
    periods = {period.code for year in years for period in (year, *year.quarters)}
    query = select(*(columns[name] for name in FIGURE)).where(
        columns.partner_code.not_in(wanted.partners),
        columns.indicator.in_({indicator for _, indicator, _ in missing}),
        columns.period.in_(periods),
    )
    return [tuple(row) for row in in_force_then(connection, observation, query, at)]


def plan_to_judge_by(connection: Connection, plan_id: int | None) -> Plan:
    """The part of a plan that is needed to judge a missing figure, of a program that did not store plans' files.

    Comparators that are computed are not in it.
    """
    compared = connection.execute(select(plan_comparator).where(plan_comparator.c.plan_id == plan_id)).all()
    leaves = connection.execute(select(plan_indicator).where(plan_indicator.c.plan_id == plan_id)).mappings()
    figures: dict[tuple[str, str, Period], Figure] = {}
    for row in connection.execute(select(plan_figure).where(plan_figure.c.plan_id == plan_id)).mappings():
        key = row["measure"], row["indicator"], parse_period(row["period"])
        marker = Marker(row["marker"]) if row["marker"] else None
        figures[key] = Figure(decimal_of(row["value"]), marker, row["source"])
    return Plan(
        fingerprint="",
        outcomes={},
        aspirations={},
        actions={},
        milestones={},
        partners={},
        parents={},
        indicators={row["indicator"]: _leaf(row) for row in leaves},
        figures=figures,
        owed_by={},
        calendar={},
        comparators={
            row.comparator: Comparator(row.comparator, row.heading)
            for row in compared
            if row.method == ComparatorMethod.GIVEN
        },
    )


def _leaf(row: RowMapping) -> Indicator:
    rhythm = Rhythm.of(row)
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
        frequency=rhythm.frequency,
        asked_in=rhythm.asked_in,
        year_type=rhythm.year_type,
        reports_on=rhythm.reports_on,
        unit_label=row["unit_label"],
        currency=row["currency"],
        stated_to_compare=row["compares_bodies"] == "yes",
    )
