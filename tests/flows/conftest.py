"""A separate home for each test."""

from pathlib import Path

import pytest

from flows.settings import Settings, read_settings


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in ("CYPP_INBOX", "CYPP_WAREHOUSE_URL", "CYPP_PLAN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CYPP_HOME", str(tmp_path / "home"))
    return read_settings()
