"""A row in every view, and all that can leave a key without a row: what ended, merged, or is gone."""

from sqlalchemy import Engine

from cypp_etl.periods import parse_period
from schemas.codes import MilestoneStatus, Severity
from tests.support.plan_edits import PlanEdits
from tests.warehouse.builders import checked, finding, later, observation, report
from warehouse.engine import writing
from warehouse.recording.administration import close_period
from warehouse.recording.plan import record_plan
from warehouse.recording.record import record
from warehouse.recording.submissions.withdrawals import withdraw_submission


def edits_with_groups() -> PlanEdits:
    """Groups within a group, a partner and an indicator of an earlier time."""
    edits = PlanEdits()
    for code, group_code in (("yos", "south"), ("police", "south"), ("nhs", "east")):
        edits.change("partners", code, group_code=group_code)
    edits.add("partners", partner_code="old", partner="The Old Service", group_code="west")
    parts = [{"group_code": code, "group": f"The {code}", "parent_group": "all"} for code in ("south", "east", "west")]
    edits.tables["groups"] = [{"group_code": "all", "group": "All of us", "parent_group": ""}, *parts]
    edits.add("outcomes", outcome_code="XX", outcome="An outcome of before")
    edits.add("aspirations", "PC1", aspiration="XX1", outcome_code="XX", text="Of before")
    edits.add("indicators", "NI 43", indicator="LI 1", indicator_ref="LI 1", outcome_code="XX", aspirations="XX1")
    return edits.add("owed_by", partner_code="police", indicator="LI 1")


def later_edits() -> PlanEdits:
    """Years later: a partner merged into another, one gone; an indicator retired, one defined anew, one gone."""
    edits = edits_with_groups()
    edits.tables["groups"] = [row for row in edits.tables["groups"] if row["group_code"] != "west"]
    gone = {"partners": "old", "indicators": "LI 1", "owed_by": "LI 1", "aspirations": "XX1", "outcomes": "XX"}
    for table, code in gone.items():
        edits.tables[table] = [row for row in edits.tables[table] if code not in row.values()]
    edits.change("partners", "police", last_period="2010-11Q2", successor="yos", note="Merged", owner="The Board")
    edits.change("indicators", "NI 19", last_period="2010-11Q4")
    edits.change("indicators", "NI 45", first_period="2008-09")
    return edits.renew("NI 45", "2010-11Q3", "2010-11Q2", definition="Defined anew", polarity="LOW", unit_label="young")


def fill_every_view(engine: Engine) -> None:
    """Record returns by the earlier plan, put the later one in force, and record one more."""
    before, after = edits_with_groups().read(), later_edits().read()
    with writing(engine) as connection:
        record_plan(connection, before, later(-1))
    first = [observation("LI 1", "3"), observation("NI 111a", "90"), observation("NI 19", "2", partner_code="yos")]
    record(engine, checked("a", *first), before, later(0))
    asked = finding(Severity.QUERY)
    last_year = observation("NI 111a", "80", "2009-10Q1")
    said = (report("PC1-A1-M1", MilestoneStatus.ACHIEVED, "2019-20Q3"),)
    odd = [observation("NI 111b", "3", period) for period in ("2020-21Q2", "2020-21")]
    record(engine, checked("b", last_year, first[1], *odd, findings=(asked,), milestone_reports=said), before, later(1))
    record(engine, checked("c", partner_code="old", findings=(finding(Severity.ERROR),)), before, later(2))
    record(engine, checked("d", partner_code="board", findings=(finding(Severity.ERROR),)), before, later(2))
    record(engine, checked("e", partner_code=None, period=None, findings=(finding(Severity.ERROR),)), before, later(2))
    quarters = [observation("NI 45", "4", period, partner_code="yos") for period in ("2010-11Q1", "2010-11Q3")]
    record(engine, checked("f", *quarters, partner_code="yos"), before, later(3))
    figure = observation("NI 113a", "7", partner_code="nhs")
    gone = record(engine, checked("g", figure, partner_code="nhs"), before, later(3))
    with writing(engine) as connection:
        withdraw_submission(connection, before, gone.submission_id, by="A. Person", why="A slip", at=later(4))
        close_period(connection, parse_period("2031-32Q1"), "A. Officer", later(4))
        record_plan(connection, after, later(5), by="A. Person", why="Years later")
    record(engine, checked("h", observation("NI 111a", "70"), last_year, *odd), after, later(6))
