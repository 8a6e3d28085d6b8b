"""What another plan would change, and that comparing changes nothing."""

from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import Engine

from cypp_etl.periods import parse_period
from cypp_etl.plan.model import BUILT_IN_COMPARATORS, Comparator, Figure, Group, Obligation, Plan
from schemas.codes import ComparatorMethod, Measure
from tests.warehouse.builders import Rows, checked, later, observation
from warehouse.engine import reading, writing
from warehouse.queries.explain import explain
from warehouse.queries.not_returned import owed_rows
from warehouse.queries.plan_comparison import JudgementChange, changes_by, judgement_changes
from warehouse.recording.administration import close_period
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


@pytest.mark.parametrize(
    ("neighbour", "turned"),
    [
        # 110 of the nhs is 10 worse than 100 of the yos, where 5 make a star.
        ("nhs", []),
        # So is 105 of the police: on the boundary, the star stays.
        ("police", []),
        ("cyps", [("within", "2010/11 Q1")]),
    ],
)
def test_a_band_against_a_comparator_is_a_symbol(
    engine: Engine, plan: Plan, neighbour: str, turned: list[tuple[str, str]]
) -> None:
    leaf = replace(plan.indicators["NI 111a"], stated_to_compare=True)
    mean = Comparator("nb_mean", "Our neighbours", ComparatorMethod.MEAN, "neighbours")
    # One of the two that every plan has is computed too: its band has a column of its own, and counts once.
    national = Comparator("national", "National", ComparatorMethod.MEAN, "neighbours")
    compared = replace(
        plan,
        fingerprint="compared",
        indicators={**plan.indicators, leaf.indicator: leaf},
        editions={**plan.editions, leaf.indicator: (leaf,)},
        comparators={**BUILT_IN_COMPARATORS, "nb_mean": mean, "national": national},
        neighbours={"yos": ("nhs",)},
    )
    for day, (partner, value) in enumerate({"yos": "100", "nhs": "110", "police": "105", "cyps": "104"}.items()):
        row = observation("NI 111a", value, partner_code=partner)
        record(engine, checked(partner, row, partner_code=partner), compared, later(day))
    with writing(engine) as connection:
        close_period(connection, parse_period("2010-11Q1"), "A. Officer", later(5))
        changes = changes_by(connection, compared, replace(compared, fingerprint="x", neighbours={"yos": (neighbour,)}))
    found = [(one.partner_code, one.column, one.comparator, one.was, one.now) for one in changes.judgements]
    assert found == [
        expected
        for now, _ in turned
        for expected in (
            ("yos", "national_band", "", "better", now),
            ("yos", "band", "nb_mean", "better", now),
        )
    ]
    assert [parse_period(code).label for code in changes.settled] == [label for _, label in turned]


@pytest.mark.parametrize(("target", "turned"), [("440", []), ("438", []), ("437", ["on_target", "target_band"])])
def test_a_groups_symbols_count(engine: Engine, plan: Plan, target: str, turned: list[str]) -> None:
    partners = {
        code: replace(each, group_code="south" if code in ("police", "yos") else "")
        for code, each in plan.partners.items()
    }
    # A quarter of 438 is rounded to 110, which the group's 55 and 55 meet.
    key = (Measure.TARGET, "NI 111a", parse_period("2010-11"))

    def with_target(value: str) -> Plan:
        return replace(
            plan,
            fingerprint=value,
            partners=partners,
            groups={"south": Group("south", "The South", "")},
            owed_by=dict.fromkeys(("police", "yos"), ("NI 111a",)),
            obligations=tuple(Obligation(code, "NI 111a") for code in ("police", "yos")),
            partner_figures={"south": {key: Figure(Decimal(value), None, "made up")}},
        )

    in_force = with_target("450")
    for day, partner in enumerate(("police", "yos")):
        row = observation("NI 111a", "55", partner_code=partner)
        record(engine, checked(partner, row, partner_code=partner), in_force, later(day))
    with writing(engine) as connection:
        close_period(connection, parse_period("2010-11Q1"), "A. Officer", later(5))
        changes = changes_by(connection, in_force, with_target(target))
        # Without the group, its row ends.
        gone = judgement_changes(connection, replace(in_force, groups={}, partners=plan.partners))
    assert [(one.group_code, one.partner_code, one.column) for one in changes.judgements] == [
        ("south", "", column) for column in turned
    ]
    assert changes.settled == (("2010-11Q1",) if turned else ())
    assert {(one.group_code, one.now) for one in gone} == {("south", "")}
