"""One moment of the warehouse, read by columns: Arrow makes them of what the database has, not Python of each cell."""

import errno
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from io import FileIO
from pathlib import Path
from tempfile import mkstemp
from typing import Any

import adbc_driver_sqlite
import pyarrow
from adbc_driver_manager import AdbcConnection, AdbcStatement, Error
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from warehouse.views.columns import Kind

ROWS = 16_384
"""As many rows are in a batch at most."""

TEXTS = pyarrow.dictionary(pyarrow.int32(), pyarrow.string())
TYPES = {
    # The texts of a column repeat.
    **dict.fromkeys((Kind.TEXT, Kind.CODE, Kind.YES_NO), TEXTS),
    Kind.INTEGER: pyarrow.int64(),
    # Doubles are what the tables hold: fifteen digits, which come back exactly.
    Kind.NUMBER: pyarrow.float64(),
    Kind.DATE: pyarrow.date32(),
    Kind.MOMENT: pyarrow.timestamp("us", "UTC"),
}
"""The type of a column of each kind in a batch."""

Read = Callable[[str, Mapping[str, Kind]], Iterator[Any]]
"""Gives the record batches of a SELECT, whose columns are those of the mapping in their order.

Raises `sqlalchemy.exc.OperationalError` where the database cannot be read.
"""

# What a column of SQLite may hold is told by its first row alone: it has no types.
_FIRST = dict.fromkeys(Kind, "''") | {Kind.INTEGER: "0", Kind.NUMBER: "0.0"}

# Bytes 18 and 19 of a file of SQLite: who may write and read it. A copy has those of a warehouse with a log, though
# it has none itself. See "File format version numbers", https://www.sqlite.org/fileformat2.html.
_WITHOUT_LOG = (18, b"\x01\x01")


@contextmanager
def snapshot(connection: Connection, folder: Path) -> Iterator[Read]:
    """Read as of the moment of a transaction of `engine.reading`.

    SQLite is read in a copy of the warehouse, which has no name in the folder from before the first byte is copied: the
    system removes it however the process ends.

    Raises:
        OSError: the copy cannot be written to the folder.
        sqlalchemy.exc.OperationalError: the warehouse cannot be read.
    """
    if connection.dialect.name == "postgresql":
        yield partial(_read_postgresql, connection)
        return
    with _copy_of(connection, folder) as copy:
        yield partial(_read_sqlite, copy)


@contextmanager
def _copy_of(connection: Connection, folder: Path) -> Iterator[AdbcConnection]:
    """The warehouse in the transaction of a connection, copied.

    Arrow's driver brings a SQLite of its own. Two of them must not have one file open in a process: when one closes
    it, the system takes the locks of the other.
    """
    # A transaction begins when it first reads.
    connection.exec_driver_sql("SELECT 1 FROM view_version").first()
    with ExitStack() as opened:
        # For its owner alone.
        descriptor, name = mkstemp(prefix=".cypp-", dir=folder)
        path = Path(name).absolute()
        file = opened.enter_context(FileIO(descriptor, "r+"))
        try:
            # Without locks: nobody else can have it. Not as immutable: it would be taken to be empty for ever.
            database = opened.enter_context(closing(adbc_driver_sqlite.connect(f"{path.as_uri()}?mode=ro&nolock=1")))
            copy = opened.enter_context(closing(AdbcConnection(database)))
            target = opened.enter_context(closing(sqlite3.connect(path, isolation_level=None)))
        finally:
            path.unlink()
        _fill(connection.connection.driver_connection, target, file, folder)
        # Pages are read where they are, and not copied again for each index that leads to them.
        for query in (f"PRAGMA mmap_size = {os.fstat(descriptor).st_size}", "SELECT 1 FROM view_version"):
            list(_ask(copy, query))
        yield copy


