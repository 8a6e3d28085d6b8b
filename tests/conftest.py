"""Fixtures for tests of more than one package."""

import gc
import os
import re
from collections.abc import Callable, Iterator
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from flows.settings import prepare_prefect
from tests.postgres import copy_database, drop_database, running_postgres
from warehouse.engine import open_warehouse
from warehouse.upgrade import upgrade

# How long an example takes says more of what else the machine does than of the code.
settings.register_profile("without-deadline", deadline=None)
settings.load_profile("without-deadline")

_numbers = count()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a running PostgreSQL."""
    with running_postgres() as server:
        yield server.url


@pytest.fixture
def copied(request: pytest.FixtureRequest) -> Iterator[Callable[[str], str]]:
    """What makes a database like the one of a name, for the time of the test, and gives its URL."""
    names: list[str] = []

    def copy(template: str) -> str:
        names.append(f"copied_{next(_numbers)}")
        return copy_database(request.getfixturevalue("postgres"), template, names[-1])

    yield copy
    for name in names:
        drop_database(request.getfixturevalue("postgres"), name)


@pytest.fixture(scope="session")
def upgraded_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty warehouse in a file, to be copied: the migrations take longer than most tests."""
    path = tmp_path_factory.mktemp("warehouse") / "upgraded.sqlite"
    engine = open_warehouse(f"sqlite:///{path}")
    upgrade(engine)
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of one Prefect server for the tests that run flows, and for their commands."""
    folder = tmp_path_factory.mktemp("prefect")
    prepare_prefect(folder)
    import certifi
    from prefect.settings import PREFECT_API_SSL_CERT_FILE, PREFECT_API_URL, temporary_settings
    from prefect.testing.utilities import prefect_test_harness

    one = folder / "one.pem"
    one.write_text("".join(Path(certifi.where()).read_text("utf-8").partition("-----END CERTIFICATE-----")[:2]))
    # Prefect reads all certificates for each client, which takes 15 ms, though none uses TLS here.
    few = temporary_settings({PREFECT_API_SSL_CERT_FILE: str(one)})
    with pytest.MonkeyPatch.context() as patch, few, prefect_test_harness(server_startup_timeout=90):
        address = str(PREFECT_API_URL.value())
        # Where commands look for a running server.
        patch.setenv("PREFECT_API_URL", address)
        yield address


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """Restore the umask, which a command that runs in this process changes permanently."""
    former = os.umask(0o022)
    os.umask(former)
    yield
    os.umask(former)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With `--dist loadfile`, give what runs flows to one process, so that Prefect's server is started once."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class FilesAndServer(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = str(super()._split_scope(nodeid))
            return "with Prefect's server" if _takes_server(config.rootpath / file) else file

    return FilesAndServer(config, log)


@cache
def _takes_server(file: Path) -> bool:
    return re.search(r'"prefect_server"|prefect_server: str', file.read_text("utf-8")) is not None


def pytest_collection_finish() -> None:
    """Collect garbage seldom: tests make objects by the hundred thousand that live until they end."""
    gc.set_threshold(20_000, 20, 20)


def pytest_unconfigure() -> None:
    """Unfreeze what commands in this process have exempted from garbage collection, so that it is finalised."""
    gc.unfreeze()
