"""`cypp explain` where a plan has many bodies: it says from whose figures a comparator was computed."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine

from cypp_etl.periods import parse_period
from cypp_etl.plan.model import BUILT_IN_COMPARATORS, Comparator, Obligation, Plan
from cypp_etl.plan.reader import read_plan
from flows.cli.commands.explain import show_explanation
from schemas.codes import ComparatorMethod
from tests.warehouse.builders import checked, later, observation
from warehouse.engine import open_warehouse, reading
from warehouse.recording.record import record
from warehouse.upgrade import upgrade

PERIOD = parse_period("2010-11Q1")


@pytest.fixture(scope="module")
def plan() -> Plan:
    comparators = [
        Comparator("neighbours_mean", "Our neighbours", ComparatorMethod.MEAN, "neighbours"),
        Comparator("everybody", "Everybody", ComparatorMethod.RATIO, "*"),
    ]
    return replace(
        read_plan(),
        fingerprint="compared",
        comparators=BUILT_IN_COMPARATORS | {each.comparator: each for each in comparators},
        neighbours={"yos": ("police", "nhs")},
    )


@pytest.fixture(scope="module")
def engine(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    path: Path = tmp_path_factory.mktemp("warehouse") / "warehouse.sqlite"
    engine = open_warehouse(f"sqlite:///{path}")
    upgrade(engine)
    for day, (partner, above, below) in enumerate((("yos", 3, 4), ("police", 1, 2), ("nhs", 7, 10))):
        parts = {"numerator": Decimal(above), "denominator": Decimal(below)}
        row = observation("NI 45", str(100 * above / below), partner_code=partner, **parts)
        record(engine, checked(partner, row, partner_code=partner), plan, later(day))
    yield engine
    engine.dispose()


def test_the_bodies_behind_a_comparator_are_named(
    engine: Engine, plan: Plan, capsys: pytest.CaptureFixture[str]
) -> None:
    with reading(engine) as connection:
        assert show_explanation(connection, plan, "NI 45", PERIOD) == 0
    said = capsys.readouterr().out
    assert "Our neighbours: ★ better\n  Mean of 2 for 2010/11 Q1: 60.0%\n  Counted: police 50, nhs 70" in said
    assert "Everybody: ★ better\n  Ratio of the sums of 3 for 2010/11 Q1: 68.8%\n  Counted: " in said
    assert all(counted in said for counted in ("yos 3 / 4", "police 1 / 2", "nhs 7 / 10"))


def test_many_owners_are_counted_rather_than_named(
    engine: Engine, plan: Plan, capsys: pytest.CaptureFixture[str]
) -> None:
    partners = {f"p{number}": replace(plan.partners["yos"], partner_code=f"p{number}") for number in range(11)}
    for count, said in ((10, plan.partners["yos"].partner), (11, "owed by 11 partners")):
        obligations = tuple(Obligation(code, "NI 45") for code in [*partners][:count])
        with reading(engine) as connection:
            many = replace(plan, partners=partners, obligations=obligations)
            assert show_explanation(connection, many, "NI 45", parse_period("2011-12Q1")) == 1
        assert said in capsys.readouterr().out
