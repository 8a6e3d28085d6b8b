"""Clinics are stored with the judgements, on both databases and as of any moment; milestones give their diagnosis."""

from datetime import date

import pytest
from sqlalchemy import Engine

from cypp_etl.periods import Period
from cypp_etl.plan.model import Plan
from schemas.codes import MilestoneStatus
from tests.warehouse.builders import Rows, checked, later, observation, report
from warehouse.engine import reading
from warehouse.queries.as_of import clinics
from warehouse.recording.record import record


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


def test_a_report_on_a_quarter_does_not_know_how_it_went_on(engine: Engine, plan: Plan) -> None:
    """Low is good for NI 111a. The clinic of 2010-11Q1 is measured at Q2 first, and closed in Q4."""
    figures = ["1", "1", "9", "9"], ["2", "2", "3", "3"]
    rows = [
        observation("NI 111a", value, f"{year}Q{quarter}")
        for year, values in zip(("2009-10", "2010-11"), figures, strict=True)
        for quarter, value in enumerate(values, start=1)
    ]
    record(engine, checked("a", *rows), plan, later(0))
    with reading(engine) as connection:
        seen = [
            [
                (row["status"], row["closed_period"], row["measured_period"])
                for row in clinics(connection, until, later(1))
            ]
            for until in (Period(2009, 4), Period(2010, 1), Period(2010, 2), Period(2010, 3), Period(2010, 4))
        ]
    assert seen == [
        [],
        [("open", None, "2010-11Q1")],
        [("open", None, "2010-11Q2")],
        [("open", None, "2010-11Q2")],
        [("closed", "2010-11Q4", "2010-11Q2")],
    ]
