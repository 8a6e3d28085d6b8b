"""A return is checked by the plan of its period: late returns, last year's forms, bodies that have ended."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from io import BytesIO

import pytest
from openpyxl import Workbook, load_workbook

from cypp_etl.checked_return import CheckedReturn, History, KnownFigure
from cypp_etl.checking.checker import Checker, Received
from cypp_etl.figure_keys import FigureKey
from cypp_etl.periods import Period
from cypp_etl.plan.model import Plan
from cypp_etl.samples.published_table import read_sample_table, write_published_table
from cypp_etl.samples.returns import Answers, IndicatorAnswer, MilestoneAnswer, fill_template
from cypp_etl.templates.workbook import write_template
from schemas.codes import Measure, MilestoneStatus, Polarity, Severity
from tests.support.plan_edits import PlanEdits

BEFORE, AFTER = Period(2009, 4), Period(2010, 1)


@pytest.fixture(scope="module")
def plan() -> Plan:
    """NI 19 is retired, NI 45 redefined, NI 43 split, NI 46 moved to the police, and the LSCB ends in March 2010."""
    edits = PlanEdits()
    edits.change("indicators", "NI 19", last_period="2009-10Q4").change("owed_by", "NI 19", last_period="2009-10Q4")
    edits.renew("NI 45", "2010-11Q1", "2009-10Q4", definition="Young people who do not re-offend", polarity="LOW")
    values = ("polarity", "unit", "decimals", "minimum", "maximum", "accumulation", "multiplier", "aspirations")
    blank = dict.fromkeys(values, "")
    edits.change("indicators", "NI 43", last_period="2009-10Q4")
    edits.add("indicators", "NI 43", **blank | {"polarity": "LOW", "first_period": "2010-11Q1"})
    for sub in ("a", "b"):
        cells = {"indicator": f"NI 43{sub}", "sub": sub, "definition": f"Part {sub}", "polarity": "", "unit": "percent"}
        cells |= {"decimals": "1", "minimum": "0", "maximum": "100", "accumulation": "latest", "multiplier": "100"}
        edits.add("indicators", "NI 43", **cells, first_period="2010-11Q1")
        edits.add("owed_by", partner_code="yos", indicator=f"NI 43{sub}", first_period="2010-11Q1")
    edits.change("owed_by", "NI 43", last_period="2009-10Q4")
    edits.change("owed_by", "NI 46", last_period="2009-10Q4")
    edits.add("owed_by", partner_code="police", indicator="NI 46", first_period="2010-11Q1")
    edits.change("partners", "lscb", last_period="2009-10Q4", successor="cyps")
    edits.change("owed_by", "lscb", last_period="2009-10Q4")
    edits.add("owed_by", partner_code="cyps", indicator="NI 22", first_period="2010-11Q1")
    return edits.read()


@pytest.fixture(scope="module")
def check(plan) -> Callable[..., CheckedReturn]:
    def checked(data: bytes, folder: str = "yos", history: History | None = None) -> CheckedReturn:
        checker = Checker(plan, history or History(), date(2010, 9, 1))
        return checker.check(Received(f"{folder}/return.xlsx", data, folder))

    return checked


def form(plan: Plan, partner_code: str, period: Period, value: str = "40") -> bytes:
    """A form that was filled in."""
    owed = plan.at(period).owed_by[partner_code]
    answer = IndicatorAnswer(Decimal(value))
    reported = plan.at(period).milestones_of[partner_code]
    milestones = {each.milestone: MilestoneAnswer(MilestoneStatus.ACHIEVED, "", None) for each in reported}
    answers = Answers("A. Officer", "a@example.org", period.last_day, dict.fromkeys(owed, answer), milestones)
    return fill_template(write_template(plan, partner_code, period), answers)


def dated(data: bytes, period: Period) -> bytes:
    """The same form with another period on its cover."""

    def alter(workbook: Workbook) -> None:
        cover = workbook["Return"]
        for row in range(1, cover.max_row + 1):
            if cover.cell(row, 1).value == "Period":
                cover.cell(row, 2).value = period.code
            if cover.cell(row, 1).value == "Date":
                cover.cell(row, 2).value = period.last_day

    workbook, stream = load_workbook(BytesIO(data)), BytesIO()
    alter(workbook)
    workbook.save(stream)
    return stream.getvalue()


def errors(checked: CheckedReturn) -> list[tuple[str, str]]:
    found = (finding for finding in checked.findings if finding.severity is Severity.ERROR)
    return sorted((finding.code, finding.message) for finding in found)


def test_each_period_has_its_own_form(plan, check):
    asked = {}
    for period in (BEFORE, AFTER):
        checked = check(form(plan, "yos", period))
        assert errors(checked) == []
        asked[period] = [one.indicator for one in checked.observations]
    assert asked == {BEFORE: ["NI 19", "NI 43", "NI 45", "NI 46"], AFTER: ["NI 45", "NI 43a", "NI 43b"]}
    sheet = load_workbook(BytesIO(write_template(plan, "yos", AFTER)))["Indicators"]
    assert [sheet.cell(2, column).value for column in (1, 3, 4)] == [
        "NI 45",
        "Young people who do not re-offend",
        Polarity.LOW.value,
    ]


def test_last_years_form_returned_this_year(plan, check):
    told = errors(check(dated(form(plan, "yos", BEFORE), AFTER)))
    assert [code for code, _ in told] == [
        "definition-differs",
        "good-performance-differs",
        "indicator-ended",
        "indicator-missing",
        "indicator-missing",
        "indicator-not-owed",
        "parent-has-value",
    ]
    messages = [message for _, message in told]
    assert "NI 19 is not collected for this period: it was collected until 2009/10 Q4." in messages
    assert (
        "NI 45 is defined differently for this period: the row has the definition that holds until 2009/10 Q4."
        in messages
    )
    assert any(message.startswith("NI 46 is not yours to return") for message in messages)


def test_this_years_form_for_a_late_return(plan, check):
    told = dict(errors(check(dated(form(plan, "yos", AFTER), BEFORE))))
    assert {"indicator-missing", "definition-differs", "good-performance-differs", "indicator-not-begun"} == set(told)
    assert told["indicator-not-begun"].startswith("NI 43")
    assert told["indicator-not-begun"].endswith("it is collected from 2010/11 Q1 on.")


def test_a_body_that_has_ended_returns_its_own_time_alone(plan, check):
    late = form(plan, "lscb", BEFORE)
    assert errors(check(late, "lscb")) == []
    told = errors(check(dated(late, AFTER), "lscb"))
    assert [code for code, _ in told] == ["partner-ended"]
    assert "does not return anything for" in told[0][1] and "until 2009/10 Q4" in told[0][1]
    with pytest.raises(ValueError, match="returns nothing for 2010-11Q1: in the plan it ends with 2009-10Q4"):
        write_template(plan, "lscb", AFTER)
    assert errors(check(form(plan, "cyps", AFTER), "cyps")) == []


@pytest.mark.parametrize(("period", "expected"), [(AFTER, []), (AFTER.years_later(1), ["large-change"])])
def test_a_figure_is_not_compared_with_one_of_another_definition(plan, check, period, expected):
    key = FigureKey("yos", "NI 45", Measure.ACTUAL, period.previous.code)
    history = History({key: KnownFigure(Decimal(90), None)})
    checker = Checker(plan, history, date(2012, 9, 1))
    checked = checker.check(Received("yos/return.xlsx", form(plan, "yos", period), "yos"))
    assert [finding.code for finding in checked.findings if finding.code.startswith("large")] == expected


def test_a_batch_has_returns_of_different_times(plan):
    checker = Checker(plan, History(), date(2010, 9, 1))
    received = [
        Received(f"{number}.xlsx", form(plan, "yos", period), "yos")
        for number, period in enumerate((BEFORE, AFTER, BEFORE))
    ]
    assert [errors(checked) for checked in checker.check_batch(received)] == [[], [], []]


def test_milestones_end_with_their_action():
    edits = PlanEdits()
    action = next(iter(edits.read().milestones_of["cyps"])).action_id
    edits.change("actions", action, last_period="2009-10Q4")
    plan = edits.read()
    ended = [each.milestone for each in plan.milestones.values() if each.action_id == action]
    checker = Checker(plan, History(), date(2010, 9, 1))
    late = form(plan, "cyps", BEFORE)
    assert errors(checker.check(Received("cyps/a.xlsx", late, "cyps"))) == []
    told = errors(checker.check(Received("cyps/b.xlsx", dated(late, AFTER), "cyps")))
    expected = "is not reported on for this period: its action was in the plan until 2009/10 Q4."
    assert told == [("milestone-ended", f"The milestone {code} {expected}") for code in sorted(ended)]
    assert errors(checker.check(Received("cyps/c.xlsx", form(plan, "cyps", AFTER), "cyps"))) == []


@pytest.mark.parametrize(
    ("first", "last", "is_its_own"), [("2008-09Q1", "2007-08Q4", False), ("2011-12Q1", "2010-11Q4", True)]
)
def test_the_published_table_of_a_year_is_read_by_that_years_edition(first, last, is_its_own):
    edits = PlanEdits()
    edits.renew("NI 45", first, last, polarity="LOW")
    checker = Checker(edits.read(), History(), date(2011, 9, 1))
    checked = checker.check(Received("table.xlsx", write_published_table(read_sample_table(), "text")))
    assert checked.period is not None and checked.period.start_year in (2009, 2010)
    told = [finding.code for finding in checked.findings if finding.severity is Severity.ERROR]
    assert told == ([] if is_its_own else ["good-performance-differs"])