def _fill(source: Any, target: sqlite3.Connection, file: FileIO, folder: Path) -> None:
    """Copy a warehouse to a file without a name."""
    try:
        # SQLite keeps no journal of a file whose name is gone.
        for setting in ("journal_mode = OFF", "synchronous = OFF"):
            target.execute(f"PRAGMA {setting}")
        source.backup(target)
        target.close()
    except sqlite3.Error as fault:
        if number := _not_written(fault, file):
            raise OSError(number, os.strerror(number), str(folder)) from fault
        raise OperationalError("PRAGMA backup", None, fault) from fault
    place, versions = _WITHOUT_LOG
    file.seek(place)
    file.write(versions)


def _not_written(fault: sqlite3.Error, file: FileIO) -> int:
    """The system's number for why a file cannot be written; 0 if that is not what SQLite failed at."""
    match getattr(fault, "sqlite_errorname", ""):
        case "SQLITE_FULL":
            return errno.ENOSPC
        case "SQLITE_IOERR_WRITE":
            # SQLite does not tell the number: a quota, a limit or a fault of the disk.
            try:
                file.seek(0, os.SEEK_END)
                file.write(bytes(1 << 16))
            except OSError as told:
                return told.errno or errno.EIO
            return errno.EIO
    return 0


def _ask(copy: AdbcConnection, query: str) -> Iterator[Any]:
    with closing(AdbcStatement(copy)) as statement, _faults(Error, query):
        statement.set_options(**{"adbc.sqlite.query.batch_rows": str(ROWS)})
        statement.set_sql_query(query)
        rows, _ = statement.execute_query()
        yield from pyarrow.RecordBatchReader.from_stream(rows)


def _read_sqlite(copy: AdbcConnection, query: str, kinds: Mapping[str, Kind]) -> Iterator[Any]:
    first = ", ".join(_FIRST[kind] for kind in kinds.values())
    typed = f"SELECT {first} UNION ALL SELECT * FROM ({query}) q"  # noqa: S608 - SQL of our own
    for number, batch in enumerate(_ask(copy, typed)):
        rows = batch if number else batch.slice(1)
        columns = zip(rows.columns, kinds.values(), strict=True)
        yield pyarrow.record_batch([_of_sqlite(values, kind) for values, kind in columns], list(kinds))


def _of_sqlite(values: Any, kind: Kind) -> Any:
    """Values as a batch has them: SQLite has texts for dates and moments."""
    if not pyarrow.types.is_string(values.type):
        return values
    texts = values.dictionary_encode()
    match kind:
        case Kind.DATE:
            read = texts.dictionary.cast(TYPES[kind])
        case Kind.MOMENT:
            read = texts.dictionary.cast(pyarrow.timestamp("us")).cast(TYPES[kind])
        case _:
            return texts
    return read.take(texts.indices)


def _read_postgresql(connection: Connection, query: str, kinds: Mapping[str, Kind]) -> Iterator[Any]:
    """The rows as the driver gives them: SQLAlchemy's own rows and types take longer than all else together."""
    schema = pyarrow.schema([(name, TYPES[kind]) for name, kind in kinds.items()])
    driver, faults = connection.connection, connection.dialect.loaded_dbapi.Error
    # The server would send all rows at once, unless the cursor has a name.
    with _faults(faults, query), closing(driver.cursor(name="cypp_export")) as cursor:
        cursor.execute(query)
        rows = cursor.fetchmany(ROWS)
        # No rows are an empty batch, as SQLite's driver has it: who reads learns the columns from it.
        yield _batch(rows, schema)
        while rows := cursor.fetchmany(ROWS):
            yield _batch(rows, schema)


def _batch(rows: Sequence[Sequence[Any]], schema: Any) -> Any:
    columns = zip(zip(*rows, strict=True) if rows else [()] * len(schema), schema.types, strict=True)
    return pyarrow.record_batch([pyarrow.array(values, kind) for values, kind in columns], schema)


@contextmanager
def _faults(kind: type[Exception], query: str) -> Iterator[None]:
    """Raise what a driver raises as SQLAlchemy does, which is not there to do so."""
    try:
        yield
    except kind as fault:
        raise OperationalError(query, None, fault) from fault
