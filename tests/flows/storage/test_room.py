"""A disk without room is known by the number of the fault, or by trying; commands say so in one line, and where."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from cypp_etl.periods import parse_period
from flows.fault_line import fault_line
from flows.settings import Settings
from flows.storage.room import full_place, has_room, is_full
from tests.support.samples import sample_of

FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("fault", "is_so"),
    [
        (FULL, True),
        (OSError(errno.EDQUOT, "disk quota exceeded"), True),
        (OSError(errno.EACCES, "permission denied"), False),
        (ValueError("full"), False),
    ],
)
def test_a_full_disk_is_told_by_its_number(fault: Exception, is_so: bool) -> None:
    assert is_full(fault) is is_so


def test_a_database_without_room_is_a_full_disk(settings: Settings, tmp_path: Path) -> None:
    with create_engine(f"sqlite:///{tmp_path / 'small.db'}").connect() as connection:
        connection.execute(text("CREATE TABLE t (x)"))
        connection.execute(text("PRAGMA max_page_count = 2"))
        with pytest.raises(SQLAlchemyError) as full:
            connection.execute(text("INSERT INTO t VALUES (zeroblob(100000))"))
        assert is_full(full.value)
        said = f"{settings.home}/warehouse.db: no room is left on its disk: make some, and try again"
        assert fault_line(full.value, settings) == said
        with pytest.raises(SQLAlchemyError) as other:
            connection.execute(text("INSERT INTO nowhere VALUES (1)"))
        assert not is_full(other.value)
        assert fault_line(other.value, settings) == f"{settings.home}/warehouse.db: no such table: nowhere"


def test_the_place_is_the_file_or_the_folder_without_room(tmp_path: Path) -> None:
    folders = tmp_path / "archive", tmp_path
    assert (
        full_place(OSError(errno.ENOSPC, "No space left", "/disk/a file"), "the warehouse", folders) == "/disk/a file"
    )
    # Meanwhile somebody has made room.
    assert full_place(FULL, "the warehouse", folders) == str(tmp_path)
    assert not full_place(OSError(errno.EACCES, "permission denied"), "the warehouse", folders)
    assert not full_place(ValueError("full"), "the warehouse", folders)


def test_a_folder_that_is_not_there_yet_has_the_room_of_its_parent(tmp_path: Path) -> None:
    assert has_room(tmp_path / "not" / "yet")
    assert not [*tmp_path.iterdir()]


def _on_a_small_disk(home: Path, kib: int, script: str) -> "subprocess.CompletedProcess[str]":
    """Run a script of the shell in whose own view a home lies on a disk of so many KiB, which holds what it held."""
    mount = f'mount -t tmpfs -o size={kib}k small "$CYPP_HOME"'
    lines = f'cp -r "$CYPP_HOME" "$KEPT" && {mount} && cp -r "$KEPT"/. "$CYPP_HOME"; {script}'
    others = {name: value for name, value in os.environ.items() if not name.startswith(("CYPP_", "PREFECT_"))}
    own = {"CYPP_HOME": str(home), "KEPT": f"{home} kept"}
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", lines]
    return subprocess.run(command, env=others | own, capture_output=True, text=True, check=False)


@pytest.fixture
def home(tmp_path: Path, begun_file: Path) -> Path:
    """A home with a return in its inbox, on a machine on which it can be put on a small disk."""
    tried = ["unshare", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "small", str(tmp_path)]
    if not shutil.which("unshare") or subprocess.run(tried, capture_output=True, check=False).returncode:
        pytest.skip("nobody but root can mount a disk here")
    home = tmp_path / "home"
    (home / "inbox" / "yos").mkdir(parents=True)
    shutil.copy(begun_file, home / "warehouse.db")
    (home / "inbox" / "yos" / "ours.xlsx").write_bytes(sample_of("yos", parse_period("2010-11Q1")))
    return home


def test_a_command_says_where_there_is_no_room(home: Path) -> None:
    cypp = f"{sys.executable} -c 'from flows.cli.app import app; app()'"
    full = f'head -c 9M /dev/zero > "$CYPP_HOME/fill"; {cypp} ingest; {cypp} status'
    said = _on_a_small_disk(home, 4_096, full).stderr.splitlines()
    line = f"cypp: {home}/warehouse.db: no room is left on its disk: make some, and try again"
    assert [each for each in said if each.startswith("cypp: ")] == [line, line]
    assert not any("Traceback" in each for each in said)


def test_an_export_says_that_its_folder_has_no_room(home: Path) -> None:
    cypp = f"{sys.executable} -c 'from flows.cli.app import app; app()'"
    nearly = 'head -c 9M /dev/zero > "$CYPP_HOME/fill"; truncate -s -300K "$CYPP_HOME/fill"'
    ended = _on_a_small_disk(home, 4_096, f'{nearly}; {cypp} export -o "$CYPP_HOME/out"; ls -A "$CYPP_HOME/out"')
    said = f"cypp: {home}/out: no room is left on its disk: make some, and try again"
    assert said in ended.stderr.splitlines()
    assert ended.stdout == ""


def test_a_server_that_would_have_no_room_is_not_started(home: Path) -> None:
    cypp = f"{sys.executable} -c 'from flows.cli.app import app; app()'"
    ended = _on_a_small_disk(home, 4_096, f"{cypp} ingest")
    assert ended.stderr == (
        f"cypp: {home}/.prefect: Prefect's server needs 4 MiB, and no room is left on this disk: make some, "
        "and try again\n"
    )
    assert (ended.returncode, ended.stdout) == (2, "")
