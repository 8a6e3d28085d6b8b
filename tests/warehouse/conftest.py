"""A warehouse on each database system: every test has its own database."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from cypp_etl.plan.model import Plan
from cypp_etl.plan.reader import read_plan
from tests.postgres import administer, database_url
from warehouse.engine import open_warehouse
from warehouse.upgrade import upgrade


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path, copied: Callable[[str], str]) -> str:
    """The URL of an empty database."""
    return f"sqlite:///{tmp_path / 'empty.sqlite'}" if request.param == "sqlite" else copied("template1")


@pytest.fixture(scope="session")
def upgraded_database(postgres: str) -> str:
    name = "upgraded"
    administer(postgres, f"CREATE DATABASE {name}")
    engine = open_warehouse(database_url(postgres, name))
    upgrade(engine)
    engine.dispose()
    return name


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path, copied: Callable[[str], str]) -> str:
    """The URL of an up-to-date, empty warehouse."""
    if request.param == "postgresql":
        return copied(request.getfixturevalue("upgraded_database"))
    path = tmp_path / "warehouse.sqlite"
    shutil.copy(request.getfixturevalue("upgraded_file"), path)
    return f"sqlite:///{path}"


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
