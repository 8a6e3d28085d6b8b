"""Plans in the warehouse: one in force, earlier ones stored, and everything judged by the one in force."""

from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import Engine, func, select

from cypp_etl.periods import parse_period
from cypp_etl.plan.model import Figure, Plan
from schemas.codes import Measure
from tests.warehouse.builders import Rows, checked, later, observation
from warehouse.engine import writing
from warehouse.recording.plan import AnotherPlanInForceError, record_plan
from warehouse.recording.record import record
from warehouse.schema import plan_tables


def _with_target(plan: Plan, indicator: str, value: str) -> Plan:
    key = (Measure.TARGET, indicator, parse_period("2010-11"))
    figure = Figure(Decimal(value), None, "Board, July 2010")
    return replace(plan, fingerprint="another" + value, figures={**plan.figures, key: figure})


def _without(plan: Plan, indicator: str) -> Plan:
    return replace(
        plan,
        fingerprint="without",
        indicators={key: one for key, one in plan.indicators.items() if key != indicator},
        figures={key: one for key, one in plan.figures.items() if key[1] != indicator},
        owed_by={key: tuple(one for one in owed if one != indicator) for key, owed in plan.owed_by.items()},
    )


def test_every_row_of_the_plan_is_stored(engine: Engine, plan: Plan) -> None:
    with writing(engine) as connection:
        record_plan(connection, plan, later(0))
        for table, expected in (
            (plan_tables.plan_outcome, plan.outcomes),
            (plan_tables.plan_partner, plan.partners),
            (plan_tables.plan_calendar, plan.calendar),
            (plan_tables.plan_aspiration, plan.aspirations),
            (plan_tables.plan_action, plan.actions),
            (plan_tables.plan_milestone, plan.milestones),
            (plan_tables.plan_indicator, plan.indicators),
            (plan_tables.plan_figure, plan.figures),
        ):
            assert connection.scalar(select(func.count()).select_from(table)) == len(expected)


def test_the_same_plan_again_changes_nothing(engine: Engine, plan: Plan, rows: Rows) -> None:
    with writing(engine) as connection:
        first = record_plan(connection, plan, later(0))
        again = record_plan(connection, plan, later(1))
    assert (first.is_new, again.is_new, first.plan_id) == (True, False, again.plan_id)
    assert len(rows("SELECT 1 AS one FROM plan")) == 1


def test_a_new_plan_judges_everything_anew_and_an_old_one_can_come_back(engine: Engine, plan: Plan, rows: Rows) -> None:
    record(engine, checked("a", observation("NI 111a", "300"), observation("NI 111b", "1.5")), plan, later(0))
    newer = _with_target(plan, "NI 111a", "1")
    target = "SELECT target FROM bi_performance WHERE indicator = 'NI 111a'"
    before = rows(target)
    with writing(engine) as connection:
        assert record_plan(connection, newer, later(1)).changed_judgements == 1
    assert rows(target) != before
    with writing(engine) as connection:
        assert record_plan(connection, plan, later(2)).changed_judgements == 1
    assert rows(target) == before
    assert len(rows("SELECT 1 AS one FROM plan")) == 3
    assert len(rows("SELECT 1 AS one FROM plan WHERE superseded_at IS NULL")) == 1


def test_an_indicator_that_left_the_plan_keeps_its_figures_and_loses_its_judgement(
    engine: Engine, plan: Plan, rows: Rows
) -> None:
    record(engine, checked("a", observation("NI 111a", "300"), observation("NI 111b", "1.5")), plan, later(0))
    with writing(engine) as connection:
        assert record_plan(connection, _without(plan, "NI 111b"), later(1)).changed_judgements == 1
    assert rows("SELECT indicator FROM bi_performance") == [{"indicator": "NI 111a"}]
    assert len(rows("SELECT 1 AS one FROM observation WHERE superseded_at IS NULL")) == 2
    assert len(rows("SELECT 1 AS one FROM bi_performance_history")) == 2


def test_a_return_checked_against_another_plan_is_refused(engine: Engine, plan: Plan, rows: Rows) -> None:
    with writing(engine) as connection:
        record_plan(connection, _with_target(plan, "NI 111a", "1"), later(0))
    with pytest.raises(AnotherPlanInForceError):
        record(engine, checked("a", observation("NI 111a", "1")), plan, later(1))
    assert rows("SELECT 1 AS one FROM submission") == []
