"""Migrations on both database systems: they create the declared tables, whoever runs them, and however often."""

import os
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, Table, insert, inspect, select, text, update

from cypp_etl.checked_return import MilestoneReport
from cypp_etl.findings import Finding
from cypp_etl.periods import parse_period
from cypp_etl.plan.model import Plan
from schemas.codes import Severity
from tests.warehouse.builders import checked, finding, later, observation
from warehouse import upgrade as upgrade_module
from warehouse.engine import open_warehouse, reading, writing
from warehouse.migrations import HEAD
from warehouse.queries.history import read_history
from warehouse.recording.plan import record_plan
from warehouse.recording.record import record
from warehouse.schema.plan_tables import plan_due, plan_figure, plan_indicator
from warehouse.schema.tables import clinic, metadata, period, submission, view_version
from warehouse.schema.tables import finding as finding_table
from warehouse.upgrade import WarehouseTooNewError, current_revision, is_current, upgrade
from warehouse.views.definitions import views_sha256
from warehouse.views.selectable import view

ROOT = Path(__file__).parents[2]

_ASKED = ("frequency", "asked_in", "year_type", "reports_on")


def test_an_empty_warehouse_is_brought_up_to_date_once(empty_url: str) -> None:
    engine = open_warehouse(empty_url)
    with engine.connect() as connection:
        assert current_revision(connection) is None
    assert upgrade(engine)
    assert not upgrade(engine)
    with engine.connect() as connection:
        assert current_revision(connection) == HEAD
    engine.dispose()


def test_the_migrations_build_what_the_tables_say(engine: Engine) -> None:
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)
    assert differences == []


def test_the_migrations_build_the_checks_that_the_tables_say(engine: Engine) -> None:
    built = inspect(engine)
    for table in metadata.tables.values():
        expected = {str(one.name) for one in table.constraints if type(one).__name__ == "CheckConstraint"}
        assert {one["name"] for one in built.get_check_constraints(table.name)} == expected


