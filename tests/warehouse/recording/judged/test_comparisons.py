"""Comparators that are computed follow returns: what a body returns changes what others are compared with."""

from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, select

from cypp_etl.judgement.reach.differences import EVERYTHING
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.model import BUILT_IN_COMPARATORS, Comparator, Figure, Plan
from schemas.codes import ComparatorMethod
from tests.warehouse.builders import Rows, checked, later, observation
from warehouse.engine import reading, writing
from warehouse.queries.board.reader import read_board
from warehouse.queries.explain import explain
from warehouse.queries.plan_comparison import judgement_changes
from warehouse.recording.judged.judgements import rejudge_by_plan
from warehouse.recording.plan import record_plan, require_plan
from warehouse.recording.record import Arrival, record, record_batch
from warehouse.schema.tables import comparison, judgement

PARTNERS = ("police", "yos", "nhs", "cyps")
MEAN = Comparator("mean_of_neighbours", "Our neighbours", ComparatorMethod.MEAN, "neighbours")
NATIONAL = Comparator("national", "All of us", ComparatorMethod.SUM, "*")


@pytest.fixture(scope="module")
def compared_plan(plan: Plan) -> Plan:
    """The police and the nhs are neighbours of the yos; `national` is the sum of all. Counts compare."""
    leaf = replace(plan.indicators["NI 111a"], stated_to_compare=True)
    return replace(
        plan,
        fingerprint="compared",
        indicators={**plan.indicators, leaf.indicator: leaf},
        editions={**plan.editions, leaf.indicator: (leaf,)},
        comparators={**BUILT_IN_COMPARATORS, MEAN.comparator: MEAN, NATIONAL.comparator: NATIONAL},
        neighbours={"yos": ("police", "nhs"), "cyps": ("yos",)},
    )


def returned(engine: Engine, plan: Plan, partner: str, value: str, day: int) -> None:
    row = observation("NI 111a", value, partner_code=partner)
    record(engine, checked(f"{partner} {day}", row, partner_code=partner), plan, later(day))


def test_a_neighbours_return_changes_what_a_partner_is_compared_with(
    engine: Engine, compared_plan: Plan, rows: Rows
) -> None:
    query = (
        "SELECT comparator, value, band, band_symbol, bodies FROM bi_comparisons "
        "WHERE partner_code = 'yos' ORDER BY comparator"
    )
    returned(engine, compared_plan, "yos", "100", 0)
    before = {row["comparator"]: row for row in rows(query)}
    assert [before[MEAN.comparator][name] for name in ("value", "band", "bodies")] == [None, "not applicable", 0]
    returned(engine, compared_plan, "police", "110", 1)
    returned(engine, compared_plan, "nhs", "121", 2)
    after = {row["comparator"]: row for row in rows(query)}
    # Low is good for NI 111a: 110 and 121 are 115.5, which rounds to 116.
    assert [after[MEAN.comparator][name] for name in ("value", "band", "band_symbol", "bodies")] == [
        116, "better", "★", 2,
    ]  # fmt: skip
    assert [after["national"][name] for name in ("value", "bodies")] == [331, 3]
    (judged,) = rows("SELECT national, national_band FROM bi_performance WHERE partner_code = 'yos'")
    assert judged == {"national": 331, "national_band": "better"}
    assert set(after) == set(compared_plan.comparators)
    returned(engine, compared_plan, "police", "50", 3)
    (corrected,) = rows(f"{query.split(' ORDER', maxsplit=1)[0]} AND comparator = '{MEAN.comparator}'")
    assert [corrected[name] for name in ("value", "band")] == [86, "worse"]
    changes = rows("SELECT partner_code, judgement, became FROM bi_symbol_changes WHERE judgement = 'national_band'")
    assert changes  # others' symbols turned by the police's figure


def test_the_explanation_names_the_bodies(engine: Engine, compared_plan: Plan) -> None:
    for day, (partner, value) in enumerate((("yos", "100"), ("police", "110"), ("cyps", "7"))):
        returned(engine, compared_plan, partner, value, day)
    with reading(engine) as connection:
        explained = {
            one.row["partner_code"]: one.judgement
            for one in explain(connection, compared_plan, "NI 111a", parse_period("2010-11Q1"))
        }
    assert list(explained["yos"].comparators[MEAN.comparator].counted) == ["police"]
    assert set(explained["police"].comparators["national"].counted) == {"yos", "police", "cyps"}


def test_what_a_changed_figure_reaches_is_all_that_has_to_be_judged_again(engine: Engine, compared_plan: Plan) -> None:
    chance = Random(5)
    periods = [period for year in (2009, 2010) for period in (Period(year), *Period(year).quarters)]
    with writing(engine) as connection:
        plan_id = require_plan(connection, compared_plan, later(0))
        for day in range(12):
            partner, period = chance.choice(PARTNERS), chance.choice(periods)
            some = [
                observation(name, str(chance.randint(1, 60)), one.code, partner_code=partner)
                for name in ("NI 111a", "NI 112", "NI 45")
                for one in chance.sample(periods, 4)
            ]
            one = checked(f"content {day}", *some, partner_code=partner, period=period)
            record_batch(connection, [Arrival(one, later(day))], compared_plan, later(day))
            before = in_force(connection)
            assert not rejudge_by_plan(connection, compared_plan, plan_id, EVERYTHING, later(day)).total()
            assert in_force(connection) == before


def in_force(connection: Connection) -> list[Any]:
    return [
        connection.execute(select(table).where(table.c.superseded_at.is_(None)).order_by(*table.primary_key)).all()
        for table in (judgement, comparison)
    ]


def test_a_plan_with_other_comparators_says_what_turns_and_leaves_none_behind(
    engine: Engine, plan: Plan, compared_plan: Plan, rows: Rows
) -> None:
    for day, partner in enumerate(PARTNERS):
        returned(engine, compared_plan, partner, "110", day)
    with writing(engine) as connection:
        assert judgement_changes(connection, plan)
        record_plan(connection, plan, later(9))
        assert judgement_changes(connection, plan) == []
    assert rows("SELECT 1 FROM comparison WHERE superseded_at IS NULL") == []
    assert {row["comparator"] for row in rows("SELECT comparator FROM bi_comparisons")} == set(BUILT_IN_COMPARATORS)


def test_a_comparator_of_the_plans_own_is_given_and_the_board_report_has_its_other_figures(
    engine: Engine, plan: Plan, rows: Rows
) -> None:
    best = Comparator("best", "The best")
    key = ("best", "NI 111a", parse_period("2009-10"))
    given = replace(
        plan,
        fingerprint="best",
        comparators={**BUILT_IN_COMPARATORS, "best": best},
        figures={**plan.figures, key: Figure(Decimal(90), None, "made up")},
    )
    returned(engine, given, "police", "100", 0)
    said = "SELECT heading, method, value, band, bodies FROM bi_comparisons WHERE comparator = 'best'"
    expected = {"heading": "The best", "method": "given", "value": 23, "band": "not applicable", "bodies": 0}
    assert rows(said) == [expected]
    with reading(engine) as connection:
        board = read_board(connection, parse_period("2010-11Q1"), later(1))
    assert [row["indicator"] for row in board.performance] == ["NI 111a"]
    assert board.owed
