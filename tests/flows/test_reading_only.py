"""Commands that only read: they never wait for a writer, write nothing, and report the state of the warehouse."""

import hashlib
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import select, text
from typer.testing import CliRunner

import cypp_etl
from cypp_etl.judgement import RULES_VERSION
from cypp_etl.plan.reader import plan_of, read_plan
from flows.cli.app import app
from flows.ingestion.context import open_existing, open_to_write
from flows.settings import read_settings
from tests.postgres import administer, database_url
from tests.warehouse.builders import checked, later, observation
from warehouse.engine import open_for_reading, open_warehouse, reading, writing
from warehouse.migrations import HEAD
from warehouse.recording.plan import record_plan
from warehouse.recording.record import record
from warehouse.schema.plan_tables import plan
from warehouse.schema.tables import judgement, view_version
from warehouse.stored_plans import NoStoredPlanError, plan_in_force
from warehouse.upgrade import upgrade

SHIPPED = Path(cypp_etl.__file__).parent / "plan" / "data"
_numbers = count()

READERS = [
    ("status", "2010-11Q1"),
    ("explain", "NI 111a", "2010-11Q1"),
    ("report", "2010-11Q1", "-o", "{out}"),
    ("clinics",),
    ("export", "-o", "{out}"),
    ("plan", "compare", str(SHIPPED)),
    ("plan", "history"),
    ("template", "yos", "2010-11Q1", "-o", "{out}"),
]


class Home:
    """A home with a warehouse that has a return, and with another plan."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        self.other = folder / "other plan"
        shutil.copytree(SHIPPED, self.other)
        figures = self.other / "figures.csv"
        changed = figures.read_text("utf-8").replace("target,NI 111a,2010-11,514", "target,NI 111a,2010-11,200")
        assert changed != figures.read_text("utf-8")
        figures.write_text(changed, "utf-8")

    @property
    def file(self) -> Path:
        return self.folder / "warehouse.db"

    def type(self, *arguments: object) -> tuple[int, str, str]:
        typed = [str(one).format(out=self.folder / "out" / str(next(_numbers))) for one in arguments]
        result = CliRunner().invoke(app, typed)
        return result.exit_code, result.stdout, result.stderr

    def state(self) -> object:
        """Everything that a command could change: a file's bytes and time, a database's schema and rows."""
        if self.url.startswith("sqlite"):
            return hashlib.sha256(self.file.read_bytes()).hexdigest(), self.file.stat().st_mtime_ns
        engine = open_for_reading(self.url)
        with reading(engine) as connection:
            schema = connection.execute(
                text(
                    "SELECT table_name, column_name, data_type FROM information_schema.columns "
                    "WHERE table_schema = 'public' ORDER BY 1, 2"
                )
            ).all()
            rows = [connection.execute(select(table)).all() for table in (plan, judgement, view_version)]
        engine.dispose()
        return schema, rows

    def plans(self) -> list[str]:
        engine = open_for_reading(self.url)
        with reading(engine) as connection:
            found = list(connection.scalars(text("SELECT fingerprint FROM plan ORDER BY plan_id")))
        engine.dispose()
        return found

    @contextmanager
    def written_to(self) -> Iterator[None]:
        """Another writer has its turn, and has written without committing."""
        engine = open_warehouse(self.url)
        try:
            with writing(engine) as connection:
                connection.exec_driver_sql("UPDATE judgement SET actual = 1")
                yield
                connection.rollback()
        finally:
            engine.dispose()


def _fill(url: str) -> None:
    engine = open_warehouse(url)
    upgrade(engine)
    figures = [observation("NI 111a", "60", "2009-10Q1"), observation("NI 111a", "90")]
    record(engine, checked("a", *figures), read_plan(), later(0))
    engine.dispose()


@pytest.fixture(scope="module")
def filled_database(postgres: str) -> str:
    """The name of a database with a return, to be copied."""
    administer(postgres, "CREATE DATABASE reading_filled")
    _fill(database_url(postgres, "reading_filled"))
    return "reading_filled"


@pytest.fixture(params=["sqlite", "postgresql"])
def home(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copied: Callable[[str], str]
) -> Home:
    for name in ("CYPP_INBOX", "CYPP_WAREHOUSE_URL", "CYPP_PLAN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CYPP_HOME", str(tmp_path))
    url = f"sqlite:///{tmp_path / 'warehouse.db'}"
    if request.param == "postgresql":
        url = copied(request.getfixturevalue("filled_database"))
        monkeypatch.setenv("CYPP_WAREHOUSE_URL", url)
    else:
        shutil.copy(request.getfixturevalue("declining_file"), tmp_path)
    return Home(tmp_path, url)


@pytest.fixture
def file_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home without a warehouse yet."""
    for name in ("CYPP_INBOX", "CYPP_WAREHOUSE_URL", "CYPP_PLAN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CYPP_HOME", str(tmp_path))
    return Home(tmp_path, f"sqlite:///{tmp_path / 'warehouse.db'}")


