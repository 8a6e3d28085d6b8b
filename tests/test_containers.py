"""Containerfile and compose.yaml name what exists: versions, files, commands, and variables of the environment."""

import ast
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from prefect.settings import Settings as PrefectSettings

from flows.cli.app import app

ROOT = Path(__file__).parents[1]
CONTAINERFILE = (ROOT / "Containerfile").read_text("utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
EXAMPLE = (ROOT / "deploy" / "env.example").read_text("utf-8")
PYTHON = re.findall(r"^FROM \S+/python:(\d+)\.(\d+)-slim-bookworm", CONTAINERFILE, re.MULTILINE)


def instructions(name: str) -> list[str]:
    """The arguments of each instruction of a name, with continued lines joined."""
    joined = CONTAINERFILE.replace("\\\n", " ")
    return [line.partition(" ")[2].strip() for line in joined.splitlines() if line.startswith(f"{name} ")]


def environment_of(service: str) -> dict[str, str]:
    return dict(SERVICES[service].get("environment", {}))


def own_variables() -> set[str]:
    """The names that the program itself looks for in its environment."""
    names: set[str] = set()
    for path in (ROOT / "flows").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                names |= set(re.findall(r"CYPP_[A-Z_]+", node.value))
    return names | set(re.findall(r"CYPP_\w+", (ROOT / "prefect.yaml").read_text("utf-8")))


def prefect_variables(settings: Any = PrefectSettings) -> Iterator[str]:
    """The names that Prefect looks for, of every group of its settings."""
    for name, field in settings.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and hasattr(inner, "model_config") and "env_prefix" in inner.model_config:
            yield from prefect_variables(inner)
        yield f"{settings.model_config['env_prefix']}{name}".upper()
        for choice in getattr(field.validation_alias, "choices", ()):
            yield str(choice).upper()


def test_the_python_is_one_that_the_project_runs_on() -> None:
    required = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["requires-python"]
    least = tuple(map(int, required.removeprefix(">=").split(".")))
    assert len(PYTHON) == 2
    assert len(set(PYTHON)) == 1, "what is built by one Python does not run by another"
    assert tuple(map(int, PYTHON[0])) >= least


def test_what_is_copied_is_there_and_reaches_the_builder() -> None:
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    sources = [word for line in instructions("COPY") if "--from" not in line for word in line.split()[:-1]]
    assert {"requirements.lock", "pyproject.toml", "flows/", "schemas/"} <= set(sources)
    assert [name for name in sources if not (ROOT / name).exists()] == []
    assert sorted(f"!{name}" for name in sources) == sorted(line for line in ignored if line.startswith("!"))
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]["find"]
    assert {f"{name.rstrip('*')}/" for name in packages["include"]} <= set(sources)


def test_the_lock_has_what_the_extras_bring() -> None:
    """The image installs the lock, which has the extra `all`, and the project without its dependencies."""
    assert "--require-hashes --requirement requirements.lock" in CONTAINERFILE
    assert "--no-deps --editable ." in CONTAINERFILE
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    locked = set(re.findall(r"^([\w.-]+)==", (ROOT / "requirements.lock").read_text("utf-8"), re.MULTILINE))
    needed = {
        re.split(r"[\[>=]", name)[0] for name in [*project["dependencies"], *project["optional-dependencies"]["all"]]
    }
    assert needed <= locked


def test_pg_dump_is_no_older_than_the_server() -> None:
    """An older one refuses to copy a newer server's database."""
    (client,) = re.findall(r"postgresql-client-(\d+)", CONTAINERFILE)
    (server,) = re.findall(r"postgres:(\d+)-", SERVICES["database"]["image"])
    assert int(client) >= int(server)


def test_the_variables_are_known_to_who_reads_them() -> None:
    known = own_variables() | set(prefect_variables())
    built = {name for line in instructions("ENV") for name in re.findall(r"(\w+)=", line)}
    ours = {name for name in built if name.startswith(("CYPP_", "PREFECT_"))}
    for service in SERVICES:
        ours |= {name for name in environment_of(service) if service != "database"}
    assert {"CYPP_HOME", "CYPP_WAREHOUSE_URL", "PREFECT_SERVER_API_AUTH_STRING", "CYPP_SMTP_HOST"} <= ours
    assert sorted(ours - known) == []


