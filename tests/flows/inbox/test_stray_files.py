"""What lies in nobody's folder has a note beside it, once, for as long as it lies there."""

import os
import time
from pathlib import Path

import pytest

from flows.inbox.stray_files import answer_strays, is_note
from flows.inbox.sweep import make_folders, sweep

PARTNERS = ["police", "yos"]
NOTE = "return.xlsx - not taken.txt"


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    make_folders(tmp_path / "inbox", PARTNERS)
    (tmp_path / "inbox" / "README.md").write_text("The inbox")
    return tmp_path / "inbox"


def look(inbox: Path, later: float = 60.0) -> list[str]:
    """Look at the inbox so many seconds later: what is said to lie in nobody's folder."""
    now = time.time() + later
    strays = [waiting.path for waiting in sweep(inbox, PARTNERS, now) if waiting.is_stray]
    answer_strays(inbox, strays, PARTNERS, now)
    return [path.name for path in strays]


def notes(inbox: Path) -> list[str]:
    return sorted(path.name for path in inbox.iterdir() if is_note(path.name))


def test_a_note_says_what_to_do_and_is_no_stray_itself(inbox: Path) -> None:
    (inbox / "return.xlsx").write_bytes(b"x")
    assert look(inbox) == look(inbox) == ["return.xlsx"]
    assert notes(inbox) == [NOTE]
    text = (inbox / NOTE).read_text("utf-8")
    assert "Move it into your own folder" in text
    assert "The folders are: police, yos." in text
    assert (inbox / NOTE).stat().st_mode & 0o777 == 0o644


def test_a_note_is_written_once(inbox: Path) -> None:
    (inbox / "return.xlsx").write_bytes(b"x")
    look(inbox)
    before = (inbox / NOTE).stat()
    look(inbox)
    assert (inbox / NOTE).stat() == before


def test_a_note_goes_with_what_it_speaks_of(inbox: Path) -> None:
    (inbox / "return.xlsx").write_bytes(b"x")
    (inbox / "other.xlsx").write_bytes(b"x")
    look(inbox)
    (inbox / "return.xlsx").rename(inbox / "yos" / "return.xlsx")
    look(inbox)
    assert notes(inbox) == ["other.xlsx - not taken.txt"]


def test_a_note_that_somebody_changed_stays(inbox: Path) -> None:
    (inbox / "return.xlsx").write_bytes(b"x")
    look(inbox)
    with (inbox / NOTE).open("a") as note:
        note.write("Whose is it? Ask on Monday.")
    (inbox / "return.xlsx").unlink()
    look(inbox)
    assert notes(inbox) == [NOTE]


def test_a_file_with_the_name_of_a_note_is_not_written_over(inbox: Path, tmp_path: Path) -> None:
    (inbox / "return.xlsx").write_bytes(b"x")
    (inbox / NOTE).write_text("mine")
    (inbox / "linked.xlsx").write_bytes(b"x")
    (inbox / "linked.xlsx - not taken.txt").symlink_to(tmp_path / "elsewhere")
    (inbox / "a folder - not taken.txt").mkdir()
    look(inbox)
    assert (inbox / NOTE).read_text() == "mine"
    assert not (tmp_path / "elsewhere").exists()
    (inbox / "linked.xlsx").unlink()
    look(inbox)
    assert len(notes(inbox)) == 3


@pytest.mark.parametrize(("seconds", "answered"), [(0.0, False), (1.5, False), (2.5, True), (-60.0, True)])
def test_what_has_just_come_may_be_moved_in_time(inbox: Path, seconds: float, answered: bool) -> None:
    (inbox / "return.xlsx").write_bytes(b"x")
    came = (inbox / "return.xlsx").stat().st_ctime
    answer_strays(inbox, [inbox / "return.xlsx"], PARTNERS, came + seconds)
    assert bool(notes(inbox)) == answered


@pytest.mark.parametrize("name", [b"a folder", b"caf\xe9.xlsx", b"x" * 255, "é".encode() * 127, b"a\nb.xlsx"])
def test_whatever_it_is_and_is_called_it_is_answered(inbox: Path, name: bytes) -> None:
    path = inbox / os.fsdecode(name)
    path.mkdir() if name == b"a folder" else path.write_bytes(b"x")
    assert len(look(inbox)) == len(notes(inbox)) == 1
    assert look(inbox) == [path.name]


@pytest.mark.parametrize("name", ["README.md", ".DS_Store", "~$return.xlsx", "yos/return.xlsx"])
def test_what_belongs_there_has_no_note(inbox: Path, name: str) -> None:
    (inbox / name).write_bytes(b"x")
    assert look(inbox) == notes(inbox) == []


def test_a_note_that_a_killed_process_left_empty_goes_too(inbox: Path) -> None:
    (inbox / NOTE).touch()
    look(inbox)
    assert notes(inbox) == []
