"""What another plan would change, and that comparing changes nothing."""

from dataclasses import replace
from decimal import Decimal

from sqlalchemy import Engine

from cypp_etl.periods import parse_period
from cypp_etl.plan.model import Plan
from schemas.codes import Measure
from tests.warehouse.builders import Rows, checked, later, observation
from warehouse.engine import reading, writing
from warehouse.queries.explain import explain
from warehouse.queries.not_returned import owed_rows
from warehouse.queries.plan_comparison import JudgementChange, judgement_changes
from warehouse.recording.plan import record_plan
from warehouse.recording.record import record


def test_the_same_plan_turns_nothing(engine: Engine, plan: Plan) -> None:
    record(engine, checked("a", observation("NI 111a", "120"), observation("NI 111b", "400")), plan, later(0))
    with reading(engine) as connection:
        assert judgement_changes(connection, plan) == []


def test_a_harder_target_turns_what_it_measures_and_nothing_is_recorded(engine: Engine, plan: Plan, rows: Rows) -> None:
    record(engine, checked("a", observation("NI 111a", "120"), observation("NI 111b", "400")), plan, later(0))
    key = (Measure.TARGET, "NI 111a", parse_period("2010-11"))
    harder = replace(
        plan, fingerprint="x", figures={**plan.figures, key: replace(plan.figures[key], value=Decimal(400))}
    )
    with reading(engine) as connection:
        turned = judgement_changes(connection, harder)
    assert turned == [
        JudgementChange("police", "NI 111a", "2010-11Q1", "on_target", "yes", "no"),
        JudgementChange("police", "NI 111a", "2010-11Q1", "target_band", "within", "worse"),
    ]
    assert rows("SELECT * FROM bi_symbol_changes") == []


def test_an_indicator_that_the_other_plan_does_not_have_loses_its_symbols(engine: Engine, plan: Plan) -> None:
    record(engine, checked("a", observation("NI 111a", "120")), plan, later(0))
    fewer = {name: leaf for name, leaf in plan.indicators.items() if name != "NI 111a"}
    figures = {key: figure for key, figure in plan.figures.items() if key[1] != "NI 111a"}
    with reading(engine) as connection:
        turned = judgement_changes(connection, replace(plan, fingerprint="x", indicators=fewer, figures=figures))
    assert {one.now for one in turned} == {""}
    assert len(turned) == 6


def test_a_target_of_one_partner_turns_that_partners_symbols_alone(engine: Engine, plan: Plan, rows: Rows) -> None:
    for partner in ("police", "yos"):
        row = observation("NI 111a", "120", partner_code=partner)
        record(engine, checked(partner, row, partner_code=partner), plan, later(0))
    key = (Measure.TARGET, "NI 111a", parse_period("2010-11"))
    harder = replace(
        plan,
        fingerprint="x",
        partner_figures={"yos": {key: replace(plan.figures[key], value=Decimal(400), source="y")}},
    )
    with reading(engine) as connection:
        assert {one.partner_code for one in judgement_changes(connection, harder)} == {"yos"}
    with writing(engine) as connection:
        record_plan(connection, harder, later(1))
    judged = rows("SELECT partner_code, target, on_target FROM bi_performance ORDER BY partner_code")
    assert [row["on_target"] for row in judged] == ["yes", "no"]
    with reading(engine) as connection:
        (police, yos) = explain(connection, harder, "NI 111a", parse_period("2010-11Q1"))
        owed = owed_rows(connection, 2, harder, parse_period("2010-11Q2"), later(2))
    sources = [
        one.find(one.judgement.target.source).plan_source for one in (police, yos) if one.judgement.target.source
    ]
    assert sources[1] == "y" != sources[0]
    assert {row["target"] for row in owed if row["indicator"] == "NI 111a"} == {257}
