"""Two hosts with one inbox and one warehouse: everything is recorded once, and every receipt exists."""

import pytest

from tests.trials.homes import Site, assert_same, make_many_drops, outcome_of
from tests.trials.nursery import Nursery

pytestmark = pytest.mark.trial


def test_two_sweeps_at_once(site: Site, nursery: Nursery, another_nursery: Nursery) -> None:
    """Each finishes a file only after it is recorded, by itself or by the other: so both end like a single host."""
    drops = make_many_drops()
    with site.home(drops) as home:
        assert nursery.run("sweep_once", home.environment) == 0
        alone = outcome_of(home, drops)
    with site.home(drops) as home:
        for one in (nursery, another_nursery):
            one.begin("sweep_once", home.environment)
        assert (nursery.end(), another_nursery.end()) == (0, 0)
        assert_same(home, drops, alone)
