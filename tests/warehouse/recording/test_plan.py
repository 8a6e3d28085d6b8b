"""Plans in the warehouse: one in force, earlier ones stored, and everything judged by the one in force."""

from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import Connection, Engine, func, select, update

from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.model import Figure, Indicator, Obligation, Plan
from cypp_etl.plan.reader import PlanError, plan_of
from cypp_etl.plan.spans import Span
from schemas.codes import Measure, MilestoneStatus
from tests.warehouse.builders import Rows, checked, later, observation, report
from warehouse.engine import writing
from warehouse.recording.plan import (
    AnotherPlanInForceError,
    ReturnedAndMissingError,
    begin_plan,
    record_plan,
    require_plan,
)
from warehouse.recording.record import record
from warehouse.schema import plan_tables
from warehouse.stored_plans import plan_in_force


def _with_target(plan: Plan, indicator: str, value: str) -> Plan:
    key = (Measure.TARGET, indicator, parse_period("2010-11"))
    figure = Figure(Decimal(value), None, "Board, July 2010")
    return replace(plan, fingerprint="another" + value, figures={**plan.figures, key: figure})


def _without(plan: Plan, indicator: str) -> Plan:
    return replace(
        plan,
        fingerprint="without",
        indicators={key: one for key, one in plan.indicators.items() if key != indicator},
        figures={key: one for key, one in plan.figures.items() if key[1] != indicator},
        obligations=tuple(one for one in plan.obligations if one.indicator != indicator),
        owed_by={key: tuple(one for one in owed if one != indicator) for key, owed in plan.owed_by.items()},
    )


def test_every_row_of_the_plan_is_stored(engine: Engine, plan: Plan) -> None:
    with writing(engine) as connection:
        record_plan(connection, plan, later(0))
        for table, expected in (
            (plan_tables.plan_outcome, plan.outcomes),
            (plan_tables.plan_partner, plan.partners),
            (plan_tables.plan_calendar, plan.calendar),
            (plan_tables.plan_aspiration, plan.aspirations),
            (plan_tables.plan_action, plan.actions),
            (plan_tables.plan_milestone, plan.milestones),
            (plan_tables.plan_indicator, plan.indicators),
            (plan_tables.plan_edition, plan.editions),
            (plan_tables.plan_owed, plan.obligations),
            (plan_tables.plan_figure, plan.figures),
        ):
            assert connection.scalar(select(func.count()).select_from(table)) == len(expected)


def test_the_same_plan_again_changes_nothing(engine: Engine, plan: Plan, rows: Rows) -> None:
    with writing(engine) as connection:
        first = record_plan(connection, plan, later(0))
        again = record_plan(connection, plan, later(1))
    assert (first.is_new, again.is_new, first.plan_id) == (True, False, again.plan_id)
    assert len(rows("SELECT 1 AS one FROM plan")) == 1


@pytest.fixture
def recorded_before_workbooks(engine: Engine, plan: Plan) -> None:
    """The built-in plan in force under the SHA-256 of its files, as an older program recorded it."""
    with writing(engine) as connection:
        record_plan(connection, replace(plan, fingerprint=plan.former_fingerprint), later(0))


@pytest.mark.usefixtures("recorded_before_workbooks")
def test_a_plan_that_an_older_program_recorded_is_still_in_force(engine: Engine, plan: Plan, rows: Rows) -> None:
    otherwise_written = plan_of({name: content.replace(b"\n", b"\r\n") for name, content in plan.files.items()})
    assert otherwise_written.former_fingerprint != plan.former_fingerprint
    with writing(engine) as connection:
        for same in (plan, otherwise_written):
            assert not record_plan(connection, same, later(1)).is_new
            require_plan(connection, same, later(1))
    assert rows("SELECT fingerprint FROM plan") == [{"fingerprint": plan.former_fingerprint}]


