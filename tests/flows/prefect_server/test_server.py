"""The server that a command starts: it stores what was recorded, and leaves nothing running."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from cypp_etl.periods import parse_period
from flows.prefect_server.server import server_for_command
from tests.support.samples import sample_of


def ingest(home: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """`cypp ingest` in a separate home, in an environment without a server unless one is given."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(("CYPP_", "PREFECT_"))}
    command = [sys.executable, "-c", "from flows.cli.app import app; app()", "ingest", *arguments]
    return subprocess.run(
        command, env=others | {"CYPP_HOME": str(home)} | environment, capture_output=True, text=True, check=False
    )


@pytest.mark.server
@pytest.mark.trial
def test_a_command_starts_a_server_of_its_own_which_keeps_its_runs(tmp_path: Path) -> None:
    home, period = tmp_path / "home", parse_period("2010-11Q1")
    returned = tmp_path / "yos.xlsx"
    returned.write_bytes(sample_of("yos", period))
    ended = ingest(home, str(returned))
    assert ended.returncode == 0, ended.stderr
    # There is no terminal here, so there are no messages about servers.
    assert ended.stderr == ""
    with sqlite3.connect(home / ".prefect" / "prefect.db") as runs:
        assert runs.execute("SELECT DISTINCT state_type FROM flow_run").fetchall() == [("COMPLETED",)]
        assert runs.execute("SELECT DISTINCT state_type FROM task_run").fetchall() == [("COMPLETED",)]
    assert not any(str(home) in environment for environment in _environments_of_servers())


def _environments_of_servers() -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if b"flows.prefect_server.child" in (process / "cmdline").read_bytes():
                found.append((process / "environ").read_text())
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def test_what_cannot_run_starts_no_server(tmp_path: Path) -> None:
    home = tmp_path / "home"
    ended = ingest(home, str(tmp_path / "gone.xlsx"))
    assert ended.returncode == 2
    assert "gone.xlsx" in ended.stderr
    assert not (home / ".prefect").exists()


def test_a_server_that_does_not_answer_is_said(tmp_path: Path) -> None:
    (tmp_path / "home" / ".prefect" / "prefect.db").mkdir(parents=True)
    ended = ingest(tmp_path / "home")
    assert ended.returncode == 2
    assert "Prefect's server ended at once" in ended.stderr


def test_none_is_started_beside_one_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    with server_for_command():
        assert os.environ["PREFECT_API_URL"] == "http://127.0.0.1:9/api"
