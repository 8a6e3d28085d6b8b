"""A target in a return is compared with the partner's own target, where the plan has one."""

from dataclasses import replace
from decimal import Decimal

import pytest

from cypp_etl.checked_return import History
from cypp_etl.intake.figures import KnownValues
from cypp_etl.periods import Period
from cypp_etl.plan.model import Figure
from cypp_etl.plan.reader import read_plan
from schemas.codes import Measure

YEAR = Period(2010)


@pytest.fixture(scope="module")
def plan():
    """NI 19 has a target for every partner; yos has one of its own."""
    own = {(Measure.TARGET, "NI 19", YEAR): Figure(Decimal("0.5"), None, "agreed with yos")}
    return replace(read_plan(), partner_figures={"yos": own})


def test_the_target_is_the_partners_own(plan):
    general = plan.target("NI 19", YEAR.quarters[0])
    assert general is not None and general.value != Decimal("0.5")
    own = plan.target("NI 19", YEAR.quarters[0], "yos")
    assert own is not None and own.value == Decimal("0.5")
    assert plan.target("NI 19", YEAR.quarters[0], "nhs") == general


def test_known_values_are_the_partners_own_and_those_of_every_partner(plan):
    known = KnownValues(plan, History({}, frozenset(), {}))
    assert set(known.values("NI 19", "yos")) - set(known.values("NI 19", "nhs")) == {Decimal("0.5")}