@pytest.mark.usefixtures("recorded_before_workbooks")
def test_another_plan_than_an_older_program_recorded_is_another(engine: Engine, plan: Plan) -> None:
    figures = plan.files["figures.csv"].replace(b"target,NI 111a,2010-11,514", b"target,NI 111a,2010-11,515")
    other = plan_of({**plan.files, "figures.csv": figures})
    with writing(engine) as connection:
        with pytest.raises(AnotherPlanInForceError):
            require_plan(connection, other, later(1))
        assert record_plan(connection, other, later(1)).is_new


def _spoilt(connection: Connection, plan: Plan, line: bytes) -> None:
    """Put a line into the stored figures of the plan in force, as if an older program had allowed it."""
    stored = plan_tables.plan_file
    content = plan.files["figures.csv"] + line
    connection.execute(update(stored).where(stored.c.file == "figures.csv").values(content=content))


def test_the_figures_of_the_plan_in_force_are_read_once_they_are_needed(engine: Engine, plan: Plan) -> None:
    with writing(engine) as connection:
        record_plan(connection, plan, later(0))
        assert plan_in_force(connection) == plan
        _spoilt(connection, plan, b"target,NI 111a,2011-12Q1,many,made up\n")
        in_force = plan_in_force(connection)
        assert in_force is not None and in_force.owing(Period(2010, 1)) == plan.owing(Period(2010, 1))
        row = len(plan.files["figures.csv"].splitlines()) + 1
        with pytest.raises(PlanError, match=f'figures.csv, row {row}, column value: "many" is not a number'):
            in_force.target("NI 111a", Period(2010))


def test_an_upgrade_finds_the_faults_of_figures_at_once(engine: Engine, plan: Plan) -> None:
    with writing(engine) as connection:
        record_plan(connection, plan, later(0))
        _spoilt(connection, plan, b"target,NI 111a,2011-12Q1,many,made up\n")
        with pytest.raises(PlanError, match=r"figures\.csv"):
            begin_plan(connection, _with_target(plan, "NI 111a", "1"), later(1))


def test_a_new_plan_judges_everything_and_an_old_one_can_come_back(engine: Engine, plan: Plan, rows: Rows) -> None:
    record(engine, checked("a", observation("NI 111a", "300"), observation("NI 111b", "1.5")), plan, later(0))
    newer = _with_target(plan, "NI 111a", "1")
    target = "SELECT target FROM bi_performance WHERE indicator = 'NI 111a'"
    before = rows(target)
    with writing(engine) as connection:
        assert record_plan(connection, newer, later(1)).changed_judgements == 1
    assert rows(target) != before
    with writing(engine) as connection:
        assert record_plan(connection, plan, later(2)).changed_judgements == 1
    assert rows(target) == before
    assert len(rows("SELECT 1 AS one FROM plan")) == 3
    assert len(rows("SELECT 1 AS one FROM plan WHERE superseded_at IS NULL")) == 1


def test_a_plan_without_what_has_been_returned_is_refused(engine: Engine, plan: Plan, rows: Rows) -> None:
    said = (report("PC1-A1-M1", MilestoneStatus.ON_TRACK),)
    figures = (observation("NI 111a", "300", "2009-10Q1"), observation("NI 111a", "200"))
    record(engine, checked("a", *figures, milestone_reports=said), plan, later(0))
    others = {
        "NI 111a has returns in force for 2009/10 Q1 to 2010/11 Q1, but no row in indicators.csv": (
            "indicators",
            "NI 111a",
        ),
        "police has returns in force for 2009/10 Q1 to 2010/11 Q1, but no row in partners.csv": ("partners", "police"),
        "PC1-A1-M1 has returns in force for 2010/11 Q1, but no row in milestones.csv": ("milestones", "PC1-A1-M1"),
    }
    for message, (field, code) in others.items():
        fewer = {key: one for key, one in getattr(plan, field).items() if key != code}
        said_so = pytest.raises(ReturnedAndMissingError, match=f"^{message}: keep the row, with a last_period$")
        with said_so, writing(engine) as connection:
            record_plan(connection, replace(plan, fingerprint="without", **{field: fewer}), later(1))
    assert len(rows("SELECT 1 AS one FROM plan")) == 1
    assert len(rows("SELECT 1 AS one FROM bi_performance")) == 2


