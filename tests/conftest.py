"""Fixtures for tests of more than one package."""

import gc
import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from flows.settings import prepare_prefect
from tests.postgres import running_postgres

# How long an example takes says more of what else the machine does than of the code.
settings.register_profile("without-deadline", deadline=None)
settings.load_profile("without-deadline")


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a running PostgreSQL."""
    with running_postgres() as server:
        yield server.url


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of one Prefect server for the tests that run flows, and for their commands."""
    prepare_prefect(tmp_path_factory.mktemp("prefect"))
    from prefect.settings import PREFECT_API_URL
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=90), pytest.MonkeyPatch.context() as patch:
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


def pytest_unconfigure() -> None:
    """Unfreeze what commands in this process have exempted from garbage collection, so that it is finalised."""
    gc.unfreeze()
