"""Pruning: old workbooks leave the archive, what was loaded of them stays, and nothing that is needed goes."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli.app import app
from flows.ingestion.context import Workplace, open_to_write
from flows.ingestion.job import Steps
from flows.ingestion.reconciliation import reconcile
from flows.retention import Pruned, prune_archive
from flows.settings import Settings
from flows.storage.archive import archive_path
from warehouse.engine import reading
from warehouse.queries.views import submissions

OLD = datetime(2010, 7, 12, 9, tzinfo=UTC)
CONTENT = b"This is no workbook."


@pytest.fixture
def workplace(begun: Settings, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    return open_to_write(begun)


def ingest(workplace: Workplace, content: bytes, at: datetime) -> Path:
    """Ingest a file as at a moment; gives its place in the archive."""
    path = workplace.settings.inbox / "yos" / "return.xlsx"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    steps = Steps(workplace, path, "yos", at)
    recorded = steps.load()
    steps.take_away()
    with reading(workplace.engine) as connection:
        rows = submissions(connection)
    kept = archive_path(
        workplace.settings.archive, next(r["sha256"] for r in rows if r["submission_id"] == recorded.submission_id)
    )
    os.utime(kept, (at.timestamp(), at.timestamp()))
    return kept


def prune(*options: str) -> tuple[int, list[str], str]:
    ended = CliRunner().invoke(app, ["prune", *options])
    return ended.exit_code, ended.stdout.splitlines(), ended.stderr


def test_old_workbooks_leave_the_archive_once_somebody_says_yes(workplace: Workplace) -> None:
    old = ingest(workplace, CONTENT, OLD)
    new = ingest(workplace, b"Another.", datetime.now(UTC) - timedelta(days=10))
    counted = "from before 1 August 2010: workbooks 1 (20 bytes)."
    runs = "from before 1 August 2010: runs in Prefect 0."
    assert prune("--older-than", "2010-08-01") == (
        0,
        [f"To remove, {counted}", f"To remove, {runs}", "Nothing was removed: add --yes to remove it."],
        "",
    )
    assert old.exists()
    assert prune("--older-than", "2010-08-01", "--yes") == (0, [f"Removed, {counted}", f"Removed, {runs}"], "")
    assert (old.exists(), new.exists()) == (False, True)
    assert prune("--older-than", "9")[1][0].endswith("workbooks 1 (8 bytes).")
    assert prune("--older-than", "11")[1][0].endswith("workbooks 0 (0 bytes).")
    with reading(workplace.engine) as connection:
        assert [row["sha256"] for row in submissions(connection)] == [old.name, new.name]
    done = reconcile(workplace)
    assert (done.taken, done.left) == ([], [])


@pytest.mark.parametrize(("seconds", "is_old"), [(-1, False), (0, False), (1, True)])
def test_what_came_at_the_moment_is_not_old(workplace: Workplace, seconds: int, is_old: bool) -> None:
    kept = ingest(workplace, CONTENT, OLD)
    pruned = prune_archive(workplace, OLD + timedelta(seconds=seconds), remove=True)
    assert pruned == (Pruned(1, len(CONTENT)) if is_old else Pruned(0, 0))
    assert kept.exists() is not is_old


def test_what_came_again_or_is_not_known_stays(workplace: Workplace) -> None:
    before = OLD + timedelta(days=30)
    kept = ingest(workplace, CONTENT, OLD)
    assert ingest(workplace, CONTENT, before) == kept
    stray = archive_path(workplace.settings.archive, "ab" * 32)
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.write_bytes(CONTENT)
    for path in (kept, stray):
        os.utime(path, (0, 0))
    assert prune_archive(workplace, before, remove=True) == Pruned(0, 0)
    assert prune_archive(workplace, before + timedelta(days=1), remove=True) == Pruned(1, len(CONTENT))
    assert (kept.exists(), stray.exists()) == (False, True)


@pytest.mark.parametrize("typed", ["", "x", "-1", "0", "1.5", "2010-13-01", "9999-01-01", "99999999999"])
def test_what_is_neither_days_nor_a_date_is_refused(workplace: Workplace, typed: str) -> None:
    kept = ingest(workplace, CONTENT, OLD)
    code, said, told = prune(f"--older-than={typed}", "--yes")
    assert (code, said, told.count("\n"), "type --older-than" in told) == (2, [], 1, True)
    assert kept.exists()
