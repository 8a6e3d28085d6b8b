"""What all commands have in common."""

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cypp_etl.periods import parse_period
from cypp_etl.plan.reader import read_plan
from cypp_etl.samples.returns import sample_return
from flows.cli.app import app


def run(home: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    others = {name: value for name, value in os.environ.items() if not name.startswith(("CYPP_", "PREFECT_"))}
    return subprocess.run(
        [sys.executable, "-c", "import os; os.umask(0); from flows.cli.app import app; app()", *arguments],
        env=others | {"CYPP_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_version_is_shown(tmp_path: Path) -> None:
    assert run(tmp_path, "--version").stdout == f"cypp {metadata.version('cypp-etl')}\n"


def test_no_help_is_cut_off_on_a_narrow_terminal() -> None:
    """Help leaves two of 80 columns free."""
    runner = CliRunner()
    names = [
        command.name or command.callback.__name__.replace("_", "-")
        for command in app.registered_commands
        if command.callback
    ]
    for arguments in ([], *([name] for name in names)):
        said = runner.invoke(app, [*arguments, "--help"], terminal_width=78)
        assert said.exit_code == 0
        # In a usage line three dots mean that an argument may be repeated; a summary that was cut off ends with them.
        assert not [line for line in said.output.splitlines()[1:] if line.endswith("...")]
        assert "…" not in said.output
        assert max(map(len, said.output.splitlines())) <= 78


@pytest.mark.server
def test_what_it_makes_is_for_its_owner_alone(tmp_path: Path) -> None:
    returned, home = tmp_path / "yos.xlsx", tmp_path / "home"
    returned.write_bytes(sample_return(read_plan(), "yos", parse_period("2010-11Q1")))
    for arguments in (
        ["ingest", str(returned)],
        ["publish", "2010-11Q1"],
        ["report", "2010-11Q1", "-o", str(home / "out")],
        ["export", "-o", str(home / "views")],
    ):
        ended = run(home, *arguments)
        assert ended.returncode == 0, ended.stderr
    made = [path for path in home.rglob("*") if ".prefect" not in path.parts]
    assert {path.name for path in made} >= {"warehouse.db", "reports", "out", "bi_performance.csv", "archive"}
    assert [path for path in made if path.stat().st_mode & 0o077] == []


def test_a_template_is_for_whoever_it_is_written_for(tmp_path: Path) -> None:
    assert run(tmp_path / "home", "template", "yos", "2010-11Q1", "-o", str(tmp_path)).returncode == 0
    assert (tmp_path / "yos 2010-11Q1.xlsx").stat().st_mode & 0o777 == 0o666
