"""The ranks of members and the quartiles of their figures: the good first, whichever way is good."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cypp_etl.judgement.ranks import NO_STANDING, Place, standing
from cypp_etl.periods import Period
from cypp_etl.plan.model import Body

Q1 = Period(2010, 1)
RANGE = {"polarity": "RANGE", "range_low": Decimal(4), "range_high": Decimal(6)}


@pytest.fixture(scope="session")
def stand(make_leaf, make_plan):
    def stood(leaf, figures, least=4):
        plan = replace(make_plan([make_leaf("NI 1", **leaf)]), body=Body(quartiles_from=least))
        if not isinstance(figures, dict):
            figures = dict(enumerate(figures))
        return standing(plan, "NI 1", Q1, figures)

    return stood


@pytest.mark.parametrize(
    ("leaf", "figures", "ranks"),
    [
        ({"polarity": "HIGH"}, [1, 3, 2], [3, 1, 2]),
        ({"polarity": "LOW"}, [1, 3, 2], [1, 3, 2]),
        ({"polarity": "LOW"}, [-1.1, -10.1, 0], [2, 1, 3]),
        # The nearer to the band the better; inside it, and on its edges, all are alike.
        (RANGE, [4, 5, 6, 3.9, 6.2], [1, 1, 1, 4, 5]),
        # Those that share a rank leave out the next.
        ({"polarity": "HIGH"}, [2, 2, 3, 1], [2, 2, 1, 4]),
        # Of one decimal 71.04 and 70.95 are alike, and 71.05 is not.
        ({"polarity": "HIGH"}, [71.04, 70.95, 71.05], [2, 2, 1]),
        # What is missing has no rank, and takes none.
        ({"polarity": "HIGH"}, [None, 2, 1], [None, 1, 2]),
        ({"polarity": "NONE"}, [1, 2], [None, None]),
        ({"polarity": "HIGH"}, [None, None], [None, None]),
        ({"polarity": "HIGH", "stated_to_compare": False}, [1, 2], [None, None]),
    ],
)
def test_the_good_come_first(stand, leaf, figures, ranks):
    places = stand(leaf, figures).places
    assert [places[code].rank if code in places else None for code in range(len(figures))] == ranks


def test_there_are_quartiles_of_enough_figures_alone(stand):
    assert stand({}, [1, 2, 3, None], least=4) == stand({}, [1, 2, 3], least=4)
    assert stand({}, [1, 2, 3], least=4).quartiles is None
    assert stand({}, [1, 2, 3], least=4).places[0] == Place(3, None)
    assert stand({}, [1, 2, 3, 4], least=4).quartiles == (1.8, 2.5, 3.3)
    assert stand({}, [1, 2, 3, 4], least=5).quartiles is None


def test_a_quarter_is_the_better_one_of_a_figure_at_its_edge(stand):
    # The quartiles of five figures are figures themselves.
    high = stand({"polarity": "HIGH"}, [1, 2, 3, 4, 5])
    assert high.quartiles == (2, 3, 4)
    assert [high.places[code].quartile for code in range(5)] == [4, 3, 2, 1, 1]
    low = stand({"polarity": "LOW"}, [1, 2, 3, 4, 5])
    assert low.quartiles == (2, 3, 4)
    assert [low.places[code].quartile for code in range(5)] == [1, 1, 2, 3, 4]
    # Of those inside a band all are in the best quarter.
    assert {place.quartile for code, place in stand(RANGE, [4, 5, 6, 5, 9]).places.items() if code < 4} == {1}


def test_where_no_direction_is_good_figures_have_quartiles_and_no_ranks(stand):
    assert stand({"polarity": "NONE"}, [1, 2, 3, 4, 5]).quartiles == (2, 3, 4)
    assert stand({"stated_to_compare": False}, [1, 2, 3, 4, 5]) == NO_STANDING


@given(st.lists(st.integers(-(10**6), 10**6), min_size=4, max_size=40))
def test_quartiles_are_those_of_the_published_definition(stand, steps):
    figures = [step / 10 for step in steps]
    found = stand({"polarity": "LOW"}, figures).quartiles
    # NumPy's `linear` is definition 7 of Hyndman and Fan.
    assert found == pytest.approx(np.quantile(figures, [0.25, 0.5, 0.75], method="linear"), abs=0.0501)
