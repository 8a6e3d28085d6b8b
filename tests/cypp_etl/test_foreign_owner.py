"""A workbook whose cover does not name its folder's partner is not compared with any history."""

from datetime import date
from decimal import Decimal

import pytest

from cypp_etl.checked_return import History, KnownFigure
from cypp_etl.checking.checker import Checker, Received
from cypp_etl.figure_keys import FigureKey
from cypp_etl.periods import parse_period
from cypp_etl.plan.reader import read_plan
from schemas.codes import Measure, MilestoneStatus
from tests.support.samples import sample_of

PLAN = read_plan()
PERIOD = parse_period("2010-11Q1")
SECRET = Decimal("7.31")
LOOKING_BACK = {"large-change", "large-change-explained", "unchanged", "closed-period-changed", "milestone-moved-back"}


def history() -> History:
    periods = (PERIOD, PERIOD.previous, PERIOD.years_later(-1), PERIOD.year.previous)
    figures = {
        FigureKey("yos", indicator, Measure.ACTUAL, period.code): KnownFigure(SECRET, None)
        for indicator in PLAN.owed_by["yos"]
        for period in periods
    }
    states = {(one.milestone, PERIOD.previous): MilestoneStatus.WITHDRAWN for one in PLAN.milestones_of["yos"]}
    return History(figures=figures, closed=frozenset({PERIOD}), milestone_states=states)


def codes(folder: str) -> set[str]:
    checker = Checker(PLAN, history(), date(2011, 3, 1))
    checked = checker.check(Received("a.xlsx", sample_of("yos", PERIOD), folder))
    return {finding.code for finding in checked.findings}


@pytest.mark.parametrize("folder", ["yos", ""])
def test_the_owner_is_told_of_its_own_past(folder: str) -> None:
    assert codes(folder) & LOOKING_BACK


@pytest.mark.parametrize("folder", [code for code in PLAN.partners if code != "yos"])
def test_nobody_else_is(folder: str) -> None:
    checker = Checker(PLAN, history(), date(2011, 3, 1))
    checked = checker.check(Received("a.xlsx", sample_of("yos", PERIOD), folder))
    assert "partner-not-folder" in {finding.code for finding in checked.findings}
    assert not {finding.code for finding in checked.findings} & LOOKING_BACK
    assert not [finding for finding in checked.findings if "7.3" in finding.message + finding.fix]
