"""A separate home for each test, with a warehouse that was made once, if it needs one."""

import shutil
from pathlib import Path

import pytest

from cypp_etl.plan.reader import read_plan
from flows.ingestion.context import open_to_write
from flows.settings import Settings, read_settings
from tests.postgres import administer, database_url
from tests.warehouse.builders import checked, later, observation
from warehouse.engine import open_warehouse
from warehouse.recording.record import record
from warehouse.upgrade import upgrade


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in ("CYPP_INBOX", "CYPP_WAREHOUSE_URL", "CYPP_PLAN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CYPP_HOME", str(tmp_path / "home"))
    return read_settings()


@pytest.fixture(scope="session")
def begun_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse with the built-in plan and nothing else, to be copied: to make it takes a quarter of a second."""
    settings = read_settings({"CYPP_HOME": str(tmp_path_factory.mktemp("begun"))})
    open_to_write(settings).engine.dispose()
    return settings.home / "warehouse.db"


@pytest.fixture
def begun(settings: Settings, begun_file: Path) -> Settings:
    """A home that has a warehouse."""
    settings.home.mkdir()
    shutil.copy(begun_file, settings.home / "warehouse.db")
    return settings


@pytest.fixture(scope="session")
def begun_database(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database that has what `begun_file` has, to be the TEMPLATE of others."""
    administer(postgres, "CREATE DATABASE begun")
    named = {"CYPP_HOME": str(tmp_path_factory.mktemp("begun")), "CYPP_WAREHOUSE_URL": database_url(postgres, "begun")}
    open_to_write(read_settings(named)).engine.dispose()
    return "begun"


@pytest.fixture(scope="session")
def declining_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse that has a declining indicator, and so a clinic on NI 111a, to be copied."""
    path = tmp_path_factory.mktemp("declining") / "warehouse.db"
    engine = open_warehouse(f"sqlite:///{path}")
    upgrade(engine)
    figures = [observation("NI 111a", "60", "2009-10Q1"), observation("NI 111a", "90")]
    record(engine, checked("a", *figures), read_plan(), later(0))
    engine.dispose()
    return path
