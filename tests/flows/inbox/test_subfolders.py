"""Workbooks in folders that partners made in theirs are taken; what is ours or the system's is not looked at."""

import os
import tempfile
import time
from pathlib import Path

import pytest

from flows.inbox import subfolders
from flows.inbox.moves import finish_taking
from flows.inbox.partner_folder import ASIDE
from flows.inbox.sweep import make_folders, sweep
from tests.flows.inbox.test_settling import zipped

WORKBOOK = zipped()


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    make_folders(tmp_path / "inbox", ["yos", "police"])
    return tmp_path / "inbox"


def put(path: Path, content: bytes = WORKBOOK, age: float = 60.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (time.time() - age,) * 2)
    return path


def found(inbox: Path, later: float = 60.0) -> list[tuple[str, str]]:
    """What a sweep finds so many seconds later."""
    return [
        (str(one.path.relative_to(inbox)), one.reason) for one in sweep(inbox, ["yos", "police"], time.time() + later)
    ]


@pytest.mark.parametrize("below", ["2010-11", "Q1 returns/final", "a/b/c/d/e", "Ünï", "nobody"])
def test_a_workbook_in_a_folder_is_taken_from_the_partners_own(inbox: Path, below: str) -> None:
    put(inbox / "yos" / below / "return.xlsx")
    assert found(inbox) == [("yos/return.xlsx", "")]
    assert (inbox / "yos" / "return.xlsx").read_bytes() == WORKBOOK
    assert list((inbox / "yos" / below).iterdir()) == []
    assert not (inbox / "yos" / ASIDE).exists()
    assert found(inbox) == [("yos/return.xlsx", "")]


def test_older_ones_come_first_wherever_they_lay(inbox: Path) -> None:
    for age, name in ((10, "c.xlsx"), (30, "Q1/a.XLSX"), (20, "Q1/Q2/b.ods")):
        put(inbox / "yos" / name, age=age)
    assert found(inbox) == [("yos/a.XLSX", ""), ("yos/b.ods", ""), ("yos/c.xlsx", "")]


def test_nothing_takes_the_place_of_what_lies_there(inbox: Path) -> None:
    put(inbox / "yos" / "return.xlsx", b"first", age=90)
    put(inbox / "yos" / "a" / "return.xlsx", age=80)
    put(inbox / "yos" / "b" / "return.xlsx", age=70)
    assert [name for name, _ in found(inbox)] == ["yos/return.xlsx", "yos/2 return.xlsx", "yos/3 return.xlsx"]
    assert (inbox / "yos" / "return.xlsx").read_bytes() == b"first"


@pytest.mark.parametrize(
    "name",
    [
        *(
            "replies/a.xlsx",
            "Replies/a.xlsx",
            "Q1/replies/a.xlsx",
            "forms/a.xlsx",
            ".taken.old/a.xlsx",
            "#recycle/a.xlsx",
        ),
        *("$RECYCLE.BIN/a.xlsx", "@eaDir/a.xlsx", "~snapshot/a.xlsx", "lost+found/a.xlsx", "Q1/~$a.xlsx", "Q1/.a.xlsx"),
    ],
)
def test_what_is_ours_or_the_systems_is_not_looked_at(inbox: Path, name: str) -> None:
    path = put(inbox / "yos" / name)
    assert found(inbox) == []
    assert path.read_bytes() == WORKBOOK


def test_what_is_no_workbook_stays_and_is_said(inbox: Path) -> None:
    put(inbox / "yos" / "Q1" / "minutes.docx")
    put(inbox / "yos" / "1" / "2" / "3" / "4" / "5" / "6" / "a.xlsx")
    os.mkfifo(inbox / "yos" / "Q1" / "pipe.xlsx")
    (inbox / "yos" / "Q1" / "link.xlsx").symlink_to(put(inbox / "police" / "own.xlsx"))
    (inbox / "yos" / "Q1" / "police").symlink_to(inbox / "police")
    (inbox / "yos" / "Q1" / "empty").mkdir()
    assert dict(found(inbox)) == {
        "police/own.xlsx": "",
        "yos/1/2/3/4/5/6": "it is more than 5 folders deep",
        "yos/Q1/link.xlsx": "it is a link",
        "yos/Q1/minutes.docx": "it is no workbook, and lies in a folder of the partner's own",
        "yos/Q1/pipe.xlsx": "it is no ordinary file",
        "yos/Q1/police": "it is a link",
    }


