"""The steps of docs/operate.md, as they stand there, from a home that works to one that was restored."""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import make_url

from cypp_etl.periods import parse_period
from flows.ingestion.context import open_to_write
from flows.ingestion.job import Steps
from flows.settings import Settings, read_settings
from tests.postgres import administer, database_url, programs
from tests.support.samples import sample_of
from warehouse.engine import reading
from warehouse.queries.views import return_status

ROOT = Path(__file__).parents[3]
PERIODS = [parse_period(code) for code in ("2010-11Q1", "2010-11Q2")]


def steps() -> list[str]:
    """What is to be typed for a backup, for a restore, and before that on PostgreSQL."""
    page = (ROOT / "docs" / "operate.md").read_text("utf-8")
    section = page.partition("## Back up and restore\n")[2].partition("\n## ")[0]
    return re.findall(r"```sh\n(.*?)```", section, re.DOTALL)


def returned(settings: Settings, place: int) -> None:
    path = settings.inbox / "yos" / f"{place}.xlsx"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(sample_of("yos", PERIODS[place]))
    workplace = open_to_write(settings)
    taken = Steps(workplace, path, "yos", datetime(2010, 7 + 3 * place, 12, 9, tzinfo=UTC))
    taken.reply()
    taken.take_away()
    workplace.engine.dispose()


def received(settings: Settings) -> list[tuple[object, ...]]:
    """Which returns were received, and when."""
    workplace = open_to_write(settings)
    with reading(workplace.engine) as connection:
        rows = [row for period in PERIODS for row in return_status(connection, period, "yos")]
    workplace.engine.dispose()
    return [(row["period"], row["status"], row["received_at"]) for row in rows]


@pytest.mark.trial
@pytest.mark.parametrize("system", ["sqlite", "postgresql"])
def test_the_steps_lose_nothing(system: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    back_up, restore, new_database = steps()
    folders = {"/mnt/backup/2011-04-01": f"/mnt/backup/{datetime.now(UTC):%F}", "/mnt/backup": str(tmp_path / "backup")}
    cypp = tmp_path / "bin" / "cypp"
    cypp.parent.mkdir()
    cypp.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "from flows.cli.app import app; app()" "$@"\n')
    cypp.chmod(0o700)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CYPP_", "PREFECT_"))}
    environment |= {"CYPP_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT), "TZ": "UTC"}
    environment["PATH"] = f"{cypp.parent}{os.pathsep}{environment['PATH']}"
    if system == "postgresql":
        server: str = request.getfixturevalue("postgres")
        administer(server, "CREATE DATABASE operated")
        environment["PATH"] = f"{programs()}{os.pathsep}{environment['PATH']}"
        environment["CYPP_WAREHOUSE_URL"] = database_url(server, "operated")
        parsed = make_url(server)
        folders["--host=db --username=postgres --owner=cypp"] = (
            f"--host={parsed.query['host']} --username={parsed.username}"
        )
        folders["postgresql://cypp@db/cypp_restored"] = f"'{database_url(server, 'cypp_restored')}'"
        restore = new_database + restore
        restored_url = database_url(server, "cypp_restored")
    else:
        restored_url = f"sqlite:///{tmp_path / 'home' / 'warehouse.db'}"

    def run(commands: str) -> None:
        for written, meant in folders.items():
            commands = commands.replace(written, meant)
        ended = subprocess.run(
            ["bash", "-euc", commands], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr

    settings = read_settings(environment)
    returned(settings, 0)
    run(back_up)
    # The next day's return is in no backup, and the warehouse is lost.
    returned(settings, 1)
    expected = received(settings)
    (tmp_path / "home" / "warehouse.db").unlink(missing_ok=True)
    run(restore.replace("cypp restore", "cypp restore --over"))
    restored = read_settings(environment | {"CYPP_WAREHOUSE_URL": restored_url})
    assert received(restored) == expected
    assert "missing" not in {row[1] for row in expected}

    # A machine of its own, with what was in the backup and no more.
    if system == "sqlite":
        environment["CYPP_HOME"] = str(tmp_path / "elsewhere")
        run(restore)
        assert received(read_settings(environment))[0] == expected[0]
        assert received(read_settings(environment))[1][1] == "missing"
