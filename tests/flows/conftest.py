"""A separate home for each test and, for those that run flows, one Prefect server for the session."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.settings import Settings, prepare_prefect, read_settings


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in ("CYPP_INBOX", "CYPP_WAREHOUSE_URL", "CYPP_PLAN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CYPP_HOME", str(tmp_path / "home"))
    return read_settings()


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    prepare_prefect(tmp_path_factory.mktemp("prefect"))
    from prefect.settings import PREFECT_API_URL
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=90), pytest.MonkeyPatch.context() as patch:
        # Where commands look for a running server.
        patch.setenv("PREFECT_API_URL", PREFECT_API_URL.value())
        yield