def test_what_was_never_returned_may_go(engine: Engine, plan: Plan, rows: Rows) -> None:
    record(engine, checked("a", observation("NI 111a", "300")), plan, later(0))
    with writing(engine) as connection:
        record_plan(connection, _without(plan, "NI 111b"), later(1))
    assert rows("SELECT indicator FROM bi_performance") == [{"indicator": "NI 111a"}]
    assert "NI 111b" not in {row["indicator"] for row in rows("SELECT indicator FROM plan_edition WHERE plan_id = 2")}


def _with_editions(plan: Plan, *editions: Indicator) -> Plan:
    """The plan with other editions of one indicator."""
    name, latest = editions[-1].indicator, editions[-1]
    return replace(plan, indicators={**plan.indicators, name: latest}, editions={**plan.editions, name: editions})


def test_editions_share_all_time_between_them(engine: Engine, plan: Plan, rows: Rows) -> None:
    last = plan.indicators["NI 45"]
    margins = replace(last.banding, comparator_margin=Decimal(9))
    editions = (
        replace(last, definition="First", span=Span(parse_period("2009-10"), parse_period("2010-11Q1"))),
        replace(last, definition="Second", edition=2, span=Span(parse_period("2010-11Q3"), parse_period("2010-11Q4"))),
        replace(last, definition="Second", edition=2, banding=margins, span=Span(parse_period("2011-12Q1"))),
        replace(last, definition="Third", edition=3, span=Span(parse_period("2012-13"), parse_period("2013-14"))),
    )
    with writing(engine) as connection:
        record_plan(connection, _with_editions(plan, *editions), later(0))
    query = "SELECT * FROM plan_edition WHERE indicator = 'NI 45' ORDER BY edition"
    found = [
        (row["edition"], row["definition"], str(row["described_from"]), str(row["described_until"]))
        for row in rows(query)
    ]
    assert found == [
        (1, "First", "0001-01-01", "2010-09-30"),
        (2, "Second", "2010-10-01", "2012-03-31"),
        (3, "Third", "2012-04-01", "9999-12-31"),
    ]


def test_what_is_owed_ends_with_the_first_thing_that_ends(engine: Engine, plan: Plan, rows: Rows) -> None:
    leaf = replace(plan.indicators["NI 45"], span=Span(parse_period("2009-10Q2")))
    yos = replace(plan.partners["yos"], span=Span(None, parse_period("2012-13")))
    owed = (
        Obligation("yos", "NI 45", Span(None, parse_period("2009-10Q3"))),
        Obligation("yos", "NI 45", Span(None, parse_period("2009-10Q4"))),
        Obligation("yos", "NI 45", Span(parse_period("2011-12Q1"))),
        Obligation("yos", "NI 45", Span(None, parse_period("2008-09"))),
    )
    plan = replace(_with_editions(plan, leaf), partners={**plan.partners, "yos": yos}, obligations=owed)
    with writing(engine) as connection:
        record_plan(connection, plan, later(0))
    found = rows("SELECT first_day, last_day FROM plan_owed ORDER BY first_day")
    assert [tuple(map(str, row.values())) for row in found] == [
        ("2009-07-01", "2010-03-31"),
        ("2011-04-01", "2013-03-31"),
    ]


def test_a_return_checked_against_another_plan_is_refused(engine: Engine, plan: Plan, rows: Rows) -> None:
    with writing(engine) as connection:
        record_plan(connection, _with_target(plan, "NI 111a", "1"), later(0))
    with pytest.raises(AnotherPlanInForceError):
        record(engine, checked("a", observation("NI 111a", "1")), plan, later(1))
    assert rows("SELECT 1 AS one FROM submission") == []
