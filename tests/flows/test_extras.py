"""The table of extras is whole, and the extras are what it and the documentation say."""

import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
import typer
from packaging.requirements import Requirement

from flows.cli.app import app
from flows.cli.command import Command
from flows.extras import NEEDED, missing_extras

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
FOR_DEVELOPERS = {"bench", "dev"}


def commands(group: "typer.core.TyperGroup", before: str = "") -> Iterator[tuple[str, object]]:
    for name, command in group.commands.items():
        if isinstance(command, typer.core.TyperGroup):
            yield from commands(command, f"{before}{name} ")
        else:
            yield before + name, command


def test_every_command_says_what_it_needs() -> None:
    """Extending: `flows/extras.py` has a line for a new command, which is in the table of `flows/cli/app.py`."""
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    found = dict(commands(group))
    assert set(found) == set(NEEDED)
    assert [name for name, command in found.items() if not isinstance(command, Command)] == []
    assert {extra for extras in NEEDED.values() for extra in extras} < set(EXTRAS)


def test_every_extra_has_what_the_warehouse_needs() -> None:
    for name in EXTRAS.keys() - FOR_DEVELOPERS:
        assert set(EXTRAS["warehouse"]) <= set(EXTRAS[name]), name


def test_all_is_all() -> None:
    others = [EXTRAS[name] for name in EXTRAS.keys() - FOR_DEVELOPERS - {"all"}]
    assert set(EXTRAS["all"]) == {requirement for each in others for requirement in each}


@pytest.mark.parametrize(("extras", "missing"), [([], []), (["export"], []), (["export", "report"], ["report"])])
def test_an_extra_of_which_one_part_is_not_installed_is_missing(
    extras: list[str], missing: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As wheels write it: with and without versions and extras, for some Pythons, in either kind of quotes."""
    monkeypatch.setattr(
        "importlib.metadata.requires",
        lambda _: [
            "pandas",
            'pytest>=9.2; extra == "export"',
            'pandera[pandas]>=0.35; extra == "report"',
            "no-such-distribution>=1; python_version >= '3' and extra == 'report'",
            'no.such.distribution.either; extra == "dev"',
        ],
    )
    assert missing_extras(extras) == missing


def test_of_sources_that_were_never_installed_nothing_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def requires(name: str) -> list[str]:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.requires", requires)
    assert missing_extras(["report"]) == []


def test_the_locks_hold_what_all_brings() -> None:
    wanted = [Requirement(one) for one in PROJECT["dependencies"] + EXTRAS["all"]]
    for lock in ("requirements.lock", "requirements-dev.lock"):
        lines = (Path(__file__).parents[2] / lock).read_text("utf-8").splitlines()
        pinned = dict(line.split()[0].split("==") for line in lines if line[:1].isalnum())
        missing = [one.name for one in wanted if not one.specifier.contains(pinned.get(one.name.lower(), "0"))]
        assert missing == [], lock
