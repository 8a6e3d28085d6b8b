"""The project installed from a wheel, without a checkout, and with no more than what it says that it needs."""

import io
import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path

import openpyxl
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from cypp_etl.periods import parse_period
from cypp_etl.plan.reader import read_plan
from cypp_etl.samples.returns import sample_return
from flows.extras import NEEDED

pytestmark = pytest.mark.trial

ROOT = Path(__file__).parents[1]
PACKAGES = ("schemas", "cypp_etl", "warehouse", "flows")
# What each command is given where it does not get as far as to look at it.
ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "template": ("yos", "2010-11Q1"),
    "explain": ("NI 111a", "2010-11Q1"),
    "note": ("NI 45", "--issue", "Staff left.", "--by", "A. Clerk"),
    "plan compare": (".",),
    "plan adopt": (".", "--why", "As agreed.", "--by", "A. Clerk"),
    "plan export": ("plan",),
    "close": ("2010-11Q1", "--by", "A. Clerk"),
    "waive": ("large-change", "yos", "--why", "Known.", "--until", "2012-03-31", "--by", "A. Clerk"),
    "reopen": ("2010-11Q1", "--why", "Recounted.", "--by", "A. Clerk"),
    "end-waiver": ("1", "--why", "Explained.", "--by", "A. Clerk"),
    "withdraw": ("1", "--why", "The wrong quarter.", "--by", "A. Clerk"),
    "erase": ("1", "--why", "Asked for.", "--by", "A. Clerk"),
    "prune": ("--older-than", "365"),
    "release": ("1", "M7", "--why", "No name.", "--by", "A. Clerk"),
    "backup": ("backup",),
    "restore": ("backup",),
    "backfill": (".",),
    "report": ("2010-11Q1",),
    "export": ("-o", "views"),
}


class Installation:
    """An environment that holds the project's wheel and what the base needs, and a folder to work in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        venv.create(folder / "venv", symlinks=True)
        self.scripts = folder / "venv" / "bin"
        (self.site,) = (folder / "venv" / "lib").glob("python*/site-packages")
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
        source = copy_of_sources(folder / "source")
        wheels = folder / "wheels"
        subprocess.run([*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", wheels, source], check=True)
        (wheel,) = wheels.glob("cypp_etl-*.whl")
        into = ["--python", self.scripts / "python", "install", "--no-deps", "--no-index"]
        subprocess.run([*pip, *into, wheel], check=True)
        link(self.needed_by(()), self.site)

    def needed_by(self, extras: Iterable[str]) -> set[str]:
        """The names of what the wheel needs with some extras, directly and indirectly."""
        (project,) = metadata.distributions(name="cypp-etl", path=[str(self.site)])
        needed: set[tuple[str, str]] = set()
        waiting = [(project, extra) for extra in ("", *extras)]
        while waiting:
            distribution, extra = waiting.pop()
            for requirement in map(Requirement, distribution.requires or ()):
                if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
                    continue
                name = canonicalize_name(requirement.name)
                for wanted in {(name, inner) for inner in ("", *requirement.extras)} - needed:
                    needed.add(wanted)
                    waiting.append((metadata.distribution(name), wanted[1]))
        return {name for name, _ in needed}

    def run(
        self, work: Path, *command: str | Path, also: Path | None = None, said: str = "", **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run something of the environment's in the folder `work`, with what is in the folder `also` besides."""
        others = {
            name: value for name, value in os.environ.items() if not name.startswith(("CYPP_", "PREFECT_", "PYTHON"))
        }
        others |= {"PYTHONPATH": str(also)} if also else {}
        return subprocess.run(
            [self.scripts / command[0], *command[1:]],
            env=others | environment,
            cwd=work,
            input=said,
            capture_output=True,
            text=True,
            check=False,
        )


def copy_of_sources(folder: Path) -> Path:
    """What the wheel is built from, apart, since building leaves its own files there."""
    folder.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    for name in PACKAGES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def link(names: Iterable[str], folder: Path) -> Path:
    """Put links to the files of distributions that the tests have into a folder."""
    for name in names:
        distribution = metadata.distribution(name)
        for file in distribution.files or ():
            source = Path(str(distribution.locate_file(file)))
            if ".." not in file.parts and source.exists():
                target = folder / file
                target.parent.mkdir(parents=True, exist_ok=True)
                target.symlink_to(source)
    return folder


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(tmp_path_factory.mktemp("installed"))


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    workbook = openpyxl.load_workbook(io.BytesIO(sample_return(read_plan(), "yos", parse_period("2010-11Q1"))))
    workbook["Indicators"]["I2"] = "<1"
    path = tmp_path_factory.mktemp("returned") / "return.xlsx"
    workbook.save(path)
    return path


def test_the_base_checks_a_return_and_writes_its_receipt(
    installation: Installation, faulty: Path, tmp_path: Path
) -> None:
    ended = installation.run(tmp_path, "cypp", "check", faulty, "--reply", "replies", "--json")
    assert ended.returncode == 1, ended.stderr
    said = json.loads(ended.stdout)
    assert (said["partner"], said["period"], said["status"]) == ("yos", "2010-11Q1", "rejected")
    assert [(one["code"], one["cell"]) for one in said["findings"]] == [("number-with-bound", "I2")]
    receipt = tmp_path / "replies" / "return - rejected.xlsx"
    marked = openpyxl.load_workbook(receipt)["Indicators"]["I2"]
    assert marked.comment is not None
    assert "ERROR" in marked.comment.text
    assert ended.stderr == ""