@pytest.mark.parametrize("command", READERS, ids=lambda command: command[0])
def test_a_reader_waits_for_no_writer_and_changes_nothing(home: Home, command: tuple[str, ...]) -> None:
    alone = home.type(*command)
    with home.written_to():
        before = home.state()
        beside = home.type(*command)
        assert home.state() == before
    assert (beside[0], beside[2]) == (alone[0], alone[2])
    assert alone[0] in (0, 1)
    assert beside[1].count("\n") == alone[1].count("\n") > 0


@pytest.mark.parametrize("command", READERS, ids=lambda command: command[0])
def test_another_plan_in_the_environment_is_said_in_a_line_and_not_put_in_force(
    home: Home, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, before = home.type(*command), home.state()
    monkeypatch.setenv("CYPP_PLAN", str(home.other))
    code, said, told = home.type(*command)
    assert (code, said.count("\n")) == (plain[0], plain[1].count("\n"))
    (line,) = told.splitlines()
    assert line.startswith(f"cypp: CYPP_PLAN names {home.other}, but another plan is in force")
    assert (home.state(), home.plans()) == (before, [read_plan().fingerprint])


@pytest.mark.parametrize("plan", ["{shipped}", "{other}", "{faulty}", "/nowhere", ""])
def test_only_another_plan_is_spoken_of(home: Home, plan: str, monkeypatch: pytest.MonkeyPatch) -> None:
    faulty = home.folder / "faulty"
    shutil.copytree(SHIPPED, faulty)
    (faulty / "indicators.csv").write_text("no plan")
    monkeypatch.setenv("CYPP_PLAN", plan.format(shipped=SHIPPED, other=home.other, faulty=faulty))
    code, _, told = home.type("clinics")
    assert (code, len(told.splitlines())) == (0, 0 if plan in ("{shipped}", "") else 1)


@pytest.mark.parametrize("command", READERS[:-1], ids=lambda command: command[0])
def test_a_warehouse_that_is_not_there_is_not_made(file_home: Home, command: tuple[str, ...]) -> None:
    code, said, told = file_home.type(*command)
    assert (code, said) == (2, "")
    (line,) = told.splitlines()
    assert line == f"cypp: {file_home.file}: there is no warehouse yet: run cypp upgrade, or ingest a return"
    assert not file_home.file.exists()


def test_a_template_needs_no_warehouse(file_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    assert file_home.type(*READERS[-1])[0] == 0
    monkeypatch.setenv("CYPP_PLAN", "/nowhere")
    assert file_home.type(*READERS[-1])[0] == 2
    assert not file_home.file.exists()


def _make_older(home: Home) -> None:
    """With other views, and as left by a program that did not store plans."""
    engine = open_warehouse(home.url)
    with writing(engine) as connection:
        connection.execute(text("DELETE FROM plan_file"))
        connection.execute(text("UPDATE view_version SET sha256 = 'old'"))
    engine.dispose()


def _alter(statement: str) -> Callable[[Home], None]:
    def alter(home: Home) -> None:
        engine = open_warehouse(home.url)
        with writing(engine) as connection:
            connection.execute(text(statement))
        engine.dispose()

    return alter


@pytest.mark.parametrize("command", READERS, ids=lambda command: command[0])
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_make_older, "The warehouse is older than this program: run cypp upgrade"),
        (
            _alter("UPDATE view_version SET sha256 = 'old'"),
            "The warehouse is older than this program: run cypp upgrade",
        ),
        (_alter("DELETE FROM rules_version"), "The warehouse is older than this program: run cypp upgrade"),
        (
            _alter("UPDATE rules_version SET version = 9999"),
            f"The warehouse is newer than this program (judged by version 9999 of the rules; the program knows "
            f"{RULES_VERSION}): install the newer version of the program",
        ),
        (
            _alter("UPDATE alembic_version SET version_num = '9999'"),
            f"The warehouse is newer than this program (revision 9999; the program knows {HEAD}): "
            "install the newer version of the program",
        ),
        (_alter("DELETE FROM plan_file"), "The files of the plan in force ("),
    ],
    ids=["older", "older tables", "older rules", "newer rules", "newer", "no files"],
)
def test_a_warehouse_that_cannot_be_read_as_it_is_is_named_in_a_line(
    home: Home, command: tuple[str, ...], make: Callable[[Home], None], said: str
) -> None:
    make(home)
    before = home.state()
    code, printed, told = home.type(*command)
    (line,) = told.splitlines()
    assert (code, printed, line.startswith(f"cypp: {said}")) == (2, "", True)
    assert home.state() == before


