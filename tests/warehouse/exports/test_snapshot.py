"""A snapshot reads columns of the types that a view's columns have, as of one moment, and leaves nothing behind."""

import errno
import os
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from cypp_etl.periods import parse_period
from cypp_etl.plan.model import Plan
from schemas.codes import Severity
from tests.warehouse.builders import checked, finding, later, observation
from warehouse.engine import open_for_reading, open_warehouse, reading, writing
from warehouse.exports.files import export_views
from warehouse.exports.snapshot import ROWS, snapshot
from warehouse.recording.periods import add_periods
from warehouse.recording.record import record
from warehouse.views.columns import Kind
from warehouse.views.definitions import keyed_statement, lookups, view_statements
from warehouse.views.dictionary import VIEWS


def test_a_column_that_begins_empty_has_its_type(engine: Engine, tmp_path: Path) -> None:
    """SQLite would tell its type by its first rows."""
    last = ROWS + 2
    query = f"""
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {last})
        SELECT i, CASE WHEN i = {last} THEN 'x' END AS t, CASE WHEN i = {last} THEN m.number END AS n,
            CASE WHEN i = {last} THEN m.day END AS d
        FROM n CROSS JOIN (SELECT CAST(1.5 AS DOUBLE PRECISION) AS number, e.ends_on AS day
            FROM period e WHERE e.period = '2010-11Q1') m"""  # noqa: S608
    kinds = {"i": Kind.INTEGER, "t": Kind.TEXT, "n": Kind.NUMBER, "d": Kind.DATE}
    with writing(engine) as connection:
        add_periods(connection, [parse_period("2010-11Q1")])
    with reading(engine) as connection, snapshot(connection, tmp_path) as read:
        rows = pyarrow.Table.from_batches(read(query, kinds)).to_pylist()
    assert [row["i"] for row in rows] == list(range(1, last + 1))
    assert rows[0] == {"i": 1, "t": None, "n": None, "d": None}
    assert rows[-1] == {"i": last, "t": "x", "n": 1.5, "d": date(2010, 6, 30)}


def test_a_moment_is_in_utc(engine: Engine, plan: Plan, tmp_path: Path) -> None:
    record(engine, checked("a", observation("NI 111a", "90")), plan, later(0))
    with reading(engine) as connection, snapshot(connection, tmp_path) as read:
        (batch,) = read("SELECT received_at FROM bi_submissions", {"received_at": Kind.MOMENT})
    assert batch.column(0).to_pylist() == [datetime(2010, 7, 1, 12, tzinfo=UTC)]


def test_an_export_is_of_one_moment(engine: Engine, plan: Plan, tmp_path: Path) -> None:
    asked = (finding(Severity.QUERY),)
    record(engine, checked("a", observation("NI 111a", "90"), findings=asked), plan, later(0))
    with reading(engine) as connection:
        written = export_views(connection, tmp_path / "out")
        next(written)
        record(engine, checked("b", observation("NI 111a", "80"), findings=asked), plan, later(1))
        list(written)
    names = ("bi_performance", "bi_performance_history", "bi_submissions", "bi_findings", "bi_queries")
    rows = {name: parquet.read_table(tmp_path / "out" / f"{name}.parquet").num_rows for name in names}
    assert rows == dict.fromkeys(names, 1)
    with reading(engine) as connection:
        list(export_views(connection, tmp_path / "again"))
    assert parquet.read_table(tmp_path / "again" / "bi_performance_history.parquet").num_rows == 2


def test_a_snapshot_begins_with_its_transaction(engine: Engine, plan: Plan, tmp_path: Path) -> None:
    with reading(engine) as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM bi_submissions").scalar_one() == 0
        record(engine, checked("a", observation("NI 111a", "90")), plan, later(0))
        with snapshot(connection, tmp_path) as read:
            assert list(tmp_path.glob(".cypp-*")) == []
            batches = list(read("SELECT submission_id FROM bi_submissions", {"submission_id": Kind.INTEGER}))
    assert sum(batch.num_rows for batch in batches) == 0


