"""Clinics are stored with the judgements, on both databases and as of any moment; milestones give their diagnosis."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from sqlalchemy import Engine

from cypp_etl.judgement.reach.differences import plan_differences
from cypp_etl.periods import Period
from cypp_etl.plan.model import Plan
from schemas.codes import Accumulation, ClinicRule, Frequency, MilestoneStatus
from tests.warehouse.builders import Rows, checked, later, observation, report
from warehouse.engine import reading, writing
from warehouse.queries.as_of import clinics
from warehouse.recording.plan import record_plan
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
        ({}, ("late", 8, 0)),
        ({"PC4-A1-M1": MilestoneStatus.ACHIEVED}, ("late", 8, 1)),
        ({"PC2-A2-M1": MilestoneStatus.ACHIEVED}, ("late", 8, 0)),
        ({"measured": MilestoneStatus.ACHIEVED}, ("on time but not working", 8, 8)),
        ({"measured": MilestoneStatus.WITHDRAWN}, ("no plan", 0, 0)),
    ],
)
def test_the_diagnosis_says_what_the_milestones_of_the_measured_aspirations_say(
    engine: Engine, plan: Plan, rows: Rows, states: dict[str, MilestoneStatus], expected: tuple[str, int, int]
) -> None:
    due = due_for(plan, "PC4")
    reported = dict.fromkeys(due, states["measured"]) if "measured" in states else states
    assert _diagnosis(engine, plan, rows, reported) == expected


def test_without_aspirations_of_its_own_an_indicator_measures_those_of_its_outcome(
    engine: Engine, plan: Plan, rows: Rows
) -> None:
    leaf = replace(plan.indicators["NI 111a"], aspirations=())
    count = len(due_for(plan, *(code for code, one in plan.aspirations.items() if one.outcome_code == "PC")))
    assert count > len(due_for(plan, "PC4"))
    whole = replace(plan, fingerprint="whole outcome", indicators={**plan.indicators, "NI 111a": leaf})
    assert _diagnosis(engine, whole, rows, {}) == ("late", count, 0)


def test_an_indicator_whose_aspirations_have_no_actions_has_no_plan(engine: Engine, plan: Plan, rows: Rows) -> None:
    leaf = replace(plan.indicators["NI 111a"], aspirations=("BH3",))
    other = replace(plan, fingerprint="no actions", indicators={**plan.indicators, "NI 111a": leaf})
    assert _diagnosis(engine, other, rows, {}) == ("no plan", 0, 0)


def test_the_milestones_of_several_aspirations_add_up(engine: Engine, plan: Plan, rows: Rows) -> None:
    leaf = replace(plan.indicators["NI 111a"], aspirations=("PC1", "PC4"))
    both = replace(plan, fingerprint="two", indicators={**plan.indicators, "NI 111a": leaf})
    assert _diagnosis(engine, both, rows, {}) == ("late", len(due_for(plan, "PC1", "PC4")), 0)


def test_a_plan_that_holds_fewer_clinics_closes_the_record_of_others(engine: Engine, plan: Plan, rows: Rows) -> None:
    """A target of 129 and a value of 2: the figure declines, and is far better than its target."""
    figures = [observation("NI 111a", "1", "2009-10Q4"), observation("NI 111a", "2", "2010-11Q4")]
    record(engine, checked("a", *figures), plan, later(0))
    seen = {}
    for day, rule in enumerate((ClinicRule.BETTER, ClinicRule.WORSE, ClinicRule.NEVER, ClinicRule.BETTER), start=1):
        adopted = replace(plan, fingerprint=f"{day}", body=replace(plan.body, clinics_from=rule))
        with writing(engine) as connection:
            record_plan(connection, adopted, later(day))
        seen[day, rule.value] = len(rows("SELECT * FROM bi_clinics"))
    assert seen == {(1, "better"): 1, (2, "worse"): 0, (3, "never"): 0, (4, "better"): 1}
    with reading(engine) as connection:
        assert len(clinics(connection, Period(2010, 4), later(1))) == 1


def test_clinics_follow_an_indicator_that_becomes_yearly(engine: Engine, plan: Plan, rows: Rows) -> None:
    """Every judgement stays as it is: but quarters count no longer, and years do."""
    values = {"2008-09": "9", "2008-09Q4": "1", "2009-10": "10", "2009-10Q4": "2"}
    leaf = replace(plan.indicators["NI 111a"], accumulation=Accumulation.LATEST)
    quarterly = replace(plan, fingerprint="quarterly", indicators={**plan.indicators, "NI 111a": leaf})
    record(engine, checked("a", *(observation("NI 111a", now, at) for at, now in values.items())), quarterly, later(0))
    opened = "SELECT opened_period FROM bi_clinics WHERE indicator = 'NI 111a'"
    assert rows(opened) == [{"opened_period": "2009-10Q4"}]
    yearly = replace(leaf, frequency=Frequency.YEARLY, asked_in=(4,))
    asked = replace(plan, fingerprint="yearly", indicators={**plan.indicators, "NI 111a": yearly})
    with writing(engine) as connection:
        adopted = record_plan(connection, asked, later(1), differences=plan_differences(quarterly, asked))
    assert adopted.changed_judgements == 0
    assert rows(opened) == [{"opened_period": "2009-10"}]


def due_for(plan: Plan, *aspirations: str) -> list[str]:
    """The milestones of aspirations that are due by the end of the year."""
    actions = {code for code, one in plan.actions.items() if one.aspiration in aspirations}
    due = [one for one in plan.milestones.values() if one.due <= Period(2010).last_day]
    return [one.milestone for one in due if one.action_id in actions]


def _diagnosis(engine: Engine, plan: Plan, rows: Rows, reported: Mapping[str, MilestoneStatus]) -> tuple[str, int, int]:
    """Of the clinic of NI 111a, which gets worse, with the milestones as reported."""
    figures = [observation("NI 111a", "1", "2009-10Q4"), observation("NI 111a", "2", "2010-11Q4")]
    reports = tuple(report(milestone, status, "2010-11Q2") for milestone, status in reported.items())
    record(engine, checked("a", *figures, milestone_reports=reports), plan, later(0))
    (clinic,) = rows("SELECT * FROM bi_clinics")
    return clinic["diagnosis"], clinic["milestones_due"], clinic["milestones_achieved"]


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
