"""Exactly once: whatever dies or fills up whenever, the next sweep makes of it what an undisturbed run does."""

import hashlib
import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.trials.homes import Home, contents, drop, make_drops, sqlite_home
from tests.trials.sweeping import sweep_and_die, sweep_on_full_disk, sweep_once
from warehouse.engine import open_warehouse
from warehouse.revisions import upgrade

KILLED = -9


@pytest.fixture(scope="module")
def drops() -> dict[str, bytes]:
    return make_drops()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse that is up to date and has its plan."""
    home = sqlite_home(tmp_path_factory.mktemp("template") / "home")
    upgrade(open_warehouse(home.warehouse_url))
    assert home.run(sweep_once) == 0
    return home.folder / "warehouse.db"


@pytest.fixture(scope="module")
def undisturbed(drops: dict[str, bytes], template: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = drop(drops, sqlite_home(tmp_path_factory.mktemp("undisturbed") / "home", template))
    assert home.run(sweep_and_die, 0, home.folder / "lines") == 0
    rows = contents(home.warehouse_url)
    assert (rows["submission"].total(), home.waiting()) == (len(drops), [])
    return home


@pytest.fixture
def homes(tmp_path: Path, drops: dict[str, bytes], template: Path) -> Iterator[Home]:
    return (drop(drops, sqlite_home(tmp_path / str(number), template)) for number in range(1_000_000))


def steps_of(undisturbed: Home) -> list[int]:
    """When an undisturbed sweep comes to each line of the steps for the first time."""
    return list(json.loads((undisturbed.folder / "lines").read_text()))


def assert_whole(home: Home, drops: dict[str, bytes], undisturbed: Home) -> None:
    """After the next sweep: the same rows and receipts, an empty inbox, and every byte dropped in the archive."""
    there = home.bytes_there()
    assert {hashlib.sha256(content).hexdigest() for content in drops.values()} <= there, "a byte was lost"
    assert home.run(sweep_once) == 0
    assert home.waiting() == []
    assert home.replies() == undisturbed.replies()
    assert contents(home.warehouse_url) == contents(undisturbed.warehouse_url)
    assert {hashlib.sha256(content).hexdigest() for content in drops.values()} <= home.bytes_there()


def kill_at(home: Home, line: int) -> None:
    assert home.run(sweep_and_die, line) == KILLED


def test_killed_at_some_lines(homes: Iterator[Home], drops: dict[str, bytes], undisturbed: Home) -> None:
    for line in random.Random(20101120).sample(steps_of(undisturbed), 8):
        home = next(homes)
        kill_at(home, line)
        assert_whole(home, drops, undisturbed)


@pytest.mark.slow
def test_killed_before_every_line(homes: Iterator[Home], drops: dict[str, bytes], undisturbed: Home) -> None:
    """Kill -9 before each line of keeping, recording and taking away, the first time it is come to."""
    steps = steps_of(undisturbed)
    for line in steps:
        home = next(homes)
        kill_at(home, line)
        assert_whole(home, drops, undisturbed)
    print(f"{len(steps)} kills")


@pytest.mark.slow
def test_killed_again_and_again(homes: Iterator[Home], drops: dict[str, bytes], undisturbed: Home) -> None:
    chance = random.Random(20110401)
    kills = 0
    while kills < 200:
        home = next(homes)
        while home.run(sweep_and_die, chance.randrange(50, 1500)) == KILLED:
            kills += 1
        assert_whole(home, drops, undisturbed)


@pytest.mark.parametrize("free", [0, 5_000, 20_000, 40_000, 300_000])
def test_a_disk_that_is_full(homes: Iterator[Home], drops: dict[str, bytes], undisturbed: Home, free: int) -> None:
    home = next(homes)
    assert home.run(sweep_on_full_disk, free) in {0, 1}
    assert_whole(home, drops, undisturbed)


def test_two_sweeps_at_once(homes: Iterator[Home], drops: dict[str, bytes], undisturbed: Home) -> None:
    from tests.trials.homes import processes

    for _ in range(2):
        home = next(homes)
        both = [processes.Process(target=sweep_once, args=(home.environment,)) for _ in range(2)]
        for process in both:
            process.start()
        for process in both:
            process.join()
        assert [process.exitcode for process in both] == [0, 0]
        assert_whole(home, drops, undisturbed)
