"""A warehouse that was judged by older rules is judged again, once, by those of the program, and keeps what it said."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, Table, delete, func, select, update

from cypp_etl.judgement import RULES_VERSION
from cypp_etl.plan.model import Group, Obligation, Plan
from schemas.codes import Accumulation
from tests.warehouse.builders import Rows, checked, later, observation
from warehouse.engine import reading, writing
from warehouse.queries.plan_comparison import changes_by, judgement_changes
from warehouse.recording.plan import record_plan
from warehouse.recording.record import record
from warehouse.recording.rules import judge_by_newer_rules
from warehouse.schema.plan_tables import plan_file
from warehouse.schema.tables import clinic, comparison, group_judgement, judgement, metadata, rules_version
from warehouse.upgrade import WarehouseTooNewError, is_judged_by_these_rules

_OF_GROUP = "SELECT year_to_date, on_target, note FROM bi_group_performance WHERE period = '2010-11Q2'"
_OF_PARTNER = "SELECT direction, on_course FROM bi_performance WHERE indicator = 'NI 111a' AND period = '2010-11Q1'"


@pytest.fixture(scope="module")
def grouped(plan: Plan) -> Plan:
    """The south owes NI 45, a ratio that adds up over the year; a quarter of NI 111a is not asked."""
    partners = {code: replace(each, group_code="south") for code, each in plan.partners.items()}
    ratio = replace(plan.indicators["NI 45"], accumulation=Accumulation.RATIO)
    asked = replace(plan.indicators["NI 111a"], asked_in=(1, 2, 4))
    return replace(
        plan,
        fingerprint="grouped",
        partners=partners,
        groups={"south": Group("south", "The South", "")},
        indicators={**plan.indicators, "NI 45": ratio, "NI 111a": asked},
        editions={**plan.editions, "NI 45": (ratio,), "NI 111a": (asked,)},
        owed_by=dict.fromkeys(("police", "nhs"), ("NI 45",)),
        obligations=tuple(Obligation(code, "NI 45") for code in ("police", "nhs")),
    )


def _part(partner: str, period: str) -> Any:
    return observation("NI 45", "50", period, partner_code=partner, numerator=1, denominator=2)


def _return(engine: Engine, plan: Plan) -> None:
    """The nhs leaves a quarter out; 200 after a first quarter of 100 out of 207 is on course for the target of 514."""
    quarters = {"2009-10Q1": "100", "2009-10Q2": "57", "2009-10Q4": "50", "2010-11Q1": "200"}
    sums = [observation("NI 111a", value, period) for period, value in quarters.items()]
    ratios = [_part("police", period) for period in ("2010-11Q1", "2010-11Q2")]
    record(engine, checked("a", *sums, *ratios), plan, later(0))
    record(engine, checked("b", _part("nhs", "2010-11Q2"), partner_code="nhs"), plan, later(1))


def _judge_by_older_rules(engine: Engine) -> None:
    """Put in the rows in force what rules of before said: the course was not known, and a group's year was partial."""
    in_force, year = (
        each.c.superseded_at.is_(None) & (each.c.period == period)
        for each, period in ((judgement, "2010-11Q1"), (group_judgement, "2010-11Q2"))
    )
    with writing(engine) as connection:
        connection.execute(update(judgement).where(in_force).values(on_course="not known", direction="no change"))
        connection.execute(update(group_judgement).where(year).values(year_to_date=50, on_target="no", note=""))
        connection.execute(delete(rules_version))


def _counts(engine: Engine) -> dict[str, int | None]:
    with engine.connect() as connection:
        return {each.name: connection.scalar(select(func.count()).select_from(each)) for each in metadata.sorted_tables}


def _judge(engine: Engine, plan: Plan, day: int) -> None:
    with writing(engine) as connection:
        judge_by_newer_rules(connection, plan, later(day))


