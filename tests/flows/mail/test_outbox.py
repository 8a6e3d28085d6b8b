"""What waits to be sent survives kills, and is queued once for each drop."""

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from flows.mail.outbox import Letter, Outbox
from flows.storage.files import UNFINISHED


def letter(delivery: str = "a" * 64, queued_at: float = 100.0) -> Letter:
    return Letter(
        delivery=delivery,
        partner_code="yos",
        period="2010-11Q1",
        file="inbox/yos/ours.xlsx",
        address="yos@example.org",
        subject="Youth Offending Service, 2010/11 Q1: accepted",
        text="ACCEPTED: your figures were loaded.",
        receipt="inbox/yos/replies/ours - accepted.xlsx",
        sha256="b" * 64,
        may_be_attached=True,
        queued_at=queued_at,
    )


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    outbox = Outbox(tmp_path / ".outbox")
    outbox.open()
    return outbox


def test_the_oldest_letter_comes_first_and_one_that_failed_waits(outbox: Outbox) -> None:
    outbox.add(letter("a" * 64, 200.0))
    outbox.add(letter("b" * 64, 100.0))
    assert [one.delivery[0] for one in outbox.due(300.0)] == ["b", "a"]
    outbox.postpone(letter("b" * 64, 100.0), 360.0)
    assert [one.delivery[0] for one in outbox.due(359.0)] == ["a"]
    assert [(one.delivery[0], one.attempts) for one in outbox.due(360.0)] == [("b", 1), ("a", 0)]


def test_a_drop_that_is_answered_again_is_queued_once(outbox: Outbox) -> None:
    """The process that answered it was killed before it took the workbook away."""
    outbox.add(letter())
    outbox.postpone(letter(), 360.0)
    outbox.add(letter())
    assert [one.attempts for one in outbox.due(360.0)] == [1]
    outbox.end(letter())
    outbox.add(letter())
    assert list(outbox.due(360.0)) == []


def test_a_letter_that_was_done_with_when_its_process_was_killed_is_not_sent_again(
    outbox: Outbox, tmp_path: Path
) -> None:
    outbox.add(letter())
    (tmp_path / ".outbox" / "done" / letter().delivery).touch()
    assert list(outbox.due(360.0)) == []
    assert not list((tmp_path / ".outbox").glob("*.json"))


def test_what_waits_is_for_the_owner_alone(outbox: Outbox, tmp_path: Path) -> None:
    outbox.add(letter())
    paths = [tmp_path / ".outbox", *(tmp_path / ".outbox").rglob("*")]
    assert {path.stat().st_mode & 0o077 for path in paths} == {0}


def test_opening_removes_what_was_left_unfinished_or_done_long_ago(outbox: Outbox, tmp_path: Path) -> None:
    folder = tmp_path / ".outbox"
    for days, name in ((1, f"{UNFINISHED}old"), (91, f"done/{'c' * 64}"), (89, f"done/{'d' * 64}")):
        (folder / name).touch()
        os.utime(folder / name, (0, time.time() - days * 86_400))
    (folder / f"{UNFINISHED}new").touch()
    outbox.open()
    assert sorted(path.name[:14] for path in folder.rglob("*") if path.is_file()) == [f"{UNFINISHED}new"[:14], "d" * 14]


def test_a_closed_outbox_holds_nothing(outbox: Outbox, tmp_path: Path) -> None:
    outbox.add(letter())
    assert outbox.is_open
    outbox.close()
    assert not outbox.is_open
    assert not (tmp_path / ".outbox").exists()
    outbox.close()


def test_a_letter_that_this_version_cannot_read_is_removed(outbox: Outbox, tmp_path: Path) -> None:
    (tmp_path / ".outbox" / "odd.json").write_text('{"delivery": "a", "another": 1}', "utf-8")
    outbox.add(replace(letter(), period=""))
    assert [one.period for one in outbox.due(360.0)] == [""]
    assert not (tmp_path / ".outbox" / "odd.json").exists()
