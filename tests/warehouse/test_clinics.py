"""Clinics open, carry and close as a plain reading of the rule says, on both databases and as of any moment."""

import random
from datetime import date
from itertools import product

import pytest
from sqlalchemy import Engine, insert

from cypp_etl.periods import Period
from cypp_etl.plan_model import Plan
from schemas.codes import MilestoneStatus
from tests.warehouse.builders import Rows, checked, later, observation, report
from warehouse.engine import reading, writing
from warehouse.load import record
from warehouse.plans import record_plan
from warehouse.reports import clinics
from warehouse.tables import judgement, submission
from warehouse.tables import observation as observations

FIRST = Period(2009, 1)


def _next(period: Period) -> Period:
    return Period(period.start_year + (period.quarter == 4), period.quarter % 4 + 1)


def _walk(judged: list[tuple[str, str] | None]) -> list[tuple[str, str | None]]:
    """The rule read aloud: one quarter after another; a quarter that was not returned is None."""
    clinics, is_open, running, period = [], False, 0, FIRST
    for each in judged:
        direction, on_target = each or ("", "")
        running = running + 1 if direction == "improving" else 0
        if is_open and running == 2:
            clinics[-1] = (clinics[-1][0], period.code)
            is_open = False
        elif not is_open and (direction == "declining" or (direction == "no change" and on_target == "no")):
            clinics.append((period.code, None))
            is_open = True
        period = _next(period)
    return clinics


def _sequences() -> list[list[tuple[str, str] | None]]:
    words = [None, *product(("improving", "declining", "no change", "no data"), ("yes", "no"))]
    chance = random.Random(45)
    return [[chance.choice(words) for _ in range(chance.randrange(1, 16))] for _ in range(300)]


def test_clinics_are_what_the_rule_read_aloud_gives(engine: Engine, plan: Plan, rows: Rows) -> None:
    sequences = _sequences()
    with writing(engine) as connection:
        plan_id = record_plan(connection, plan, later(0)).plan_id
        came = {
            "file": "",
            "file_name": "",
            "sha256": "",
            "content_sha256": "",
            "layout": "",
            "prepared_by": "",
            "email": "",
        }
        moments = {"received_at": later(0), "recorded_at": later(0)}
        connection.execute(insert(submission), {"submission_id": 1, "status": "rejected"} | came | moments)
        judged, figures = [], []
        for number, sequence in enumerate(sequences):
            period = FIRST
            for each in sequence:
                key = {"partner_code": f"p{number}", "indicator": "NI 45", "period": period.code}
                period = _next(period)
                if each is None:
                    continue
                common = key | {"observation_id": len(judged) + 1, "recorded_at": later(0)}
                judged.append(common | {"plan_id": plan_id, "direction": each[0], "on_target": each[1]})
                words = dict.fromkeys(("qualifiers", "comment", "typed", "sheet", "cell"), "")
                figures.append(common | words | {"submission_id": 1, "measure": "actual"})
        connection.execute(insert(observations), figures)
        connection.execute(insert(judgement), judged)
    found: dict[str, list[tuple[str, str | None]]] = {f"p{number}": [] for number in range(len(sequences))}
    for row in rows("SELECT * FROM bi_clinics ORDER BY opened_period"):
        found[row["clinic_id"].split()[0]].append((row["opened_period"], row["closed_period"]))
        assert row["status"] == ("closed" if row["closed_period"] else "open")
    assert found == {f"p{number}": _walk(sequence) for number, sequence in enumerate(sequences)}


def test_whole_years_count_where_no_quarter_of_theirs_was_returned(engine: Engine, plan: Plan, rows: Rows) -> None:
    years = [observation("NI 111a", value, f"{year}-{year - 1999:02}") for year, value in ((2008, "9"), (2009, "10"))]
    record(engine, checked("a", *years), plan, later(0))
    (clinic,) = rows("SELECT * FROM bi_clinics")
    assert (clinic["clinic_id"], clinic["reason"]) == ("police NI 111a 2009-10", "declining")
    quarter = observation("NI 111a", "1", "2009-10Q4")
    record(engine, checked("b", quarter, period=Period(2009, 4)), plan, later(1))
    assert rows("SELECT * FROM bi_clinics") == []


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ({}, ("late", 32, 0)),
        ({"PC1-A2-M1": MilestoneStatus.ACHIEVED}, ("late", 32, 1)),
        ({"all": MilestoneStatus.ACHIEVED}, ("on time but not working", 32, 32)),
        ({"all": MilestoneStatus.WITHDRAWN}, ("not yet due", 0, 0)),
    ],
)
def test_the_diagnosis_says_what_the_milestones_say(
    engine: Engine, plan: Plan, rows: Rows, states: dict[str, MilestoneStatus], expected: tuple[str, int, int]
) -> None:
    due = [one.milestone for one in plan.milestones.values() if one.due <= date(2011, 3, 31)]
    assert len(due) == 32
    reported = dict.fromkeys(due, states["all"]) if "all" in states else states
    figures = [observation("NI 111a", "1", "2009-10Q4"), observation("NI 111a", "2", "2010-11Q4")]
    reports = tuple(report(milestone, status, "2010-11Q2") for milestone, status in reported.items())
    record(engine, checked("a", *figures, milestone_reports=reports), plan, later(0))
    (clinic,) = rows("SELECT * FROM bi_clinics")
    assert tuple(clinic[name] for name in ("diagnosis", "milestones_due", "milestones_achieved")) == expected


def test_as_of_a_moment_and_up_to_a_period(engine: Engine, plan: Plan) -> None:
    before, worse = observation("NI 111a", "1", "2009-10Q1"), observation("NI 111a", "2")
    record(engine, checked("a", before, worse), plan, later(0))
    record(engine, checked("b", observation("NI 111a", "1")), plan, later(2))
    with reading(engine) as connection:
        known = {day: len(clinics(connection, Period(2010, 1), later(day))) for day in (-1, 0, 1, 2)}
        earlier = clinics(connection, Period(2009, 4), later(1))
    assert known == {-1: 0, 0: 1, 1: 1, 2: 0}
    assert earlier == []
