"""Judging again only what depends on a change gives the same result as judging everything again."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, Row, select

from cypp_etl.checked_return import CheckedReturn, Observation
from cypp_etl.judgement.clinics import Travelled, find_clinics
from cypp_etl.judgement.reach.differences import EVERYTHING
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.model import Plan
from schemas.codes import Accumulation, Marker, Measure, Qualifier
from tests.warehouse.builders import checked, later, observation
from warehouse.engine import writing
from warehouse.recording.judged.judgements import rejudge_by_plan
from warehouse.recording.plan import require_plan
from warehouse.recording.record import Arrival, record_batch
from warehouse.schema.tables import JUDGED, clinic, judgement
from warehouse.schema.tables import observation as observations

YEARS = [Period(year) for year in (2008, 2009, 2010, 2011)]
PERIODS = [period for year in YEARS for period in (year, *year.quarters)]
ACTUAL_OFTEN = [Measure.ACTUAL] * 4 + list(Measure)
COMPARATORS = (Measure.STATISTICAL_NEIGHBOURS, Measure.NATIONAL)


@st.composite
def _figures(draw: st.DrawFn, indicators: Sequence[str]) -> Observation:
    measure = draw(st.sampled_from(ACTUAL_OFTEN))
    period = draw(st.sampled_from(YEARS if measure in COMPARATORS else PERIODS))
    value: Any = draw(st.one_of(st.integers(0, 4).map(str), st.integers(0, 4).map(str), st.sampled_from(Marker)))
    breaks = draw(st.sampled_from([frozenset(), frozenset(), frozenset({Qualifier.BREAK})]))
    indicator = draw(st.sampled_from(indicators))
    return observation(indicator, value, period.code, measure=measure, qualifiers=breaks)


def _returns(indicators: Sequence[str]) -> st.SearchStrategy[list[list[Observation]]]:
    about = lambda row: (row.indicator, row.measure, row.period)  # noqa: E731
    return st.lists(st.lists(_figures(indicators), max_size=12, unique_by=about), min_size=1, max_size=5)


def _in_force(connection: Connection, table: Any) -> Sequence[Row[Any]]:
    return connection.execute(select(table).where(table.c.superseded_at.is_(None)).order_by(*table.primary_key)).all()


def _clinics_found_again(connection: Connection, plan: Plan) -> set[tuple[Any, ...]]:
    columns = judgement.c
    query = (
        select(columns.partner_code, columns.indicator, columns.period, columns.direction, columns.on_target)
        .where(columns.superseded_at.is_(None))
        .order_by(columns.partner_code, columns.indicator, columns.period)
    )
    return {
        (*series, one.opened.code, one.reason.value, one.closed.code if one.closed else None, one.measured.code)
        for series, rows in groupby(connection.execute(query), key=lambda row: (row[0], row[1]))
        for one in find_clinics(
            (Travelled(parse_period(row[2]), row[3], row[4]) for row in rows),
            rhythm=plan.indicators[series[1]].rhythm,
        )
    }


def _return(number: int, rows: Sequence[Observation], period: Period) -> CheckedReturn:
    return checked(f"content {number}", *rows, period=period)


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_what_depends_on_a_change_is_all_that_has_to_be_judged_again(
    engine: Engine, plan: Plan, data: st.DataObject
) -> None:
    """Returns for random periods replace each other, so that figures are added, changed and removed."""
    indicators = ["NI 111a", "NI 112"]
    assert {plan.indicators[one].accumulation for one in indicators} >= {Accumulation.SUM}
    returns = data.draw(_returns(indicators))
    with engine.connect().execution_options(cypp_writes=True) as connection, connection.begin() as transaction:
        at = later(0)
        for number, rows in enumerate(returns):
            at = later(number)
            period = data.draw(st.sampled_from([Period(2010, 1), Period(2010, 2)]))
            record_batch(connection, [Arrival(_return(number, rows, period), at)], plan, at)
        _assert_nothing_is_left_to_judge(connection, plan, at)
        transaction.rollback()


def _assert_nothing_is_left_to_judge(connection: Connection, plan: Plan, at: datetime) -> None:
    before = _in_force(connection, judgement)
    kept = {tuple(row)[1:7] for row in _in_force(connection, clinic)}
    assert kept == _clinics_found_again(connection, plan)
    plan_id = require_plan(connection, plan, at)
    assert rejudge_by_plan(connection, plan, plan_id, EVERYTHING, at).total() == 0
    assert _in_force(connection, judgement) == before
    actuals = [row for row in _in_force(connection, observations) if row.measure == Measure.ACTUAL]
    assert {row.observation_id for row in before} == {row.observation_id for row in actuals}


_VALUES = st.one_of(st.none(), st.integers(0, 2))
_CHANGES = st.dictionaries(st.sampled_from(PERIODS[:15]), _VALUES, min_size=1, max_size=2)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.fixed_dictionaries(dict.fromkeys(PERIODS[:15], _VALUES)), st.lists(_CHANGES, min_size=1, max_size=4))
def test_clinics_are_kept_as_they_would_be_found_again(
    engine: Engine, plan: Plan, values: dict[Period, int | None], changes: list[dict[Period, int | None]]
) -> None:
    """Versions of one return with many figures of one indicator, in which quarters or years are added and removed."""
    with engine.connect().execution_options(cypp_writes=True) as connection, connection.begin() as transaction:
        for number, change in enumerate([{}, *changes]):
            values |= change
            rows = [observation("NI 112", str(one), period.code) for period, one in values.items() if one is not None]
            arrival = Arrival(_return(number, rows, Period(2010, 1)), later(number))
            record_batch(connection, [arrival], plan, later(number))
            assert {tuple(row)[1:7] for row in _in_force(connection, clinic)} == _clinics_found_again(connection, plan)
        transaction.rollback()


def test_only_what_a_figure_reaches_is_written(engine: Engine, plan: Plan) -> None:
    quarters = [observation("NI 111a", str(Decimal(number)), period.code) for number, period in enumerate(PERIODS)]
    with writing(engine) as connection:
        record_batch(connection, [Arrival(_return(0, quarters, Period(2010, 1)), later(0))], plan, later(0))
        one = _return(1, [observation("NI 111a", "99", "2010-11Q1")], Period(2010, 2))
        record_batch(connection, [Arrival(one, later(1))], plan, later(1))
        columns = judgement.c
        after, before = (
            {row["period"]: row for row in connection.execute(select(judgement).where(condition)).mappings()}
            for condition in (columns.recorded_at == later(1), columns.superseded_at == later(1))
        )
    judged = {period for period, row in after.items() if any(row[name] != before[period][name] for name in JUDGED)}
    assert judged == {"2010-11Q1", "2010-11Q2", "2010-11Q3", "2010-11Q4", "2011-12Q1"}
    # What rose for seven quarters running no longer does.
    told = {period: (before[period]["variation"], row["variation"]) for period, row in after.items()}
    assert {period: told[period] for period in after.keys() - judged} == dict.fromkeys(
        ("2011-12Q2", "2011-12Q3"), ("beyond usual variation", "within usual variation")
    )