def test_an_upgrade_stores_the_plan_that_is_in_force(home: Home) -> None:
    _make_older(home)
    assert home.type("upgrade")[0] == 0
    assert home.type("clinics")[0] == 0
    assert home.plans() == [read_plan().fingerprint]


def test_a_plan_is_adopted_by_its_own_command_alone(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CYPP_PLAN", str(home.other))
    code, _, told = home.type("upgrade")
    assert (code, "another plan is in force" in told) == (0, True)
    assert home.plans() == [read_plan().fingerprint]
    _make_older(home)
    # Its files are not in the warehouse, so that no more can be said of it than that it is another.
    assert home.type("upgrade")[0] == 2
    code, said, _ = home.type("plan", "adopt", home.other, "--by", "A", "--why", "Agreed in July")
    assert (code, f"The plan in force is now {home.other}." in said) == (0, True)
    monkeypatch.delenv("CYPP_PLAN")
    # The plan in force is now the environment's, so no command prints the notice.
    assert "200" in home.type("explain", "NI 111a", "2010-11Q1")[1]
    assert home.type("clinics")[2] == ""
    assert home.plans() == [read_plan().fingerprint, read_plan(home.other).fingerprint]


def test_what_writes_upgrades_but_leaves_the_plan_in_force(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CYPP_PLAN", str(home.other))
    code, _, told = home.type("close", "2010-11Q1", "--by", "A")
    assert (code, "another plan is in force" in told) == (0, True)
    assert open_to_write(read_settings()).plan == read_plan()
    _make_older(home)
    code, _, told = home.type("close", "2010-11Q2", "--by", "A")
    assert (code, "The files of the plan in force" in told) == (2, True)
    monkeypatch.delenv("CYPP_PLAN")
    assert home.type("close", "2010-11Q2", "--by", "A")[0] == 0
    assert home.plans() == [read_plan().fingerprint]


# This program says that it declined.
_JUDGED_BEFORE = _alter("UPDATE judgement SET direction = 'improving' WHERE period = '2010-11Q1'")
_FORMER_RULES = _alter("DELETE FROM rules_version")


@pytest.mark.parametrize("command", [("upgrade",), ("close", "2010-11Q2", "--by", "A")], ids=lambda command: command[0])
def test_what_writes_judges_again_what_older_rules_judged(home: Home, command: tuple[str, ...]) -> None:
    _JUDGED_BEFORE(home)
    assert home.type(*command)[0] == 0
    assert "improving" in home.type("explain", "NI 111a", "2010-11Q1")[1], "its rules are those of the program"
    _FORMER_RULES(home)
    assert home.type(*command)[0] == 0
    said = home.type("explain", "NI 111a", "2010-11Q1")[1]
    assert ("declining" in said, "improving" in said) == (True, False)


def test_what_newer_rules_change_is_not_put_down_to_the_next_plan(home: Home) -> None:
    assert home.type("close", "2010-11Q1", "--by", "A")[0] == 0
    figures = home.other / "figures.csv"
    shipped = (SHIPPED / "figures.csv").read_text("utf-8")
    figures.write_text(shipped.replace("target,NI 111a,2010-11,514", "target,NI 111a,2010-11,513"), "utf-8")
    _JUDGED_BEFORE(home)
    _FORMER_RULES(home)
    # A symbol of the closed period turns, but not by the plan, which need not be told to change it.
    code, said, told = home.type("plan", "adopt", home.other, "--by", "A", "--why", "Agreed in July")
    assert (code, told, "No symbol changes." in said) == (0, "", True)
    assert "declining" in home.type("explain", "NI 111a", "2010-11Q1")[1]


def test_a_new_warehouse_begins_with_the_plan_of_the_environment(
    file_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CYPP_PLAN", "/nowhere")
    assert file_home.type("close", "2010-11Q1", "--by", "A")[0] == 2
    assert not file_home.file.exists()
    monkeypatch.setenv("CYPP_PLAN", str(file_home.other))
    workplace = open_to_write(read_settings())
    workplace.engine.dispose()
    monkeypatch.delenv("CYPP_PLAN")
    assert open_existing(read_settings()).plan == workplace.plan == read_plan(file_home.other)


def test_a_locked_warehouse_is_named_in_a_line(file_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    open_to_write(read_settings()).engine.dispose()
    monkeypatch.setattr("warehouse.engine.WAIT_SECONDS", 0.1)
    writer = sqlite3.connect(file_home.file, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    code, said, told = file_home.type("close", "2010-11Q1", "--by", "A")
    assert (code, said, told) == (2, "", f"cypp: {file_home.file}: database is locked\n")
    writer.close()


def test_a_reader_leaves_one_file_as_it_was(file_home: Home) -> None:
    open_to_write(read_settings()).engine.dispose()
    before = file_home.state()
    engine = open_for_reading(file_home.url)
    with reading(engine) as connection:
        assert connection.scalar(text("SELECT count(*) FROM plan")) == 1
    engine.dispose()
    assert [path.name for path in file_home.folder.glob("warehouse.db*")] == ["warehouse.db"]
    assert file_home.state() == before


@pytest.mark.parametrize("wrote", [False, True])
def test_a_reader_leaves_the_log_of_a_writer(file_home: Home, wrote: bool) -> None:
    open_to_write(read_settings()).engine.dispose()
    before = file_home.state()
    writer = sqlite3.connect(file_home.file, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    if wrote:
        writer.execute("DELETE FROM view_version")
        writer.execute("COMMIT")
    engine = open_for_reading(file_home.url)
    with reading(engine) as connection:
        assert connection.scalar(text("SELECT count(*) FROM view_version")) == int(not wrote)
    engine.dispose()
    assert (file_home.folder / "warehouse.db-wal").exists()
    assert file_home.state() == before
    if not wrote:
        writer.execute("ROLLBACK")
    writer.close()


@pytest.mark.parametrize("name", ["a b.db", "50% #1.db", "été.db"])
def test_a_file_of_any_name_is_read(tmp_path: Path, name: str) -> None:
    url = f"sqlite:///{tmp_path / name}"
    engine = open_warehouse(url)
    upgrade(engine)
    engine.dispose()
    engine = open_for_reading(url)
    with reading(engine) as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == HEAD
    engine.dispose()


def test_what_is_open_for_reading_cannot_be_written_to(home: Home) -> None:
    from sqlalchemy.exc import DBAPIError

    engine = open_for_reading(home.url)
    with pytest.raises(DBAPIError, match=r"readonly|read-only"), engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM plan_file")
    engine.dispose()


def test_the_plan_comes_back_as_it_was(home: Home) -> None:
    engine = open_warehouse(home.url)
    with writing(engine) as connection:
        other = read_plan(home.other)
        assert plan_in_force(connection) == read_plan()
        record_plan(connection, other, later(1))
        assert plan_in_force(connection) == other == plan_of(other.files)
        connection.execute(text("DELETE FROM plan_file"))
        with pytest.raises(NoStoredPlanError, match=other.fingerprint[:12]):
            plan_in_force(connection)
    engine.dispose()
