"""What tests of more than one part need."""

import gc
from collections.abc import Iterator

import pytest

from tests.postgres import running_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a running PostgreSQL."""
    with running_postgres() as server:
        yield server.url


def pytest_unconfigure() -> None:
    """Let go what commands in this process have put out of the collector's way, so that all of it ends well."""
    gc.unfreeze()
