"""Two nurseries for the session, and sites on SQLite and PostgreSQL with identical homes."""

from collections.abc import Iterator

import pytest

from tests.trials.homes import Site
from tests.trials.nursery import Nursery


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    nursery = Nursery()
    yield nursery
    nursery.close()


@pytest.fixture(scope="session")
def another_nursery() -> Iterator[Nursery]:
    nursery = Nursery()
    yield nursery
    nursery.close()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, nursery: Nursery) -> Site:
    server = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    return Site(tmp_path_factory.mktemp(request.param), nursery, server)
