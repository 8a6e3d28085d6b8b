"""Copies of the warehouse for a backup: made while others write, checked, and put in a warehouse's place.

SQLite is copied by its own backup API, PostgreSQL by `pg_dump` and `pg_restore`, which must be installed for it. Either
copy is of one moment, and its rows are counted as of that moment.
"""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import URL, Connection, func, inspect, make_url, select, table

from warehouse.engine import open_for_reading, open_warehouse, reading
from warehouse.migrations import HEAD
from warehouse.upgrade import current_revision

SQLITE, POSTGRESQL = "sqlite", "postgresql"


class CopyError(ValueError):
    """A copy of the warehouse cannot be made, is damaged, or cannot be put in the warehouse's place."""


@dataclass(frozen=True, slots=True)
class WarehouseCopy:
    """What a copy of the warehouse holds: the file that it is, its revision, and how many rows each table has."""

    file: str
    system: str
    revision: str
    rows: Mapping[str, int]


def system_of(url: str) -> str:
    """The database system at a URL: `SQLITE` or `POSTGRESQL`."""
    return SQLITE if make_url(url).get_backend_name() == SQLITE else POSTGRESQL


def file_of(url: str) -> Path | None:
    """The file of a warehouse on SQLite; None on PostgreSQL."""
    parsed = make_url(url)
    return Path(parsed.database or "") if parsed.get_backend_name() == SQLITE else None


def copy_warehouse(url: str, folder: Path) -> WarehouseCopy:
    """Copy the warehouse at a URL into a folder, while others may write to it.

    Raises:
        CopyError: `pg_dump` is not there, or fails; or there is no warehouse at the URL.
        OSError, sqlalchemy.exc.SQLAlchemyError: the warehouse or the folder is out of reach.
    """
    path = file_of(url)
    return _copy_postgresql(url, folder) if path is None else _copy_sqlite(path, folder)


def check_copy(copy: WarehouseCopy, folder: Path) -> None:
    """Read all of a copy, and compare its rows with how many there were.

    Raises:
        CopyError: it is damaged, or newer than this program.
    """
    if copy.revision > HEAD:
        raise CopyError(
            f"The warehouse in the backup is newer than this program (revision {copy.revision}; the program knows "
            f"{HEAD}): install the program's newer version"
        )
    path = folder / copy.file
    if copy.system == POSTGRESQL:
        _run("pg_restore", f"--file={os.devnull}", str(path))
        return
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            faults = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
            strays = connection.execute("PRAGMA foreign_key_check")
            faults += [f"row {row[1]} of {row[0]} refers to a row that does not exist" for row in strays]
    except sqlite3.Error as fault:
        faults = [str(fault)]
    if faults != ["ok"]:
        raise CopyError(f"{path}: the copy of the warehouse is damaged: {'; '.join(faults[:3])}")
    _compare(copy, _rows(f"sqlite:///{path.absolute()}"), str(path))


def require_empty(url: str) -> None:
    """Make sure that nothing is in a PostgreSQL database that a copy is to be put into.

    Raises:
        CopyError: there is something in it.
    """
    engine = open_warehouse(url)
    try:
        with reading(engine) as connection:
            found = inspect(connection).get_table_names()
    finally:
        engine.dispose()
    if found:
        raise CopyError(
            f"The database {make_url(url).render_as_string()} is not empty: create an empty one with createdb, "
            "and name it in CYPP_WAREHOUSE_URL"
        )


def require_same_system(copy: WarehouseCopy, url: str) -> None:
    """Make sure that a copy is of a database of the same system as the one at a URL.

    Raises:
        CopyError: it is of another.
    """
    if copy.system != system_of(url):
        raise CopyError(f"The backup is of a warehouse on {copy.system}: name one in CYPP_WAREHOUSE_URL")


def restore_warehouse(copy: WarehouseCopy, folder: Path, url: str) -> Path | None:
    """Put a copy in the place of the warehouse at a URL, whole or not at all.

    Nobody may have the warehouse open. On SQLite one that is there is moved aside, and it is said where to; on
    PostgreSQL the database must be empty.

    Raises:
        CopyError: the database is of another system or not empty, or `pg_restore` is not there or fails.
        OSError: the warehouse's folder cannot be written to.
    """
    require_same_system(copy, url)
    path = file_of(url)
    if path is not None:
        return _restore_sqlite(folder / copy.file, path)
    require_empty(url)
    address, environment = _for_libpq(url)
    options = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges")
    _run("pg_restore", *options, f"--dbname={address}", str(folder / copy.file), environment=environment)
    _compare(copy, _rows(url), make_url(url).render_as_string())
    return None


