"""A workbook whose process was killed is tried once more, then set aside: archived, with a receipt, and not opened."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cypp_etl.periods import parse_period
from flows.ingestion.context import open_to_write
from flows.ingestion.in_hand import InHand, note_of
from flows.ingestion.job import Steps
from flows.settings import Settings
from schemas.codes import SubmissionStatus
from tests.support.samples import sample_of

AT = datetime(2010, 7, 12, 9, tzinfo=UTC)
# A process that is killed while it processes a workbook, as by the system when memory runs out.
KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from flows.settings import read_settings
from flows.ingestion.job import Steps
from flows.ingestion.context import Workplace, open_to_write

def check(*_):
    os.kill(os.getpid(), signal.SIGKILL)

Workplace.check = check
Steps(open_to_write(read_settings()), Path(sys.argv[1]), "yos", datetime(2010, 7, 12, 9, tzinfo=UTC)).reply()
"""


@pytest.fixture
def drop(settings: Settings) -> Path:
    folder = settings.inbox / "yos"
    folder.mkdir(parents=True)
    path = folder / "our return.xlsx"
    path.write_bytes(sample_of("yos", parse_period("2010-11Q1")))
    return path


def kill_with(drop: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", KILLED, str(drop)], env=os.environ, check=False)
    assert ended.returncode == -9


def test_once_killed_it_is_tried_again(settings: Settings, drop: Path) -> None:
    kill_with(drop)
    assert list(settings.in_hand.iterdir())
    steps = Steps(open_to_write(settings), drop, "yos", AT)
    assert steps.reply() is not None
    assert steps.load().status is SubmissionStatus.ACCEPTED
    assert not list(settings.in_hand.iterdir())


def test_twice_killed_it_is_set_aside(settings: Settings, drop: Path) -> None:
    data = drop.read_bytes()
    kill_with(drop)
    kill_with(drop)
    steps = Steps(open_to_write(settings), drop, "yos", AT)
    answered = steps.reply()
    assert answered is not None
    assert answered.receipt.name == "our return.xlsx - rejected.html"
    assert "stopped twice" in answered.receipt.read_text("utf-8")
    assert [finding.code for finding in steps.check().findings] == ["workbook-set-aside"]
    steps.take_away()
    assert not drop.exists()
    assert data in [path.read_bytes() for path in settings.archive.rglob("*") if path.is_file()], "it is kept"
    assert not list(settings.in_hand.iterdir())


def test_another_in_its_place_is_checked(settings: Settings, drop: Path) -> None:
    kill_with(drop)
    kill_with(drop)
    other = drop.with_suffix(".new")
    other.write_bytes(drop.read_bytes())
    other.replace(drop)
    steps = Steps(open_to_write(settings), drop, "yos", AT)
    assert steps.load().status is SubmissionStatus.ACCEPTED
    InHand(settings.in_hand).forget_gone()


def test_what_is_raised_killed_nobody(settings: Settings, drop: Path) -> None:
    notes = InHand(settings.in_hand)
    for _ in range(3):
        with pytest.raises(OSError, match="disk full"), notes.holding(note_of(drop), drop) as deaths:
            raise OSError("disk full")
        assert deaths == 0


def test_who_comes_second_waits_for_nobody_and_counts_nothing(settings: Settings, drop: Path) -> None:
    notes = InHand(settings.in_hand)
    with notes.holding(note_of(drop), drop), notes.holding(note_of(drop), drop) as deaths:
        assert deaths == 0
    assert not list(settings.in_hand.iterdir())


def test_a_workbook_that_leaves_once_it_is_kept_is_answered(settings: Settings, drop: Path) -> None:
    steps = Steps(open_to_write(settings), drop, "yos", AT)
    steps.check()
    drop.unlink()
    assert steps.reply() is not None


def test_notes_of_what_has_left_go(settings: Settings, drop: Path) -> None:
    kill_with(drop)
    drop.unlink()
    InHand(settings.in_hand).forget_gone()
    assert not list(settings.in_hand.iterdir())