@pytest.mark.parametrize(
    ("content", "later", "is_taken"),
    [
        (WORKBOOK, 0.0, True),
        (WORKBOOK[:-5], 29.0, False),
        (WORKBOOK[:-5], 31.0, True),
        (b"\xd0\xcf\x11\xe0", 1.5, False),
        (b"\xd0\xcf\x11\xe0", 2.5, True),
    ],
)
def test_what_may_still_be_being_written_waits(inbox: Path, content: bytes, later: float, is_taken: bool) -> None:
    put(inbox / "yos" / "Q1" / "return.xls", content)
    expected = ("yos/return.xls", "") if is_taken else ("yos/Q1/return.xls", "it may still be being written")
    assert found(inbox, later) == [expected]


def test_a_folder_that_becomes_a_link_lends_nobody_anothers_files(inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look at a folder and its opening, and again before a file in it is moved."""
    secret = put(inbox / "police" / "Q1" / "secret.xlsx")
    (inbox / "yos" / "Q1").mkdir()
    put(inbox / "yos" / "Q1" / "own.xlsx")
    is_directory = subfolders.S_ISDIR

    def swap(mode: int) -> bool:
        if not (inbox / "yos" / "away").exists():
            (inbox / "yos" / "Q1").rename(inbox / "yos" / "away")
            (inbox / "yos" / "Q1").symlink_to(inbox / "police" / "Q1")
        return is_directory(mode)

    monkeypatch.setattr(subfolders, "S_ISDIR", swap)
    assert dict(subfolders.bring_up(inbox / "yos", time.time() + 60)).keys() == {inbox / "yos" / "Q1"}
    assert secret.exists()


@pytest.mark.parametrize("name", ["yos/Q1", "yos/Q1/Q2"])
@pytest.mark.parametrize("mode", [0, 0o444, 0o555])
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_folder_that_is_closed_to_us_stops_no_other_file(name: str, mode: int) -> None:
    # The folders above tmp_path are root's alone.
    with tempfile.TemporaryDirectory() as folder:
        inbox = Path(folder)
        make_folders(inbox, ["yos"])
        put(inbox / "yos" / "Q1" / "Q2" / "a.xlsx")
        put(inbox / "yos" / "b.xlsx")
        put(inbox / "yos" / "Q3" / "c.xlsx")
        for path in (inbox, inbox / "yos", inbox / "yos" / "Q3"):
            path.chmod(0o777)
        for path in (inbox / "yos" / "Q1", inbox / "yos" / "Q1" / "Q2"):
            path.chmod(0o755)
        (inbox / name).chmod(mode)
        os.seteuid(65534)
        try:
            lying = dict(found(inbox))
        finally:
            os.seteuid(0)
        assert lying.pop("yos/b.xlsx") == lying.pop("yos/c.xlsx") == ""
        (reason,) = lying.values()
        assert "Permission denied" in reason


@pytest.mark.parametrize("is_linked", [False, True])
def test_what_was_begun_is_finished(inbox: Path, is_linked: bool) -> None:
    """A process was killed after it moved a workbook aside, or after it gave it its new name."""
    holder = inbox / "yos" / ASIDE / "below.killed"
    moved = put(holder / "return.xlsx")
    if is_linked:
        (inbox / "yos" / "return.xlsx").hardlink_to(moved)
    finish_taking(inbox / "yos")
    assert found(inbox) == [("yos/return.xlsx", "")]
    assert not (inbox / "yos" / ASIDE).exists()


def test_without_links_it_is_moved_all_the_same(inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> None:
        raise PermissionError("no links on this share")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    put(inbox / "yos" / "return.xlsx", b"first", age=90)
    put(inbox / "yos" / "Q1" / "return.xlsx")
    assert [name for name, _ in found(inbox)] == ["yos/return.xlsx", "yos/2 return.xlsx"]
