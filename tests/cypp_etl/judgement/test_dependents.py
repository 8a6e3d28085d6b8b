"""Which periods to judge again when one actual changes; that they suffice is a law in test_laws.py."""

import pytest

from cypp_etl.judgement.dependents import dependents
from cypp_etl.periods import parse_period


@pytest.mark.parametrize(
    ("changed", "reached"),
    [
        ("2010-11Q1", "2010-11 2010-11Q1 2010-11Q2 2010-11Q3 2010-11Q4 2011-12Q1"),
        ("2010-11Q4", "2010-11 2010-11Q4 2011-12Q1 2011-12Q2 2011-12Q3 2011-12Q4"),
        ("2010-11", "2010-11 2011-12 2011-12Q1 2011-12Q2 2011-12Q3 2011-12Q4"),
    ],
)
def test_dependents(changed, reached):
    assert [period.code for period in dependents(parse_period(changed))] == reached.split()
