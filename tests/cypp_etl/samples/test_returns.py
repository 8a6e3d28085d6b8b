"""Sample returns: they match the plan and each other, and filling in keeps a workbook's locks and validations."""

import csv
from datetime import date
from decimal import Decimal
from importlib.resources import files
from io import BytesIO
from itertools import product

import pytest
from openpyxl import Workbook, load_workbook

from cypp_etl.checked_return import History, KnownFigure
from cypp_etl.checking.checker import Checker, Received
from cypp_etl.figure_keys import FigureKey
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.model import Plan
from cypp_etl.plan.reader import read_plan
from cypp_etl.samples.returns import (
    Answers,
    IndicatorAnswer,
    MilestoneAnswer,
    fill_template,
    sample_answers,
    sample_periods,
    sample_return,
)
from cypp_etl.templates.workbook import write_template
from schemas.codes import Accumulation, Marker, Measure, MilestoneStatus, Severity, Unit

PERIOD = Period(2010, 1)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return read_plan()


def opened(data: bytes) -> Workbook:
    return load_workbook(BytesIO(data))


def sample_rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(files("cypp_etl").joinpath("samples", name).read_text("utf-8").splitlines()))


def test_filling_in(plan: Plan) -> None:
    answers = Answers(
        prepared_by="=A1",
        email="yos@example.org",
        date=date(2010, 7, 9),
        indicators={
            "NI 43": IndicatorAnswer(Decimal("71.0"), "[p]", Decimal(71), Decimal(100), "As expected"),
            "NI 45": IndicatorAnswer("N/A"),
            "NI 19": IndicatorAnswer(Decimal("0.28")),
        },
        milestones={"PC4-E2-M1": MilestoneAnswer("On track", "=cmd|x", "Refocus", "Fewer staff")},
    )
    book = opened(fill_template(write_template(plan, "yos", PERIOD), answers))
    cover = book["Return"]
    assert [cover.cell(row, 2).value for row in (4, 5)] == ["=A1", "yos@example.org"]
    assert cover["B6"].value.date() == date(2010, 7, 9)
    assert cover["B6"].number_format == "d mmm yyyy"
    rows = {row[0]: row[8:] for row in book["Indicators"].iter_rows(min_row=2, values_only=True)}
    assert rows["NI 43"] == (0.71, "[p]", 71, 100, "As expected")
    assert rows["NI 45"][0] == "N/A"
    assert rows["NI 19"][0] == 0.28
    assert rows["NI 46"] == (None,) * 5
    milestones = {row[0]: row[6:] for row in book["Milestones"].iter_rows(min_row=2, values_only=True)}
    assert milestones["PC4-E2-M1"] == ("On track", "=cmd|x", "Refocus", "Fewer staff")
    assert not [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]


def test_filling_in_keeps_guards_locks_and_formats(plan: Plan) -> None:
    template = write_template(plan, "nhs", PERIOD)
    before, after = opened(template), opened(fill_template(template, sample_answers(plan, "nhs", PERIOD)))
    assert after.security.lockStructure
    assert [prop.name for prop in after.custom_doc_props.props] == [p.name for p in before.custom_doc_props.props]
    for sheet in before:
        filled = after[sheet.title]
        assert filled.sheet_state == sheet.sheet_state
        assert filled.protection.sheet
        assert filled.freeze_panes == sheet.freeze_panes
        assert [(str(guard.sqref), guard.type, guard.formula1) for guard in filled.data_validations.dataValidation] == [
            (str(guard.sqref), guard.type, guard.formula1) for guard in sheet.data_validations.dataValidation
        ]
        for row in sheet.iter_rows():
            for cell in row:
                twin = filled[cell.coordinate]
                assert (twin.number_format, twin.protection.locked) == (cell.number_format, cell.protection.locked)


def test_an_answer_without_a_row_is_named(plan: Plan) -> None:
    with pytest.raises(KeyError, match="NI 999"):
        fill_template(write_template(plan, "yos", PERIOD), Answers(indicators={"NI 999": IndicatorAnswer(Decimal(1))}))


def test_there_is_a_sample_for_every_leaf_and_quarter(plan: Plan) -> None:
    quarters = (*Period(2009).quarters, *Period(2010).quarters)
    assert sample_periods() == quarters
    sampled = [(row["indicator"], parse_period(row["period"])) for row in sample_rows("quarterly-figures.csv")]
    asked = [(leaf, quarter) for quarter in quarters for leaf in plan.indicators if _asks(plan, leaf, quarter)]
    assert sorted(sampled) == sorted(asked)


def _asks(plan: Plan, indicator: str, period: Period) -> bool:
    return any(indicator in owed for owed in plan.at(period).owed_by.values())


def test_the_samples_of_2009_10_end_on_the_outturns_of_the_document(plan: Plan) -> None:
    last, year = Period(2009, 4), Period(2009)
    for indicator in plan.indicators.values():
        outturn = plan.figure(Measure.HISTORY, indicator.indicator, year)
        if outturn is None:
            continue
        rows = [row for row in sample_rows("quarterly-figures.csv") if row["indicator"] == indicator.indicator]
        quarters = {parse_period(row["period"]): row for row in rows}
        if indicator.accumulation is Accumulation.SUM:
            assert sum(Decimal(quarters[period]["value"]) for period in year.quarters) == outturn.value
        elif outturn.marker is Marker.NOT_AVAILABLE:
            assert (quarters[last]["value"], quarters[last]["marker"]) == ("", "-")
        else:
            assert Decimal(quarters[last]["value"]) == outturn.value


def test_milestones_move_from_report_to_report(plan: Plan) -> None:
    states = [
        sample_answers(plan, "vcs", period).milestones["PC3-A1-M1"].status
        for period in (Period(2009, 4), *Period(2010).quarters)
    ]
    assert states == ["Not started", "On track", "On track", "At risk", "Missed"]
    assert {row["milestone"] for row in sample_rows("milestone-reports.csv")} <= plan.milestones.keys()
    assert {row["status"] for row in sample_rows("milestone-reports.csv")} <= set(MilestoneStatus)


def test_every_sample_return_is_accepted_without_a_question(plan: Plan) -> None:
    figures: dict[FigureKey, KnownFigure] = {}
    states: dict[tuple[str, Period], MilestoneStatus] = {}
    for period, partner_code in product(sample_periods(), plan.partners):
        history = History(figures=dict(figures), milestone_states=dict(states))
        checker = Checker(plan, history, plan.calendar[period].due_on)
        checked = checker.check(
            Received(f"{partner_code}/return.xlsx", sample_return(plan, partner_code, period), partner_code)
        )
        assert {finding.severity for finding in checked.findings} <= {Severity.NOTE}, checked.findings
        for seen in checked.observations:
            key = FigureKey(seen.partner_code, seen.indicator, seen.measure, seen.period.code)
            figures[key] = KnownFigure(seen.value, seen.marker, seen.qualifiers)
        states |= {
            (report.milestone, report.period): report.status for report in checked.milestone_reports if report.status
        }
    percentages = [code for code, indicator in plan.indicators.items() if indicator.unit is Unit.PERCENT]
    assert figures[FigureKey("yos", "NI 45", Measure.ACTUAL, "2009-10Q4")].value == Decimal("71.0")
    assert {key.indicator for key in figures} >= set(percentages)