def test_what_older_rules_said_is_judged_and_told_again(engine: Engine, grouped: Plan, rows: Rows) -> None:
    _return(engine, grouped)
    of_group, of_partner = rows(_OF_GROUP), rows(_OF_PARTNER)
    assert of_partner == [{"direction": "declining", "on_course": "on course"}]
    assert (of_group[0]["year_to_date"], of_group[0]["on_target"]) == (None, "no data")
    _judge_by_older_rules(engine)
    assert (rows(_OF_GROUP), rows(_OF_PARTNER)) != (of_group, of_partner)
    before = _counts(engine)
    _judge(engine, grouped, 5)
    assert (rows(_OF_GROUP), rows(_OF_PARTNER)) == (of_group, of_partner)
    # What was told is kept: the rows were not changed, but replaced.
    former = rows(_OF_PARTNER.replace("bi_performance", "bi_performance_history") + " ORDER BY recorded_at")
    assert former == [{"direction": "no change", "on_course": "not known"}, *of_partner]
    written = {each: count for each, count in _counts(engine).items() if count != before[each]}
    assert written == {
        "judgement": (before["judgement"] or 0) + 2,  # NI 45 of that quarter too
        "group_judgement": (before["group_judgement"] or 0) + 1,
        "rules_version": 1,
    }
    with reading(engine) as connection:
        assert judgement_changes(connection, grouped) == []
        other = replace(grouped, fingerprint="another")
        assert changes_by(connection, grouped, other).judgements == ()


def test_it_is_judged_again_once(engine: Engine, grouped: Plan) -> None:
    _return(engine, grouped)
    _judge_by_older_rules(engine)
    _judge(engine, grouped, 5)
    counts = _counts(engine)
    # Even what no rule says stays now.
    with writing(engine) as connection:
        connection.execute(update(judgement).values(direction="no change"))
    _judge(engine, grouped, 6)
    assert _counts(engine) == counts
    with writing(engine) as connection:
        connection.execute(delete(rules_version))
    _judge(engine, grouped, 7)
    assert _counts(engine) != counts


def test_what_rules_change_is_known_from_that_moment(engine: Engine, grouped: Plan) -> None:
    _return(engine, grouped)
    _judge_by_older_rules(engine)
    # By a clock that was set back, it still comes after what was judged.
    _judge(engine, grouped, -5)

    def last(table: Table) -> Any:
        with engine.connect() as connection:
            return connection.scalar(select(func.max(table.c.recorded_at)))

    assert last(judgement) == last(group_judgement) == later(1)


def test_clinics_of_older_rules_are_found_again(engine: Engine, plan: Plan) -> None:
    record(engine, checked("a", observation("NI 111a", "1", "2009-10Q1"), observation("NI 111a", "2")), plan, later(0))
    of_now = select(clinic.c.opened_period, clinic.c.reason).where(clinic.c.superseded_at.is_(None))
    with writing(engine) as connection:
        expected = connection.execute(of_now).all()
        assert expected
        connection.execute(update(clinic).values(reason="off target"))
        connection.execute(delete(rules_version))
        judge_by_newer_rules(connection, plan, later(1))
        assert connection.execute(of_now).all() == expected


def test_a_warehouse_begins_with_the_rules_of_the_program(engine: Engine, plan: Plan) -> None:
    with writing(engine) as connection:
        assert connection.scalars(select(rules_version.c.version)).all() == [RULES_VERSION]
        record_plan(connection, plan, later(0))
        assert is_judged_by_these_rules(connection)


@pytest.mark.parametrize(("step", "is_judged"), [(-1, False), (0, True)])
def test_a_warehouse_knows_its_rules(engine: Engine, step: int, is_judged: bool) -> None:
    with writing(engine) as connection:
        connection.execute(update(rules_version).values(version=RULES_VERSION + step))
        assert is_judged_by_these_rules(connection) == is_judged


def test_what_newer_rules_judged_is_left_alone(engine: Engine, plan: Plan) -> None:
    with writing(engine) as connection:
        connection.execute(update(rules_version).values(version=RULES_VERSION + 1))
        with pytest.raises(WarehouseTooNewError):
            judge_by_newer_rules(connection, plan, later(0))


def test_without_the_plan_in_force_nothing_is_judged(engine: Engine, plan: Plan, grouped: Plan) -> None:
    """Its files are gone: what is put in force next judges everything."""
    record(engine, checked("a", observation("NI 111a", "1")), plan, later(0))
    _judge_by_older_rules(engine)
    with writing(engine) as connection:
        connection.execute(delete(plan_file))
        before = connection.execute(select(judgement)).all()
        judge_by_newer_rules(connection, grouped, later(1))
        assert connection.execute(select(judgement)).all() == before
        record_plan(connection, grouped, later(2))
        found = connection.execute(select(judgement.c.direction).where(judgement.c.superseded_at.is_(None)))
        assert found.scalars().all() == ["no data"]
        assert connection.scalar(select(func.count()).select_from(comparison)) == 0
