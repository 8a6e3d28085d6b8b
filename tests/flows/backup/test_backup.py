"""A backup made while its home is at work, what is found wrong with one, and what a restored home is."""

import hashlib
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import select

from cypp_etl.periods import parse_period
from cypp_etl.plan.reader import read_plan
from flows.backup.backup import make_backup
from flows.backup.manifest import BackupError, check_backup
from flows.backup.restoration import restore_backup
from flows.inbox.sweep import sweep
from flows.ingestion.context import open_to_write
from flows.ingestion.job import Steps
from flows.ingestion.reconciliation import reconcile
from flows.settings import Settings
from flows.storage.archive import archive_path
from flows.storage.drop_notes import GivenNumbers
from tests.postgres import administer, database_url, programs
from tests.support.samples import sample_of
from warehouse.copies import CopyError
from warehouse.engine import reading
from warehouse.schema.tables import submission

PLAN = read_plan()
AT = datetime(2010, 7, 12, 9, tzinfo=UTC)
FIRST, SECOND = parse_period("2010-11Q1"), parse_period("2010-11Q2")

Elsewhere = Callable[[], Settings]


def ingest(settings: Settings, name: str, content: bytes, minutes: int = 0, partner: str = "yos") -> None:
    path = settings.inbox / partner / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    workplace = open_to_write(settings)
    steps = Steps(workplace, path, partner, AT + timedelta(minutes=minutes))
    steps.reply()
    steps.take_away()
    workplace.engine.dispose()


def sweep_all(settings: Settings) -> None:
    workplace = open_to_write(settings)
    for waiting in sweep(settings.inbox, PLAN.partners, datetime.now(UTC).timestamp()):
        if not waiting.reason:
            steps = Steps(workplace, waiting.path, waiting.partner_code, AT + timedelta(hours=9))
            steps.reply()
            steps.take_away()
    workplace.engine.dispose()


def told(settings: Settings) -> list[tuple[object, ...]]:
    """What is told of each submission, less its number and the home that it lay in."""
    workplace = open_to_write(settings)
    names = ("partner_code", "period", "version", "file_name", "sha256", "status", "received_at")
    with reading(workplace.engine) as connection:
        rows = connection.execute(select(submission).order_by(submission.c.submission_id)).mappings()
        found = [tuple(row[name] for name in names) for row in rows]
    workplace.engine.dispose()
    return found


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str | None:
    """The server on which warehouses are made; None for SQLite."""
    if request.param == "sqlite":
        return None
    server: str = request.getfixturevalue("postgres")
    monkeypatch.setenv("PATH", f"{programs()}{os.pathsep}{os.environ['PATH']}")
    return server


def make_home(folder: Path, url: str | None) -> Settings:
    """A home with a warehouse on SQLite, or in a database."""
    return Settings(folder, folder / "inbox", folder / "archive", url or f"sqlite:///{folder / 'warehouse.db'}", None)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str | None], Settings]:
    """Homes to be copied, made once for each server: with a return and a report."""

    def filled_home(server: str | None) -> Settings:
        if server:
            administer(server, "CREATE DATABASE backed_up")
        url = database_url(server, "backed_up") if server else None
        return fill(make_home(tmp_path_factory.mktemp("filled") / "home", url))

    return cache(filled_home)


@pytest.fixture
def home(
    filled: Callable[[str | None], Settings], tmp_path: Path, database: str | None, copied: Callable[[str], str]
) -> Settings:
    """A home with a return, a report, and a workbook that waits in the inbox."""
    like = filled(database)
    shutil.copytree(like.home, tmp_path / "home")
    settings = make_home(tmp_path / "home", copied("backed_up") if database else None)
    (settings.inbox / "police").mkdir()
    (settings.inbox / "police" / "waits.xlsx").write_bytes(sample_of("police", FIRST))
    return settings


def fill(settings: Settings) -> Settings:
    ingest(settings, "first.xlsx", sample_of("yos", FIRST))
    settings.reports.mkdir()
    (settings.reports / "board.html").write_text("Report")
    return settings


@pytest.fixture
def empty(tmp_path: Path, database: str | None, copied: Callable[[str], str]) -> Settings:
    return make_home(tmp_path / "restored", copied("template1") if database else None)