def test_lookups_tell_columns_of_their_view(engine: Engine) -> None:
    """No column is told twice, and every key is one of the statement's."""
    dialect = engine.dialect.name
    with reading(engine) as connection:

        def names(query: str) -> list[str]:
            return list(connection.exec_driver_sql(f"SELECT * FROM ({query}) q WHERE 1 = 0").keys())  # noqa: S608

        for view in VIEWS:
            promised = [column.name for column in view.columns]
            keyed = names(keyed_statement(view.name, dialect))
            assert keyed[: len(promised)] == promised == names(view_statements(dialect)[view.name])
            found = [(each.key, names(each.query)) for each in lookups(view.name, dialect)]
            assert {key for key, _ in found} <= set(keyed)
            told = [name for key, columns in found for name in columns if name != key]
            assert len(told) == len(set(told))
            assert set(told) <= set(promised)


@pytest.fixture
def file(upgraded_file: Path, tmp_path: Path, plan: Plan) -> Path:
    """A warehouse on SQLite with a finding."""
    path = tmp_path / "warehouse.db"
    path.write_bytes(upgraded_file.read_bytes())
    engine = open_warehouse(f"sqlite:///{path}")
    record(engine, checked("a", observation("NI 111a", "9"), findings=(finding(Severity.QUERY),)), plan, later(0))
    engine.dispose()
    return path


def _damage(path: Path, table: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as content:
        content.seek((page - 1) * size)
        content.write(b"\xff" * size)


def test_a_damaged_warehouse_is_told_like_any_other_fault_of_it(file: Path, tmp_path: Path) -> None:
    _damage(file, "finding")
    engine = open_for_reading(f"sqlite:///{file}")
    with reading(engine) as connection, pytest.raises(OperationalError, match="malformed"):
        list(export_views(connection, tmp_path / "out"))
    engine.dispose()


@pytest.fixture
def files_are_small() -> Iterator[None]:
    """No file of this process can have more than 64 KiB."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_folder_that_cannot_take_the_copy_is_told(file: Path, tmp_path: Path, files_are_small: None) -> None:
    """As the system tells it: SQLite would say that something is wrong with the warehouse."""
    folder = tmp_path / "out"
    engine = open_for_reading(f"sqlite:///{file}")
    with reading(engine) as connection, pytest.raises(OSError, match=str(folder)) as told:
        list(export_views(connection, folder))
    engine.dispose()
    assert (told.value.errno, told.value.filename) == (errno.EFBIG, str(folder))
    assert list(folder.iterdir()) == []


def test_a_warehouse_that_cannot_be_copied_is_no_fault_of_the_folder(file: Path, plan: Plan, tmp_path: Path) -> None:
    writer, reader = open_warehouse(f"sqlite:///{file}"), open_for_reading(f"sqlite:///{file}")
    record(writer, checked("b", observation("NI 111a", "8")), plan, later(1))
    with reading(reader) as connection:
        connection.exec_driver_sql("SELECT 1 FROM view_version").first()
        os.truncate(file.with_name(f"{file.name}-wal"), 0)
        with pytest.raises(OperationalError, match="disk I/O error"):
            list(export_views(connection, tmp_path / "out"))
    reader.dispose()
    writer.dispose()
    assert list((tmp_path / "out").iterdir()) == []


_KILLED_AS_IT_COPIES = """
import resource, signal, sys
from pathlib import Path
from warehouse.engine import open_for_reading, reading
from warehouse.exports.files import export_views

with reading(open_for_reading(sys.argv[1])) as connection:
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, 65_536))
    list(export_views(connection, Path(sys.argv[2])))
"""


def test_an_export_that_is_killed_as_it_copies_leaves_nothing(file: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", _KILLED_AS_IT_COPIES, f"sqlite:///{file}", str(tmp_path / "out")]
    assert subprocess.run(command, check=False).returncode == -signal.SIGXFSZ
    assert list((tmp_path / "out").iterdir()) == []
