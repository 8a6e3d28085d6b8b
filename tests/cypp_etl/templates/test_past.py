"""What a form shows of earlier returns, and what it does not ask again."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from io import BytesIO

import pytest
from openpyxl import Workbook, load_workbook

from cypp_etl.checked_return import History, KnownFigure
from cypp_etl.figure_keys import FigureKey
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.model import Figure, Plan
from cypp_etl.templates.workbook import write_template
from schemas.codes import Accumulation, Marker, Measure, MilestoneStatus
from tests.support.plans import plan_with

PERIOD = Period(2010, 2)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_with({})


def known(figures: Mapping[tuple[str, str], object], indicator_owner: str = "yos") -> History:
    """The past of a partner: its actual figures by indicator and period, markers among them."""

    def figure(value: object) -> KnownFigure:
        is_marker = isinstance(value, Marker)
        return KnownFigure(None, value) if is_marker else KnownFigure(Decimal(str(value)), None)  # type: ignore[arg-type]

    keyed = {
        FigureKey(indicator_owner, code, Measure.ACTUAL, period): value for (code, period), value in figures.items()
    }
    return History(figures={key: figure(value) for key, value in keyed.items()})


def form(plan: Plan, history: History | None, partner_code: str = "yos", period: Period = PERIOD) -> Workbook:
    return load_workbook(BytesIO(write_template(plan, partner_code, period, history)))


def row(book: Workbook, indicator: str) -> dict[str, object]:
    sheet = book["Indicators"]
    headings = [cell.value for cell in sheet[1]]
    for values in sheet.iter_rows(min_row=2, values_only=True):
        if f"{values[0]}{values[1] or ''}" == indicator:
            return dict(zip(headings, values, strict=True))
    raise AssertionError(f"no row for {indicator}")


def last(book: Workbook, indicator: str) -> tuple[object, object]:
    found = row(book, indicator)
    return found["Last year"], found["Last quarter"]


def test_the_figures_of_a_year_ago_and_of_the_last_quarter_stand_on_it(plan: Plan) -> None:
    history = known({("NI 19", "2009-10Q2"): "0.61", ("NI 19", "2010-11Q1"): "0.35", ("NI 43", "2010-11Q1"): "5.0"})
    book = form(plan, history)
    assert last(book, "NI 19") == (0.61, 0.35)
    # Percentage points are the fraction that Excel shows with its sign.
    assert last(book, "NI 43")[1] == 0.05
    cell = book["Indicators"]["H3"]
    assert (cell.number_format, cell.protection.locked) == ("0.0%", True)


def test_nothing_stands_there_without_a_warehouse_or_of_another_partner(plan: Plan) -> None:
    assert last(form(plan, None), "NI 43") == (None, None)
    assert last(form(plan, known({("NI 19", "2010-11Q1"): 1}, "nhs")), "NI 19")[1] is None


def test_a_marker_is_shown_as_we_write_it(plan: Plan) -> None:
    history = known({("NI 19", "2010-11Q1"): Marker.NOT_APPLICABLE, ("NI 19", "2009-10Q2"): Marker.NOT_RETURNED})
    assert last(form(plan, history), "NI 19")[1] == "N/A"


def test_where_last_year_has_no_such_quarter_its_outturn_stands_there_unless_quarters_add_up(plan: Plan) -> None:
    outturn = {("NI 19", "2009-10"): "0.4"}
    assert last(form(plan, known(outturn)), "NI 19")[0] == 0.4
    assert last(form(plan, known({**outturn, ("NI 19", "2009-10Q2"): "0.7"})), "NI 19")[0] == 0.7
    # A whole year's figure beside a quarter's says so, and is a number all the same.
    formats = [
        form(plan, known(figures))["Indicators"]["G2"].number_format
        for figures in (outturn, {**outturn, ("NI 19", "2009-10Q2"): "0.7"})
    ]
    assert formats == ['#,##0.00" (year)"', "#,##0.00"]
    adding = replace(plan.indicators["NI 19"], accumulation=Accumulation.SUM)
    adds_up = replace(plan, indicators={**plan.indicators, "NI 19": adding}, figures={})
    assert last(form(adds_up, known(outturn)), "NI 19")[0] is None


def test_the_plans_own_outturn_is_the_last_resort(plan: Plan) -> None:
    planned = replace(plan, figures={(Measure.HISTORY, "NI 19", Period(2009)): Figure(Decimal("0.55"), None, "")})
    assert last(form(planned, History()), "NI 19") == (0.55, None)
    assert last(form(planned, known({("NI 19", "2009-10"): "0.4"})), "NI 19")[0] == 0.4
    assert last(form(planned, None), "NI 19") == (None, None)


def test_a_figure_of_another_definition_is_not_shown(plan: Plan) -> None:
    leaf = plan.indicators["NI 19"]
    span = replace(leaf.span, first_period=PERIOD)
    later = replace(leaf, definition="Another rate", edition=2, span=span)
    changed = replace(
        plan, indicators={**plan.indicators, "NI 19": later}, editions={"NI 19": (leaf, later)}, figures={}
    )
    history = known({("NI 19", "2010-11Q1"): "0.35", ("NI 19", "2009-10Q2"): "0.61"})
    assert last(form(changed, history), "NI 19") == (None, None)


def test_a_yearly_figure_has_last_years_and_no_quarter() -> None:
    plan = plan_with({"NI 110": "yearly,Q4"})
    owner = plan.owners["NI 110"][0]
    history = known({("NI 110", "2009-10"): "60", ("NI 110", "2010-11Q3"): "55"}, owner)
    book = form(plan, history, owner, Period(2010, 4))
    assert last(book, "NI 110") == (0.6, None)
    places = [cell.value for cell in book["Indicators"][1]]
    (cells,) = (cells for cells in book["Indicators"].iter_rows(min_row=2) if cells[0].value == "NI 110")
    assert "(2010/11)" in str(cells[places.index("Definition")].value)
    assert cells[places.index("Last year")].number_format == "0.0%"


def milestones(book: Workbook) -> dict[object, object]:
    sheet = book["Milestones"]
    place = [cell.value for cell in sheet[1]].index("Last status")
    return {values[0]: values[place] for values in sheet.iter_rows(min_row=2, values_only=True)}


@pytest.mark.parametrize("status", list(MilestoneStatus))
def test_what_was_achieved_or_withdrawn_is_not_asked_again(plan: Plan, status: MilestoneStatus) -> None:
    code = plan.milestones_of["yos"][0].milestone
    asked = milestones(form(plan, History(milestone_states={(code, parse_period("2010-11Q1")): status})))
    is_settled = status in (MilestoneStatus.ACHIEVED, MilestoneStatus.WITHDRAWN)
    assert (code in asked) is not is_settled
    assert is_settled or asked[code] == status.value
    assert asked.keys() | {code} == {one.milestone for one in plan.milestones_of["yos"]}


def test_only_earlier_periods_count(plan: Plan) -> None:
    code = plan.milestones_of["yos"][0].milestone
    for period in ("2010-11Q2", "2010-11", "2010-11Q3"):
        states = {(code, parse_period(period)): MilestoneStatus.ACHIEVED}
        assert milestones(form(plan, History(milestone_states=states)))[code] is None


def test_a_form_says_what_it_does_not_ask(plan: Plan) -> None:
    code = plan.milestones_of["yos"][0].milestone
    states = {(code, parse_period("2010-11Q1")): MilestoneStatus.WITHDRAWN}
    told = form(plan, History(milestone_states=states))["_meta"]
    assert [told["A3"].value, told["B3"].value] == ["Milestones not asked", code]
    assert form(plan, History())["_meta"]["A3"].value is None
