"""What is told beside judgements follows every figure of a series; what an older program did not tell is told later."""

import gc
from dataclasses import replace
from typing import Any
from weakref import ref

import pytest
from sqlalchemy import Engine, delete, select, update

from cypp_etl.plan.model import Plan
from schemas.codes import Measure, Qualifier
from tests.warehouse.builders import Rows, checked, later, observation
from warehouse.engine import reading, writing
from warehouse.recording.plan import record_plan
from warehouse.recording.record import record
from warehouse.recording.rules import judge_by_newer_rules
from warehouse.schema.tables import JUDGED, OUTLOOK, judgement, rules_version
from warehouse.stored_plans import plan_in_force

# A hundred of 257 came in the first quarter, so that 200 make 514, the target of 2010/11.
LAST_YEAR = {"2009-10Q1": "100", "2009-10Q2": "57", "2009-10Q3": "50", "2009-10Q4": "50"}
QUERY = (
    "SELECT period, target_gap, variation, on_course FROM bi_performance "
    "WHERE indicator = 'NI 111a' AND period >= '2010-11Q1' ORDER BY period"
)


def returned(engine: Engine, plan: Plan, day: int, figures: dict[str, str], **others: Any) -> None:
    rows = [observation("NI 111a", value, period, **others) for period, value in figures.items()]
    record(engine, checked(f"content {day}", *rows), plan, later(day))


@pytest.mark.parametrize(
    ("figure", "course", "gap"),
    [
        ("199", "on course", -70.0),
        ("200", "on course", -71.0),  # the target itself
        ("201", "at risk", -72.0),
        ("220", "at risk", -91.0),  # 565 of 514 and a tenth of it, 565.4
        ("221", "off course", -92.0),
        ("120", "on course", 9.0),  # within usual variation
    ],
)
def test_a_year_is_on_course_at_risk_or_off(
    *, engine: Engine, plan: Plan, rows: Rows, figure: str, course: str, gap: float
) -> None:
    returned(engine, plan, 0, {**LAST_YEAR, "2010-11Q1": figure})
    variation = "within usual variation" if figure == "120" else "beyond usual variation"
    assert rows(QUERY) == [{"period": "2010-11Q1", "target_gap": gap, "variation": variation, "on_course": course}]


@pytest.mark.parametrize(
    ("figures", "variation"),
    [
        ({"2009-10Q1": "100", "2010-11Q1": "200"}, "beyond usual variation"),  # last year is not whole
        ({"2010-11Q1": "200"}, "not enough data"),
        ({**LAST_YEAR, "2009-10Q1": "4", "2010-11Q1": "5"}, "rests on small numbers"),
    ],
)
def test_a_course_that_cannot_be_told_is_not_known(
    *, engine: Engine, plan: Plan, rows: Rows, figures: dict[str, str], variation: str
) -> None:
    returned(engine, plan, 0, figures)
    assert [(row["variation"], row["on_course"]) for row in rows(QUERY)] == [(variation, "not known")]


@pytest.mark.parametrize(
    ("last_year", "figure", "course"),
    [
        # 100 of 207 came in the first of the three quarters that are asked, so that 248 make 514.
        (("2009-10Q1", "2009-10Q2", "2009-10Q4"), "248", "on course"),
        (("2009-10Q1", "2009-10Q2", "2009-10Q4"), "249", "at risk"),
        # What came in the quarter that is not asked is part of no sum.
        (tuple(LAST_YEAR), "248", "on course"),
        (("2009-10Q1", "2009-10Q2", "2009-10Q3"), "248", "not known"),
    ],
)
def test_a_quarter_that_is_not_asked_is_not_missing_from_last_year(
    *, engine: Engine, plan: Plan, rows: Rows, last_year: tuple[str, ...], figure: str, course: str
) -> None:
    leaf = plan.indicators["NI 111a"]
    leaf = replace(leaf, asked_in=(1, 2, 4))
    indicators, editions = (
        {**held, "NI 111a": one} for held, one in ((plan.indicators, leaf), (plan.editions, (leaf,)))
    )
    asked = replace(plan, fingerprint="asked", indicators=indicators, editions=editions)
    returned(engine, asked, 0, {**{period: LAST_YEAR[period] for period in last_year}, "2010-11Q1": figure})
    assert [row["on_course"] for row in rows(QUERY)] == [course]