def test_the_head_is_the_newest_revision() -> None:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "warehouse" / "migrations"))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_views_that_are_out_of_date_are_made_again(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(update(view_version).values(sha256="old"))
        connection.execute(text("DROP VIEW bi_findings"))
    assert upgrade(engine)
    assert "bi_findings" in inspect(engine).get_view_names()


def test_who_may_read_the_views_may_read_them_again(engine: Engine) -> None:
    if engine.dialect.name != "postgresql":
        pytest.skip("SQLite has no roles")
    role = f"reader {engine.url.database}"
    with writing(engine) as connection:
        connection.execute(text(f'CREATE ROLE "{role}"'))
        connection.execute(text(f'GRANT SELECT ON bi_findings TO "{role}"'))
        connection.execute(text("GRANT SELECT ON bi_submissions TO PUBLIC"))
        connection.execute(update(view_version).values(sha256="old"))
    assert upgrade(engine)
    may_read = text("SELECT has_table_privilege(:role, :view, 'SELECT')")
    with engine.connect() as connection:
        views = ("bi_findings", "bi_submissions", "bi_performance")
        assert [connection.scalar(may_read, {"role": role, "view": view}) for view in views] == [True, True, False]


def test_a_warehouse_newer_than_the_program_is_left_alone(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(WarehouseTooNewError):
        upgrade(engine)


# The last revision that passed over what was missing is 0007.
@pytest.mark.parametrize("revision", ["0001", "0002", "0007"])
def test_a_warehouse_of_the_first_hours_is_mended(empty_url: str, plan: Plan, revision: str) -> None:
    """Revision 0001 lacked these while it was being written; what was recorded by then stays."""
    engine = open_warehouse(empty_url)
    config = Config()
    config.set_main_option("script_location", str(ROOT / "warehouse" / "migrations"))
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        # The later revisions passed over it, and so did the views.
        connection.execute(insert(view_version).values(sha256=views_sha256(engine.dialect.name)))
        connection.execute(text("DROP INDEX ux_submission_delivery"))
        connection.execute(text("ALTER TABLE submission DROP COLUMN delivery"))
        connection.execute(text("ALTER TABLE submission DROP COLUMN content_sha256"))
        connection.execute(text("DROP TABLE waiver"))
        connection.execute(
            text(
                "INSERT INTO submission (file, file_name, sha256, layout, prepared_by, email, status, received_at, "
                "recorded_at) VALUES ('a', 'a', 'a', '', '', '', 'rejected', '2010-07-12', '2010-07-12')"
            )
        )
    assert upgrade(engine)
    test_the_migrations_build_what_the_tables_say(engine)
    with engine.connect() as connection:
        assert connection.execute(select(submission.c.content_sha256, submission.c.delivery)).all() == [("", None)]
    record(engine, checked("b", observation("NI 111a", "1")), plan, later(1), delivery="d" * 64)
    assert not upgrade(engine)
    engine.dispose()


def test_an_upgrade_that_fails_leaves_nothing(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = open_warehouse(empty_url)

    def fail(_dialect: str) -> str:
        raise InterruptedError

    with monkeypatch.context() as patch, pytest.raises(InterruptedError):
        patch.setattr(upgrade_module, "views_sha256", fail)
        upgrade(engine)
    assert inspect(engine).get_table_names() == []
    assert upgrade(engine)
    engine.dispose()


def test_two_processes_may_upgrade_at_once(empty_url: str) -> None:
    code = "import sys; from warehouse import engine, upgrade; upgrade.upgrade(engine.open_warehouse(sys.argv[1]))"
    command = [sys.executable, "-c", code, empty_url]
    running = [subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}) for _ in range(2)]
    assert [process.wait() for process in running] == [0] * 2
    engine = open_warehouse(empty_url)
    with engine.connect() as connection:
        assert is_current(connection)
    engine.dispose()


def _tables(engine: Engine) -> list[str]:
    return inspect(engine).get_table_names()


def _build(engine: Engine, revision: str) -> None:
    """Build the tables as they were at a revision."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "warehouse" / "migrations"))
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def _fill(older: Engine, engine: Engine, but_for: tuple[Table, ...] = ()) -> None:
    """Copy to an older warehouse what it has tables and columns for."""
    had = {name: {column["name"] for column in inspect(older).get_columns(name)} for name in _tables(older)}
    kept = [table for table in metadata.sorted_tables if table.name in had and table not in (view_version, *but_for)]
    with engine.connect() as source, writing(older) as target:
        for table in kept:
            columns = [column for column in table.c if column.name in had[table.name]]
            if rows := [dict(row) for row in source.execute(select(*columns)).mappings()]:
                target.execute(insert(table), rows)


def test_the_clinics_of_an_older_warehouse_are_those_that_would_have_been_kept(
    engine: Engine, empty_url: str, plan: Plan
) -> None:
    """Low is good for NI 111a. Its clinics are added, changed and removed with corrections, as of each moment."""
    years = [observation("NI 111a", value, period) for value, period in (("4", "2009-10"), ("5", "2010-11"))]
    record(engine, checked("years", *years, partner_code="board"), plan, later(0))
    for number, values in enumerate(("7766", "7744", "7777", "33")):
        quarters = [observation("NI 111a", "5", f"2009-10Q{quarter}") for quarter in range(1, 5)]
        quarters += [observation("NI 111a", value, f"2010-11Q{at}") for at, value in enumerate(values, start=1)]
        record(engine, checked(values, *quarters), plan, later(number + 1))
    older = open_warehouse(empty_url)
    _build(older, "0002")
    _fill(older, engine, but_for=(clinic,))
    assert upgrade(older)
    columns = [column for column in clinic.c if not column.primary_key]
    with engine.connect() as one, older.connect() as other:
        query = select(*columns).order_by(clinic.c.recorded_at, clinic.c.opened_period)
        expected = one.execute(query).all()
        assert len(expected) > 2
        assert other.execute(query).all() == expected
        calendar = select(period).order_by(period.c.period)
        assert other.execute(calendar).all() == one.execute(calendar).all()
        # A plan of before asked for everything in every quarter.
        asked = select(*(plan_indicator.c[name] for name in _ASKED)).distinct()
        assert other.execute(asked).all() == [("quarterly", "Q1 Q2 Q3 Q4", "financial", "this year")]
        assert set(other.execute(select(plan_due))) == set(one.execute(select(plan_due)))
        differences = compare_metadata(MigrationContext.configure(other, opts={"compare_type": True}), metadata)
    assert differences == []
    older.dispose()


def test_the_findings_of_an_older_warehouse_are_about_what_they_would_be_about(
    engine: Engine, empty_url: str, plan: Plan
) -> None:
    """The row says it: a figure before a milestone, the first of several figures, and nothing where nothing is."""
    figures = [observation(name, "1", cell=cell) for name, cell in (("NI 111b", "G4"), ("NI 111a", "J4"))]
    figures += [observation("NI 111a", "1", "2010-11Q2", cell="$G$12"), observation("NI 45", "2", sheet="Other")]
    milestones = [
        MilestoneReport("f", sheet, cell, "police", milestone, parse_period("2010-11Q1"), None, "", None, "")
        for sheet, cell, milestone in (("Milestones", "E3", "M-2"), ("Milestones", "E2", "M-1"), ("Other", "E2", "M-3"))
    ]
    places = {
        ("Indicators", "K4"): "NI 111a",
        ("Indicators", "$B$4"): "NI 111a",
        ("Indicators", "G12"): "NI 111a",
        ("Indicators", "G2"): "",
        ("Indicators", ""): "",
        ("Milestones", "F3"): "M-2",
        ("Milestones", "F4"): "",
        ("Other", "A2"): "NI 45",
        ("", ""): "",
    }
    found = tuple(Finding("large-change", Severity.QUERY, *place, "", "", "") for place in places)
    parts: dict[str, Any] = {"milestone_reports": tuple(milestones), "findings": found}
    record(engine, checked("a", *figures, **parts), plan, later(0))
    wrong = (*found, finding(Severity.ERROR))
    record(engine, checked("b", *figures, **(parts | {"findings": wrong})), plan, later(1))
    older = open_warehouse(empty_url)
    _build(older, "0017")
    _fill(older, engine)
    assert upgrade(older)
    columns = finding_table.c
    query = select(columns.submission_id, columns.sheet, columns.cell, columns.subject).order_by(columns.finding_id)
    with engine.connect() as one, older.connect() as other:
        rows = one.execute(query).all()
        assert [tuple(row)[1:] for row in rows if row.submission_id == 1] == [(*at, of) for at, of in places.items()]
        assert {row.subject for row in rows if row.submission_id == 2} == {""}, "it was rejected"
        assert other.execute(query).all() == rows
    older.dispose()


_WAIVED = (
    "INSERT INTO waiver (code, partner_code, subject, period, reason, waived_by, until, waived_at) "
    "VALUES ('large-change', 'yos', 'NI 45', '', '{}', 'B. Officer', '{}', '{}')"
)


def test_what_was_decided_before_is_on_record(empty_url: str) -> None:
    older = open_warehouse(empty_url)
    _build(older, "0008")
    with writing(older) as connection:
        for statement in (
            "INSERT INTO period_closing VALUES ('2010-11Q1', 'A. Officer', '2010-08-01 12:00:00.000000')",
            _WAIVED.format("A new unit", "2011-03-31", "2010-09-01 12:00:00.000000"),
            _WAIVED.format("No more", "2010-01-01", "2010-10-01 12:00:00.000000"),
        ):
            connection.execute(text(statement))
    assert upgrade(older)
    with reading(older) as connection:
        decided = [tuple(row)[1:] for row in connection.execute(select(view("bi_decisions"))).all()]
        waivers = read_history(connection, ["yos"]).waivers
        assert read_history(connection, ["yos"]).closed == {parse_period("2010-11Q1")}
    in_utc = [datetime(2010, month, 1, 12, tzinfo=UTC) for month in (8, 9, 10)]
    assert decided == [
        ("close-period", "2010/11 Q1", None, "2010-11Q1", "A. Officer", in_utc[0], "", None),
        ("waive-query", "large-change NI 45", "yos", None, "B. Officer", in_utc[1], "A new unit", date(2011, 3, 31)),
        ("waive-query", "large-change NI 45", "yos", None, "B. Officer", in_utc[2], "No more", date(2010, 1, 1)),
    ]
    assert [(one.reason, one.waived_by, one.until) for one in waivers] == [
        ("A new unit", "B. Officer", date(2011, 3, 31)),
        ("No more", "B. Officer", date(2010, 1, 1)),
    ]
    older.dispose()


def test_figures_of_single_partners_leave_the_table_of_figures(engine: Engine, empty_url: str, plan: Plan) -> None:
    """An older program wrote them there, beside those that hold for every partner, which stay."""
    with writing(engine) as connection:
        record_plan(connection, plan, later(0))
    older = open_warehouse(empty_url)
    _build(older, "0017")
    _fill(older, engine)
    of_one = "SELECT plan_id, measure, indicator, period, 'yos', 1, NULL, 'made up' FROM plan_figure LIMIT 2"
    with writing(older) as connection:
        names = "plan_id, measure, indicator, period, partner_code, value, marker, source"
        added = connection.execute(text(f"INSERT INTO plan_figure ({names}) {of_one}"))
        assert added.rowcount == 2
    assert upgrade(older)
    with engine.connect() as one, older.connect() as other:
        query = select(plan_figure).order_by(plan_figure.c.measure, plan_figure.c.indicator, plan_figure.c.period)
        assert other.execute(query).all() == one.execute(query).all() != []
    test_the_migrations_build_what_the_tables_say(older)
    older.dispose()
