"""A warehouse and a plan of before editions are taken over as they are: every view of then has the same rows.

`data/before-editions.sql.xz` is the dump of a warehouse made by the last commit before the plan had editions (e2425b9,
revision 0009), with the views of then: the published table, three quarters of the sample returns, a return that was
rejected and one that was corrected, a closed quarter, and a plan with another polarity adopted afterwards.
"""

import lzma
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from cypp_etl.judgement.reach.differences import EVERYTHING
from cypp_etl.plan.reader import read_plan
from tests.warehouse.builders import checked, later, observation
from warehouse.engine import open_warehouse, reading, writing
from warehouse.queries.plan_comparison import judgement_changes
from warehouse.recording.judged.judgements import rejudge_by_plan
from warehouse.recording.plan import begin_plan, record_plan, require_plan
from warehouse.recording.record import record
from warehouse.recording.rules import judge_by_newer_rules
from warehouse.stored_plans import plan_in_force
from warehouse.upgrade import upgrade

DUMP = Path(__file__).parent / "data" / "before-editions.sql.xz"
Views = dict[str, tuple[list[str], list[tuple[object, ...]]]]


def _views(path: Path) -> Views:
    """Each view's columns, and its rows."""
    database = sqlite3.connect(path)
    names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'view'")]
    views: Views = {}
    for name in names:
        found = database.execute(f"SELECT * FROM {name}")  # noqa: S608
        views[name] = [column[0] for column in found.description], found.fetchall()
    database.close()
    return views


@pytest.fixture
def older(tmp_path: Path) -> Path:
    path = tmp_path / "older.sqlite"
    database = sqlite3.connect(path)
    database.executescript(lzma.decompress(DUMP.read_bytes()).decode())
    database.close()
    return path


@pytest.fixture
def upgraded(older: Path) -> Iterator[Engine]:
    engine = open_warehouse(f"sqlite:///{older}")
    yield engine
    engine.dispose()


def test_every_view_has_the_same_rows(older: Path, upgraded: Engine) -> None:
    before = _views(older)
    assert {name for name, (_, rows) in before.items() if not rows} == set()
    assert upgrade(upgraded)
    after = _views(older)
    for name, (columns, rows) in before.items():
        more, now = after[name]
        assert more[: len(columns)] == columns, name
        assert sorted((row[: len(columns)] for row in now), key=repr) == sorted(rows, key=repr), name
    editions = {row[after["bi_performance"][0].index("edition")] for row in after["bi_performance"][1]}
    assert editions == {1}


def test_its_plan_is_read_as_it_was_and_turns_nothing(upgraded: Engine) -> None:
    upgrade(upgraded)
    with reading(upgraded) as connection:
        plan = plan_in_force(connection)
        assert plan is not None
        assert judgement_changes(connection, plan) == []
    assert plan.editions.keys() == plan.indicators.keys()
    with writing(upgraded) as connection:
        assert not record_plan(connection, plan, later(300)).is_new
    record(upgraded, checked("a", observation("NI 111a", "300", "2011-12Q1")), plan, later(400))


def test_what_is_told_of_judgements_in_force_is_filled_in(older: Path, upgraded: Engine) -> None:
    before = _views(older)
    upgrade(upgraded)
    with writing(upgraded) as connection:
        judge_by_newer_rules(connection, read_plan(), later(300))
        plan = begin_plan(connection, read_plan(), later(300))
    after = _views(older)
    for name, (columns, rows) in before.items():
        assert sorted((row[: len(columns)] for row in after[name][1]), key=repr) == sorted(rows, key=repr), name
    columns, rows = after["bi_performance"]
    found = [dict(zip(columns, row, strict=True)) for row in rows]
    assert all(row["variation"] and row["on_course"] for row in found)
    assert {row["on_target"] for row in found if row["target_gap"] is not None} == {"yes", "no"}
    assert {row["indicator"] for row in found if row["compares_bodies"] == "no"} == {"NI 111a"}
    # It is what would have been told: judged again, nothing differs.
    with writing(upgraded) as connection:
        plan_id = require_plan(connection, plan, later(301))
        assert rejudge_by_plan(connection, plan, plan_id, EVERYTHING, later(301)).total() == 0
    assert _views(older)["bi_performance_history"] == after["bi_performance_history"]