def test_a_correction_of_last_year_tells_this_year_anew_and_history_keeps_what_was_told(
    engine: Engine, plan: Plan, rows: Rows
) -> None:
    returned(engine, plan, 0, {**LAST_YEAR, "2010-11Q1": "200"})
    # The third quarter is in no comparison of the first, and yet in its projection.
    returned(engine, plan, 1, {**LAST_YEAR, "2009-10Q3": "60", "2010-11Q1": "200"})
    assert [row["on_course"] for row in rows(QUERY)] == ["at risk"]
    history = QUERY.replace("bi_performance", "bi_performance_history").replace(
        "ORDER BY period", "ORDER BY recorded_at"
    )
    assert [row["on_course"] for row in rows(history)] == ["on course", "at risk"]
    assert rows("SELECT 1 FROM bi_symbol_changes WHERE period = '2010-11Q1'") == []


def test_numerators_alone_change_what_is_told(engine: Engine, plan: Plan, rows: Rows) -> None:
    def share(numerator: int, period: str) -> Any:
        parts = {"numerator": numerator, "denominator": 2 * numerator}
        return observation("NI 45", "50" if period == "2009-10Q1" else "60", period, **parts)

    query = "SELECT variation FROM bi_performance WHERE indicator = 'NI 45' AND period = '2010-11Q1'"
    found = []
    for day, size in enumerate((3, 300)):
        now = observation("NI 45", "60", numerator=6 * size // 3, denominator=10 * size // 3)
        record(engine, checked(f"{day}", share(size, "2009-10Q1"), now), plan, later(day))
        found += [row["variation"] for row in rows(query)]
    assert found == ["rests on small numbers", "beyond usual variation"]


def test_what_comes_before_a_break_is_not_told_of(engine: Engine, plan: Plan, rows: Rows) -> None:
    returned(engine, plan, 0, {**LAST_YEAR, "2010-11Q1": "200"}, qualifiers=frozenset({Qualifier.BREAK}))
    assert [(row["variation"], row["on_course"]) for row in rows(QUERY)] == [("not enough data", "not known")]


def test_what_an_older_program_did_not_tell_is_told_when_the_warehouse_is_upgraded(engine: Engine, plan: Plan) -> None:
    with writing(engine) as connection:
        record_plan(connection, plan, later(0))
    returned(engine, plan, 0, {**LAST_YEAR, "2010-11Q1": "200"})
    returned(engine, plan, 1, {**LAST_YEAR, "2010-11Q1": "221"})
    of_now, names = judgement.c.superseded_at.is_(None), ("judgement_id", *JUDGED, *OUTLOOK)
    query = select(*(judgement.c[name] for name in names)).order_by(judgement.c.judgement_id)
    with writing(engine) as connection:
        expected = connection.execute(query.where(of_now)).all()
        connection.execute(update(judgement).values(dict.fromkeys(("target_gap", *OUTLOOK))))
        connection.execute(delete(rules_version))
        judge_by_newer_rules(connection, plan, later(2))
        assert connection.execute(query.where(of_now)).all() == expected
        # What had been replaced by then stays as it was known.
        replaced = connection.execute(query.where(~of_now)).mappings().all()
        assert {row[name] for row in replaced for name in ("target_gap", *OUTLOOK)} == {None}


def test_the_target_of_the_last_quarter_is_the_years_where_the_year_has_none(
    engine: Engine, plan: Plan, rows: Rows
) -> None:
    years = {period.replace("2009-10", "2013-14"): value for period, value in LAST_YEAR.items()}
    found = []
    for day, target in enumerate(("514", "400")):
        figures = [observation("NI 111a", value, period) for period, value in {**years, "2014-15Q1": "200"}.items()]
        aim = observation("NI 111a", target, "2014-15Q4", measure=Measure.TARGET, cell="F2")
        record(engine, checked(f"content {day}", *figures, aim), plan, later(day))
        found += [row["on_course"] for row in rows(QUERY) if row["period"] == "2014-15Q1"]
    assert found == ["on course", "off course"]


def test_a_plan_that_was_recorded_by_is_not_kept(engine: Engine, plan: Plan) -> None:
    """A service reads the plan in force anew every few seconds, and would keep each of them."""
    returned(engine, plan, 0, LAST_YEAR)
    with reading(engine) as connection:
        another = plan_in_force(connection)
    assert another is not None
    alive = ref(another)
    returned(engine, another, 1, {"2010-11Q1": "199"})
    del another
    gc.collect()
    assert alive() is None
