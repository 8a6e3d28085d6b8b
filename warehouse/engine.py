"""Opens the warehouse, on SQLite or PostgreSQL, with the same guarantees: one writer, and readers never wait."""

import atexit
import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from weakref import WeakSet

from sqlalchemy import URL, Connection, Engine, create_engine, event, func, make_url, select
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

WAIT_SECONDS = 30
RECOVERY_SECONDS = 5
# Closing the last connection moves SQLite's log into the database: when not in use, the warehouse is one file.
_open: "WeakSet[Engine]" = WeakSet()
_WRITES = "cypp_writes"
_WRITER_LOCK = int.from_bytes(b"cypp-etl")


def open_warehouse(url: str) -> Engine:
    """Open the warehouse at a URL; nothing is created in it until `warehouse.upgrade.upgrade`.

    Args:
        url: `sqlite:////path/to/file`, whose folder is created if necessary, or `postgresql://user@host/database`.

    Raises:
        ValueError: the text is no URL, or names another database system.
    """
    parsed = _parsed(url)
    is_sqlite = parsed.get_backend_name() == "sqlite"
    engine = _open_sqlite(parsed) if is_sqlite else create_engine(parsed, pool_pre_ping=True)
    _open.add(engine)
    return engine


def open_for_reading(url: str) -> Engine:
    """Open the warehouse at a URL read-only: the database itself refuses to write.

    Raises:
        FileNotFoundError: there is no such SQLite file.
        ValueError: the text is no URL, or names another database system.
    """
    parsed = _parsed(url)
    if parsed.get_backend_name() == "sqlite":
        engine = _open_sqlite_to_read(parsed)
    else:
        engine = create_engine(parsed, pool_pre_ping=True, execution_options={"postgresql_readonly": True})
    _open.add(engine)
    return engine


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as fault:
        # The URL is not repeated: it may contain a password.
        known = "sqlite:////srv/cypp/warehouse.db or postgresql://user@host/database"
        raise ValueError(f"The warehouse's URL cannot be read: check CYPP_WAREHOUSE_URL, such as {known}") from fault
    match parsed.get_backend_name():
        case "sqlite":
            return parsed
        case "postgresql" | "postgres":
            return parsed.set(drivername="postgresql+psycopg")
        case other:
            raise ValueError(f"The warehouse can be SQLite or PostgreSQL, not {other}: check CYPP_WAREHOUSE_URL")


@atexit.register
def close_warehouses() -> None:
    """Close the unused connections, as at the end of the program."""
    for engine in list(_open):
        engine.dispose()


def settle(engine: Engine) -> None:
    """Close a warehouse after processes that had it open were killed and left their writes in SQLite's log.

    The last process to close it moves the log into the database; if others have it open, one of them will.
    """
    if engine.dialect.name == "sqlite":
        engine.connect().close()
    engine.dispose()


def place_of(url: str) -> str:
    """The place of the warehouse for messages, without its password: SQLite's file, otherwise the URL."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        return parsed.database
    return parsed.render_as_string()


def _open_sqlite(url: URL) -> Engine:
    if url.database and url.database != ":memory:":
        path = Path(url.database)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Only for its owner; SQLite gives its log the same mode.
        if not url.database.startswith("file:"):
            path.touch(mode=0o600, exist_ok=True)
    # isolation_level=None stops the driver from opening transactions implicitly.
    engine = create_engine(url, connect_args={"isolation_level": None, "timeout": WAIT_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    _begin_ourselves(engine)
    return engine


def _open_sqlite_to_read(url: URL) -> Engine:
    """Open a SQLite file with `mode=ro`, so that SQLite neither creates it nor writes to it.

    In WAL mode a reader never waits for a writer, only for the recovery of the log after a crash.
    """
    database = url.database or ":memory:"
    if not database.startswith("file:"):
        # SQLite's own message for a missing file could mean anything.
        if not Path(database).exists():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), database)
        path = Path(database).absolute()
        database = path.as_uri()
    else:
        path = None
    to_read = url.set(database=database).update_query_dict({"mode": "ro", "uri": "true"})
    connect_args = {"isolation_level": None, "timeout": RECOVERY_SECONDS}
    engine = create_engine(to_read, connect_args=connect_args)
    event.listen(engine, "connect", _look_at_sqlite)
    _begin_ourselves(engine)
    if path:
        event.listen(engine, "engine_disposed", lambda _: _remove_empty_log(path))
    return engine


def _remove_empty_log(path: Path) -> None:
    """Let SQLite remove the empty log that it created for a reader: when not in use, the warehouse is one file.

    If other processes have it open, nothing is removed; a log with content is theirs, or a killed process's.
    """
    log = path.with_name(f"{path.name}-wal")
    # Without write permission it stays: the next process with permission removes it.
    with suppress(sqlite3.Error, FileNotFoundError):
        if log.stat().st_size == 0:
            with closing(sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=0)) as connection:
                connection.execute("PRAGMA query_only = ON")
                connection.execute("PRAGMA schema_version")


def _look_at_sqlite(dbapi_connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    """Check that it is a database when connecting, not in the middle of a query."""
    cursor = dbapi_connection.cursor()
    cursor.execute("PRAGMA schema_version")
    cursor.close()


def _prepare_sqlite(dbapi_connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    """Set what SQLite does not remember between connections.

    synchronous=FULL: with NORMAL a power cut undoes the last commits, after the partner got the receipt "accepted" and
    the workbook was removed from the inbox. It costs a flush to disk per transaction, which a batch shares.
    wal_autocheckpoint: a batch of a hundred returns is more than the thousand pages after which SQLite copies the log
    into the database, so that pages of indexes would be rewritten with every batch. 8,000 pages are 32 MiB.
    """
    cursor = dbapi_connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA wal_autocheckpoint = 8000")
    cursor.close()


def _begin_ourselves(engine: Engine) -> None:
    """Have transactions begun by `_begin_sqlite`.

    With a listener to their beginning, SQLAlchemy would look for listeners at every step of every statement.
    """
    engine.dialect.do_begin = _begin_sqlite  # type: ignore[method-assign]


def _begin_sqlite(dbapi_connection: PoolProxiedConnection) -> None:
    """Take the write lock at the start of a transaction that will write.

    A transaction that starts by reading and then writes is refused at once, whatever its timeout, if another has
    written in between.
    """
    cursor = dbapi_connection.cursor()
    cursor.execute("BEGIN IMMEDIATE" if _WRITES in dbapi_connection.info else "BEGIN DEFERRED")
    cursor.close()


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that writes: committed at the end, or rolled back completely on an exception.

    Writers take turns, on PostgreSQL too: versions, duplicates and what is in force are read and then written, and two
    parallel writers would decide on the same past. A turn takes milliseconds; a batch is one turn.

    Raises:
        sqlalchemy.exc.OperationalError: another writer's turn took longer than `WAIT_SECONDS`.
    """
    with engine.connect() as connection, _marked(connection), connection.begin():
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{WAIT_SECONDS}s'")
            connection.execute(select(func.pg_advisory_xact_lock(_WRITER_LOCK)))
        yield connection


@contextmanager
def _marked(connection: Connection) -> Iterator[None]:
    """Mark a connection as one that will write; the pool gives it to others afterwards."""
    info = connection.info
    info[_WRITES] = True
    try:
        yield
    finally:
        info.pop(_WRITES, None)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One transaction that reads: every query in it sees the same snapshot, and it never waits."""
    options: dict[str, Any] = {}
    if engine.dialect.name == "postgresql":
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection
