"""Judgements that a backfill leaves for its end are those that would have been made return by return."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, select

from cypp_etl.periods import Period
from cypp_etl.plan.model import BUILT_IN_COMPARATORS, Comparator, Group, Plan
from schemas.codes import ComparatorMethod
from tests.warehouse.builders import Rows, checked, later, observation
from warehouse.engine import open_warehouse, reading, writing
from warehouse.figures.judgements import Judged
from warehouse.recording import outstanding
from warehouse.recording.outstanding import (
    Share,
    forget_judged,
    is_abandoned,
    judge_outstanding,
    judge_share,
    outstanding_shares,
)
from warehouse.recording.plan import AnotherPlanInForceError, record_plan
from warehouse.recording.record import Arrival, record, record_batch
from warehouse.schema.tables import unjudged
from warehouse.views.selectable import view

PARTNERS = ("police", "yos", "nhs", "cyps")
INDICATORS = ("NI 111a", "NI 112", "NI 45")
PERIODS = [period for year in (2009, 2010) for period in (Period(year), *Period(year).quarters)]
VIEWS = ("bi_performance", "bi_comparisons", "bi_group_performance", "bi_clinics")
MEAN = Comparator("national", "All", ComparatorMethod.MEAN, "*")


@pytest.fixture
def one_by_one(tmp_path: Path, upgraded_file: Path) -> Iterator[Engine]:
    """Another warehouse, in which every return is judged when it is recorded."""
    path = tmp_path / "one by one.sqlite"
    shutil.copy(upgraded_file, path)
    engine = open_warehouse(f"sqlite:///{path}")
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def grouped(plan: Plan) -> Plan:
    partners = {code: replace(one, group_code="g" * (code in PARTNERS)) for code, one in plan.partners.items()}
    return replace(plan, fingerprint="grouped", partners=partners, groups={"g": Group("g", "All", "")})


@pytest.fixture(scope="module")
def compared(grouped: Plan) -> Plan:
    """Every partner is compared with the mean of all."""
    return replace(
        grouped, fingerprint="compared", comparators={**BUILT_IN_COMPARATORS, MEAN.comparator: MEAN}, figures={}
    )


def some_returns(seed: int) -> list[Arrival]:
    """Returns that follow, correct and come before each other."""
    chance = Random(seed)
    arrivals = []
    for day in range(10):
        partner = chance.choice(PARTNERS)
        figures = [
            observation(name, str(chance.randint(1, 40)), period.code, partner_code=partner)
            for name in INDICATORS
            for period in chance.sample(PERIODS, 3)
        ]
        one = checked(f"content {seed} {day}", *figures, partner_code=partner, period=chance.choice(PERIODS))
        arrivals.append(Arrival(one, later(day)))
    return arrivals


def recorded(engine: Engine, plan: Plan, arrivals: list[Arrival], *, judge_later: bool) -> None:
    for arrival in arrivals:
        with writing(engine) as connection:
            record_batch(connection, [arrival], plan, arrival.received_at, judge_later=judge_later)


def shown(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    with reading(engine) as connection:
        return {
            name: sorted(
                (
                    {key: value for key, value in row.items() if key != "recorded_at"}
                    for row in connection.execute(select(view(name))).mappings()
                ),
                key=repr,
            )
            for name in VIEWS
        }


def waiting(engine: Engine) -> list[int]:
    with reading(engine) as connection:
        return list(connection.scalars(select(unjudged.c.submission_id)))


def moment() -> datetime:
    return later(30)


def shares_of(engine: Engine, plan: Plan) -> list[Share]:
    with reading(engine) as connection:
        return outstanding_shares(connection, plan)


@pytest.fixture(params=["grouped", "compared"])
def either(request: pytest.FixtureRequest) -> Plan:
    """A plan whose judgements are shared by partner, and one in which they are shared by indicator."""
    plan: Plan = request.getfixturevalue(request.param)
    return plan


@pytest.mark.parametrize("seed", [3, 8])
def test_judged_at_the_end_the_views_say_the_same(
    engine: Engine, one_by_one: Engine, either: Plan, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In several shares, some of which are made twice, as after a kill; two returns were judged before."""
    plan, arrivals = either, some_returns(seed)
    recorded(one_by_one, plan, arrivals, judge_later=False)
    recorded(engine, plan, arrivals[:2], judge_later=False)
    recorded(engine, plan, arrivals[2:], judge_later=True)
    before, expected = shown(engine), shown(one_by_one)
    assert before != expected
    monkeypatch.setattr(outstanding, "FIGURES_AT_ONCE", 25)
    shares = shares_of(engine, plan)
    assert len(shares) > 2
    for share in (shares[0], shares[-1]):
        judge_share(engine, plan, share, moment, nullcontext())
    assert len(waiting(engine)) == 8
    judge_outstanding(engine, plan, moment)
    assert waiting(engine) == []
    assert shown(engine) == expected


def test_what_is_recorded_before_the_turn_is_judged_in_it(engine: Engine, one_by_one: Engine, compared: Plan) -> None:
    arrivals = some_returns(1)
    recorded(one_by_one, compared, arrivals, judge_later=False)
    recorded(engine, compared, arrivals[:-1], judge_later=True)

    @contextmanager
    def turn() -> Iterator[None]:
        recorded(engine, compared, arrivals[-1:], judge_later=False)
        yield

    first, *others = shares_of(engine, compared)
    judge_share(engine, compared, first, moment, turn())
    for share in others:
        judge_share(engine, compared, share, moment, nullcontext())
    assert shown(engine) == shown(one_by_one)


