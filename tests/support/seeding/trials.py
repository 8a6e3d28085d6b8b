"""Trials by their numbers: good returns of one partner, with figures at random, and faults seeded into them."""

import random
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from cypp_etl.checking.checker import Checker, Received
from tests.support.plans import PARTNER, make_plan
from tests.support.seeding.drafts import SEEDS, Good, Trial, make_good, seed_faults

TODAY = date(2012, 6, 30)
_LEAVES, _MILESTONES, _MOST_FAULTS = 26, 16, 12
_RETURNS = 10


def make_goods(folder: Path, count: int = _RETURNS) -> list[Good]:
    """Good returns of one partner, with figures at random."""
    plan = make_plan(folder, _LEAVES, _MILESTONES)
    return [make_good(plan, PARTNER, random.Random(number)) for number in range(count)]


def make_trials(goods: list[Good], numbers: range) -> Iterator[tuple[int, Good, Trial]]:
    """A trial for each number, the same every time: one fault in the first ones, of each code, then ever more."""
    codes = sorted(SEEDS)
    for number in numbers:
        chance, good = random.Random(number), goods[number % len(goods)]
        if number < len(codes):
            yield number, good, seed_faults(good, 1, chance, [codes[number]])
        else:
            yield number, good, seed_faults(good, chance.randint(2, _MOST_FAULTS), chance)


def differences(good: Good, trial: Trial) -> list[str]:
    """What the checks find in a trial's workbook that was not seeded, and what was seeded and is not found."""
    received = Received("return.xlsx", trial.data, trial.folder_partner)
    return trial.differences(Checker(good.plan, trial.history, TODAY).check(received))
