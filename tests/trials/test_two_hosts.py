"""Two hosts on one inbox and one warehouse: everything is recorded once, and every receipt is there."""

from tests.trials.homes import Site, assert_same, make_many_drops, outcome_of
from tests.trials.nursery import Nursery

DROPS = make_many_drops()


def test_two_sweeps_at_once(site: Site, nursery: Nursery, another_nursery: Nursery) -> None:
    """Each passes a file only once it is recorded, by itself or the other: so both end as one alone does."""
    with site.home(DROPS) as home:
        assert nursery.run("sweep_once", home.environment) == 0
        alone = outcome_of(home, DROPS)
    with site.home(DROPS) as home:
        for one in (nursery, another_nursery):
            one.begin("sweep_once", home.environment)
        assert (nursery.end(), another_nursery.end()) == (0, 0)
        assert_same(home, DROPS, alone)