def test_a_restored_home_is_what_the_home_was(home: Settings, empty: Settings, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    manifest = make_backup(home, backup, AT)
    assert (manifest.damaged, manifest.skipped) == ((), ())
    done = restore_backup(empty, backup)
    assert done.added["inbox"] == 2, "what waits, and a receipt"
    assert told(empty) == told(home)
    for name in ("archive", "reports", "inbox"):
        assert contents(empty.home / name) == contents(home.home / name)
    workplace = open_to_write(empty)
    assert reconcile(workplace).taken == []
    sweep_all(empty)
    sweep_all(home)
    assert told(empty) == told(home)
    assert len(told(home)) == 2


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_came_after_the_backup_is_taken_from_the_archive(home: Settings, empty: Settings, tmp_path: Path) -> None:
    """The warehouse's disk is lost, and the archive's is not: what was dropped since is there, once, with its time."""
    make_backup(home, tmp_path / "backup", AT)
    sweep_all(home)
    ingest(home, "second.xlsx", sample_of("yos", SECOND), 30)
    expected = told(home)
    given = GivenNumbers(home.archive).highest()

    saved = replace(home, warehouse_url=empty.warehouse_url)
    done = restore_backup(saved, tmp_path / "backup", over=True)
    assert any("1 of the inbox" in note for note in done.notes), "what waited then was taken since"
    workplace = open_to_write(saved)
    taken = reconcile(workplace).taken
    assert min(one.recorded.submission_id for one in taken) > given
    workplace.engine.dispose()
    sweep_all(saved)
    assert sorted(map(str, told(saved))) == sorted(map(str, expected))


def test_what_leaves_while_it_is_looked_at_stops_no_backup(
    home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`.taken` and files in it come and go while a service takes workbooks."""
    (home.inbox / "yos" / ".taken").mkdir(parents=True)
    (home.inbox / "yos" / ".taken" / "1.xlsx").write_bytes(b"a workbook")
    lstat = Path.lstat

    def leave(path: Path) -> os.stat_result:
        if ".taken" in path.parts:
            shutil.rmtree(home.inbox / "yos" / ".taken", ignore_errors=True)
        return lstat(path)

    monkeypatch.setattr(Path, "lstat", leave)
    manifest = make_backup(home, tmp_path / "backup", AT)
    assert manifest.skipped == ()
    assert not [path for path in manifest.modes if ".taken" in path]


def test_it_is_made_while_a_writer_works(home: Settings, empty: Settings, tmp_path: Path) -> None:
    """Whatever moment it is of, nothing is missing from what it restores to and what is found by its notes."""
    failed: list[BaseException] = []
    begun, enough = threading.Event(), threading.Event()

    def write() -> None:
        try:
            for number in range(200):
                ingest(home, f"{number}.xlsx", b"no workbook %d" % number, number + 1)
                begun.set()
                if enough.is_set():
                    return
        except BaseException as fault:  # noqa: BLE001 - carried to the test
            failed.append(fault)
            begun.set()

    writer = threading.Thread(target=write)
    writer.start()
    begun.wait()
    manifest = make_backup(home, tmp_path / "backup", AT)
    enough.set()
    writer.join()
    assert failed == []

    restore_backup(empty, tmp_path / "backup")
    workplace = open_to_write(empty)
    done = reconcile(workplace)
    workplace.engine.dispose()
    assert done.left == []
    sweep_all(empty)
    sweep_all(home)
    restored, original = told(empty), told(home)
    assert len(restored) >= manifest.warehouse.rows["submission"]
    assert len({row[3:5] for row in restored}) == len(restored), "something is there twice"
    assert {row[3:5] for row in restored} <= {row[3:5] for row in original}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
class TestOnSQLite:
    def test_it_is_for_its_owner_alone(self, home: Settings, tmp_path: Path) -> None:
        make_backup(home, tmp_path / "backup", AT)
        made = [tmp_path / "backup", *(tmp_path / "backup").rglob("*")]
        assert [path for path in made if path.stat().st_mode & 0o077] == []

    def test_sha256sum_can_check_it(self, home: Settings, tmp_path: Path) -> None:
        (home.inbox / "police" / "a\nb\\c.xlsx").write_bytes(b"odd")
        (home.inbox / "police" / os.fsdecode(b"\xff.xlsx")).write_bytes(b"odder")
        make_backup(home, tmp_path / "backup", AT)
        check_backup(tmp_path / "backup")
        ended = subprocess.run(
            ["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=tmp_path / "backup", capture_output=True, check=False
        )
        assert (ended.returncode, ended.stderr) == (0, b"")

    def test_none_is_written_over_another(self, home: Settings, tmp_path: Path) -> None:
        (tmp_path / "backup").mkdir()
        with pytest.raises(BackupError, match="is there already"):
            make_backup(home, tmp_path / "backup", AT)
        with pytest.raises(BackupError, match="lies in what is to be backed up"):
            make_backup(home, home.archive / "backup", AT)

    def test_what_fails_leaves_nothing(self, home: Settings, tmp_path: Path) -> None:
        def fail() -> bytes:
            raise OSError(28, "No space left on device")

        with pytest.raises(OSError, match="No space"):
            make_backup(home, tmp_path / "backups" / "today", AT, fail)
        assert list((tmp_path / "backups").iterdir()) == []

    def test_without_a_warehouse_there_is_none(self, empty: Settings, tmp_path: Path) -> None:
        with pytest.raises(CopyError, match="there is no warehouse"):
            make_backup(empty, tmp_path / "backup", AT)
        assert not (tmp_path / "backup").exists()

    @pytest.mark.parametrize("part", ["warehouse.db", "SHA256SUMS", "manifest.json", "archive", "reports/board.html"])
    @pytest.mark.parametrize("how", ["changed", "gone", "cut short"])
    def test_a_damaged_one_is_not_restored(
        self, home: Settings, empty: Settings, tmp_path: Path, part: str, how: str
    ) -> None:
        backup = tmp_path / "backup"
        make_backup(home, backup, AT)
        path = backup / part
        if path.is_dir():
            path = next(one for one in sorted(path.rglob("*")) if one.is_file())
        if how == "gone":
            path.unlink()
        elif how == "cut short":
            path.write_bytes(path.read_bytes()[:-2])
        else:
            content = bytearray(path.read_bytes())
            content[len(content) // 2] ^= 1
            path.write_bytes(content)
        with pytest.raises((BackupError, CopyError)):
            restore_backup(empty, backup)
        assert not empty.home.exists()

    def test_one_with_a_file_too_many_is_not_restored(self, home: Settings, empty: Settings, tmp_path: Path) -> None:
        make_backup(home, tmp_path / "backup", AT)
        (tmp_path / "backup" / "inbox" / "yos" / "planted.xlsx").write_bytes(b"x")
        with pytest.raises(BackupError, match="does not belong to it"):
            restore_backup(empty, tmp_path / "backup")

    @pytest.mark.parametrize("newer", ["format", "revision"])
    def test_a_newer_one_is_not_restored(self, home: Settings, empty: Settings, tmp_path: Path, newer: str) -> None:
        make_backup(home, tmp_path / "backup", AT)
        path = tmp_path / "backup" / "manifest.json"
        words = json.loads(path.read_text())
        if newer == "format":
            words["format"] += 1
        else:
            words["warehouse"]["revision"] = "9999"
        path.write_text(json.dumps(words))
        with pytest.raises((BackupError, CopyError), match="newer than this program"):
            restore_backup(empty, tmp_path / "backup")
        assert not empty.home.exists()

    @pytest.mark.parametrize("part", ["archive/drops/numbers", "inbox/yos/a.xlsx", "reports/a.html", "warehouse.db"])
    def test_a_home_that_is_not_empty_is_left_alone(
        self, home: Settings, empty: Settings, tmp_path: Path, part: str
    ) -> None:
        make_backup(home, tmp_path / "backup", AT)
        path = empty.home / part
        path.parent.mkdir(parents=True)
        path.write_bytes(b"")
        with pytest.raises(BackupError, match="is there"):
            restore_backup(empty, tmp_path / "backup")
        assert [one for one in empty.home.rglob("*") if one.is_file()] == [path]

    def test_a_checkout_with_the_page_for_partners_is_empty(
        self, home: Settings, empty: Settings, tmp_path: Path
    ) -> None:
        make_backup(home, tmp_path / "backup", AT)
        empty.inbox.mkdir(parents=True)
        (empty.inbox / "README.md").write_text("Drop workbooks here.")
        restore_backup(empty, tmp_path / "backup")
        assert told(empty) == told(home)

    def test_the_warehouse_that_was_there_is_moved_aside(self, home: Settings, tmp_path: Path) -> None:
        make_backup(home, tmp_path / "backup", AT)
        ingest(home, "second.xlsx", sample_of("yos", SECOND), 30)
        later = told(home)
        done = restore_backup(home, tmp_path / "backup", over=True)
        assert len(told(home)) == 1
        (aside,) = home.home.glob("warehouse-before-*.db")
        assert any(str(aside) in note for note in done.notes)
        assert told(replace(home, warehouse_url=f"sqlite:///{aside}")) == later

    def test_a_workbook_that_rotted_is_named_and_mended_from_an_older_backup(
        self, home: Settings, tmp_path: Path
    ) -> None:
        make_backup(home, tmp_path / "older", AT)
        sha256 = hashlib.sha256(sample_of("yos", FIRST)).hexdigest()
        path = archive_path(home.archive, sha256)
        path.write_bytes(b"rotted")
        assert make_backup(home, tmp_path / "newer", AT).damaged == (f"{sha256[:2]}/{sha256}",)
        restore_backup(home, tmp_path / "older", over=True)
        assert hashlib.sha256(path.read_bytes()).hexdigest() == sha256

    def test_who_may_read_the_inbox_may_read_it_again(self, home: Settings, empty: Settings, tmp_path: Path) -> None:
        (home.inbox / "yos").chmod(0o2770)
        receipt = next((home.inbox / "yos" / "replies").iterdir())
        receipt.chmod(0o660)
        make_backup(home, tmp_path / "backup", AT)
        restore_backup(empty, tmp_path / "backup")
        assert (empty.inbox / "yos").stat().st_mode & 0o7777 == 0o2770
        assert (empty.inbox / "yos" / "replies" / receipt.name).stat().st_mode & 0o7777 == 0o660

    def test_links_and_pipes_are_left(self, home: Settings, tmp_path: Path) -> None:
        os.mkfifo(home.inbox / "yos" / "pipe.xlsx")
        (home.inbox / "yos" / "link.xlsx").symlink_to("/etc/passwd")
        (home.inbox / "yos" / "folder").symlink_to("/etc")
        make_backup(home, tmp_path / "backup", AT)
        assert {path.name for path in (tmp_path / "backup" / "inbox" / "yos").iterdir()} == {"replies"}

    def test_the_plan_is_restored_where_it_is_looked_for(self, home: Settings, empty: Settings, tmp_path: Path) -> None:
        shutil.copytree(Path("cypp_etl/plan/data"), tmp_path / "plan")
        make_backup(replace(home, plan=tmp_path / "plan"), tmp_path / "backup", AT)
        done = restore_backup(empty, tmp_path / "backup")
        assert any("CYPP_PLAN" in note for note in done.notes)
        assert contents(empty.home / "plan") == contents(tmp_path / "plan")
        named = replace(empty, home=tmp_path / "third", plan=tmp_path / "third" / "ours")
        named = replace(named, inbox=named.home / "inbox", archive=named.home / "archive")
        restore_backup(replace(named, warehouse_url=f"sqlite:///{named.home / 'w.db'}"), tmp_path / "backup")
        assert contents(tmp_path / "third" / "ours") == contents(tmp_path / "plan")

    def test_a_backup_is_restored_to_its_own_system(self, home: Settings, empty: Settings, tmp_path: Path) -> None:
        make_backup(home, tmp_path / "backup", AT)
        with pytest.raises(CopyError, match="on sqlite"):
            restore_backup(replace(empty, warehouse_url="postgresql://nobody@localhost/none"), tmp_path / "backup")


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
class TestOnPostgreSQL:
    def test_a_database_with_something_in_it_is_left_alone(
        self, home: Settings, empty: Settings, tmp_path: Path
    ) -> None:
        make_backup(home, tmp_path / "backup", AT)
        with pytest.raises(CopyError, match="createdb"):
            restore_backup(replace(empty, warehouse_url=home.warehouse_url), tmp_path / "backup", over=True)
        assert not empty.archive.exists()

    def test_without_pg_dump_one_line_says_so(
        self, home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(CopyError, match="pg_dump is not installed"):
            make_backup(home, tmp_path / "backup", AT)
        assert not (tmp_path / "backup").exists()

    def test_a_dump_that_is_cut_short_is_not_restored(self, home: Settings, empty: Settings, tmp_path: Path) -> None:
        """Also where somebody made the checksums to fit."""
        make_backup(home, tmp_path / "backup", AT)
        dump = tmp_path / "backup" / "warehouse.dump"
        before = hashlib.sha256(dump.read_bytes()).hexdigest()
        dump.write_bytes(dump.read_bytes()[:-3000])
        sums = tmp_path / "backup" / "SHA256SUMS"
        was = hashlib.sha256(sums.read_bytes()).hexdigest()
        sums.write_text(sums.read_text().replace(before, hashlib.sha256(dump.read_bytes()).hexdigest()))
        manifest = tmp_path / "backup" / "manifest.json"
        manifest.write_text(manifest.read_text().replace(was, hashlib.sha256(sums.read_bytes()).hexdigest()))
        with pytest.raises(CopyError, match="pg_restore"):
            restore_backup(empty, tmp_path / "backup")
        assert not empty.archive.exists()