def test_another_backfills_figures_stay_outstanding(engine: Engine, grouped: Plan) -> None:
    arrivals = some_returns(2)
    recorded(engine, grouped, arrivals[:3], judge_later=True)
    shares = shares_of(engine, grouped)
    recorded(engine, grouped, arrivals[3:4], judge_later=True)
    with writing(engine) as connection:
        forget_judged(connection, shares)
    assert len(waiting(engine)) == 1


def test_a_plan_that_was_adopted_meanwhile_is_the_one_judged_by(
    engine: Engine, one_by_one: Engine, grouped: Plan, compared: Plan
) -> None:
    arrivals = some_returns(4)
    recorded(one_by_one, compared, arrivals, judge_later=False)
    recorded(engine, grouped, arrivals, judge_later=True)
    (first, *_) = shares_of(engine, grouped)
    with writing(engine) as connection:
        record_plan(connection, compared, later(12))
    with pytest.raises(AnotherPlanInForceError):
        judge_share(engine, grouped, first, moment, nullcontext())
    assert waiting(engine)
    judge_outstanding(engine, compared, moment)
    ours, theirs = shown(engine), shown(one_by_one)
    assert ours == theirs


def test_a_symbol_that_turns_has_its_cell_although_the_rest_waits(engine: Engine, grouped: Plan, rows: Rows) -> None:
    before = observation("NI 112", "30", "2009-10"), observation("NI 112", "20", "2010-11")
    record(engine, checked("one", *before), grouped, later(0))
    corrected = observation("NI 112", "10", "2009-10"), observation("NI 45", "7", "2010-11")
    one = Arrival(checked("two", *corrected, period=Period(2009)), later(1))
    recorded(engine, grouped, [one], judge_later=True)
    judge_outstanding(engine, grouped, moment)
    changes = rows("SELECT submission_id, source_cell, changed_at FROM bi_symbol_changes WHERE judgement = 'direction'")
    assert [(each["submission_id"], each["source_cell"]) for each in changes] == [(2, "G2")]


def test_where_nothing_waits_nothing_is_judged(engine: Engine, plan: Plan) -> None:
    assert shares_of(engine, plan) == []
    judge_outstanding(engine, plan, moment)


def test_what_a_correction_leaves_out_leaves_groups_and_comparators_too(
    engine: Engine, one_by_one: Engine, either: Plan
) -> None:
    arrivals = [
        Arrival(checked("all", observation("NI 45", "10", partner_code="police"), partner_code="police"), later(0)),
        Arrival(checked("other", observation("NI 45", "40")), later(1)),
        Arrival(checked("none", observation("NI 43", "5", partner_code="police"), partner_code="police"), later(2)),
    ]
    recorded(one_by_one, either, arrivals, judge_later=False)
    recorded(engine, either, arrivals, judge_later=True)
    judge_outstanding(engine, either, moment)
    assert shown(engine) == shown(one_by_one)


@pytest.mark.parametrize(("number", "is_so"), [(1, True), (2, False)])
def test_a_judgement_that_another_process_has_ended_is_noticed(
    engine: Engine, plan: Plan, number: int, is_so: bool
) -> None:
    """What is to be told of a judgement that stays is told of none that another has replaced meanwhile."""
    for day, value in enumerate(("40", "50")):
        recorded(engine, plan, [Arrival(checked(value, observation("NI 45", value)), later(day))], judge_later=False)
    key = ("police", "NI 45", "2010-11Q1")
    judged = [Judged({}, {}, {}, {key: (number, ("noise", "on course"))}, ()), Judged({}, {}, {}, {}, ())]
    with reading(engine) as connection:
        assert outstanding._has_ended(connection, judged) is is_so
        assert not outstanding._has_ended(connection, judged[1:])


def test_a_return_of_milestones_alone_has_nothing_to_be_judged(engine: Engine, plan: Plan) -> None:
    recorded(engine, plan, [Arrival(checked("none"), later(0))], judge_later=True)
    assert waiting(engine) == []


def test_a_slow_clock_ends_no_judgement_before_it_began(engine: Engine, plan: Plan) -> None:
    recorded(engine, plan, [Arrival(checked("a", observation("NI 45", "40")), later(0))], judge_later=True)
    judge_outstanding(engine, plan, lambda: later(5))
    recorded(engine, plan, [Arrival(checked("b", observation("NI 45", "50")), later(1))], judge_later=False)
    with reading(engine) as connection:
        rows = connection.execute(select(view("bi_performance_history"))).mappings().all()
    found = [(row["actual"], row["recorded_at"], row["superseded_at"]) for row in rows]
    assert sorted(found) == [
        (40, later(5), later(5)),
        (50, later(5), None),
    ]


@pytest.mark.parametrize(("minutes", "is_so"), [(10, False), (11, True)])
def test_a_backfill_that_adds_nothing_for_long_is_abandoned(
    engine: Engine, plan: Plan, minutes: int, is_so: bool
) -> None:
    with reading(engine) as connection:
        assert not is_abandoned(connection, later(9))
    recorded(engine, plan, [Arrival(checked("a", observation("NI 45", "40")), later(0))], judge_later=True)
    with reading(engine) as connection:
        assert is_abandoned(connection, later(0) + timedelta(minutes=minutes)) is is_so


def test_one_that_is_stopped_leaves_the_rest(engine: Engine, plan: Plan) -> None:
    recorded(engine, plan, [Arrival(checked("a", observation("NI 45", "40")), later(0))], judge_later=True)
    judge_outstanding(engine, plan, moment, lambda: True)
    assert len(waiting(engine)) == 1
