"""The documentation leads somewhere: its links, and the modules and commands that it names, exist."""

import re
import subprocess
from pathlib import Path

import pytest
import typer

from flows.cli.app import app

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    ROOT / name
    for name in subprocess.check_output(["git", "ls-files", "*.md"], cwd=ROOT, text=True).split()
    if not name.startswith("tests/")
)
_LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")
_CODE = re.compile(r"`([^`\n]+)`")
_MODULE = re.compile(r"(?:cypp_etl|flows|warehouse|schemas|tests|benchmarks)/[\w./]*\w\.\w+")
_COMMAND = re.compile(r"cypp ([a-z][a-z-]*)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files(page: Path) -> None:
    links = _LINK.findall(page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_and_commands_that_are_named_exist(page: Path) -> None:
    named = _CODE.findall(page.read_text("utf-8"))
    files = [name for name in named if _MODULE.fullmatch(name)]
    assert [name for name in files if not (ROOT / name).exists()] == []
    commands = {found[1] for name in named if (found := _COMMAND.match(name))}
    assert commands <= set(typer.main.get_command(app).commands)
