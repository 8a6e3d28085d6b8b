"""A home whose warehouse has a return."""

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, declining_file: Path) -> Path:
    """A home whose warehouse has a declining indicator."""
    for name in ("CYPP_INBOX", "CYPP_WAREHOUSE_URL", "CYPP_PLAN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CYPP_HOME", str(tmp_path))
    shutil.copy(declining_file, tmp_path / "warehouse.db")
    return tmp_path