def test_whatever_lies_beside_the_modules_is_in_the_wheel(installation: Installation) -> None:
    """Except for the notes for those who work on it."""
    source = installation.folder / "source"
    files = {path.relative_to(source) for name in PACKAGES for path in (source / name).rglob("*") if path.is_file()}
    assert {path for path in files if not (installation.site / path).exists()} <= {Path("cypp_etl/samples/README.md")}
    assert any(path.suffix == ".csv" for path in files)


def test_every_other_command_names_its_extra_in_one_line(installation: Installation, tmp_path: Path) -> None:
    script = (
        "import json, sys; from typer.testing import CliRunner; from flows.cli.app import app\n"
        "ran = {name: CliRunner().invoke(app, line) for name, line in json.load(sys.stdin).items()}\n"
        "print(json.dumps({name: [one.exit_code, one.stderr, one.stdout] for name, one in ran.items()}))\n"
    )
    lines = {name: [*name.split(), *ARGUMENTS.get(name, ())] for name, extras in NEEDED.items() if extras}
    ended = installation.run(tmp_path, "python", "-c", script, said=json.dumps(lines))
    said = json.loads(ended.stdout)
    assert {name: (code, out) for name, (code, _, out) in said.items() if (code, out) != (2, "")} == {}
    errors = {name: error for name, (_, error, _) in said.items()}
    assert errors["status"] == 'cypp status needs the extra "warehouse": pip install "cypp-etl[warehouse]"\n'
    assert errors["report"] == 'cypp report needs the extra "report": pip install "cypp-etl[report]"\n'
    assert errors["serve"] == 'cypp serve needs the extra "server": pip install "cypp-etl[server]"\n'
    assert errors["export"] == 'cypp export needs the extra "export": pip install "cypp-etl[export]"\n'
    assert errors["publish"] == (
        'cypp publish needs the extras "report" and "server": pip install "cypp-etl[report,server]"\n'
    )
    for name, error in errors.items():
        assert error.startswith(f"cypp {name} needs the extra"), error
        assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_help_needs_no_extra_and_names_the_one_that_is_missing(installation: Installation, tmp_path: Path) -> None:
    ended = installation.run(tmp_path, "cypp", "--help")
    assert [name for name in NEEDED if f"  {name.partition(' ')[0]} " not in ended.stdout] == []
    ended = installation.run(tmp_path, "cypp", "serve", "--help", COLUMNS="200")
    assert ended.returncode == 0, ended.stderr
    assert "Watch the inbox" in ended.stdout
    assert 'cypp serve needs the extra "server": pip install "cypp-etl[server]"' in ended.stdout
    ended = installation.run(tmp_path, "cypp", "check", "--help")
    assert "--reply" in ended.stdout


@pytest.fixture(scope="module")
def brought(installation: Installation) -> Mapping[str, Path]:
    """For each extra a folder of what it brings to the base."""
    base = installation.needed_by(())
    folders = {}
    for extra in ("warehouse", "server", "report", "export", "postgres"):
        folders[extra] = link(installation.needed_by([extra]) - base, installation.folder / extra)
    return folders


@pytest.mark.parametrize(
    ("extra", "commands"),
    [
        (
            "warehouse",
            [
                "status",
                "explain",
                "clinics",
                "plan compare",
                "plan adopt",
                "close",
                "waive",
                "template",
                "backup",
                "reconcile",
            ],
        ),
        ("report", ["report"]),
        ("export", ["export"]),
        pytest.param("server", ["ingest"], marks=pytest.mark.server),
    ],
)
def test_an_extra_is_enough_for_its_commands(
    installation: Installation, brought: Mapping[str, Path], extra: str, commands: list[str], tmp_path: Path
) -> None:
    """Beside the base; the home is the current folder, and nothing is made among what is installed."""
    ended = installation.run(tmp_path, "cypp", "upgrade", also=brought[extra])
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "warehouse.db").exists()
    assert not (installation.site / "warehouse.db").exists()
    shutil.copytree(ROOT / "cypp_etl" / "plan" / "data", tmp_path, dirs_exist_ok=True)
    for command in commands:
        ended = installation.run(tmp_path, "cypp", *command.split(), *ARGUMENTS.get(command, ()), also=brought[extra])
        assert "Traceback" not in ended.stderr, ended.stderr
        # Of an empty warehouse, nothing can be explained.
        assert ended.returncode == int(command == "explain"), (command, ended.stderr)


def test_a_warehouse_on_postgresql_needs_an_extra_of_its_own(
    installation: Installation, brought: Mapping[str, Path], tmp_path: Path
) -> None:
    url = "postgresql://nobody@127.0.0.1:1/none"
    ended = installation.run(tmp_path, "cypp", "status", also=brought["warehouse"], CYPP_WAREHOUSE_URL=url)
    assert ended.returncode == 2
    assert ended.stderr == 'cypp status needs the extra "postgres": pip install "cypp-etl[postgres]"\n'
    ended = installation.run(tmp_path, "cypp", "status", CYPP_WAREHOUSE_URL=url)
    assert 'the extras "postgres" and "warehouse"' in ended.stderr
    ended = installation.run(tmp_path, "cypp", "status", also=brought["postgres"], CYPP_WAREHOUSE_URL=url)
    assert ended.returncode == 2
    assert "connection" in ended.stderr
    assert "Traceback" not in ended.stderr
