"""When an indicator is asked: of which period a figure in a return is, and who owes which return."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from io import BytesIO

import pytest
from openpyxl import load_workbook

from cypp_etl.checked_return import CheckedReturn, History, KnownFigure
from cypp_etl.checking.checker import Checker, Received
from cypp_etl.figure_keys import FigureKey
from cypp_etl.periods import Period, label_of, parse_period
from cypp_etl.plan.model import Plan
from cypp_etl.plan.reader import PlanError
from cypp_etl.plan.rhythm import IN_THE_YEARS_RETURN, QUARTERLY, Rhythm
from cypp_etl.samples.returns import Answers, IndicatorAnswer, MilestoneAnswer, fill_template
from cypp_etl.templates.workbook import write_template
from schemas.codes import Frequency, Measure, ReportedYear, YearType
from tests.support.plans import plan_with

YEARLY = Rhythm(Frequency.YEARLY, (4,), YearType.FINANCIAL, ReportedYear.THIS_YEAR)
OF_LAST_YEAR = Rhythm(Frequency.YEARLY, (2,), YearType.ACADEMIC, ReportedYear.LAST_YEAR)
TWICE = Rhythm(Frequency.QUARTERLY, (1, 3), YearType.FINANCIAL, ReportedYear.THIS_YEAR)
DAY = date(2011, 12, 1)


@pytest.mark.parametrize(
    ("rhythm", "returned", "expected"),
    [
        (QUARTERLY, "2010-11Q2", "2010-11Q2"),
        (QUARTERLY, "2010-11", "2010-11"),
        (YEARLY, "2010-11Q4", "2010-11"),
        (YEARLY, "2010-11", "2010-11"),
        (OF_LAST_YEAR, "2010-11Q2", "2009-10"),
        (OF_LAST_YEAR, "2010-11", "2009-10"),
        (TWICE, "2010-11Q3", "2010-11Q3"),
    ],
)
def test_the_period_of_a_figure_in_a_return(rhythm: Rhythm, returned: str, expected: str) -> None:
    assert rhythm.period_in(parse_period(returned)) == parse_period(expected)


@pytest.mark.parametrize(
    ("rhythm", "period", "expected"),
    [
        (QUARTERLY, "2010-11Q2", "2010-11Q2"),
        (YEARLY, "2010-11Q3", "2009-10"),
        (YEARLY, "2010-11Q4", "2010-11"),
        (OF_LAST_YEAR, "2010-11Q1", "2008-09"),
        (OF_LAST_YEAR, "2010-11Q2", "2009-10"),
        (TWICE, "2010-11Q1", "2010-11Q1"),
        (TWICE, "2010-11Q2", "2010-11Q1"),
        (TWICE, "2010-11Q4", "2010-11Q3"),
    ],
)
def test_the_latest_figure_that_was_asked_for(rhythm: Rhythm, period: str, expected: str) -> None:
    assert rhythm.latest(parse_period(period)) == parse_period(expected)


@pytest.mark.parametrize(
    ("rhythm", "period", "expected"),
    [
        (QUARTERLY, "2010-11Q1", "2009-10Q4"),
        (YEARLY, "2010-11", "2009-10"),
        (YEARLY, "2010-11Q1", "2009-10Q4"),
        (TWICE, "2010-11Q1", "2009-10Q3"),
        (TWICE, "2010-11Q3", "2010-11Q1"),
        (TWICE, "2010-11Q2", "2010-11Q1"),
    ],
)
def test_the_period_before(rhythm: Rhythm, period: str, expected: str) -> None:
    assert rhythm.before(parse_period(period)) == parse_period(expected)


@pytest.mark.parametrize(
    ("period", "year_type", "label"),
    [
        ("2010-11", YearType.FINANCIAL, "2010/11"),
        ("2010-11", YearType.ACADEMIC, "academic year 2010/11"),
        ("2010-11", YearType.CALENDAR, "calendar year 2010"),
        ("2010-11Q1", YearType.CALENDAR, "2010/11 Q1"),
    ],
)
def test_the_label_says_which_year_it_is(period: str, year_type: YearType, label: str) -> None:
    assert label_of(parse_period(period), year_type) == label


def test_a_years_return_asks_for_what_no_quarter_asks_for() -> None:
    quarters, year = {*Period(2010).quarters}, Period(2010)
    in_years_return = Rhythm(Frequency.YEARLY, (IN_THE_YEARS_RETURN,), YearType.FINANCIAL, ReportedYear.THIS_YEAR)
    assert not YEARLY.asks(year, quarters) and not QUARTERLY.asks(year, quarters)
    assert YEARLY.asks(year, {year}) and QUARTERLY.asks(year, {year})
    assert in_years_return.asks(year, quarters)
    assert not any(in_years_return.asks(quarter, quarters) for quarter in quarters)


def only_years(text: str) -> str:
    header, *lines = text.splitlines()
    return "\n".join([header, *(line for line in lines if "Q" not in line)]) + "\n"


def test_whole_years_are_owed_where_nothing_else_asks() -> None:
    """The built-in plan asks for everything in quarters: nobody owes the outturn of a year."""
    year, quarter = Period(2010), Period(2010, 1)
    asked_in_quarters = plan_with({"NI 19": "quarterly,"})
    assert not asked_in_quarters.owing(year)
    assert asked_in_quarters.at(year).owed_by == asked_in_quarters.owed_by
    assert set(asked_in_quarters.owing(quarter)) == set(asked_in_quarters.partners)

    in_years_return = plan_with({"NI 110": "yearly,year", "NI 19": "yearly,Q4"})
    assert in_years_return.owing(year) == ("vcs",)
    assert in_years_return.at(year).owed_by["vcs"] == ("NI 110",)
    assert in_years_return.at(year).owed_by["yos"] == (), "what a quarter asks for is not asked again"

    no_quarters = plan_with({"": "yearly,"}, calendar=only_years)
    assert set(no_quarters.owing(year)) == set(no_quarters.partners)
    assert no_quarters.at(year).owed_by == no_quarters.owed_by
    assert not no_quarters.owing(quarter), "the calendar has no such return"


def test_a_partner_without_anything_to_return_in_a_quarter_owes_none() -> None:
    plan = plan_with({"NI 110": "yearly,Q4"}, actions=lambda text: text.replace(",vcs\n", ",yos\n"))
    assert [quarter.quarter for quarter in Period(2010).quarters if "vcs" in plan.owing(quarter)] == [4]


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ("quarterly,year", 'asked_in: "year" is for an indicator that is collected yearly'),
        ("yearly,Q4 year", 'asked_in: "Q4 year" is not a list of quarters such as Q1 Q3, nor year'),
    ],
)
def test_faults_of_the_years_return(cells: str, fault: str) -> None:
    with pytest.raises(PlanError) as raised:
        plan_with({"NI 110": cells})
    assert any(str(each).endswith(fault) for each in raised.value.faults)


def answered(plan: Plan, period: str, figures: Mapping[str, IndicatorAnswer]) -> bytes:
    milestones = {each.milestone: MilestoneAnswer("On track", None, "Continue") for each in plan.milestones_of["vcs"]}
    answers = Answers("A. Officer", "a.officer@example.org", DAY, figures, milestones)
    return fill_template(write_template(plan, "vcs", parse_period(period)), answers)


@pytest.fixture(scope="module")
def check() -> Callable[..., CheckedReturn]:
    def check_return(plan: Plan, workbook: bytes, known: Mapping[tuple[str, str], str] | None = None) -> CheckedReturn:
        figures = {
            FigureKey("vcs", indicator, Measure.ACTUAL, period): KnownFigure(Decimal(value), None)
            for (indicator, period), value in (known or {}).items()
        }
        return Checker(plan, History(figures, frozenset({Period(2008)})), DAY).check(
            Received("return.xlsx", workbook, "vcs")
        )

    return check_return  # fmt: skip


def test_a_form_asks_for_a_yearly_figure_once_and_it_is_of_the_year(check: Callable[..., CheckedReturn]) -> None:
    plan = plan_with({"NI 110": "yearly,Q4"})
    figure = IndicatorAnswer(Decimal("61.0"), None, Decimal(61), Decimal(100))
    with pytest.raises(KeyError):
        answered(plan, "2010-11Q3", {"NI 110": figure})
    checked = check(plan, answered(plan, "2010-11Q4", {"NI 110": figure}), {("NI 110", "2009-10"): "30.0"})
    (observation,) = checked.observations
    assert checked.is_accepted and checked.period == Period(2010, 4)
    assert (observation.period, observation.cell) == (Period(2010), "I2")
    large = next(finding for finding in checked.findings if finding.code == "large-change")
    assert "2009/10" in large.message, "a year is compared with the year before"
    checked = check(plan, answered(plan, "2010-11Q3", {}))
    assert checked.is_accepted and not checked.observations, "in between, nothing is missing"


def test_a_form_says_of_which_year_a_figure_is_and_reads_it_back(check: Callable[..., CheckedReturn]) -> None:
    plan = plan_with({"NI 110": "yearly,Q2,academic,last year"}, "frequency,asked_in,year_type,reports_on")
    figure = IndicatorAnswer(Decimal("61.0"), None, Decimal(61), Decimal(100))
    checked = check(plan, answered(plan, "2010-11Q2", {"NI 110": figure}), {("NI 110", "2008-09"): "30.0"})
    (observation,) = checked.observations
    assert observation.period == Period(2009)
    large = next(finding for finding in checked.findings if finding.code == "large-change")
    assert "academic year 2008/09" in large.message


def test_a_form_of_an_older_plan_is_still_a_return(check: Callable[..., CheckedReturn]) -> None:
    older, plan = plan_with({"NI 19": "quarterly,"}), plan_with({"NI 110": "yearly,Q4"})
    figure = IndicatorAnswer(Decimal("61.0"), None, Decimal(61), Decimal(100))
    checked = check(plan, answered(older, "2010-11Q3", {"NI 110": figure}))
    assert checked.is_accepted and not checked.observations
    notes = [finding for finding in checked.findings if finding.code == "indicator-not-asked"]
    assert [(note.cell, note.severity.value) for note in notes] == [("I2", "NOTE")]
    assert "in 2010/11 Q3, but in Q4" in notes[0].message
    blank = check(plan, answered(older, "2010-11Q3", {}))
    assert blank.is_accepted and "indicator-not-asked" not in {finding.code for finding in blank.findings}
    last = check(plan, answered(older, "2010-11Q4", {"NI 110": figure}))
    assert [one.period for one in last.observations] == [Period(2010)]


def test_what_a_quarter_says_of_a_year_is_closed_with_either(check: Callable[..., CheckedReturn]) -> None:
    plan = plan_with({"NI 110": "yearly,Q2,financial,last year"}, "frequency,asked_in,year_type,reports_on")
    figure = IndicatorAnswer(Decimal("61.0"), None, Decimal(61), Decimal(100))
    of_closed_year = check(plan, answered(plan, "2009-10Q2", {"NI 110": figure}))
    assert "closed-period-changed" in {finding.code for finding in of_closed_year.findings}
    later = check(plan, answered(plan, "2010-11Q2", {"NI 110": figure}))
    assert "closed-period-changed" not in {finding.code for finding in later.findings}


def test_a_return_without_a_period_misses_only_what_every_quarter_asks_for(check: Callable[..., CheckedReturn]) -> None:
    plan = plan_with({"NI 110": "yearly,Q4"})
    book = load_workbook(BytesIO(answered(plan, "2010-11Q3", {})))
    book["Return"]["B3"] = None
    stream = BytesIO()
    book.save(stream)
    found = {finding.code for finding in check(plan, stream.getvalue()).findings}
    assert "period-missing" in found and "indicator-missing" not in found
