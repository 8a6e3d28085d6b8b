"""The contents of the inbox: a folder is a partner's identity, and files that cannot be ingested are reported."""

import os
import time
from pathlib import Path

import pytest

from flows.inbox.sweep import make_folders, partner_of, sweep

PARTNERS = ("yos", "police")


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    make_folders(tmp_path / "inbox", PARTNERS)
    return tmp_path / "inbox"


def found(inbox: Path, settle_seconds: float = 0.0, now: float | None = None) -> list[tuple[str, str]]:
    waiting = sweep(inbox, PARTNERS, time.time() + 1 if now is None else now, settle_seconds)
    return [(str(one.path.relative_to(inbox)), one.reason) for one in waiting]


def test_a_listing_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(sweep(tmp_path / "inbox", PARTNERS, time.time()))
    (tmp_path / "inbox").mkdir()
    assert list(sweep(tmp_path / "inbox", PARTNERS, time.time())) == []
    assert list((tmp_path / "inbox").iterdir()) == []


def test_folders_are_made_and_files_come_oldest_first(inbox: Path) -> None:
    assert sorted(path.name for path in inbox.iterdir()) == ["police", "yos"]
    for age, name in ((10, "b.xlsx"), (20, "c.xlsx"), (5, "a.xlsx")):
        (inbox / "yos" / name).write_bytes(b"x")
        os.utime(inbox / "yos" / name, (time.time() - age,) * 2)
    assert found(inbox) == [("yos/c.xlsx", ""), ("yos/b.xlsx", ""), ("yos/a.xlsx", "")]


@pytest.mark.parametrize("name", ["~$return.xlsx", ".DS_Store", ".return.xlsx.part"])
def test_locks_and_hidden_files_are_passed_over(inbox: Path, name: str) -> None:
    (inbox / "yos" / name).write_bytes(b"x")
    assert found(inbox) == []


@pytest.mark.parametrize("name", ["a b.xlsx", 'it\'s "quoted".xlsx', "a..b...xlsx", "été 📈.xlsx", "x" * 250 + ".xlsx"])
def test_odd_names_are_names(inbox: Path, name: str) -> None:
    (inbox / "yos" / name).write_bytes(b"x")
    assert found(inbox) == [(f"yos/{name}", "")]


def test_what_cannot_be_taken_is_left_and_said(inbox: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.xlsx").write_bytes(b"x")
    (inbox / "yos" / "link.xlsx").symlink_to(tmp_path / "secret.xlsx")
    (inbox / "yos" / "folder").mkdir()
    os.mkfifo(inbox / "yos" / "pipe.xlsx")
    (inbox / "loose.xlsx").write_bytes(b"x")
    (inbox / "nobody").mkdir()
    reasons = dict(found(inbox))
    assert reasons == {
        "loose.xlsx": "it is not in a partner's folder",
        "nobody": "it is not in a partner's folder",
        "yos/link.xlsx": "it is a link",
        "yos/pipe.xlsx": "it is no ordinary file",
    }


def test_a_linked_folder_is_no_partners_folder(inbox: Path) -> None:
    (inbox / "yos").rmdir()
    (inbox / "yos").symlink_to(inbox / "police")
    (inbox / "police" / "a.xlsx").write_bytes(b"x")
    assert found(inbox) == [("police/a.xlsx", ""), ("yos", "it is not in a partner's folder")]


def test_a_file_that_is_being_written_waits(inbox: Path) -> None:
    path = inbox / "yos" / "a.xlsx"
    path.write_bytes(b"x")
    modified = path.stat().st_mtime
    assert found(inbox, settle_seconds=2, now=modified + 1.9) == [("yos/a.xlsx", "it may still be being written")]
    assert found(inbox, settle_seconds=2, now=modified + 2.1) == [("yos/a.xlsx", "")]


def test_the_folder_says_who_the_partner_is(inbox: Path, tmp_path: Path) -> None:
    assert partner_of(inbox / "yos" / "a.xlsx", inbox, PARTNERS) == "yos"
    assert partner_of(inbox / "nobody" / "a.xlsx", inbox, PARTNERS) == ""
    assert partner_of(tmp_path / "a.xlsx", inbox, PARTNERS) == ""
