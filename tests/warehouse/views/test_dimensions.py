# ruff: noqa: S608 (names of views and columns of our own)
"""The star: each dimension has one row for each key, and no other view names a key that has no row."""

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, text

from tests.support.plan_edits import PlanEdits
from tests.warehouse.builders import Rows, later
from tests.warehouse.full_warehouse import fill_every_view
from tests.warehouse.test_upgrade import ROOT
from warehouse.engine import reading, writing
from warehouse.recording.plan import record_plan
from warehouse.upgrade import upgrade
from warehouse.views.comments import meaning_of
from warehouse.views.dictionary import VIEWS

DIMENSIONS = {view.name: view for view in VIEWS if len(view.key) == 1}


def faults(connection: Connection) -> dict[str, list[object]]:
    """The keys that two rows have, or that are empty, and the references that lead nowhere, by column."""
    found: dict[str, list[object]] = {}
    for view in VIEWS:
        if view.key:
            key = ", ".join(f'"{name}"' for name in view.key)
            empty = " OR ".join(f'"{name}" IS NULL' for name in view.key)
            found[f"{view.name}'s key"] = list(
                connection.execute(text(f"SELECT {key} FROM {view.name} GROUP BY {key} HAVING count(*) > 1 OR {empty}"))
            )
        for name, other in view.references:
            (other_key,) = DIMENSIONS[other].key
            known = f'SELECT "{other_key}" FROM {other}'
            unknown = (
                f'SELECT DISTINCT "{name}" FROM {view.name} WHERE "{name}" IS NOT NULL AND "{name}" NOT IN ({known})'
            )
            found[f"{view.name}.{name}"] = list(connection.scalars(text(unknown)))
    return {where: rows for where, rows in found.items() if rows}


def some_rows(connection: Connection) -> set[str]:
    return {view.name for view in VIEWS if connection.scalar(text(f"SELECT 1 FROM {view.name} LIMIT 1"))}


def test_whatever_could_lead_to_a_dimension_does() -> None:
    """A column that is named after a key is a reference, and a reference leads to a view with one key."""
    keys = {view.key[0]: view.name for view in DIMENSIONS.values() if view.name != "bi_clinics"}
    for view in VIEWS:
        leading = dict(view.references)
        assert set(leading.values()) <= set(DIMENSIONS)
        own = view.key if len(view.key) == 1 else ()
        named = {column.name: keys[column.name] for column in view.columns if column.name in keys}
        assert named.items() - {(name, view.name) for name in own} <= leading.items(), view.name


@pytest.fixture
def full(engine: Engine) -> Engine:
    fill_every_view(engine)
    return engine


def test_no_key_is_there_twice_and_none_is_missing(full: Engine) -> None:
    with reading(full) as connection:
        assert some_rows(connection) == {view.name for view in VIEWS}
        assert faults(connection) == {}


def test_an_indicator_is_what_todays_edition_says(full: Engine, rows: Rows) -> None:
    columns = "indicator, definition, polarity, unit_label, outcome_code, aspirations, is_current, edition"
    query = f"SELECT {columns}, first_period, last_period FROM bi_indicator"
    found = {str(row["indicator"]): tuple(row.values())[1:] for row in rows(query)}
    assert found["NI 45"] == ("Defined anew", "LOW", "young", "PC", "PC4", "yes", 2, "2008-09", None)
    assert found["NI 19"][-4:] == ("no", 1, None, "2010-11Q4"), "retired"
    assert found["LI 1"][3:6] == ("XX", "XX1", "no"), "not in the plan any more"
    assert found["NI 111a"][0] == ("First time entrants to the Youth Justice System aged 10 – 17 – Number"), (
        "with its parent's definition"
    )
    facts = rows("SELECT period, definition, edition FROM bi_performance WHERE indicator = 'NI 45' ORDER BY period")
    assert [(row["definition"] == "Defined anew", row["edition"]) for row in facts] == [(False, 1), (True, 2)]


def test_an_indicator_measures_its_aspirations_in_their_order(engine: Engine, rows: Rows) -> None:
    edits = PlanEdits()
    edits.add("aspirations", "PC4", aspiration="PC10")
    edits.change("indicators", "NI 43", aspirations="PC10 PC4 PC1")
    with writing(engine) as connection:
        record_plan(connection, edits.read(), later(0))
    (row,) = rows("SELECT aspirations FROM bi_indicator WHERE indicator = 'NI 43'")
    assert row == {"aspirations": "PC1 PC4 PC10"}


