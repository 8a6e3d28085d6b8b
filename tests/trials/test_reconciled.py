"""A warehouse that is lost, and rebuilt from the archive by a process that is killed: nothing missing or twice."""

import json
import random
from dataclasses import dataclass

import pytest

from tests.trials.homes import Home, Outcome, Site, assert_same, make_drops, outcome_of
from tests.trials.nursery import Nursery

pytestmark = pytest.mark.trial

KILLED = -9
DROPS = make_drops()


@dataclass(frozen=True)
class Undisturbed(Outcome):
    """What a sweep made of the drops, and when an undisturbed reconciliation first comes to each line of its steps."""

    lines: list[int]


@pytest.fixture(scope="module")
def undisturbed(site: Site, nursery: Nursery) -> Undisturbed:
    with site.home(DROPS) as home:
        assert nursery.run("sweep_once", home.environment) == 0
        outcome = outcome_of(home, DROPS)
        site.lose_warehouse(home)
        assert nursery.run("reconcile_and_die", home.environment, 0, str(home.folder / "lines")) == 0
        assert_same(home, DROPS, outcome)
        return Undisturbed(outcome.rows, outcome.replies, json.loads((home.folder / "lines").read_text()))


def lose(site: Site, nursery: Nursery, home: Home) -> list[int]:
    """Take the drops, and lose what was recorded of them; gives the numbers that they had."""
    assert nursery.run("sweep_once", home.environment) == 0
    given = home.numbers()
    site.lose_warehouse(home)
    return given


def assert_whole(home: Home, nursery: Nursery, undisturbed: Undisturbed, given: list[int]) -> None:
    assert nursery.run("reconcile_once", home.environment) == 0
    # What a killed process left in the inbox, the next sweep finishes.
    assert nursery.run("sweep_once", home.environment) == 0
    assert_same(home, DROPS, undisturbed)
    assert set(given).isdisjoint(home.numbers()), "a number was given twice"


def kill_at_each(lines: list[int], site: Site, nursery: Nursery, undisturbed: Undisturbed) -> None:
    for line in lines:
        with site.home(DROPS) as home:
            given = lose(site, nursery, home)
            assert nursery.run("reconcile_and_die", home.environment, line) == KILLED
            assert_whole(home, nursery, undisturbed, given)


def test_killed_at_some_lines(site: Site, nursery: Nursery, undisturbed: Undisturbed) -> None:
    kill_at_each(random.Random(20101120).sample(undisturbed.lines, 6), site, nursery, undisturbed)


@pytest.mark.slow
def test_killed_before_every_line(site: Site, nursery: Nursery, undisturbed: Undisturbed) -> None:
    kill_at_each(undisturbed.lines, site, nursery, undisturbed)
    print(f"{len(undisturbed.lines)} kills")


def test_killed_again_and_again(site: Site, nursery: Nursery, undisturbed: Undisturbed) -> None:
    chance = random.Random(20110401)
    with site.home(DROPS) as home:
        given = lose(site, nursery, home)
        for _ in range(5):
            nursery.run("reconcile_and_die", home.environment, chance.randrange(50, 1500))
        assert_whole(home, nursery, undisturbed, given)
