"""How far the rules look back: they only need a history of those periods."""

import random
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

from cypp_etl.checked_return import History, KnownFigure, StoredFigures
from cypp_etl.checking.checker import Checker, Received
from cypp_etl.figure_keys import FigureKey
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.model import Plan
from cypp_etl.plan.rhythm import recalled_periods
from cypp_etl.samples.returns import sample_return
from tests.support.seeding import make_good
from tests.support.seeding.drafts import PERIOD


class Asked(StoredFigures):
    """Has no figures, and records the periods for which it is asked."""

    def __init__(self) -> None:
        self.periods: set[Period] = set()

    def __getitem__(self, key: FigureKey) -> KnownFigure:
        self.periods.add(parse_period(key.period))
        raise KeyError(key)

    def actuals(self, partner_code: str, period: str) -> Mapping[str, Decimal]:
        self.periods.add(parse_period(period))
        return {}

    def __iter__(self) -> Iterator[FigureKey]:
        return iter(())

    def __len__(self) -> int:
        return 0


def test_no_rule_asks_for_another_period(plan: Plan) -> None:
    asked, rhythms = Asked(), {leaf.rhythm for leaf in plan.indicators.values()}
    for partner_code in plan.partners:
        good = make_good(plan, partner_code, random.Random(partner_code))
        checker = Checker(plan, History(asked), date(2011, 1, 15))
        opened = checker.open(Received("return.xlsx", good.workbook))
        assert opened.periods == recalled_periods(PERIOD, rhythms)
        everything = History(asked, closed=frozenset({PERIOD}))
        checker.beside(everything).check_opened([opened])

    # Nor is there a period that no rule asks for.
    assert asked.periods == recalled_periods(PERIOD, rhythms)


def test_a_whole_year_is_held_against_its_quarters_too() -> None:
    year = Period(2010)
    assert recalled_periods(year) == {year, year.previous, *year.quarters}


def test_a_yearly_figure_looks_back_on_the_year_before(plan: Plan) -> None:
    """No rule asks for a period of the last quarter's return that is not recalled."""
    last, asked, rhythms = Period(2010, 4), Asked(), {leaf.rhythm for leaf in plan.indicators.values()}
    recalled = recalled_periods(last, rhythms)
    assert {Period(2010), Period(2009)} <= recalled
    assert Period(2010) not in recalled_periods(Period(2010, 3), rhythms)
    for partner_code in plan.partners:
        workbook = sample_return(plan, partner_code, last)
        checker = Checker(plan, History(asked, closed=frozenset({last})), date(2011, 4, 15))
        opened = checker.open(Received("return.xlsx", workbook))
        assert opened.periods == recalled
        checker.check_opened([opened])
    assert asked.periods == recalled
