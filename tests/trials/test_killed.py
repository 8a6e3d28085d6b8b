"""Exactly once: after any kill or full disk, the next sweep gives the same result as an undisturbed run."""

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.trials.homes import Home, Outcome, Site, assert_same, drop, hashes, make_drops, outcome_of
from tests.trials.nursery import Nursery

pytestmark = pytest.mark.trial

KILLED = -9
DROPS = make_drops()
# A return that is rejected, and its receipt as the partner mended it.
REJECTED, MENDED = "yos/ours.xlsx", "yos/replies/ours - rejected.xlsx"
CHANGED = {REJECTED: DROPS["yos/2 faulty.xlsx"], MENDED: DROPS["yos/1 good.xlsx"]}


@dataclass(frozen=True)
class Undisturbed(Outcome):
    """The result of an undisturbed sweep, and the first occurrence of each line of its steps."""

    lines: list[int]


@pytest.fixture(scope="module")
def undisturbed(site: Site, nursery: Nursery) -> Undisturbed:
    with site.home(DROPS) as home:
        assert nursery.run("sweep_and_die", home.environment, 0, str(home.folder / "lines")) == 0
        outcome = outcome_of(home, DROPS)
        return Undisturbed(outcome.rows, outcome.replies, json.loads((home.folder / "lines").read_text()))


def assert_whole(home: Home, nursery: Nursery, undisturbed: Outcome) -> None:
    """No byte is lost, and the next sweep ends like an undisturbed one."""
    assert hashes(DROPS) <= home.bytes_there(), "a byte was lost"
    assert nursery.run("sweep_once", home.environment) == 0
    assert_same(home, DROPS, undisturbed)


def kill_at_each(lines: list[int], site: Site, nursery: Nursery, undisturbed: Undisturbed) -> None:
    for line in lines:
        with site.home(DROPS) as home:
            assert nursery.run("sweep_and_die", home.environment, line) == KILLED
            assert_whole(home, nursery, undisturbed)


def test_killed_at_some_lines(site: Site, nursery: Nursery, undisturbed: Undisturbed) -> None:
    kill_at_each(random.Random(20101120).sample(undisturbed.lines, 12), site, nursery, undisturbed)


@pytest.mark.slow
def test_killed_before_every_line(site: Site, nursery: Nursery, undisturbed: Undisturbed) -> None:
    """Kill -9 before each line of archiving, recording, sending the receipt and removing, at its first occurrence."""
    kill_at_each(undisturbed.lines, site, nursery, undisturbed)
    print(f"{len(undisturbed.lines)} kills")


@pytest.mark.slow
def test_killed_again_and_again(site: Site, nursery: Nursery, undisturbed: Undisturbed) -> None:
    chance = random.Random(20110401)
    kills = 0
    while kills < 200:
        with site.home(DROPS) as home:
            while nursery.run("sweep_and_die", home.environment, chance.randrange(50, 1500)) == KILLED:
                kills += 1
            assert_whole(home, nursery, undisturbed)
    print(f"{kills} kills")


@contextmanager
def home_with_a_mended_receipt(site: Site, nursery: Nursery) -> Iterator[Home]:
    with site.home({REJECTED: CHANGED[REJECTED]}) as home:
        assert nursery.run("sweep_once", home.environment) == 0
        assert home.replies() == ["ours - rejected.xlsx"]
        drop(home.folder / "inbox" / MENDED, CHANGED[MENDED], 1_280_000_001)
        yield home


@pytest.mark.parametrize("kills", [12, pytest.param(1000, marks=pytest.mark.slow)])
def test_killed_with_a_mended_receipt(site: Site, nursery: Nursery, kills: int) -> None:
    """Wherever it is killed on its way from the replies into the inbox and back, it is taken once."""
    with home_with_a_mended_receipt(site, nursery) as home:
        assert nursery.run("sweep_and_die", home.environment, 0, str(home.folder / "lines")) == 0
        lines = json.loads((home.folder / "lines").read_text())
        undisturbed = outcome_of(home, CHANGED)
        assert undisturbed.replies == ["ours - accepted.xlsx"]
    # Most of what is particular to it comes first.
    early = [line for line in lines if line < 200]
    for line in early[:: max(1, len(early) // kills)] if kills < len(lines) else lines:
        with home_with_a_mended_receipt(site, nursery) as home:
            assert nursery.run("sweep_and_die", home.environment, line) == KILLED
            assert hashes(CHANGED) <= home.bytes_there(), "a byte was lost"
            assert nursery.run("sweep_once", home.environment) == 0
            assert_same(home, CHANGED, undisturbed)
            assert nursery.run("sweep_once", home.environment) == 0
            assert_same(home, CHANGED, undisturbed)


@pytest.mark.parametrize("kills", [12, pytest.param(1000, marks=pytest.mark.slow)])
def test_killed_with_a_workbook_in_a_folder_of_the_partners_own(site: Site, nursery: Nursery, kills: int) -> None:
    """Wherever it is killed on its way up, it is taken once."""
    drops = {"yos/Q1/final/ours.xlsx": DROPS["yos/1 good.xlsx"]}
    with site.home(drops) as home:
        assert nursery.run("sweep_and_die", home.environment, 0, str(home.folder / "lines")) == 0
        places = json.loads((home.folder / "lines by place").read_text())
        undisturbed = outcome_of(home, drops)
        assert undisturbed.replies == ["ours - accepted.xlsx"]
    # From the moment at which it is seen until its bytes are kept.
    seen, kept = (min(line for place, line in places.items() if name in place) for name in ("subfolders", "archive.py"))
    moving = [line for place, line in places.items() if "moves.py" in place and seen < line < kept]
    assert len(moving) > 10
    for line in random.Random(20101121).sample(moving, min(kills, len(moving))):
        with site.home(drops) as home:
            assert nursery.run("sweep_and_die", home.environment, line) == KILLED
            assert hashes(drops) <= home.bytes_there(), "a byte was lost"
            assert nursery.run("sweep_once", home.environment) == 0
            assert_same(home, drops, undisturbed)


@pytest.mark.parametrize("free", [0, 5_000, 20_000, 40_000, 300_000])
def test_a_disk_that_is_full(site: Site, nursery: Nursery, undisturbed: Undisturbed, free: int) -> None:
    with site.home(DROPS) as home:
        assert nursery.run("sweep_on_full_disk", home.environment, free) in {0, 1}
        assert_whole(home, nursery, undisturbed)
