"""What all commands have in common."""

import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup
from typer.testing import CliRunner

from cypp_etl.periods import parse_period
from flows.cli.app import COMMANDS, GROUPS, SECTIONS, app
from flows.cli.command import Command
from flows.settings import Settings
from tests.support.samples import sample_of

ROOT = Path(__file__).parents[3]


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
    for arguments in ([], *([name] for name in GROUPS), *(name.split() for name in COMMANDS)):
        said = runner.invoke(app, [*arguments, "--help"], terminal_width=78)
        assert said.exit_code == 0
        # In a usage line three dots mean that an argument may be repeated; a summary that was cut off ends with them.
        assert not [line for line in said.output.splitlines()[1:] if line.endswith("...")]
        assert "…" not in said.output
        assert max(map(len, said.output.splitlines())) <= 78


@pytest.mark.parametrize("name", COMMANDS)
def test_a_summary_is_what_the_command_says_of_itself(name: str) -> None:
    command: object = typer.main.get_command(app)
    for word in name.split():
        assert isinstance(command, TyperGroup)
        command = command.commands[word]
    assert isinstance(command, Command)
    itself = command.load()
    assert itself.name == name.rsplit(maxsplit=1)[-1]
    assert itself.help
    assert itself.help.partition("\n\n")[0] == command.help == COMMANDS[name][1]


def test_help_lists_the_commands_and_imports_none() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from flows.cli.app import app\n"
        "print(CliRunner().invoke(app, ['--help'], terminal_width=78).output)\n"
        "print([name for name in sys.modules if name.startswith(('flows.cli.commands', 'sqlalchemy', 'prefect'))])\n"
    )
    *said, imported = subprocess.check_output([sys.executable, "-c", code], text=True, cwd=ROOT).splitlines()
    listed = [*GROUPS, *(name for name in COMMANDS if " " not in name)]
    assert [name for name in listed if f"  {name} " not in "\n".join(said)] == []
    assert imported == "[]"


def test_the_readme_lists_the_commands_in_the_sections_of_the_help() -> None:
    readme = (ROOT / "README.md").read_text("utf-8").partition("## Commands")[2].partition("\n## ")[0]
    tables = [table.splitlines() for table in readme.split("\n\n") if table.startswith("| ")]
    cells = [[row.removeprefix("| ").split(" | ")[0] for row in table] for table in tables]
    listed = {title: set(re.findall(r"`cypp ([a-z-]+)", " ".join(rows))) for title, *rows in cells}
    assert listed == {title: {path.partition(" ")[0] for path in paths} for title, paths in SECTIONS.items()}


@pytest.mark.parametrize(("name", "others"), [("check", "sqlalchemy"), ("status", "prefect"), ("serve", "prefect")])
def test_a_command_imports_its_own_module_and_no_more_than_it_needs(name: str, others: str) -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from flows.cli.app import app\n"
        f"print(CliRunner().invoke(app, [{name!r}, '--help']).exit_code)\n"
        f"print([one for one in sys.modules if one.startswith('flows.cli.commands.')], {others!r} in sys.modules)\n"
    )
    said = subprocess.check_output([sys.executable, "-c", code], text=True, cwd=ROOT).splitlines()
    assert said == ["0", f"['flows.cli.commands.{name}'] False"]


@pytest.mark.server
@pytest.mark.usefixtures("prefect_server")
def test_what_it_makes_is_for_its_owner_alone(settings: Settings, tmp_path: Path) -> None:
    returned, home = tmp_path / "yos.xlsx", settings.home
    returned.write_bytes(sample_of("yos", parse_period("2010-11Q1")))
    for arguments in (
        ["ingest", str(returned)],
        ["publish", "2010-11Q1"],
        ["report", "2010-11Q1", "-o", str(home / "out")],
        ["export", "-o", str(home / "views")],
    ):
        os.umask(0)
        ended = CliRunner().invoke(app, arguments)
        assert ended.exit_code == 0, ended.stderr
    made = [path for path in home.rglob("*") if ".prefect" not in path.parts]
    assert {path.name for path in made} >= {"warehouse.db", "reports", "out", "bi_performance.csv", "archive"}
    assert [path for path in made if path.stat().st_mode & 0o077] == []


def test_a_template_is_for_whoever_it_is_written_for(tmp_path: Path) -> None:
    assert run(tmp_path / "home", "template", "yos", "2010-11Q1", "-o", str(tmp_path)).returncode == 0
    assert (tmp_path / "yos 2010-11Q1.xlsx").stat().st_mode & 0o777 == 0o666


@pytest.mark.parametrize("arguments", [["--help"], ["plan", "history"]])
def test_it_ends_silently_where_nobody_reads_on(arguments: list[str], settings: Settings, declining_file: Path) -> None:
    """As before `| head`, which leaves once it has its lines."""
    settings.home.mkdir()
    shutil.copy(declining_file, settings.home / "warehouse.db")
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-c", "from flows.cli.app import app; app()", *arguments]
    ended = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, cwd=ROOT, check=False)
    os.close(writer)
    assert ended.returncode in (1, 2), "not all was printed"
    assert ended.stderr == b""
