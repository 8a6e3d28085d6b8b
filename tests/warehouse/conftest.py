"""A warehouse on each database system: every test has its own database."""

import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine

from cypp_etl.plan.model import Plan
from cypp_etl.plan.reader import read_plan
from tests.postgres import administer, database_url
from warehouse.engine import open_warehouse
from warehouse.upgrade import upgrade

_numbers = count()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.sqlite'}"
        return
    server = request.getfixturevalue("postgres")
    name = f"empty_{next(_numbers)}"
    administer(server, f"CREATE DATABASE {name}")
    yield database_url(server, name)
    administer(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def upgraded_database(postgres: str) -> str:
    name = "upgraded"
    administer(postgres, f"CREATE DATABASE {name}")
    engine = open_warehouse(database_url(postgres, name))
    upgrade(engine)
    engine.dispose()
    return name


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an up-to-date, empty warehouse."""
    if request.param == "sqlite":
        path = tmp_path / "warehouse.sqlite"
        shutil.copy(request.getfixturevalue("upgraded_file"), path)
        yield f"sqlite:///{path}"
        return
    server, template = request.getfixturevalue("postgres"), request.getfixturevalue("upgraded_database")
    name = f"copy_{next(_numbers)}"
    administer(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield database_url(server, name)
    administer(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = open_warehouse(url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def plan() -> Plan:
    return read_plan()


@pytest.fixture
def rows(engine: Engine) -> Callable[[str], list[dict[str, object]]]:
    """The rows of a query, as dictionaries."""

    def fetch(query: str) -> list[dict[str, object]]:
        with engine.connect() as connection:
            return [dict(row) for row in connection.exec_driver_sql(query).mappings()]

    return fetch
