"""What `cypp backup`, `cypp restore` and `cypp reconcile` say, and how they end."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cypp_etl.periods import parse_period
from flows.cli.app import app
from flows.ingestion.context import open_to_write
from flows.ingestion.job import Steps
from flows.service.home_lock import home_alone
from flows.settings import Settings, read_settings
from flows.storage.archive import archive_path
from flows.storage.drop_notes import DROPS
from tests.support.samples import sample_of

WORKBOOK = sample_of("yos", parse_period("2010-11Q1"))


@pytest.fixture(autouse=True)
def _no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another test's server has what that left in it, which would be part of the backup."""
    monkeypatch.delenv("PREFECT_API_URL", raising=False)


def cypp(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def ingest(settings: Settings, name: str, content: bytes) -> str:
    """Ingest a drop; gives its SHA-256."""
    path = settings.inbox / "yos" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    workplace = open_to_write(settings)
    steps = Steps(workplace, path, "yos", datetime(2010, 7, 12, 9, tzinfo=UTC))
    steps.reply()
    steps.take_away()
    workplace.engine.dispose()
    return steps.check().sha256


def test_a_backup_is_made_and_restored(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ingest(settings, "first.xlsx", WORKBOOK)
    backup = str(tmp_path / "backup")
    made = cypp("backup", backup)
    assert (made.exit_code, made.stderr) == (0, "")
    assert made.stdout == f"{backup}: submissions: 1. Files: archive 3, inbox 1, warehouse.db 1. Checked.\n"
    again = cypp("backup", backup)
    assert (again.exit_code, again.stderr) == (
        2,
        f"cypp: {backup} is there already: no backup is written over another\n",
    )

    monkeypatch.setenv("CYPP_HOME", str(tmp_path / "elsewhere"))
    restored = cypp("restore", backup)
    assert (restored.exit_code, restored.stderr) == (0, "")
    assert "submissions: 1. Files: archive 3, reports 0, inbox 1." in restored.stdout
    assert cypp("reconcile").stdout == "Drops taken from the archive: 0. Left: 0.\n"
    elsewhere = read_settings()
    private = [elsewhere.home / "warehouse.db", elsewhere.archive, *elsewhere.archive.rglob("*")]
    assert [path for path in private if path.stat().st_mode & 0o077] == []


def test_a_home_that_is_served_is_not_restored_into(settings: Settings, tmp_path: Path) -> None:
    ingest(settings, "first.xlsx", WORKBOOK)
    cypp("backup", str(tmp_path / "backup"))
    before = (settings.home / "warehouse.db").read_bytes()
    with home_alone(settings):
        ended = cypp("restore", str(tmp_path / "backup"), "--over")
    assert (ended.exit_code, ended.stderr) == (
        2,
        f"cypp: Another cypp serve is already running in {settings.home}: stop it first\n",
    )
    assert (settings.home / "warehouse.db").read_bytes() == before


def test_a_folder_that_is_no_backup_is_named(settings: Settings, tmp_path: Path) -> None:
    ended = cypp("restore", str(tmp_path))
    assert (ended.exit_code, ended.stderr) == (
        2,
        f"cypp: {tmp_path}: there is no backup, for it has no manifest.json\n",
    )
    assert not (settings.home / "warehouse.db").exists()


def test_a_damaged_workbook_is_named_and_the_rest_is_backed_up(settings: Settings, tmp_path: Path) -> None:
    sha256 = ingest(settings, "first.xlsx", WORKBOOK)
    archive_path(settings.archive, sha256).write_bytes(b"rotted")
    ended = cypp("backup", str(tmp_path / "backup"))
    assert ended.exit_code == 1
    assert sha256 in ended.stderr
    assert (tmp_path / "backup" / "manifest.json").exists()


def test_what_was_lost_is_told_with_both_numbers(settings: Settings) -> None:
    open_to_write(settings).engine.dispose()
    shutil.copy(settings.home / "warehouse.db", settings.home / "older.db")
    ingest(settings, "return of jane.doe@example.org.xlsx", WORKBOOK)
    shutil.move(settings.home / "older.db", settings.home / "warehouse.db")
    ended = cypp("reconcile")
    assert ended.exit_code == 0
    assert ended.stdout == (
        "yos/[file name withheld].xlsx of 2010-07-12 09:00:00: accepted, as submission 2, which was submission 1.\n"
        "Drops taken from the archive: 1. Left: 0.\n"
    )


def test_what_nobody_noted_is_named_with_the_command_that_takes_it(settings: Settings) -> None:
    open_to_write(settings).engine.dispose()
    shutil.copy(settings.home / "warehouse.db", settings.home / "older.db")
    place = archive_path(settings.archive, ingest(settings, "first.xlsx", WORKBOOK))
    shutil.move(settings.home / "older.db", settings.home / "warehouse.db")
    shutil.rmtree(settings.archive / DROPS)
    ended = cypp("reconcile")
    assert ended.exit_code == 1
    assert f"cypp ingest {place}" in ended.stderr