def test_every_setting_of_the_mail_reaches_the_intake() -> None:
    settings = (ROOT / "flows" / "mail" / "settings.py").read_text("utf-8")
    named = set(re.findall(r'"(CYPP_(?:SMTP|MAIL)_\w+)"', settings))
    assert named == {name for name in environment_of("intake") if name.startswith(("CYPP_SMTP_", "CYPP_MAIL_"))}


@pytest.mark.parametrize("service", ["intake", "worker", "setup"])
def test_telemetry_is_off_and_nobody_is_root(service: str) -> None:
    built = " ".join(instructions("ENV"))
    for name in ("PREFECT_SERVER_ANALYTICS_ENABLED=false", "DO_NOT_TRACK=1", "PREFECT_SERVER_UI_V2_ENABLED=false"):
        assert name in built.split()
        assert name.partition("=")[0] not in environment_of(service), "the image says so already"
    assert instructions("USER") == ["$CYPP_UID:$CYPP_GID"]
    assert SERVICES[service]["cap_drop"] == ["ALL"]
    assert SERVICES[service]["read_only"] is True
    assert SERVICES[service]["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_every_service_that_stays_is_asked_whether_it_works(service: str) -> None:
    described = SERVICES[service]
    is_asked = bool(described.get("healthcheck", {}).get("test")) or service == "intake"
    assert is_asked is (described.get("restart") != "no")
    for needed, how in described.get("depends_on", {}).items():
        assert needed in SERVICES
        assert how == {"condition": "service_healthy"}
    assert "HEALTHCHECK" in CONTAINERFILE, "the intake's is the image's"


def test_the_intake_is_reached_from_this_machine_alone_until_a_proxy_is_in_front() -> None:
    assert SERVICES["intake"]["ports"] == ["127.0.0.1:4200:4200"]
    assert [name for name, described in SERVICES.items() if "ports" in described] == ["intake"]


def commands() -> list[list[str]]:
    built = [yaml.safe_load(line) for line in instructions("CMD")]
    return [*built, *(described["command"] for described in SERVICES.values() if "command" in described)]


@pytest.mark.parametrize("command", [one for one in commands() if one[0] == "cypp"], ids=shlex.join)
def test_the_commands_of_cypp_have_these_options(command: list[str]) -> None:
    found = typer.main.get_command(app).commands[command[1]]  # type: ignore[attr-defined]
    found.make_context("cypp", list(command[2:]), resilient_parsing=False)


def test_the_commands_of_prefect_have_these_options() -> None:
    asked = [one for one in commands() if one[0] == "prefect"]
    assert len(asked) == 2
    for command in asked:
        words = [word for word in command[1:] if word in ("worker", "start", "deploy")]
        shown = subprocess.check_output([sys.executable, "-m", "prefect", *words, "--help"], text=True)
        for option in (word for word in command if word.startswith("--")):
            assert option in shown


def test_the_pool_of_the_worker_is_that_of_the_deployments() -> None:
    described = yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))
    command = SERVICES["worker"]["command"]
    assert command[command.index("--pool") + 1] == described["definitions"]["work_pool"]["name"]


def test_the_example_of_settings_has_all_that_must_be_filled_in() -> None:
    text = (ROOT / "compose.yaml").read_text("utf-8")
    asked, given = set(re.findall(r"\$\{(\w+):\?", text)), set(re.findall(r"^(\w+)=", EXAMPLE, re.MULTILINE))
    assert asked <= given
    assert given <= set(re.findall(r"\$\{(\w+)", text))


def test_no_password_is_built_in() -> None:
    assert re.findall(r"^\w*PASSWORD=(.+)$", EXAMPLE, re.MULTILINE) == []
    for described in SERVICES.values():
        secret = {name: value for name, value in described.get("environment", {}).items() if "PASSWORD" in name}
        assert [name for name, value in secret.items() if not value.startswith("${")] == []


def test_the_containerfile_passes_the_linter() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    ended = subprocess.run([linter, ROOT / "Containerfile"], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "")