def _copy_sqlite(path: Path, folder: Path) -> WarehouseCopy:
    if not path.exists():
        raise CopyError(f"{path}: there is no warehouse to back up")
    name = "warehouse.db"
    target = folder / name
    target.touch(mode=0o600)
    try:
        with (
            closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=30)) as source,
            closing(sqlite3.connect(target)) as copied,
        ):
            # In one step: between two, a writer would make it start again.
            source.backup(copied)
            # Whatever was in the log is in the file.
            copied.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as fault:
        raise CopyError(f"{path}: the warehouse cannot be copied: {fault}") from fault
    url = f"sqlite:///{target.absolute()}"
    return WarehouseCopy(name, SQLITE, _revision(url, str(path)), _rows(url))


def _copy_postgresql(url: str, folder: Path) -> WarehouseCopy:
    name = "warehouse.dump"
    address, environment = _for_libpq(url)
    engine = open_for_reading(url)
    try:
        with reading(engine) as connection:
            revision = current_revision(connection)
            if revision is None:
                raise CopyError(f"{make_url(url).render_as_string()}: there is no warehouse to back up")
            # What is dumped is what is counted.
            snapshot = connection.scalar(select(func.pg_export_snapshot()))
            options = ("--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}")
            target = folder / name
            target.touch(mode=0o600)
            _run("pg_dump", *options, f"--file={target}", f"--dbname={address}", environment=environment)
            rows = _counted(connection)
    finally:
        engine.dispose()
    return WarehouseCopy(name, POSTGRESQL, revision, rows)


def _restore_sqlite(copy: Path, path: Path) -> Path | None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.unfinished")
    temporary.unlink(missing_ok=True)
    temporary.touch(mode=0o600)
    with copy.open("rb") as source, temporary.open("r+b") as target:
        shutil.copyfileobj(source, target, 1 << 20)
        target.flush()
        os.fsync(target.fileno())
    aside = _move_aside(path) if path.exists() else None
    temporary.replace(path)
    return aside


def _move_aside(path: Path) -> Path:
    """Move a warehouse aside with its log, in which may be what is not in the file."""
    aside = path.with_name(f"{path.stem}-before-{datetime.now(UTC):%Y%m%dT%H%M%S%f}{path.suffix}")
    for ending in ("-wal", "-shm", ""):
        part = path.with_name(f"{path.name}{ending}")
        if part.exists():
            part.rename(aside.with_name(f"{aside.name}{ending}"))
    return aside


def _rows(url: str) -> dict[str, int]:
    engine = open_for_reading(url)
    try:
        with reading(engine) as connection:
            return _counted(connection)
    finally:
        engine.dispose()


def _counted(connection: Connection) -> dict[str, int]:
    names = sorted(inspect(connection).get_table_names())
    return {name: connection.scalar(select(func.count()).select_from(table(name))) or 0 for name in names}


def _revision(url: str, place: str) -> str:
    engine = open_for_reading(url)
    try:
        with reading(engine) as connection:
            revision = current_revision(connection)
    finally:
        engine.dispose()
    if revision is None:
        raise CopyError(f"{place}: there is no warehouse to back up")
    return revision


def _compare(copy: WarehouseCopy, rows: Mapping[str, int], place: str) -> None:
    for name in sorted({*copy.rows, *rows}):
        had, has = copy.rows.get(name, "no"), rows.get(name, "no")
        if had != has:
            raise CopyError(f"{place}: {name} has {has} rows, and had {had} when it was copied")


def _for_libpq(url: str) -> tuple[str, dict[str, str]]:
    """A URL without its password, which every user of the machine could read in the list of processes; and that."""
    parsed: URL = make_url(url).set(drivername="postgresql")
    environment = {"PGPASSWORD": parsed.password} if parsed.password else {}
    return parsed.set(password=None).render_as_string(hide_password=False), environment


def _run(program: str, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
    where = shutil.which(program)
    if where is None:
        raise CopyError(f"{program} is not installed: a warehouse on PostgreSQL is backed up and restored by it")
    done = subprocess.run(  # noqa: S603
        [where, *arguments], env={**os.environ, **(environment or {})}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CopyError(f"{program}: {' '.join(done.stderr.split()) or 'it failed'}")
