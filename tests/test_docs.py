"""The links of the documentation, and the modules and commands that it names, exist."""

import re
import subprocess
from pathlib import Path
from xml.etree import ElementTree

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


def test_the_picture_of_the_architecture_has_the_steps_of_its_table_and_modules_that_exist() -> None:
    picture = ElementTree.parse(ROOT / "docs/images/architecture.svg").getroot()  # noqa: S314, a file of our own
    texts = [element for element in picture.iter() if element.text and element.tag.endswith(("}text", "}tspan"))]
    steps = {element.text for element in texts if element.get("class") == "number"}
    assert steps == set(re.findall(r"^\| (\d+) ", (ROOT / "docs/architecture.md").read_text("utf-8"), re.MULTILINE))
    modules = [element.text or "" for element in texts if element.get("class") == "module"]
    files = subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines()
    named = [name for name in modules if name.endswith(".py")]
    assert len(named) > 10
    assert [name for name in named if not any(f"/{file}".endswith(f"/{name}") for file in files)] == []


def test_the_picture_of_the_architecture_is_told_to_those_who_do_not_see_it() -> None:
    picture = ElementTree.parse(ROOT / "docs/images/architecture.svg").getroot()  # noqa: S314, a file of our own
    told = [element for element in picture if element.tag.endswith(("}title", "}desc"))]
    assert picture.get("role") == "img"
    assert picture.get("aria-labelledby") == " ".join(element.get("id", "") for element in told)
    assert all(element.text for element in told)
