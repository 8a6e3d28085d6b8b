"""Complete in one round: a workbook with any seeded faults yields exactly those findings, at those cells."""

import random

import pytest

from tests.support.seeding import SEEDS, Good, seed_faults
from tests.support.seeding.trials import differences, make_goods, make_trials


@pytest.fixture(scope="module")
def goods(tmp_path_factory) -> list[Good]:
    return make_goods(tmp_path_factory.mktemp("plan"), 3)


def test_a_good_return_has_no_findings(goods):
    for good in goods:
        trial = seed_faults(good, 0, random.Random(0))
        assert trial.expected == ()
        assert differences(good, trial) == []


@pytest.mark.parametrize("code", sorted(SEEDS))
def test_one_fault_is_one_finding(goods, code):
    trial = seed_faults(goods[0], 1, random.Random(code), [code])
    assert [found for found, _, _ in trial.expected] == [code]
    assert differences(goods[0], trial) == []


def test_many_faults_are_as_many_findings(goods):
    numbers = range(len(SEEDS), len(SEEDS) + 20)
    wrong = {
        number: found for number, good, trial in make_trials(goods, numbers) if (found := differences(good, trial))
    }
    assert wrong == {}


@pytest.mark.slow
def test_the_long_trial(goods):
    wrong = {
        number: found for number, good, trial in make_trials(goods, range(1000)) if (found := differences(good, trial))
    }
    assert wrong == {}


def test_the_trial_would_notice(goods):
    trial = seed_faults(goods[0], 1, random.Random(1), ["value-missing"])
    from dataclasses import replace

    assert differences(goods[0], replace(trial, expected=())) != []
    assert differences(goods[0], replace(trial, expected=(*trial.expected, ("unit-differs", "Indicators", "E2")))) != []