def test_a_partner_has_its_groups_and_its_successor(full: Engine, rows: Rows) -> None:
    columns = 'partner, group_code, "group", is_current, parent_group_code, parent_group, successor, last_period, note'
    found = {
        str(row["partner_code"]): tuple(row.values())[1:]
        for row in rows(f"SELECT partner_code, {columns} FROM bi_partner")
    }
    south = ("south", "The south")
    assert found["yos"] == ("Youth Offending Service", *south, "yes", "all", "All of us", None, None, None)
    assert found["police"][1:] == (*south, "no", "all", "All of us", "yos", "2010-11Q2", "Merged")
    assert found["old"] == ("The Old Service", "west", "The west", "no", "all", "All of us", None, None, None)
    assert found["board"] == ("board", None, None, "no", None, None, None, None, None), "no partner, but returns"
    assert found["cyps"][1:3] == (None, None)
    groups = {
        row["group_code"]: (row["parent_group_code"], row["is_current"]) for row in rows("SELECT * FROM bi_group")
    }
    assert groups == {"all": (None, "yes"), "south": ("all", "yes"), "east": ("all", "yes"), "west": ("all", "no")}


@pytest.mark.parametrize(
    ("span", "is_current"),
    [
        ({"first_period": "2000-01"}, "yes"),
        ({"last_period": "2099-00"}, "yes"),
        ({"first_period": "2098-99Q1"}, "no"),
        ({"last_period": "2010-11"}, "no"),
        ({"first_period": "2009-10", "last_period": "2098-99"}, "yes"),
    ],
)
def test_what_holds_today_is_current(engine: Engine, rows: Rows, span: dict[str, str], is_current: str) -> None:
    edits = PlanEdits()
    edits.change("indicators", "NI 43", **span)
    edits.change("partners", "vcs", **span)
    with writing(engine) as connection:
        record_plan(connection, edits.read(), later(0))
    for view, code in (("indicator", "NI 43"), ("partner", "vcs")):
        key = DIMENSIONS[f"bi_{view}"].key[0]
        (row,) = rows(f"SELECT * FROM bi_{view} WHERE {key} = '{code}'")
        assert row["is_current"] == is_current
        assert {name: row[name] for name in span} == span
        for period in span.values():
            assert rows(f"SELECT period FROM bi_period WHERE period = '{period}'")


def test_an_older_warehouse_learns_it_from_the_stored_plans(full: Engine, rows: Rows) -> None:
    names = [view.name for view in VIEWS]
    dimensions = ("bi_indicator", "bi_partner", "bi_period")
    before = {name: sorted(map(repr, rows(f"SELECT * FROM {name}"))) for name in dimensions}
    config = Config()
    config.set_main_option("script_location", str(ROOT / "warehouse" / "migrations"))
    with writing(full) as connection:
        for name in names:
            connection.execute(text(f"DROP VIEW {name}"))
        config.attributes["connection"] = connection
        command.downgrade(config, "0019")
        # What a span alone names, and what a judgement compares with.
        connection.execute(text("DELETE FROM period WHERE period IN ('2008-09', '2019-20Q2', '2019-20')"))
    assert upgrade(full)
    assert {name: sorted(map(repr, rows(f"SELECT * FROM {name}"))) for name in dimensions} == before
    with reading(full) as connection:
        assert faults(connection) == {}


def test_postgresql_comments_every_view_and_column(engine: Engine, rows: Rows) -> None:
    if engine.dialect.name != "postgresql":
        pytest.skip("SQLite has no comments")
    found = rows(
        "SELECT c.relname, a.attname, col_description(c.oid, a.attnum) AS said, obj_description(c.oid) AS row_is "
        "FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.relkind = 'v' AND c.relname LIKE 'bi\\_%%'"
    )
    said = {(row["relname"], row["attname"]): row["said"] for row in found}
    assert said == {(view.name, column.name): meaning_of(column) for view in VIEWS for column in view.columns}
    assert {row["relname"]: row["row_is"] for row in found} == {view.name: f"A row is {view.row}." for view in VIEWS}
    assert said["bi_performance", "national_band_symbol"] == "The symbol of `national_band`"
    assert said["bi_performance", "period"].endswith("; leads to bi_period")
